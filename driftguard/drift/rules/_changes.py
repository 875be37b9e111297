"""What a proposed migration does, told by oid and attnum and never by names."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.catalog import Column, PgType, Table

_INTEGERS = ("int2", "int4", "int8")
_TEXTS = ("varchar", "text")


def common_tables(context: Context) -> Iterator[tuple[Table, Table]]:
    """Tables that are there before and after the proposed migrations, as they were and as they become."""
    if context.before is None or context.catalog is None:
        return
    after = {t.oid: t for t in context.catalog.tables}
    for old in context.before.tables:
        new = after.get(old.oid)
        if new is not None:
            yield old, new


def added_columns(context: Context) -> Iterator[tuple[Table, Column]]:
    """Columns that existing tables gain."""
    for old, new in common_tables(context):
        known = {c.attnum for c in old.columns}
        for column in new.columns:
            if column.attnum not in known:
                yield new, column


def renamed_columns(context: Context) -> Iterator[tuple[Table, Column, Column]]:
    """Columns that keep their attnum and change their name: (table afterwards, old column, new column)."""
    for old, new in common_tables(context):
        before = {c.attnum: c for c in old.columns}
        for column in new.columns:
            was = before.get(column.attnum)
            if was is not None and was.name != column.name:
                yield new, was, column


def renamed_tables(context: Context) -> Iterator[tuple[Table, Table]]:
    """Tables that keep their oid and change their schema or name."""
    for old, new in common_tables(context):
        if old.id != new.id:
            yield old, new


def changes_values(was: PgType, now: PgType) -> bool:
    """Could a value read differently afterwards? Not where the type only gets more room."""
    if (was.resolved, was.typmod) == (now.resolved, now.typmod):
        return False
    if was.resolved in _INTEGERS and now.resolved in _INTEGERS:
        return False
    if was.resolved in _TEXTS and now.resolved in _TEXTS:
        return False
    both = was.resolved == now.resolved == "numeric" and min(was.typmod, now.typmod) >= 0
    return not (both and _scale(was) == _scale(now))


def _scale(type_: PgType) -> int:
    return (type_.typmod - 4) & 0x7FF
