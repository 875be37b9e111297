"""DG418: numeric is mapped in a way that is not for S3."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG418"
TITLE = "numeric is mapped in a way that is not for S3"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if task.endpoint.map_unbounded_numeric_as_string:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: MapUnboundedNumericAsString is true",
                "AWS says not to use it with a target that is no PostgreSQL; what becomes of numeric without (p,s) on "
                "S3 is not documented",
                "set it to false, and give such columns a precision and a scale on Aurora",
                place=on_task(task),
            )
