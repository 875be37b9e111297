"""DG108: DMS changes the values of this column."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora, source_table
from driftguard.model.emission import Loss
from driftguard.model.finding import Finding, Severity

CODE = "DG108"
TITLE = "DMS changes the values of this column"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        table = source_table(pair.landing)
        for column in pair.landing.final_columns:
            for hop in column.hops:
                if hop.loss is not Loss.LOSSY:
                    continue
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{table}.{column.source}: {hop.note or f'{hop.before} becomes {hop.after}'}",
                    f"{hop.before} becomes {hop.after} before Snowflake sees it; no type there brings it back",
                    f"{hop.remedy or 'change the column type on Aurora'}, or accept the loss with a waiver",
                    table=table,
                    column=column.source,
                    place=on_aurora(table),
                )
