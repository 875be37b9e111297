"""The choices of one pipeline that the pure rooms need: names, places, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    overlap_minutes: int = 60
    merge_managed_by: str = "driftguard"
    pipe_managed_by: str = "driftguard"
    dropped_columns: str = "keep"
    allow_unknown: frozenset[str] = field(default=frozenset())
    cast_failure_days: int = 7
    pipeline: str = "default"
