"""A table that was renamed on Aurora: its rows stand in the old FINAL, and DMS does not send them again."""

from __future__ import annotations

from collections.abc import Sequence

from driftguard.drift.context import Context, Pair
from driftguard.drift.fit import Fit, fit
from driftguard.drift.merging import merge_spec
from driftguard.model.catalog import Table
from driftguard.model.landing import FINAL_SERVICE, Landing
from driftguard.operations.await_marker import Becomes
from driftguard.operations.base import Operation, find_table
from driftguard.operations.copy_rows import CopyRows
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.rename import Rename
from driftguard.plan.governed import governed_landing
from driftguard.plan.markers import awaiting, marker_landing, marker_name


def moving(pair: Pair, context: Context, notes: list[str]) -> list[Operation]:
    """Wait until all of the old name has passed, then copy. Nothing where the table was not renamed."""
    found = _moved(pair, context)
    if found is None:
        return []
    table, was, before = found
    landing = pair.landing
    old = find_table(context.estate, was.final)
    where = marker_landing(context)
    columns = _columns(landing, was, table, before)
    lacking = {c.name for c in landing.key} - {c.new for c in columns}
    taken = context.catalog is not None and context.catalog.table(before.id) is not None
    if old is None or lacking or where is None or taken:
        why = "[marker] table is needed" if where is None else "its old landing is not there, or has another key"
        why = f"another table is called {before.id} now" if taken else why
        notes.append(f"{landing.final}: the rows of {was.final} are not copied ({why}); reload the table")
        return []
    there = {c.name: c.type for c in old.columns}
    wanted = {c.name: c for c in landing.final_columns}
    carried = tuple(c for c in columns if c.old in there and fit(there[c.old], wanted[c.new].type) is not Fit.REBUILD)
    if len(carried) < len(columns) or any(name not in there for name in FINAL_SERVICE):
        notes.append(f"{landing.final}: columns of {was.final} changed with its name; reload the table")
        return []
    bound = old.row_policy or next((c.masking_policy for c in old.columns if c.masking_policy), None)
    if bound is not None and not context.policy.exempt_role:
        notes.append(
            f"{landing.final}: the rows of {was.final} are not copied: {bound} may bind the role that reads them "
            "(DG803); set [policy] exempt_role once it does not, or reload the table"
        )
        return []
    spec = merge_spec(pair, context.policy)
    name = marker_name(landing.final, repr(carried), context)
    return [
        awaiting(context, where, name, was, table.id, [Becomes(c.name, c.type.text) for c in table.columns]),
        CopyRows(f"{name}:copied", was.final, was.staging, was.task, spec, carried),
    ]


def like_the_old(pair: Pair, context: Context, operations: Sequence[Operation], notes: list[str]) -> list[Operation]:
    """The operations, with the landing of a table that was renamed made with what governs the old one's columns."""
    found = _moved(pair, context)
    old = find_table(context.estate, found[1].final) if found is not None else None
    if found is None or old is None:
        return list(operations)
    table, was, before = found
    if not context.estate.sees_governance:
        notes.append(
            f"{pair.landing.final}: whether a policy or tag governs {was.final} could not be looked at (DG802)"
        )
    columns = {c.new: c.old for c in _columns(pair.landing, was, table, before)}
    decided = {c.name for c in pair.landing.final_columns if c.source and context.policy.masking_of(table.id, c.source)}
    return [governed_landing(op, old, columns, decided) if isinstance(op, CreateLanding) else op for op in operations]


def _moved(pair: Pair, context: Context) -> tuple[Table, Landing, Table] | None:
    """The table, its landing before, and the table before, where the landing is another one now."""
    if context.before is None or context.catalog is None or len(pair.landing.emissions) != 1:
        return None
    table = context.catalog.table(pair.landing.emissions[0].source.table)
    before = next((t for t in context.before.tables if table is not None and t.oid == table.oid), None)
    if table is None or before is None or before.id == table.id:
        return None
    was = next((w for w in context.landed_before for e in w.emissions if e.source.table == before.id), None)
    if was is None or was.final == pair.landing.final or len(was.emissions) != 1:
        return None
    return table, was, before


def _columns(landing: Landing, was: Landing, table: Table, before: Table) -> tuple[Rename, ...]:
    """Old and new names in FINAL of the columns that are the same on Aurora."""
    numbers = {c.name: c.attnum for c in before.columns}
    old = {numbers.get(c.source): c.name for c in was.final_columns if c.source}
    found = []
    for column in landing.final_columns:
        source = table.column(column.source) if column.source else None
        if source is not None and source.attnum in old:
            found.append(Rename(old[source.attnum], column.name))
    return tuple(found)
