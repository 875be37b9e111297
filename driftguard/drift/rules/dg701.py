"""DG701: existing rows do not get the default of a new column."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import added_columns
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Column
from driftguard.model.finding import Finding, Severity

CODE = "DG701"
TITLE = "existing rows do not get the default of a new column"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for table, column in added_columns(context):
        if column.default is None and not column.generated:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"{table.id}.{column.name} is added with {_what(column)}, which existing rows do not send",
            "adding a column writes no existing row to the WAL: FINAL shows NULL where Aurora shows a value",
            "after the deploy, update the rows on Aurora (any UPDATE sends the row), or reload the table in DMS",
            table=table.id,
            column=column.name,
            place=on_aurora(table.id),
        )


def _what(column: Column) -> str:
    if column.generated:
        return "a generated value"
    return f"the default {column.missing_value if column.missing_value is not None else column.default}"
