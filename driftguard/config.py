"""driftguard.toml and the environment, read into one validated value. Unknown keys are refused."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftguard.errors import ConfigError
from driftguard.model.policy import Policy

FILE_NAME = "driftguard.toml"
Owner = Literal["driftguard", "terraform", "dbt", "sql"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Aurora(_Section):
    """Where the source is. Without `url` the usual PG* variables and service file apply."""

    url: str | None = None
    schemas: tuple[str, ...] = ()  # empty: all but the system's own
    migrations: str | None = None  # the team's own migrations folder


class SnowflakeSection(_Section):
    """Where the target is: a connection of connections.toml by name, else SNOWFLAKE_* variables."""

    connection: str | None = None
    connections_file: str | None = None
    warehouse: str | None = None
    role: str | None = None
    capabilities: str = "snowflake-capabilities.toml"  # what `probe --snowflake` has found out


class LandingSection(_Section):
    """Names and places on Snowflake. Templates know {table} and {schema}."""

    database: str
    staging_schema: str = "STAGING"
    final_schema: str = "FINAL"
    staging_table: str = "{table}_CDC"
    final_table: str = "{table}"
    pipe: str = "{table}_PIPE"
    task: str = "{table}_MERGE"
    stage: str = "DMS_STAGE"
    stage_path: str = ""
    file_format: str = "DRIFTGUARD_PARQUET"
    warehouse: str = ""
    schedule: str = "1 MINUTE"
    overlap_minutes: int = Field(default=60, ge=0)


class Control(_Section):
    schema_name: str = Field(default="DRIFTGUARD", alias="schema")
    lease_seconds: int = Field(default=300, ge=30)


class ManagedBy(_Section):
    """Who changes what: for an owner other than driftguard the plan says what to change, and changes nothing."""

    merge: Owner = "driftguard"
    pipe: Owner = "driftguard"


class PolicySection(_Section):
    dropped_columns: Literal["keep"] = "keep"
    allow_unknown: tuple[str, ...] = ()
    managed_by: ManagedBy = ManagedBy()


class Waiver(_Section):
    """A finding that is accepted, with a reason and, better, an end."""

    code: str = Field(pattern=r"^DG\d{3}$")
    table: str | None = None
    column: str | None = None
    reason: str = Field(min_length=3)
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class DmsTaskSection(_Section):
    """One DMS task or Serverless replication. Settings as in the API: a table here, or the name of a JSON file."""

    name: str = "dms"
    table_mappings: str | dict[str, Any]
    s3_settings: str | dict[str, Any] = Field(default_factory=dict)
    postgresql_settings: str | dict[str, Any] = Field(default_factory=dict)
    task_settings: str | dict[str, Any] = Field(default_factory=dict)


class Dms(_Section):
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
            stage=s.landing.stage,
            stage_path=s.landing.stage_path,
            file_format=s.landing.file_format,
            control_schema=s.control.schema_name,
            warehouse=s.landing.warehouse or s.snowflake.warehouse or "",
            schedule=s.landing.schedule,
            overlap_minutes=s.landing.overlap_minutes,
            merge_managed_by=s.policy.managed_by.merge,
            pipe_managed_by=s.policy.managed_by.pipe,
            dropped_columns=s.policy.dropped_columns,
            allow_unknown=frozenset(s.policy.allow_unknown),
            pipeline=s.pipeline,
        )

    def document(self, value: str | dict[str, Any], what: str) -> dict[str, Any]:
        """A settings object that stands in the file itself, or in a JSON file it names. Raises `ConfigError`."""
        if not isinstance(value, str):
            return value
        path = self.path(value)
        try:
            loaded = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{self.file}: {what} = {value!r}: {error.strerror}", hint="name a JSON file") from None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(f"{path}: not JSON ({error})") from None
        if not isinstance(loaded, dict):
            raise ConfigError(f"{path}: a JSON object is expected here, not {type(loaded).__name__}")
        return loaded


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
    raise ConfigError(f"{own}: no such file", hint="`driftguard init` writes one, or name it with --config or --dir")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
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
    return ConfigError(f"{path}: {where}: {first['msg']}{more}")
