"""What a merge must not forget: what other revisions have added or begun after this one was planned.

Two pull requests that add a column each are planned against the same Snowflake. The lists of the second merge do not
know the first one's column; taken literally, they would throw it out of the merge again, and its values with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from driftguard.merge.consumption import consumed
from driftguard.merge.generate import is_generated
from driftguard.merge.record import projected
from driftguard.merge.transitions import under_way
from driftguard.model.landing import DG_DELETED, DG_REPAIR, FINAL_OPTIONAL, FINAL_SERVICE, STAGING_SERVICE
from driftguard.model.merge import MergeColumn, MergeSpec, is_leftover, same_named
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import find_table
from driftguard.typemap.casting import cast_between

_SERVICE = frozenset((*FINAL_SERVICE, *FINAL_OPTIONAL, *STAGING_SERVICE))


def with_others(
    spec: MergeSpec, estate: Estate, definition: str = "", ended: Collection[str] = (), leave_out: Collection[str] = ()
) -> MergeSpec:
    """`spec` with what the merge that is there has under way, and with every column that both tables have.

    `definition` is that merge's text, `ended` the columns of FINAL whose change this operation completes;
    what is in `leave_out` stays out.
    """
    final, staging = find_table(estate, spec.final), find_table(estate, spec.staging)
    if final is None or staging is None:
        return spec
    known = projected(definition) if spec.record else ()
    staged_types = {p.name: p.type for p in known} if spec.record else {c.name: c.type for c in staging.columns}
    columns = _with_changes(spec.columns, under_way(definition), ended, final)
    places = {c.name: n for n, c in enumerate(final.columns)}
    named = {c.final for c in columns} | {c.staging for c in columns} | {c.before for c in columns}
    named |= {spec.op, spec.commit_time, spec.change_seq, *leave_out}
    for column in final.columns:
        staged = staged_types.get(column.name)
        if column.name in named or column.name in _SERVICE or staged is None or is_leftover(column.name, places):
            continue
        cast = cast_between(staged, column.type)
        if cast is not None:
            added = same_named(column.name, cast, column.type)
            later = (
                n for n, c in enumerate(columns) if c.kept or places.get(c.final, len(places)) > places[column.name]
            )
            columns.insert(next(later, len(columns)), added)
    return dataclasses.replace(
        spec,
        columns=tuple(columns),
        record=(*spec.record, *(p for p in known if p.name not in {own.name for own in spec.record})),
        stream=consumed(definition) if is_generated(definition) else spec.stream,
        repair=spec.repair or final.column(DG_REPAIR) is not None,
        soft_delete=spec.soft_delete or final.column(DG_DELETED) is not None,
    )


def _with_changes(
    columns: tuple[MergeColumn, ...], changes: tuple[MergeColumn, ...], ended: Collection[str], final: SfTable
) -> list[MergeColumn]:
    """What is under way wins over a plain entry; an entry that is itself under way is the newer word."""
    own = {name for c in columns if c.marker for name in (c.final, c.becomes)}
    found = list(columns)
    for change in changes:
        if change.final in ended or own & {change.final, change.becomes} or final.column(change.final) is None:
            continue
        place = next((n for n, c in enumerate(found) if c.final == change.final), None)
        if place is None:
            found.append(change)
        else:
            found[place] = change
    return found
