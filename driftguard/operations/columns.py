"""What the operations on columns share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, SfTable, SfType, Tag
from driftguard.operations.base import Readiness, blocked, find_table
from driftguard.sql.snowflake import literal, qualified, quote, type_text


@dataclass(frozen=True)
class ColumnDef:
    """A column to create: always nullable unless `required`, never with a default.

    Source: docs.snowflake.com "ALTER TABLE": a default cannot be dropped again from a column that was added with one.
    """

    name: str
    type: SfType
    required: bool = False
    masking_policy: ObjectName | None = None
    tags: tuple[Tag, ...] = ()

    @property
    def governed(self) -> bool:
        return self.masking_policy is not None or bool(self.tags)


def definition(column: ColumnDef) -> str:
    parts = [quote(column.name), type_text(column.type)]
    if column.required:
        parts.append("NOT NULL")
    if column.masking_policy is not None:
        parts.append(f"WITH MASKING POLICY {qualified(column.masking_policy)}")
    if column.tags:
        set_ = ", ".join(f"{qualified(tag.name)} = {literal(tag.value)}" for tag in column.tags)
        parts.append(f"WITH TAG ({set_})")
    return " ".join(parts)


def look_up(estate: Estate, name: ObjectName) -> SfTable | Readiness:
    """The table, or why an operation on it cannot run."""
    table = find_table(estate, name)
    if table is not None:
        if not table.standard:
            return blocked(f"{name} is a {table.kind.lower()}, not a standard table")
        return table
    if not estate.saw("tables", name.database, name.schema):
        return blocked(f"{name} could not be looked at")
    return blocked(f"{name} does not exist")


def lacking(estate: Estate, *wanted: tuple[ObjectName, Iterable[str]]) -> Readiness | None:
    """Why an operation on these columns of these tables cannot run; None where all of them are there."""
    for name, columns in wanted:
        table = look_up(estate, name)
        if isinstance(table, Readiness):
            return table
        missing = set(columns) - {c.name for c in table.columns}
        if missing:
            return blocked(f"{name} has no column {sorted(missing)[0]}")
    return None
