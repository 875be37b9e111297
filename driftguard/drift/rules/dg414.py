"""DG414: DMS removes the files of a table that Aurora drops or truncates."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG414"
TITLE = "DMS removes the files of a table that Aurora drops or truncates"
SEVERITY = Severity.WARNING


_POLICIES = (
    ("handle_source_table_dropped", "HandleSourceTableDropped"),
    ("handle_source_table_truncated", "HandleSourceTableTruncated"),
)


def find(context: Context) -> Iterator[Finding]:
    """AWS states no defaults for these, so only a value that was read is judged."""
    for task in context.tasks:
        on = [name for field, name in _POLICIES if field in task.settings.given and getattr(task.settings, field)]
        if on:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: {' and '.join(on)} {'is' if len(on) == 1 else 'are'} true",
                "DMS then removes the table's folder on S3 with all files, also those that Snowpipe has not loaded",
                "set both to false in ChangeProcessingDdlHandlingPolicy of the task settings",
                place=on_task(task),
            )
