"""Which landing was which before the proposed migrations: told by oid and attnum, never by names."""

from __future__ import annotations

from driftguard.drift.context import Context, Pair
from driftguard.model.catalog import Table
from driftguard.model.landing import Landing


def lineage(pair: Pair, context: Context) -> tuple[Table | None, Table | None, Landing | None]:
    """The table now, the same table before, and its landing before; None where they are not known or not one table."""
    if context.before is None or context.catalog is None or len(pair.landing.emissions) != 1:
        return None, None, None
    after = context.catalog.table(pair.landing.emissions[0].source.table)
    before = next((t for t in context.before.tables if after is not None and t.oid == after.oid), None)
    if after is None or before is None:
        return after, None, None
    was = next((w for w in context.landed_before for e in w.emissions if e.source.table == before.id), None)
    if was is None or was.final != pair.landing.final:
        return after, None, None
    return after, before, was


def changed_key(pair: Pair, context: Context) -> tuple[str, ...]:
    """The key that FINAL declares, where it is another one than the source's; empty where it is not, or none is.

    A column that only changes its name is the same one; another column under an old name is not.
    """
    if pair.final is None or not pair.final.primary_key:
        return ()
    declared = pair.final.primary_key
    after, before, was = lineage(pair, context)
    if after is not None and before is not None and was is not None and {c.name for c in was.key} == set(declared):
        return declared if _numbers(pair.landing, after) != _numbers(was, before) else ()
    now = {c.final: c.becomes or c.final for c in pair.under_way}
    return () if {now.get(name, name) for name in declared} == {c.name for c in pair.landing.key} else declared


def _numbers(landing: Landing, table: Table) -> set[int | None]:
    """The attnums of the key's columns."""
    columns = {c.name: c.attnum for c in table.columns}
    return {columns.get(c.source or "") for c in landing.key}


def replaced(pair: Pair, context: Context) -> tuple[str, ...]:
    """Names of FINAL under which Aurora has another column now."""
    after, before, was = lineage(pair, context)
    if after is None or before is None or was is None:
        return ()
    now = {c.name: c.attnum for c in after.columns}
    then = {c.name: c.attnum for c in before.columns}
    landed = {c.name: then.get(c.source) for c in was.final_columns if c.source}
    return tuple(
        c.name
        for c in pair.landing.final_columns
        if c.source and landed.get(c.name, now.get(c.source)) != now.get(c.source)
    )


def swapped(pair: Pair, context: Context) -> bool:
    """Has another table of Aurora the landing's name now?"""
    if context.before is None or context.catalog is None or len(pair.landing.emissions) != 1:
        return False
    name = pair.landing.emissions[0].source.table
    now, then = context.catalog.table(name), context.before.table(name)
    return now is not None and then is not None and now.oid != then.oid
