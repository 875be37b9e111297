"""DG401: no commit time in the files."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG401"
TITLE = "no commit time in the files"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if not task.endpoint.timestamp_column_name:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: TimestampColumnName is not set",
                "without the commit time, changes to one row cannot be put in order; no landing is planned",
                "set TimestampColumnName in the S3 settings of the target endpoint",
                place=Place("dms", task.name),
            )
