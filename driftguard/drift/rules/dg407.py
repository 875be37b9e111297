"""DG407: a table is in no DMS task."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG407"
TITLE = "a table is in no DMS task"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for name in context.unselected:
        yield Finding(
            CODE,
            SEVERITY,
            f"{name} is selected by no DMS task",
            "its rows do not leave Aurora",
            "nothing to do if that is meant; else add a selection rule to the table mappings",
            place=Place("aurora", name),
        )
