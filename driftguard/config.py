"""driftguard.toml and the environment, read into one validated value. Unknown keys are refused."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from driftguard.errors import ConfigError, NoConfigError
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import ColumnPolicy, Masking, Named, Policy, StagingStyle

FILE_NAME = "driftguard.toml"
NO_POLICY = "none"  # of [policy.masking]: decided that the column needs none
Owner = Literal["driftguard", "terraform", "dbt", "sql"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Aurora(_Section):
    """Where the source is. Without `url` the usual PG* variables and service file apply."""

    url: str | None = None
    schemas: tuple[str, ...] = ()  # empty: all but the system's own
    migrations: str | None = None  # the team's own migrations folder
    migration_timezone: str = Field(default="", pattern=r"^[A-Za-z0-9_+\-/]*$")  # TimeZone of the sessions that migrate


class SnowflakeSection(_Section):
    """Where the target is: a connection of connections.toml by name, else SNOWFLAKE_* variables."""

    connection: str | None = None
    connections_file: str | None = None
    warehouse: str | None = None
    role: str | None = None
    capabilities: str = "snowflake-capabilities.toml"  # what `probe --snowflake` has found out


class NamedSection(_Section):
    """What the objects of one landing are called: names as they are stored, or templates."""

    staging_table: str | None = Field(default=None, min_length=1)
    final_table: str | None = Field(default=None, min_length=1)
    pipe: str | None = Field(default=None, min_length=1)
    task: str | None = Field(default=None, min_length=1)
    stream: str | None = Field(default=None, min_length=1)


class LandingSection(_Section):
    """Names and places on Snowflake. Templates know {table} and {schema}."""

    database: str
    staging_schema: str = "STAGING"
    final_schema: str = "FINAL"
    staging_table: str = "{table}_CDC"
    final_table: str = "{table}"
    pipe: str = "{table}_PIPE"
    task: str = "{table}_MERGE"
    stream: str = "{table}_STREAM"
    stage: str = "DMS_STAGE"
    stage_path: str = ""
    file_format: str = "DRIFTGUARD_PARQUET"
    warehouse: str = ""
    schedule: str = "1 MINUTE"
    overlap_minutes: int = Field(default=60, ge=0)
    named: dict[str, NamedSection] = Field(default_factory=dict)  # by schema.table

    @field_validator("named")
    @classmethod
    def _one_table(cls, named: dict[str, NamedSection]) -> dict[str, NamedSection]:
        for table in named:
            if not all(table.partition(".")):
                raise ValueError(f"{table!r} is not schema.table")
        return named


class Control(_Section):
    schema_name: str = Field(default="DRIFTGUARD", alias="schema")
    lease_seconds: int = Field(default=300, ge=30)
    cast_failure_days: int = Field(default=7, ge=1)


class Marker(_Section):
    """The table on Aurora through which driftguard learns that a change has passed: DMS has to replicate it."""

    table: str = Field(default="", pattern=r"^$|^[^.]+\.[^.]+$")
    column: str = Field(default="name", min_length=1)
    hold_seconds: int = Field(default=120, ge=1)


class ManagedBy(_Section):
    """Who changes what: for an owner other than driftguard the plan says what to change there, and waits for it."""

    merge: Owner = "driftguard"
    pipe: Owner = "driftguard"
    staging: Owner = "driftguard"
    final: Owner = "driftguard"
    file_format: Owner = "driftguard"


OnNullUpdate = Literal["overwrite", "keep"]
Style = Literal["columns", "record"]


class ColumnPolicySection(_Section):
    """One column or, with the wildcards * and ?, several: what a NULL in an update of a large value means."""

    table: str = Field(pattern=r"^.+\..+$")
    column: str = Field(min_length=1)
    on_null_update: OnNullUpdate


class PolicySection(_Section):
    dropped_columns: Literal["keep"] = "keep"
    drop_leftovers: bool = False
    on_null_update: OnNullUpdate = "overwrite"
    deletes: Literal["hard", "soft"] = "hard"
    consumption: Literal["stream", "files"] = "stream"
    merge_style: Literal["task", "procedure"] = "task"
    columns: tuple[ColumnPolicySection, ...] = ()
    staging_style: Style = "columns"
    staging_styles: dict[str, Style] = Field(default_factory=dict)  # by a pattern for schema.table
    allow_unknown: tuple[str, ...] = ()
    managed_by: ManagedBy = ManagedBy()
    masking: dict[str, str] = Field(default_factory=dict)  # a pattern for columns, and a masking policy or "none"
    exempt_role: bool = False

    @model_validator(mode="after")
    def _records_are_merged_by_us(self) -> Self:
        if "record" in (self.staging_style, *self.staging_styles.values()) and self.managed_by.merge != "driftguard":
            raise ValueError("staging_style 'record' needs managed_by.merge = 'driftguard', which reads the records")
        return self

    @field_validator("staging_styles")
    @classmethod
    def _tables(cls, styles: dict[str, Style]) -> dict[str, Style]:
        for pattern in styles:
            if not all(pattern.partition(".")):
                raise ValueError(f"{pattern!r} is not schema.table")
        return styles

    @field_validator("masking")
    @classmethod
    def _names(cls, masking: dict[str, str]) -> dict[str, str]:
        for pattern, name in masking.items():
            parts = name.split(".")
            if name != NO_POLICY and not (len(parts) in (2, 3) and all(parts)):
                raise ValueError(f"{pattern!r}: {name!r} is not SCHEMA.POLICY, DATABASE.SCHEMA.POLICY or {NO_POLICY!r}")
            if not pattern or ("." in pattern and pattern.count(".") < 2):
                raise ValueError(f"{pattern!r} is neither a column nor schema.table.column")
        return masking


class Waiver(_Section):
    """A finding that is accepted, with a reason and, better, an end."""

    code: str = Field(pattern=r"^DG\d{3}$")
    table: str | None = None
    column: str | None = None
    reason: str = Field(min_length=3)
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class DmsTaskSection(_Section):
    """One DMS task or Serverless replication: files or tables as the DMS API prints them."""

    name: str = "dms"
    arn: str | None = None  # of the task or Serverless replication: read from AWS
    replication: str | dict[str, Any] | None = None  # an item of describe-replication-tasks or -configs
    source_endpoint: str | dict[str, Any] | None = None  # an item of describe-endpoints
    target_endpoint: str | dict[str, Any] | None = None
    # The same in pieces:
    table_mappings: str | dict[str, Any] | None = None
    s3_settings: str | dict[str, Any] = Field(default_factory=dict)
    postgresql_settings: str | dict[str, Any] = Field(default_factory=dict)
    task_settings: str | dict[str, Any] = Field(default_factory=dict)
    s3_attributes: str = ""  # extra connection attributes of the target endpoint
    postgresql_attributes: str = ""  # and of the source endpoint
    migration_type: Literal["", "full-load", "cdc", "full-load-and-cdc"] = ""
    engine_version: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.table_mappings, self.replication, self.arn)) != 1:
            raise ValueError("give one of 'table_mappings', 'replication' and 'arn'")
        if self.arn is not None and (self.source_endpoint is not None or self.target_endpoint is not None):
            raise ValueError("with 'arn' the endpoints are read from AWS too: leave them out")
        return self


class Dms(_Section):
    region: str | None = None  # default: that of the ARN
    profile: str | None = None
    endpoint_url: str | None = None
    snapshot: str = ""  # tasks with an arn are read from this file, and not from AWS
    task: tuple[DmsTaskSection, ...] = ()


class Lake(_Section):
    """Where DMS's files are: the bucket, or the prefix of it that holds the endpoint's BucketFolder; or a folder."""

    url: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None  # of another store that speaks S3


class Revisions(_Section):
    dir: str = "migrations"


class Snapshots(_Section):
    aurora: str = "snapshots/aurora.json"
    snowflake: str = "snapshots/snowflake.json"
    max_age_days: int = Field(default=7, ge=0)


class Typemaps(_Section):
    overrides: str = "typemaps/overrides.toml"
    observed: str = "typemaps/observed.toml"


class Settings(_Section):
    """The whole file."""

    aurora: Aurora = Aurora()
    snowflake: SnowflakeSection = SnowflakeSection()
    landing: LandingSection
    control: Control = Control()
    marker: Marker = Marker()
    policy: PolicySection = PolicySection()
    dms: Dms = Dms()
    lake: Lake = Lake()
    revisions: Revisions = Revisions()
    snapshots: Snapshots = Snapshots()
    typemaps: Typemaps = Typemaps()
    waiver: tuple[Waiver, ...] = ()
    pipeline: str = "default"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, and the folder that relative paths in them start from."""

    settings: Settings
    root: Path
    file: Path

    def path(self, name: str) -> Path:
        """A path from the file, relative to the file's folder."""
        return self.root / name

    def policy(self) -> Policy:
        """What the pure rooms need to know."""
        s = self.settings
        return Policy(
            database=s.landing.database,
            staging_schema=s.landing.staging_schema,
            final_schema=s.landing.final_schema,
            staging_table=s.landing.staging_table,
            final_table=s.landing.final_table,
            pipe=s.landing.pipe,
            task=s.landing.task,
            stream=s.landing.stream,
            stage=s.landing.stage,
            stage_path=s.landing.stage_path,
            file_format=s.landing.file_format,
            control_schema=s.control.schema_name,
            warehouse=s.landing.warehouse or s.snowflake.warehouse or "",
            schedule=s.landing.schedule,
            named=tuple(Named(table, **names.model_dump()) for table, names in s.landing.named.items()),
            overlap_minutes=s.landing.overlap_minutes,
            consumption=s.policy.consumption,
            merge_managed_by=s.policy.managed_by.merge,
            pipe_managed_by=s.policy.managed_by.pipe,
            staging_managed_by=s.policy.managed_by.staging,
            final_managed_by=s.policy.managed_by.final,
            file_format_managed_by=s.policy.managed_by.file_format,
            dropped_columns=s.policy.dropped_columns,
            drop_leftovers=s.policy.drop_leftovers,
            on_null_update=s.policy.on_null_update,
            soft_delete=s.policy.deletes == "soft",
            staging_style=s.policy.staging_style,
            staging_styles=tuple(StagingStyle(table, style) for table, style in s.policy.staging_styles.items()),
            merge_style=s.policy.merge_style,
            columns=tuple(ColumnPolicy(c.table, c.column, c.on_null_update) for c in s.policy.columns),
            allow_unknown=frozenset(s.policy.allow_unknown),
            masking=tuple(
                Masking(pattern, None if name == NO_POLICY else _policy_name(name, s.landing.database))
                for pattern, name in s.policy.masking.items()
            ),
            exempt_role=s.policy.exempt_role,
            cast_failure_days=s.control.cast_failure_days,
            pipeline=s.pipeline,
            marker_table=s.marker.table,
            marker_column=s.marker.column,
            marker_hold_seconds=s.marker.hold_seconds,
            migration_timezone=s.aurora.migration_timezone,
        )

    def document(self, value: str | dict[str, Any], what: str) -> dict[str, Any]:
        """A settings object that stands in the file itself, or in a JSON file it names. Raises `ConfigError`."""
        if not isinstance(value, str):
            return value
        path = self.path(value)
        try:
            loaded = json.loads(path.read_bytes())  # finds UTF-8 and UTF-16, which a shell of Windows writes, by itself
        except OSError as error:
            raise ConfigError(f"{self.file}: {what} = {value!r}: {error.strerror}", hint="name a JSON file") from None
        except ValueError as error:
            raise ConfigError(f"{path}: not JSON ({error})") from None
        except RecursionError:
            raise ConfigError(f"{path}: nested too deeply") from None
        if not isinstance(loaded, dict):
            raise ConfigError(f"{path}: a JSON object is expected here, not {type(loaded).__name__}")
        return loaded


def _policy_name(name: str, database: str) -> ObjectName:
    *home, schema, policy = name.split(".")
    return ObjectName(home[0] if home else database, schema, policy)


def load(file: Path | None = None, directory: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration.

    `file` is --config; else DRIFTGUARD_CONFIG; else driftguard.toml, or [tool.driftguard] in pyproject.toml, in
    `directory` (--dir, default: the working directory). Variables `DRIFTGUARD_<SECTION>_<KEY>` win over the file.
    Raises `ConfigError` with the file and the key.
    """
    environ = os.environ if environ is None else environ
    found = _find(file, directory, environ)
    data = _read(found)
    if found.name == "pyproject.toml":
        data = _table(_table(data).get("tool")).get("driftguard", {})
    _apply_environment(data, environ)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise _config_error(found, error) from None
    return Config(settings, root=found.parent.resolve(), file=found)


def _find(file: Path | None, directory: Path | None, environ: Mapping[str, str]) -> Path:
    if file is None and directory is None and environ.get("DRIFTGUARD_CONFIG"):
        file = Path(environ["DRIFTGUARD_CONFIG"])
    if file is not None:
        if not file.is_file():
            raise ConfigError(f"{file}: no such file", hint="--config names a driftguard.toml")
        return file
    folder = directory or Path.cwd()
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder", hint="--dir names the folder of driftguard.toml")
    own = folder / FILE_NAME
    if own.is_file():
        return own
    shared = folder / "pyproject.toml"
    if shared.is_file() and "driftguard" in _table(_read(shared).get("tool")):
        return shared
    raise NoConfigError(f"{own}: no such file", hint="`driftguard init` writes one, or name it with --config or --dir")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:  # also a number of thousands of digits
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


# Variables of that prefix that are not settings of the file.
_NOT_SETTINGS = ("DRIFTGUARD_CONFIG", "DRIFTGUARD_LIVE", "DRIFTGUARD_TEST", "DRIFTGUARD_FACTS")


def _apply_environment(data: dict[str, Any], environ: Mapping[str, str]) -> None:
    for variable, value in sorted(environ.items()):
        if not variable.startswith("DRIFTGUARD_") or variable.startswith(_NOT_SETTINGS):
            continue
        section, _, key = variable.removeprefix("DRIFTGUARD_").lower().partition("_")
        model = Settings.model_fields.get(section)
        known = getattr(model.annotation, "model_fields", {}) if model else {}
        names = {name: field for name, field in known.items() if name == key or field.alias == key}
        if not names:
            raise ConfigError(f"{variable}: no such setting", hint="the form is DRIFTGUARD_<SECTION>_<KEY>")
        table = data.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{variable}: [{section}] of the file is not a table, so nothing can be set in it")
        table[key] = value.split(",") if key in ("schemas", "allow_unknown") else value


def _config_error(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{path}: unknown key {where!r}", hint="docs/configuration.md lists the keys")
    if first["type"] == "missing":
        return ConfigError(f"{path}: {where!r} is missing", hint="docs/configuration.md lists the keys")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return ConfigError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}{more}")
