"""What governs a table, and what has been decided about its new columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from driftguard.drift.context import Context, Pair
from driftguard.model.identifiers import TableName
from driftguard.model.landing import FinalColumn
from driftguard.model.snowflake import SfTable


def governing(table: SfTable) -> tuple[str, ...]:
    """The policies and tags of a table, for a person: a new column of it would have none of them.

    A tag on the table, the schema or the database is not counted: new columns inherit it (docs.snowflake.com "Tag
    inheritance").
    """
    found = [f"its row access policy {table.row_policy}"] if table.row_policy else []
    for column in table.columns:
        if column.masking_policy:
            found.append(f"{column.name}, masked by {column.masking_policy}")
        found += [f"{column.name}, tagged {tag.name} = {tag.value!r}" for tag in column.tags]
    return tuple(found)


@dataclasses.dataclass(frozen=True, slots=True)
class Newcomer:
    """A column that FINAL is to get, and that nobody has decided about."""

    table: TableName
    column: FinalColumn


def source_of(pair: Pair) -> TableName:
    """The Aurora table that decisions about the landing's columns name: its first source."""
    return pair.landing.emissions[0].source.table if pair.landing.emissions else pair.landing.table


def newcomers(pair: Pair, context: Context) -> Iterator[Newcomer]:
    """Columns that an existing FINAL lacks, without driftguard's own and those that [policy.masking] covers.

    A column that is renamed on Aurora keeps its column of FINAL, and with it what governs it.
    """
    if pair.final is None:
        return
    there = {c.name for c in pair.final.columns}
    missing = [c for c in pair.landing.final_columns if c.name not in there and c.source is not None]
    if not missing:
        return
    source = source_of(pair)
    known = _known_before(source, context)
    for column in missing:
        if column.source is None or column.source in known or pair.goes_to(column.name):
            continue
        if context.policy.masking_of(source, column.source) is None:
            yield Newcomer(source, column)


def _known_before(source: TableName, context: Context) -> frozenset[str]:
    """Columns of the table as it is now that it had before the proposed migrations, under whatever name."""
    if context.before is None or context.catalog is None:
        return frozenset()
    now = context.catalog.table(source)
    was = next((t for t in context.before.tables if now is not None and t.oid == now.oid), None)
    if now is None or was is None:
        return frozenset()
    numbers = {c.attnum for c in was.columns}
    return frozenset(c.name for c in now.columns if c.attnum in numbers)
