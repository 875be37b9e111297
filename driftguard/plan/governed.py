"""How FINAL's columns are made: with the masking policy that was decided for them, or with a hazard where none was."""

from __future__ import annotations

from driftguard.drift.context import Pair
from driftguard.drift.governance import governing, newcomers
from driftguard.model.landing import FinalColumn
from driftguard.model.policy import Policy
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef


def final_column(pair: Pair, column: FinalColumn, policy: Policy, *, required: bool = False) -> ColumnDef:
    """The column as it is to be created."""
    masking = None
    if column.source is not None:
        source = pair.landing.emissions[0].source.table if pair.landing.emissions else pair.landing.table
        masking = policy.masking_of(source, column.source)
    return ColumnDef(column.name, column.type, required, masking.policy if masking else None)


def missing_final_columns(pair: Pair, policy: Policy, estate: Estate, notes: list[str]) -> AddColumns | None:
    """Add what FINAL lacks; what nobody decided about is a hazard on a governed table, and a note on an unseen one."""
    assert pair.final is not None
    there = {c.name for c in pair.final.columns}
    missing = [c for c in pair.landing.final_columns if c.name not in there]
    if not missing:
        return None
    undecided = tuple(n.column.name for n in newcomers(pair, policy))
    if undecided and not estate.sees_governance:
        notes.append(
            f"{pair.final.name}: whether a policy or tag governs it could not be looked at; if one does, "
            f"{', '.join(undecided)} will be readable beside it (DG802)"
        )
    exposes = undecided if governing(pair.final) else ()
    return AddColumns(pair.landing.final, tuple(final_column(pair, c, policy) for c in missing), exposes)
