"""DG110: names meet on the way to Snowflake."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG110"
TITLE = "names meet on the way to Snowflake"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for refusal in context.expectation.refusals:
        if refusal.code == CODE:
            yield Finding(
                CODE,
                SEVERITY,
                refusal.message,
                "columns are matched by name without regard to case, and tables cannot share a landing: the table "
                "gets no landing until its names differ",
                "rename one of them on Aurora, or with a transformation rule of the DMS table mappings",
                table=refusal.table,
                column=refusal.column,
                place=on_aurora(refusal.table),
            )
