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

    A column that only changes its name is the same one.
    """
    if pair.final is None or not pair.final.primary_key:
        return ()
    declared = pair.final.primary_key
    now = {c.final: c.becomes or c.final for c in pair.under_way}
    wanted = {c.name for c in pair.landing.key}
    if {now.get(name, name) for name in declared} == wanted:
        return ()
    after, before, was = lineage(pair, context)
    if after is not None and before is not None and was is not None:
        numbers = {c.name: c.attnum for c in after.columns}, {c.name: c.attnum for c in before.columns}
        keys = [{numbers[n].get(c.source or "") for c in landing.key} for n, landing in enumerate((pair.landing, was))]
        if keys[0] == keys[1] and {c.name for c in was.key} == set(declared):
            return ()
    return declared
