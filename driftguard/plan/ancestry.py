"""The catalog as it was when the landings were last brought in step, from what the control schema knows of its columns.

A rename is a fact where a column keeps its attnum and a table its oid, and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from driftguard.drift.context import Context
from driftguard.drift.copying import reads
from driftguard.drift.lineage import changed_key
from driftguard.model.catalog import Catalog, Column, PgType, Table
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Ancestor
from driftguard.plan.changes import changes


def before(catalog: Catalog, known: Iterable[Ancestor]) -> Catalog | None:
    """`catalog` with the names that its tables and columns had then; None where nothing is known of this database.

    A column that is new since then is not in it. What a column's type was is not known: it has today's.
    """
    by_table: defaultdict[int, list[Ancestor]] = defaultdict(list)
    for item in known:
        if (item.cluster, item.database) == (catalog.system_identifier, catalog.database_oid):
            by_table[item.table_oid].append(item)
    if not by_table or not catalog.system_identifier:
        return None
    return replace(catalog, tables=tuple(_then(t, by_table[t.oid]) if t.oid in by_table else t for t in catalog.tables))


def _then(table: Table, known: list[Ancestor]) -> Table:
    now = {c.attnum: c for c in table.columns}
    columns = tuple(
        replace(now[item.attnum], name=item.column) if item.attnum in now else _gone(item)
        for item in sorted(known, key=lambda item: item.attnum)
    )
    names = {now[item.attnum].name: item.column for item in known if item.attnum in now}
    key = table.primary_key
    if key is not None:
        key = replace(key, columns=tuple(names.get(name, name) for name in key.columns))
    return replace(table, schema=known[0].table.schema, name=known[0].table.name, columns=columns, primary_key=key)


def _gone(item: Ancestor) -> Column:
    return Column(item.column, item.attnum, PgType("text", "text"))


def in_step(context: Context, landings: Iterable[ObjectName]) -> Iterator[Ancestor]:
    """The columns to note for those of `landings` that nothing is left to do for."""
    wanted = set(landings)
    catalog = context.catalog
    for pair in context.pairs:
        if catalog is None or pair.landing.final not in wanted or pair.final is None or pair.under_way:
            continue
        if pair.pipe is not None and not reads(pair.pipe, pair.landing.stage, pair.landing.path):
            continue  # what it was called before tells when DMS has left the old folder
        if changed_key(pair, context) or changes(pair, context).columns:
            continue
        for emission in pair.landing.emissions:
            table = catalog.table(emission.source.table)
            for column in table.columns if table is not None else ():
                yield Ancestor(
                    str(pair.landing.final), catalog.system_identifier, catalog.database_oid, emission.source.table,
                    table.oid if table else 0, column.name, column.attnum,
                )  # fmt: skip
