"""DG501: a table has no primary key."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG501"
TITLE = "a table has no primary key"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for refusal in context.expectation.refusals:
        if refusal.code == CODE:
            yield Finding(
                CODE,
                SEVERITY,
                refusal.message,
                "DMS ignores updates and deletes of such a table, and there is nothing to merge by: it gets no "
                "landing, the other tables go on",
                "add a primary key, or exclude the table from the DMS task",
                table=refusal.table,
                place=on_aurora(refusal.table),
            )
