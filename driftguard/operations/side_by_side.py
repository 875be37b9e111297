"""What a merge must not forget: columns that another revision added after this one was planned.

Two pull requests that add a column each are planned against the same Snowflake. The lists of the second merge do not
know the first one's column; taken literally, they would throw it out of the merge again, and its values with it.
"""

from __future__ import annotations

import dataclasses

from driftguard.model.landing import FINAL_SERVICE, STAGING_SERVICE
from driftguard.model.merge import MergeSpec, same_named
from driftguard.model.snowflake import Estate
from driftguard.operations.base import find_table
from driftguard.typemap.casting import cast_between

_SERVICE = frozenset((*FINAL_SERVICE, *STAGING_SERVICE))


def with_others(spec: MergeSpec, estate: Estate, leave_out: tuple[str, ...] = ()) -> MergeSpec:
    """`spec` with every column that both tables have and neither it nor `leave_out` names, in FINAL's order."""
    final, staging = find_table(estate, spec.final), find_table(estate, spec.staging)
    if final is None or staging is None:
        return spec
    places = {c.name: n for n, c in enumerate(final.columns)}
    named = {c.final for c in spec.columns} | {c.staging for c in spec.columns} | {c.before for c in spec.columns}
    named |= {spec.op, spec.commit_time, spec.change_seq, *leave_out}
    columns = list(spec.columns)
    for column in final.columns:
        staged = staging.column(column.name)
        if column.name in named or column.name in _SERVICE or staged is None:
            continue
        cast = cast_between(staged.type, column.type)
        if cast is not None:
            added = same_named(column.name, cast, column.type)
            later = (
                n for n, c in enumerate(columns) if c.kept or places.get(c.final, len(places)) > places[column.name]
            )
            columns.insert(next(later, len(columns)), added)
    return dataclasses.replace(spec, columns=tuple(columns))
