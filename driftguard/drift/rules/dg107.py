"""DG107: AWS does not say how DMS writes this type."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora, source_table
from driftguard.model.emission import Loss
from driftguard.model.finding import Finding, Severity
from driftguard.typemap.resolve import DECIDED

CODE = "DG107"
TITLE = "AWS does not say how DMS writes this type"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        table = source_table(pair.landing)
        for column in pair.landing.final_columns:
            hop = next((h for h in column.hops if h.loss is Loss.UNKNOWN), None)
            if hop is None or any(h.proven_by == DECIDED for h in column.hops):
                continue
            yield Finding(
                CODE,
                SEVERITY,
                f"{table}.{column.source}: what DMS writes for {hop.before} is not documented ({hop.note})",
                "the column is landed as text, which loads whatever arrives; whether the values are right is not known",
                f"look at a real file, then decide in typemaps/overrides.toml, or pass --allow-unknown {CODE}",
                table=table,
                column=column.source,
                place=on_aurora(table),
            )
