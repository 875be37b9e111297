"""A STAGING in record style, seen as the columns that can be read out of its records.

The table itself says nothing about them; the merge that stands there does. Whether a landing is of this style is read
from the table: the setting decides for new ones only.
"""

from __future__ import annotations

import dataclasses

from driftguard.drift.fit import Fit, fit, widened
from driftguard.merge.generate import is_generated
from driftguard.merge.record import projected
from driftguard.model.identifiers import TableName
from driftguard.model.landing import DG_FILE, DG_LOADED_AT, DG_RECORD, DG_ROW, Landing, StagingColumn
from driftguard.model.merge import MergeSpec, Projected
from driftguard.model.policy import Policy
from driftguard.model.snowflake import SfColumn, SfTable, SfType, Task
from driftguard.typemap.casting import common, takes

VARIANT = SfType("VARIANT")


def is_record(table: SfTable) -> bool:
    """Does it keep whole records?"""
    return table.column(DG_RECORD) is not None


def stored(landing: Landing) -> tuple[StagingColumn, ...]:
    """The columns that the table STAGING is made with."""
    if not landing.record:
        return landing.staging_columns
    own = [c for c in landing.staging_columns if c.name in (DG_FILE, DG_ROW, DG_LOADED_AT)]
    return (StagingColumn(DG_RECORD, VARIANT, None), *own)


def other_style(landing: Landing, staging: SfTable | None, policy: Policy) -> bool:
    """Is STAGING there, in another style than the one that is set for its table?"""
    return staging is not None and policy.stages_records(_source(landing)) != landing.record


def _source(landing: Landing) -> TableName:
    return landing.emissions[0].source.table if landing.emissions else landing.table


def seen_through(table: SfTable, landing: Landing, task: Task | None) -> SfTable:
    """The table with what the merge reads out of its records in place of the records."""
    own = tuple(c for c in table.columns if c.name != DG_RECORD)
    expected = {c.name: c for c in landing.staging_columns}
    read = (SfColumn(p.name, _type(p, expected.get(p.name), landing)) for p in _projected(task))
    return dataclasses.replace(table, columns=(*own, *read))


def readable(spec: MergeSpec, landing: Landing, staging: SfTable | None, task: Task | None) -> tuple[Projected, ...]:
    """Where the merge `spec` finds its columns in the records; `staging` is as `seen_through` gives it.

    A column goes on being looked for under the names that it had. So is a key column whose change of name is under
    way: the merge looks back at rows that have it under the old one.
    """
    known = {p.name: p for p in _projected(task)}
    expected = {c.name: c for c in landing.staging_columns}
    paths = {name: _paths(expected.get(name), known.get(name)) for name in spec.staged}
    for column in spec.columns:
        if column.key and column.earlier is not None:
            for now, then in ((column.staging, column.earlier.staging), (column.before, column.earlier.before)):
                if now and then and now != then:
                    paths[now] = tuple(dict.fromkeys((*paths[now], *paths[then])))
    found = []
    for name in spec.staged:
        there = staging.column(name) if staging else None
        found.append(Projected(name, there.type if there else expected[name].type, paths[name]))
    return tuple(found)


def _projected(task: Task | None) -> tuple[Projected, ...]:
    return projected(task.definition) if task is not None and is_generated(task.definition) else ()


def _paths(expected: StagingColumn | None, known: Projected | None) -> tuple[str, ...]:
    now = (expected.emitted_as,) if expected is not None and expected.emitted_as else ()
    return tuple(dict.fromkeys((*now, *(known.paths if known else ()))))


def _type(read: Projected, expected: StagingColumn | None, landing: Landing) -> SfType:
    """The type as which the column is read from now on: one that takes the records of before and those that come."""
    have = read.type
    if expected is None:
        return have
    result = fit(have, expected.least or expected.type)
    if result is Fit.WIDEN:
        return widened(have, expected.type)
    final = next((c for c in landing.final_columns if c.staging == expected.name), None)
    sent = [c.parquet_type for e in landing.emissions for c in e.columns if c.name == expected.emitted_as]
    if result is Fit.FITS or (final is not None and all(takes(have, parquet, final.type) for parquet in sent)):
        return have
    for parquet in sent:
        both = common(have, parquet, expected.type)
        if both is None:
            return read.type
        have = both
    return have
