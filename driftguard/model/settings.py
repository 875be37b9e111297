"""The settings of a DMS task and its endpoints, as far as they decide what is written to S3.

Every default is the one that the AWS DMS documentation states, unless the comment says that it states none. Sources,
all pages of the AWS DMS User Guide or API Reference:
S3 = "Using Amazon S3 as a target for AWS DMS", PG = "Using a PostgreSQL database as an AWS DMS source",
API = API Reference, S3Settings or PostgreSQLSettings, TASK = "Target metadata task settings",
DDL = "Task settings for change processing DDL handling", FL = "Full-load task settings",
ERR = "Error handling task settings", BI = "Before image task settings".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from driftguard.errors import ConfigError
from driftguard.model.mappings import Mappings

MigrationType = Literal["full-load", "cdc", "full-load-and-cdc"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was noticed while settings were read: a contradiction, or an attribute nobody knows."""

    kind: Literal["contradiction", "unknown"]
    setting: str
    message: str
    decides: bool = False  # the setting decides which columns are written, of which types, or where


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Settings of the S3 target endpoint and of the PostgreSQL source endpoint that change what is written."""

    # --- S3 target ---
    bucket_folder: str = "dms"
    """S3: the files of a table go to `bucketFolder/schema/table/`. DMS's default is no folder."""
    data_format: Literal["csv", "parquet"] = "parquet"
    """API: DMS's default is csv; this pipeline needs parquet."""
    include_op_for_full_load: bool = False
    """S3, "Indicating source DB operations in migrated S3 data": adds the field `I` to full-load rows."""
    cdc_inserts_only: bool = False
    """S3: only inserts are written in CDC; without IncludeOpForFullLoad they carry no operation field."""
    cdc_inserts_and_updates: bool = False
    """S3: deletes are not written. Excludes CdcInsertsOnly."""
    timestamp_column_name: str | None = None
    """S3: adds one STRING column of this name to every table; commit time in CDC, transfer time in full load."""
    use_task_start_time_for_full_load_timestamp: bool = False
    """S3: full-load rows carry the task's start time rather than the time the row was transferred."""
    parquet_timestamp_in_millisecond: bool = False
    """API: TIMESTAMP in milliseconds rather than microseconds. Not for the timestamp column, which is a string."""
    parquet_version: Literal["parquet-1-0", "parquet-2-0"] = "parquet-1-0"
    """API: the version of the file format."""
    date_partition_enabled: bool = False
    """S3, "Using date-based folder partitioning": CDC files go to a folder of their commit date."""
    date_partition_sequence: Literal["YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY"] = "YYYYMMDD"
    date_partition_delimiter: Literal["SLASH", "UNDERSCORE", "DASH", "NONE"] = "SLASH"
    preserve_transactions: bool = False
    """S3: CDC goes to CdcPath in commit order, as CSV without header: not for this pipeline."""
    cdc_path: str | None = None
    add_trailing_padding_character: bool = False
    """API: pads string data. Written by nobody here: what the padding is, AWS does not say."""

    # --- PostgreSQL source ---
    map_boolean_as_boolean: bool = False
    """API: boolean as BOOLEAN rather than varchar(5)."""
    map_jsonb_as_clob: bool = False
    """API: jsonb as CLOB rather than NCLOB; a STRING in Parquet either way."""
    map_long_varchar_as: Literal["wstring", "clob", "nclob"] = "wstring"
    """API: what varchar(n) with n > 16387 becomes."""
    map_unbounded_numeric_as_string: bool = False
    """PG: numeric without precision as STRING. "Do not use with non-PostgreSQL targets"."""
    unbounded_varchar_max_size: int = 8000
    """PG, extra connection attribute unboundedVarcharMaxSize: bytes of a varchar without length; what becomes of a
    longer value AWS does not say."""
    trim_space_in_char: bool = True
    """API, TrimSpaceInChar: trailing blanks of char(n) are dropped."""
    capture_ddls: bool = True
    """PG: DMS creates its event trigger and follows DDL."""
    ddl_artifacts_schema: str = "public"
    """PG: where the table awsdms_ddl_audit of that trigger is."""
    fail_tasks_on_lob_truncation: bool = False
    """API: the task fails on a LOB longer than LobMaxSize, which otherwise is cut with a warning in the log."""
    plugin_name: Literal["no-preference", "test-decoding", "pglogical"] = "pglogical"
    """API: the logical decoding plug-in; test-decoding is used where pglogical is not installed."""

    # --- both ---
    remarks: tuple[Remark, ...] = ()
    """What reading the settings of both endpoints showed."""

    def __post_init__(self) -> None:
        if self.cdc_inserts_only and self.cdc_inserts_and_updates:
            raise ConfigError(
                "CdcInsertsOnly and CdcInsertsAndUpdates are both true",
                hint="DMS takes one of them; set the other to false",
            )
        if not 1 <= self.unbounded_varchar_max_size <= 10_485_760:  # PG
            raise ConfigError("unboundedVarcharMaxSize must be from 1 to 10485760 bytes")

    @property
    def op_in_full_load(self) -> bool:
        """Do full-load files carry the operation field? S3, "Indicating source DB operations": only by its setting."""
        return self.include_op_for_full_load

    @property
    def op_in_cdc(self) -> bool:
        """Do CDC files carry the operation field?

        S3, "Indicating source DB operations": always, except that CdcInsertsOnly without IncludeOpForFullLoad leaves
        it out. For CdcInsertsAndUpdates without IncludeOpForFullLoad the guide says "I or U", which is taken here;
        the API Reference says "without an indication".
        """
        return self.include_op_for_full_load or not self.cdc_inserts_only


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Settings of the replication task that change what is written."""

    support_lobs: bool = True
    """TASK, SupportLobs: false leaves LOB columns out. The default of the API is not stated; the guide's example."""
    limited_size_lob_mode: bool = True
    """TASK, LimitedSizeLobMode: LOBs are cut at LobMaxSize. The only LOB mode that an S3 target has."""
    lob_max_size_kb: int = 32
    """TASK, LobMaxSize in kilobytes; 32 is the guide's example."""
    full_lob_mode: bool = False
    """TASK, FullLobMode. S3: "Full LOB mode is not supported"."""
    target_schema: str = ""
    """TASK, TargetSchema: replaces every target schema name; empty keeps the source's."""
    batch_apply_enabled: bool = False
    """TASK, BatchApplyEnabled. S3: "might result in loss of data"."""
    handle_source_table_altered: bool = True
    """DDL, HandleSourceTableAltered; false may lose new columns. Default not stated; true in the guide's examples."""
    handle_source_table_dropped: bool = True
    """DDL, HandleSourceTableDropped. Default not stated."""
    handle_source_table_truncated: bool = True
    """DDL, HandleSourceTableTruncated. Default not stated. PostgreSQL's TRUNCATE is never captured (PG)."""
    target_table_prep_mode: Literal["DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"] = "DO_NOTHING"
    """FL, TargetTablePrepMode: the last two empty the target, on S3 presumably its files. Default not stated."""
    before_image: bool = False
    """BI, EnableBeforeImage. "Using Amazon Kinesis Data Streams as a target": S3 does not support these settings."""
    data_error_policy: str = "LOG_ERROR"
    """ERR, DataErrorPolicy: a record with an error is left out (IGNORE_RECORD, LOG_ERROR), or stops something."""
    data_truncation_error_policy: str = "LOG_ERROR"
    """ERR, DataTruncationErrorPolicy: the same for a value that is cut."""
    table_error_policy: str = "SUSPEND_TABLE"
    """ERR, TableErrorPolicy: SUSPEND_TABLE leaves the table out while the task runs on."""
    given: frozenset[str] = frozenset()
    """The fields above that were really read; the others are defaults, some of them assumed."""


@dataclass(frozen=True, slots=True)
class DmsTask:
    """One replication task: which tables, under which names, written how."""

    name: str
    mappings: Mappings
    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    settings: TaskSettings = field(default_factory=TaskSettings)
    migration_type: MigrationType | None = None  # None: not known
    engine_version: str = ""  # of the replication instance; empty: not known
    captured_at: str = ""  # of the snapshot that it was read from; empty: read from files of its own, or live
