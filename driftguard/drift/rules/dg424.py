"""DG424: TargetSchema replaces the schema of every table."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG424"
TITLE = "TargetSchema replaces the schema of every table"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if task.settings.target_schema:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: TargetSchema is {task.settings.target_schema}",
                "tables of one name in two schemas meet in one folder; that the folders on S3 follow TargetSchema is "
                "an assumption, AWS does not say it",
                "leave TargetMetadata.TargetSchema empty, and rename schemas by rules of the table mappings",
                place=on_task(task),
            )
