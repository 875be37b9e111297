"""How FINAL's columns are made: with what governs their neighbours, with what was decided, or with a hazard."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from driftguard.drift.context import Context, Pair
from driftguard.drift.governance import governing, newcomers, source_of
from driftguard.model.landing import FinalColumn
from driftguard.model.merge import MergeColumn
from driftguard.model.policy import Masking, Policy
from driftguard.model.snowflake import SfTable
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.govern import governed_twin


def final_column(pair: Pair, column: FinalColumn, policy: Policy, *, required: bool = False) -> ColumnDef:
    """The column as it is to be created."""
    masking = _decided(pair, column, policy)
    return ColumnDef(column.name, column.type, required, masking.policy if masking else None)


def added_to_final(
    pair: Pair, context: Context, passed: Collection[str], twins: Sequence[ColumnDef], notes: list[str]
) -> AddColumns | None:
    """Add what FINAL lacks, but for the columns `passed`, and the `twins`.

    What nobody decided about is a hazard on a governed table, and a note on a table that could not be looked at.
    """
    assert pair.final is not None
    there = {c.name for c in pair.final.columns} | set(passed)
    missing = [c for c in pair.landing.final_columns if c.name not in there]
    columns = (*(final_column(pair, c, context.policy) for c in missing), *twins)
    if not columns:
        return None
    undecided = tuple(n.column.name for n in newcomers(pair, context) if n.column in missing)
    if undecided and not context.estate.sees_governance:
        notes.append(
            f"{pair.final.name}: whether a policy or tag governs it could not be looked at; if one does, "
            f"{', '.join(undecided)} will be readable beside it (DG802)"
        )
    return AddColumns(pair.landing.final, columns, undecided if governing(pair.final) else ())


def governed_twins(
    pair: Pair, context: Context, twins: Sequence[ColumnDef], entries: Sequence[MergeColumn]
) -> list[ColumnDef] | str:
    """The twins with what governs the columns that they replace, or why one of them cannot be made."""
    assert pair.final is not None
    made = []
    for twin in twins:
        entry = next(e for e in entries if e.final == twin.name)
        old = entry.becomes or (entry.earlier.staging if entry.earlier else twin.name)
        if pair.final.column(old) is None:
            made.append(twin)
            continue
        expected = next((c for c in pair.landing.final_columns if c.name == (entry.becomes or entry.final)), None)
        found = governed_twin(
            context.estate,
            pair.landing.final,
            old,
            twin,
            masking=_decided(pair, expected, context.policy) if expected else None,
            exempt_role=context.policy.exempt_role,
        )
        if isinstance(found, str):
            return found
        made.append(found[0].columns[0])
    return made


def governed_landing(
    create: CreateLanding, old: SfTable, columns: Mapping[str, str], decided: Collection[str]
) -> CreateLanding:
    """A landing that takes over from `old`, with its policies and tags; what cannot be carried over is a hazard.

    `columns` are the old names by the new ones; `decided` are columns for which [policy.masking] says what they get.
    """
    exposes = [f"the rows, by {old.row_policy}"] if old.row_policy else []
    made = []
    for column in create.final_columns:
        was = old.column(columns.get(column.name, ""))
        if was is not None and column.name not in decided:
            column = dataclasses.replace(column, tags=was.tags)
            if was.masking_policy is not None and was.type.base == column.type.base:
                column = dataclasses.replace(column, masking_policy=was.masking_policy)
            elif was.masking_policy is not None:
                exposes.append(f"{column.name}, by {was.masking_policy}")
        made.append(column)
    return dataclasses.replace(create, final_columns=tuple(made), exposes=tuple(exposes))


def _decided(pair: Pair, column: FinalColumn, policy: Policy) -> Masking | None:
    return policy.masking_of(source_of(pair), column.source) if column.source is not None else None
