"""DG404: full-load rows can carry a later time than the changes captured meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG404"
TITLE = "full-load rows can carry a later time than the changes captured meanwhile"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        s3 = task.endpoint
        loads = task.migration_type != "cdc"
        if loads and s3.timestamp_column_name and not s3.use_task_start_time_for_full_load_timestamp:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: UseTaskStartTimeForFullLoadTimestamp is not set",
                "the merge then puts full-load rows at the earliest time of any full load, so a second full load of "
                "the same table does not win over older rows",
                "set UseTaskStartTimeForFullLoadTimestamp in the S3 settings of the target endpoint",
                place=Place("dms", task.name),
            )
