"""DG705: values of existing rows change on Aurora, and DMS does not send them."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import changes_values, common_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Column
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName

CODE = "DG705"
TITLE = "values of existing rows change on Aurora, and DMS does not send them"
SEVERITY = Severity.WARNING
_RELOAD = "after the deploy, update the rows on Aurora (any UPDATE sends the row), or reload the table in DMS"


def find(context: Context) -> Iterator[Finding]:
    for old, new in common_tables(context):
        by_number = {c.attnum: c for c in old.columns}
        by_name = {c.name: c for c in old.columns}
        for column in new.columns:
            was = by_number.get(column.attnum)
            if was is not None and changes_values(was.type, column.type):
                message = f"{new.id}.{column.name} changes from {was.type.text} to {column.type.text}"
                reason = (
                    "changing a type writes no existing row to the WAL: FINAL keeps what it has, converted by "
                    "Snowflake or not at all, and not by the rules of PostgreSQL or a USING clause"
                )
                yield _finding(message, reason, column, new.id, SEVERITY)
            elif was is not None and (gone := [one for one in was.type.enum_labels if one not in _labels(column)]):
                yield _finding(
                    f"{new.id}.{column.name}: rows that had {', '.join(map(repr, gone))} have another label now",
                    "renaming a label of an enum writes no row to the WAL: FINAL keeps the old text for all rows that "
                    "are not written again",
                    column,
                    new.id,
                    SEVERITY,
                )
            elif was is None and column.name in by_name:
                yield _finding(
                    f"{new.id}.{column.name} is dropped and added again",
                    "FINAL keeps the old column's values under the new one's name, for all rows that are not written "
                    "again",
                    column,
                    new.id,
                    Severity.ERROR,
                )


def _finding(message: str, reason: str, column: Column, table: TableName, severity: Severity) -> Finding:
    return Finding(CODE, severity, message, reason, _RELOAD, table=table, column=column.name, place=on_aurora(table))


def _labels(column: Column) -> tuple[str, ...]:
    return column.type.enum_labels
