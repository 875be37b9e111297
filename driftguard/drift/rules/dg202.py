"""DG202: a column is missing from FINAL."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG202"
TITLE = "a column is missing from FINAL"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.final is None:
            continue
        there = {c.name for c in pair.final.columns}
        for column in pair.landing.final_columns:
            if column.name in there or pair.goes_to(column.name):
                continue
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.final.name} has no column {column.name}",
                "the values stop in STAGING; nobody who reads FINAL sees them, and nothing fails",
                managed(context.policy.final_managed_by, "FINAL tables"),
                table=source_table(pair.landing),
                column=column.source or column.name,
                place=on_snowflake(pair.final.name),
            )
