"""DG415: DMS removes the files of a table before it loads it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG415"
TITLE = "DMS removes the files of a table before it loads it"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        mode = task.settings.target_table_prep_mode
        if mode != "DO_NOTHING" and task.migration_type != "cdc":
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: TargetTablePrepMode is {mode}",
                "each full load begins by emptying the target, on S3 presumably the table's folder: changes that "
                "Snowpipe has not loaded are gone, and nothing can be loaded again from them",
                "set FullLoadSettings.TargetTablePrepMode in the task settings to DO_NOTHING",
                place=on_task(task),
            )
