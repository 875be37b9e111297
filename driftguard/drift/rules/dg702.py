"""DG702: a column is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import renamed_columns
from driftguard.drift.rules._common import on_aurora, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG702"
TITLE = "a column is renamed"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    passing = {
        (source_table(pair.landing), column.source)
        for pair in context.pairs
        for column in pair.landing.final_columns
        if pair.goes_to(column.name)
    }
    for table, old, new in renamed_columns(context):
        if (table.id, new.name) in passing:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"{table.id}.{old.name} is renamed to {new.name}",
            "DMS writes the new name from then on: the old column stops, and existing rows have NULL in the new one",
            "run `driftguard plan --write`: the merge reads both names while the change passes (docs/changes.md)",
            table=table.id,
            column=new.name,
            place=on_aurora(table.id),
        )
