"""What governs a table, and what has been decided about its new columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from driftguard.drift.context import Pair
from driftguard.model.identifiers import TableName
from driftguard.model.landing import FinalColumn
from driftguard.model.policy import Policy
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


def newcomers(pair: Pair, policy: Policy) -> Iterable[Newcomer]:
    """Columns that an existing FINAL lacks, without driftguard's own and those that [policy.masking] covers."""
    if pair.final is None:
        return
    there = {c.name for c in pair.final.columns}
    source = pair.landing.emissions[0].source.table if pair.landing.emissions else pair.landing.table
    for column in pair.landing.final_columns:
        if column.name in there or column.source is None:
            continue
        if policy.masking_of(source, column.source) is None:
            yield Newcomer(source, column)
