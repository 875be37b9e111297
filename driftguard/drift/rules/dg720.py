"""DG720: a migration changes something that Snowflake has no part in."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import changes_values, common_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Column, Table
from driftguard.model.finding import Finding, Severity

CODE = "DG720"
TITLE = "a migration changes something that Snowflake has no part in"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    """One finding a table. Silent about a column whose Snowflake type has to change."""
    misfits = {
        (emission.source.table, source)
        for pair in context.pairs
        for emission in pair.landing.emissions
        for item in pair.misfits
        if (source := _source(item.expected)) is not None
    }
    for old, new in common_tables(context):
        by_number = {c.attnum: c for c in old.columns}
        what: list[str] = []
        for column in new.columns:
            was = by_number.get(column.attnum)
            if was is not None:
                what += _column(was, column, typed=(new.id, column.name) not in misfits)
        what += _table(old, new)
        if what:
            yield Finding(
                CODE,
                SEVERITY,
                f"{new.id}: {'; '.join(what)}: nothing to do on Snowflake",
                "FINAL has no NOT NULL but in its key, no defaults, no indexes and no comments of Aurora's, and takes "
                "shorter values as they are; DMS writes the same columns with types that STAGING takes",
                "none; deploy it",
                table=new.id,
                place=on_aurora(new.id),
            )


def _source(expected: object) -> str | None:
    return getattr(expected, "source", None) or getattr(expected, "emitted_as", None)


def _column(was: Column, now: Column, *, typed: bool) -> Iterator[str]:
    name = now.name
    if typed and was.type.text != now.type.text and not changes_values(was.type, now.type):
        yield f"{name} is {now.type.text} now, {was.type.text} before"
    if was.nullable != now.nullable:
        yield f"{name} {'may be NULL' if now.nullable else 'is NOT NULL'} now"
    if was.default != now.default and not (was.generated or now.generated):
        yield f"{name} has {f'the default {now.default}' if now.default is not None else 'no default'} now"
    if was.identity != now.identity:
        yield f"{name} is {'an' if now.identity else 'no'} identity column now"
    if was.comment != now.comment:
        yield f"{name} has another comment"
    before = set(was.type.enum_labels)
    if before and before < set(now.type.enum_labels):
        added = [label for label in now.type.enum_labels if label not in before]
        yield f"{name} can be {', '.join(map(repr, added))} too"


def _table(old: Table, new: Table) -> Iterator[str]:
    if old.comment != new.comment:
        yield "another comment"
    if {k.columns for k in old.unique_keys} != {k.columns for k in new.unique_keys}:
        yield "other unique keys"
