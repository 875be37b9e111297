"""DG314: a hand-written merge fills FINAL by position."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG314"
TITLE = "a hand-written merge fills FINAL by position"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        if merge.does.positional:
            yield Finding(
                CODE,
                SEVERITY,
                f"{merge.place} inserts into {pair.landing.final} without a list of columns",
                "a column added to FINAL makes it fail; a column added to both in another order fills the wrong one",
                "name the columns in the INSERT",
                table=source_table(pair.landing),
                place=on_snowflake(merge.place),
            )
