"""DG114: an override decides about no column."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG114"
TITLE = "an override decides about no column"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for item in context.idle:
        yield Finding(
            CODE,
            SEVERITY,
            f"{item} decides about no column",
            "the column, table or type is misspelt or gone, DMS does not write it, or a more particular override has "
            "all of them; where it was meant to act, the shipped map acts",
            "name columns as schema.table.column and types as pg_type has them (int4, not integer), or take it out",
            place=Place("file", item),
        )
