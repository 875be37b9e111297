"""DG408: no table is selected by any DMS task."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG408"
TITLE = "no table is selected by any DMS task"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    """An empty answer is no good news: with nothing selected, nothing was compared."""
    if context.pairs or context.expectation.refusals or context.catalog is None:
        return
    seen = len(context.catalog.tables)
    yield Finding(
        CODE,
        SEVERITY,
        f"none of the {seen} tables that were seen on Aurora is selected by a DMS task: nothing was compared",
        "the table mappings may be those of another database, or [aurora] may name the wrong one",
        "compare schema and table names with the selection rules; they are case-sensitive",
        place=Place("dms", ", ".join(task.name for task in context.tasks)),
    )
