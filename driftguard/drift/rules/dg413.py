"""DG413: DMS does not follow changes of tables."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG413"
TITLE = "DMS does not follow changes of tables"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        for wrong, what, remedy in (
            (not task.endpoint.capture_ddls, "CaptureDdls is false", "set CaptureDdls at the source endpoint to true"),
            (
                not task.settings.handle_source_table_altered,
                "HandleSourceTableAltered is false",
                "set ChangeProcessingDdlHandlingPolicy.HandleSourceTableAltered in the task settings to true",
            ),
        ):
            if wrong:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"DMS task {task.name}: {what}",
                    "the values of a column that is added on Aurora may never be written to S3",
                    f"{remedy}; tables that were altered meanwhile need a reload",
                    place=on_task(task),
                )
