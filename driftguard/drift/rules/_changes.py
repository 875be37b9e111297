"""What a proposed migration does, told by oid and attnum and never by names."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.catalog import Column, Table


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
