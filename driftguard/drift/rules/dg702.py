"""DG702: a column is renamed."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import renamed_columns
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG702"
TITLE = "a column is renamed"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for table, old, new in renamed_columns(context):
        yield Finding(
            CODE,
            SEVERITY,
            f"{table.id}.{old.name} is renamed to {new.name}",
            "DMS writes the new name from then on: the old column stops, and existing rows have NULL in the new one",
            "add the new column, write both for a while, drop the old one later; or reload the table",
            table=table.id,
            column=new.name,
            place=on_aurora(table.id),
        )
