"""The choices of one pipeline that the pure rooms need: names, places, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from driftguard.model.identifiers import ObjectName, TableName

KEEP = "keep"
RECORD = "record"  # of staging_style; the other one is columns
BY_STREAM, BY_FILES = "stream", "files"  # how a merge learns of new files
OURS = "driftguard"  # of managed_by; the others are terraform, dbt and sql


@dataclass(frozen=True, slots=True)
class ColumnPolicy:
    """What a NULL in an update of a large column means: `overwrite`, or `keep` what FINAL has.

    `table` is schema.table; both names may have the wildcards * and ?.
    """

    table: str
    column: str
    on_null_update: str

    def covers(self, table: TableName, column: str) -> bool:
        return fnmatchcase(str(table), self.table) and fnmatchcase(column, self.column)


@dataclass(frozen=True, slots=True)
class Masking:
    """What new columns get: a masking policy, or, decided as well, none.

    `pattern` is for column names, or, with a dot, for schema.table.column; * and ? are wildcards.
    """

    pattern: str
    policy: ObjectName | None

    def covers(self, table: TableName, column: str) -> bool:
        return fnmatchcase(f"{table}.{column}" if "." in self.pattern else column, self.pattern)


@dataclass(frozen=True, slots=True)
class StagingStyle:
    """How STAGING of new landings keeps the rows: in `columns`, or each whole in one `record`.

    `table` is schema.table, with the wildcards * and ?.
    """

    table: str
    style: str

    def covers(self, table: TableName) -> bool:
        return fnmatchcase(str(table), self.table)


@dataclass(frozen=True, slots=True)
class Named:
    """What the objects of one landing are called where the templates do not say it; None: as the template says.

    `table` is schema.table of the target, as the table mappings name it.
    """

    table: str
    staging_table: str | None = None
    final_table: str | None = None
    pipe: str | None = None
    task: str | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Built from driftguard.toml by `config`. Templates know `{table}` and `{schema}`."""

    database: str
    staging_schema: str = "STAGING"
    final_schema: str = "FINAL"
    staging_table: str = "{table}_CDC"
    final_table: str = "{table}"
    pipe: str = "{table}_PIPE"
    task: str = "{table}_MERGE"
    stage: str = "DMS_STAGE"  # in the staging schema unless it is written schema.name
    stage_path: str = ""  # what lies between the stage's URL and the DMS bucket folder
    file_format: str = "DRIFTGUARD_PARQUET"
    control_schema: str = "DRIFTGUARD"
    warehouse: str = ""
    schedule: str = "1 MINUTE"
    named: tuple[Named, ...] = ()
    overlap_minutes: int = 60
    stream: str = "{table}_STREAM"
    consumption: str = BY_STREAM
    merge_managed_by: str = OURS
    pipe_managed_by: str = OURS
    staging_managed_by: str = OURS
    final_managed_by: str = OURS
    file_format_managed_by: str = OURS
    dropped_columns: str = "keep"
    drop_leftovers: bool = False  # columns that a completed change has left behind
    on_null_update: str = "overwrite"
    soft_delete: bool = False
    staging_style: str = "columns"
    staging_styles: tuple[StagingStyle, ...] = ()  # the first that covers a table counts
    merge_style: str = "task"  # or "procedure": one for the STAGING schema, which runs texts that are data
    columns: tuple[ColumnPolicy, ...] = ()  # the first that covers a column counts
    masking: tuple[Masking, ...] = ()  # likewise
    exempt_role: bool = False  # a person's word: no policy binds the roles of apply and of the merges
    allow_unknown: frozenset[str] = field(default=frozenset())
    cast_failure_days: int = 7
    pipeline: str = "default"
    marker_table: str = ""  # schema.table on Aurora; without one no change can be carried through
    marker_column: str = "name"
    marker_hold_seconds: int = 120  # the longest time for which DMS holds changes of a table back
    migration_timezone: str = ""  # the TimeZone of the sessions that run migrations; "": not known

    @property
    def keeps(self) -> bool:
        """Is there any column for which a NULL in an update may mean that it was not sent?"""
        return KEEP in (self.on_null_update, *(item.on_null_update for item in self.columns))

    def name_of(self, kind: str, table: TableName) -> str:
        """The template of a landing's staging_table, final_table, pipe, task or stream, or its own name."""
        own = next((getattr(item, kind) for item in self.named if item.table == str(table)), None)
        return str(own if own is not None else getattr(self, kind))

    def masking_of(self, table: TableName, column: str) -> Masking | None:
        """What has been decided about a column; None where nothing has."""
        return next((item for item in self.masking if item.covers(table, column)), None)

    def stages_records(self, table: TableName) -> bool:
        """Is a new landing of the table to be made in record style?"""
        found = next((item for item in self.staging_styles if item.covers(table)), None)
        return (found.style if found else self.staging_style) == RECORD

    def keeps_on_null_update(self, table: TableName, column: str) -> bool:
        found = next((item for item in self.columns if item.covers(table, column)), None)
        return (found.on_null_update if found else self.on_null_update) == KEEP
