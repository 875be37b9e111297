"""Several sources of one landing: which of them are one table, and what tells the rows of the others apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from driftguard.model.emission import Emission, Role, Source

_TEXT = re.compile(r"'(?:[^']|'')*'")
_NUMBER = re.compile(r"-?[0-9]+")


def family(source: Source) -> tuple[str, str, str]:
    """What has one key of its own: a table, or all partitions of one parent."""
    return source.cluster, source.database, str(source.root or source.table)


def discriminators(group: Sequence[Emission]) -> tuple[str, ...] | None:
    """The added columns whose values tell apart the sources that meet in one landing.

    Empty where one family is all there is; None where rows of two families can have the same key and nothing else
    that is known to differ. Only values that are the same for all rows of a source count: a literal, the schema or the
    table of the source. Source: AWS DMS User Guide, "Using transformation rule expressions to define column content".
    """
    pairs = [(a, b) for a, b in combinations(group, 2) if family(a.source) != family(b.source)]
    if not pairs:
        return ()
    chosen: list[str] = []
    for name in (c.name for c in group[0].cdc if c.role is Role.ADDED):
        values = {id(emission): _constant(emission, name) for emission in group}
        if None in values.values():
            continue
        left = [(a, b) for a, b in pairs if values[id(a)] == values[id(b)]]
        if len(left) < len(pairs):
            pairs = left
            chosen.append(name)
    return None if pairs else tuple(chosen)


def _constant(emission: Emission, name: str) -> str | None:
    """What every row of the source has in the added column `name`; None where that is not known."""
    column = next((c for c in emission.columns if c.name == name and c.role is Role.ADDED), None)
    if column is None:
        return None
    expression = column.expression.strip()
    if expression == "$AR_M_SOURCE_SCHEMA":
        return emission.source.table.schema
    if expression == "$AR_M_SOURCE_TABLE_NAME":
        return emission.source.table.name
    if _TEXT.fullmatch(expression):
        return expression[1:-1].replace("''", "'")
    return expression if _NUMBER.fullmatch(expression) else None
