"""DG115: a completed change has left columns behind."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.leftovers import leftovers
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG115"
TITLE = "a completed change has left columns behind"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for table, columns in leftovers(pair):
            yield Finding(
                CODE,
                SEVERITY,
                f"{table} still has {', '.join(columns)}",
                "the merge does not write them any more: they hold what was there before the change",
                "nothing to do; with [policy] drop_leftovers = true, `driftguard plan` drops them behind a clone",
                table=source_table(pair.landing),
                place=on_snowflake(table),
            )
