"""DG118: names are set for a table that has no landing."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG118"
TITLE = "names are set for a table that has no landing"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    known = {str(table) for table in (pair.landing.table for pair in context.pairs)}
    known |= {str(refusal.table) for refusal in context.expectation.refusals}
    for item in context.policy.named:
        if item.table not in known:
            yield Finding(
                CODE,
                SEVERITY,
                f"[landing.named] {item.table!r} names no landing",
                "the table is misspelt or gone, or DMS does not write it; where it was meant to act, the templates "
                "decide, and driftguard would make what is there under other names a second time",
                "write schema.table as DMS writes it (after its transformations), or take it out",
                place=Place("file", f"[landing.named] {item.table}"),
            )
