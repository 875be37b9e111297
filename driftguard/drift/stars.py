"""Views that take `*` of a table: what the view lists is fixed when it is made, what its query gives is not.

Once the table gains a column, every read of the view fails: error 002057, "declared … column(s), but view query
produces … column(s)", as public projects report it from their accounts. "CREATE VIEW", docs.snowflake.com, says only
that definitions are not dynamic.
"""

from __future__ import annotations

from collections.abc import Iterable

from driftguard.drift.surroundings import around, parts
from driftguard.merge.byhand.flow import Added, Flow, Source, Tables
from driftguard.merge.byhand.nodes import Relation
from driftguard.merge.byhand.views import ViewSheet
from driftguard.model.snowflake import Estate, SfTable


def taking(estate: Estate, table: SfTable, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The views, by their names in full, that do not list all they would take of `columns` by a star over the table.

    A view whose definition or columns are not known, or whose star has ILIKE, is left out.
    """
    near = around(estate, table.name, streams=False)
    found: dict[str, tuple[str, ...]] = {}
    if not any("*" in view.text for view in near.views):
        return found
    for column in columns:
        if all(column in view.columns or not view.columns for view in near.views):
            continue
        known = {c.name: str(c.type) for c in table.columns if c.name != column}
        tables = Tables(parts(table.name), ("",), known, {}, (), table.name.schema, near.views)
        flow = Flow([], tables, Added("", column, "", "", ""))
        for one in flow.views:
            listed = one.view.columns
            if listed and column not in listed and "ILIKE" not in one.view.text.upper() and _gives(flow, one, column):
                found[str(one.view)] = (*found.get(str(one.view), ()), column)
    return found


def _gives(flow: Flow, one: ViewSheet, column: str) -> bool:
    """Does a column of this name come out of the view's query by itself?"""
    query = one.statement.query
    source = Source("query", one.sheet, Relation(one.statement.span), (), query, (), {}, one.statement)
    try:
        return flow.lookup(source, column) is not None
    except RecursionError:
        return False
