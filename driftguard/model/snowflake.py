"""What exists on Snowflake: tables, pipes, tasks, procedures, file formats, and what could not be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftguard.model.catalog import Unseen
from driftguard.model.identifiers import ObjectName, TableName

UNBOUNDED_VARCHAR = 134_217_728  # bytes and characters; "String & binary data types" (data-types-text)
OLD_UNBOUNDED_VARCHAR = 16_777_216  # the default length before the 128 MB limit; counts as unbounded in a comparison
MAX_BINARY = 67_108_864


@dataclass(frozen=True, slots=True)
class SfType:
    """A Snowflake type: `base` is canonical (NUMBER, VARCHAR, BINARY, FLOAT, TIMESTAMP_NTZ, …).

    `length` is for VARCHAR (characters) and BINARY (bytes); `precision` for NUMBER (digits), TIME and TIMESTAMP_*
    (fractional digits); `scale` for NUMBER.
    """

    base: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    def __str__(self) -> str:
        if self.base == "NUMBER" and self.precision is not None:
            return f"NUMBER({self.precision},{self.scale or 0})"
        if self.length is not None:
            return f"{self.base}({self.length})"
        if self.precision is not None:
            return f"{self.base}({self.precision})"
        return self.base


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag that is set on an object itself, not inherited."""

    name: ObjectName
    value: str = ""


@dataclass(frozen=True, slots=True)
class SfColumn:
    """A column as INFORMATION_SCHEMA.COLUMNS shows it. Policy and tags count only where `Estate.looked` has them."""

    name: str
    type: SfType
    nullable: bool = True
    comment: str | None = None
    default: str | None = None
    evolved: bool = False  # a load added it by itself (SCHEMA_EVOLUTION_RECORD)
    masking_policy: ObjectName | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class SfTable:
    """A table with its columns in order. `kind` is INFORMATION_SCHEMA.TABLES.TABLE_TYPE."""

    name: ObjectName
    columns: tuple[SfColumn, ...]
    kind: str = "BASE TABLE"
    primary_key: tuple[str, ...] = ()
    comment: str | None = None
    schema_evolution: bool = False  # ENABLE_SCHEMA_EVOLUTION
    row_count: int | None = None
    bytes: int | None = None
    row_policy: ObjectName | None = None

    @property
    def standard(self) -> bool:
        return self.kind == "BASE TABLE"

    def column(self, name: str) -> SfColumn | None:
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipe; `definition` is its COPY statement as SHOW PIPES prints it."""

    name: ObjectName
    definition: str
    comment: str | None = None
    invalid_reason: str | None = None
    state: str | None = None  # executionState of SYSTEM$PIPE_STATUS; None where it was not asked for
    pending: int | None = None  # pendingFileCount, likewise
    error_integration: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task; `definition` is its body verbatim, `state` is `started` or `suspended`.

    Where the merge is data, `definition` is the text that the task runs, and `text_of` the landing it is kept under.
    """

    name: ObjectName
    definition: str
    state: str
    schedule: str | None = None
    warehouse: str | None = None
    predecessors: tuple[str, ...] = ()
    comment: str | None = None
    condition: str | None = None  # its WHEN
    text_of: str | None = None


APPEND_ONLY = "APPEND_ONLY"


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream, as SHOW STREAMS prints it. `table` is None where its source was not understood or is gone."""

    name: ObjectName
    table: ObjectName | None
    mode: str  # APPEND_ONLY, DEFAULT, INSERT_ONLY
    stale: bool = False
    stale_after: str = ""  # ISO 8601, UTC: when its offset is lost unless it moves


@dataclass(frozen=True, slots=True)
class Procedure:
    """A stored procedure; `definition` is None where the role may not read it.

    `ddl` is the statement that makes it, as GET_DDL prints it; asked for only where a task names the procedure.
    """

    name: ObjectName
    arguments: str
    definition: str | None = None
    language: str | None = None
    owner: str | None = None
    ddl: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A view; `definition` is the statement that made it, None where the role may not read it."""

    name: ObjectName
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A named file format; `options` holds what SHOW FILE FORMATS prints, keys in upper case, values as text."""

    name: ObjectName
    type: str
    options: tuple[tuple[str, str], ...] = ()

    def option(self, key: str) -> str | None:
        return dict(self.options).get(key)


@dataclass(frozen=True, slots=True)
class Stage:
    """A named stage. `url` is empty for an internal stage."""

    name: ObjectName
    url: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """An object that reads `reads`, as OBJECT_DEPENDENCIES knows it. `domain`: VIEW, STREAM, DYNAMIC TABLE, …"""

    name: ObjectName
    domain: str
    reads: ObjectName


# What is read from ACCOUNT_USAGE: kinds in `Estate.unseen` and `Estate.looked`
POLICIES, TAGS, CONSUMERS = "policies", "tags", "consumers"

CAST_FAILURES = "cast failures"  # the kind, where they are in `Estate.unseen`


@dataclass(frozen=True, slots=True)
class CastFailure:
    """How many values of a FINAL column did not fit lately. `name` is the FINAL table in full."""

    name: str
    column: str
    count: int


REPAIRS = "rows to repair"  # the kind, where they are in `Estate.unseen`


@dataclass(frozen=True, slots=True)
class ToRepair:
    """How many rows of a FINAL table have values that nothing told (`_DG_REPAIR`). `name` is the table in full."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Milestone:
    """A marker that has arrived in FINAL, or a step that the control schema has noted. `at`: ISO 8601, UTC, or ""."""

    name: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A column of Aurora as it was when its landing was last in step: who it is, whatever it is called now."""

    landing: str  # FINAL in full
    cluster: str  # pg_control_system().system_identifier
    database: int  # pg_database.oid
    table: TableName
    table_oid: int
    column: str
    attnum: int


@dataclass(frozen=True, slots=True)
class Estate:
    """The Snowflake side as it was found. What is in `unseen` may exist: nothing may be created or dropped for it."""

    tables: tuple[SfTable, ...] = ()
    pipes: tuple[Pipe, ...] = ()
    tasks: tuple[Task, ...] = ()
    streams: tuple[Stream, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    views: tuple[View, ...] = ()  # their columns are in `tables`
    file_formats: tuple[FileFormat, ...] = ()
    stages: tuple[Stage, ...] = ()
    schemas: tuple[tuple[str, str], ...] = ()  # (database, schema) that the role can see
    unseen: tuple[Unseen, ...] = field(default=())
    account: str = ""
    role: str = ""
    captured_at: str = ""  # ISO 8601, UTC
    timezone: str = ""  # the account's TIMEZONE; "" where it may not be read
    revisions: tuple[str, ...] = ()  # applied revisions, where the control schema could be read
    cast_failures: tuple[CastFailure, ...] = ()  # likewise, of the last [control] cast_failure_days
    to_repair: tuple[ToRepair, ...] = ()  # of the tables in FINAL that have any
    consumers: tuple[Consumer, ...] = ()  # of the tables
    looked: tuple[str, ...] = ()  # which of POLICIES, TAGS and CONSUMERS were read; an old snapshot has none

    @property
    def sees_governance(self) -> bool:
        return POLICIES in self.looked and TAGS in self.looked

    markers: tuple[Milestone, ...] = ()  # that are in FINAL, by their commit time
    milestones: tuple[Milestone, ...] = ()  # of the control schema
    ancestors: tuple[Ancestor, ...] = ()  # likewise

    def saw(self, kind: str, database: str, schema: str) -> bool:
        """False where a listing of `kind` (tables, pipes, tasks, …) in that schema failed, was cut or was refused."""
        area = f"{kind} in {database}.{schema}"
        return not any(u.what in (area, f"schema {database}.{schema}") for u in self.unseen)
