"""Columns that a completed change has left beside the ones that took their place."""

from __future__ import annotations

from driftguard.drift.context import Pair
from driftguard.merge.generate import is_generated
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import NEW, OLD, is_leftover
from driftguard.model.snowflake import SfTable
from driftguard.operations.predicate import names_in
from driftguard.operations.replace_merge import STARTED


def leftovers(pair: Pair) -> tuple[tuple[ObjectName, tuple[str, ...]], ...]:
    """For FINAL and STAGING, the columns `C__OLD` that no source sends and that the merge does not name.

    Nothing where driftguard did not write the merge, for what another one reads is not known; nothing while the task
    is suspended, for a change may be half done then.
    """
    task = pair.task
    if task is None or not is_generated(task.definition) or task.state.lower() != STARTED:
        return ()
    tables = [table for table in (pair.final, pair.staging) if table is not None and _old(table)]
    if not tables:
        return ()
    needed = {c.name for c in pair.landing.final_columns} | {c.name for c in pair.landing.staging_columns}
    needed |= {name for c in pair.under_way for name in (c.final, c.staging, c.becomes) if name}
    needed |= names_in(task.definition)
    found = ((table.name, tuple(name for name in _old(table) if name not in needed)) for table in tables)
    return tuple((name, gone) for name, gone in found if gone)


def _old(table: SfTable) -> list[str]:
    names = [c.name for c in table.columns]
    return [name for name in names if OLD in name and is_leftover(name, names) and NEW not in name]
