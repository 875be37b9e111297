"""DG112: a view or another kind of table stands where STAGING or FINAL should be."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG112"
TITLE = "a view or another kind of table stands where STAGING or FINAL should be"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for table in (pair.staging, pair.final):
            if table is not None and not table.standard:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{table.name} is a {table.kind.lower()}, not a standard table",
                    "nothing can be loaded or merged into it as driftguard does, and nothing is planned for it",
                    "rename it, or change the names in [landing], then plan again",
                    table=source_table(pair.landing),
                    place=on_snowflake(table.name),
                )
