"""DG312: a hand-written merge names a column that FINAL does not have."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG312"
TITLE = "a hand-written merge names a column that FINAL does not have"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        known = {column.name for column in pair.final.columns} if pair.final else set()
        named = {name for listed in (*merge.does.updates, *merge.does.inserts) for name in listed}
        for name in sorted(named - known):
            yield Finding(
                CODE,
                SEVERITY,
                f"{merge.place} writes {name}, which {pair.landing.final} does not have",
                "the merge fails at its next run, and no row of the table reaches FINAL",
                "add the column to FINAL, or take it out of the lists",
                table=source_table(pair.landing),
                place=on_snowflake(merge.place),
            )
