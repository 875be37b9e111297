"""What the merge of a landing should be, as a spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from driftguard.drift.context import Pair
from driftguard.drift.fit import Fit
from driftguard.drift.record import readable
from driftguard.merge.consumption import consumed
from driftguard.merge.generate import is_generated
from driftguard.model.emission import Role
from driftguard.model.identifiers import ObjectName, snowflake_name
from driftguard.model.landing import (
    DG_DELETED,
    DG_REPAIR,
    FINAL_OPTIONAL,
    FINAL_SERVICE,
    STAGING_SERVICE,
    Cast,
    FinalColumn,
    Landing,
)
from driftguard.model.merge import MergeColumn, MergeSpec, is_leftover, precision_for, same_named, scale_for
from driftguard.model.policy import Policy
from driftguard.model.snowflake import SfType
from driftguard.typemap.casting import cast_between

WATERMARK = "WATERMARK"
_SERVICE = frozenset((*FINAL_SERVICE, *FINAL_OPTIONAL, *STAGING_SERVICE))


def merge_spec(pair: Pair, policy: Policy, changing: Iterable[MergeColumn] = ()) -> MergeSpec:
    """The merge that the landing should have, once all its columns are there.

    What is under way stays as the task's own text has it; `changing` is what is about to be.

    Columns that DMS no longer emits but both tables still have stay in the lists: rows with a value may still be on
    their way, and a row without one must not erase what FINAL has. A column of a type that no ALTER can change is
    merged as it is there: a cast to the type that it should have would refuse values that it takes today.
    """
    landing = pair.landing
    before = before_images(landing)
    stuck = {m.actual.name for m in pair.misfits if m.fit is Fit.REBUILD}
    columns = [_column(pair, c, stuck, before) for c in landing.final_columns if c.staging is not None]
    columns += kept_columns(pair)
    op = landing.staging_role(Role.OP)
    commit = landing.staging_role(Role.COMMIT_TIME)
    change = landing.staging_role(Role.CHANGE_SEQ)
    assert commit is not None  # expect() refuses a landing without a commit time
    spec = MergeSpec(
        staging=landing.staging,
        final=landing.final,
        watermark=ObjectName(policy.database, policy.control_schema, WATERMARK),
        columns=overlaid(columns, (*pair.under_way, *changing)),
        op=op.name if op else None,
        commit_time=commit.name,
        change_seq=change.name if change else None,
        loads_at_start=landing.loads_at_start,
        overlap_minutes=policy.overlap_minutes,
        deferrable_key=bool(before) and any(e.deferrable_key for e in landing.emissions),
        repair=landing.has(DG_REPAIR),
        soft_delete=landing.has(DG_DELETED),
        key_range=_key_range(pair, columns),
        stream=_stream(pair),
    )
    return replace(spec, record=readable(spec, landing, pair.staging, pair.task)) if landing.record else spec


def _stream(pair: Pair) -> ObjectName | None:
    """As the merge that is there has it: one that learns of new files in another way is not wrong."""
    if pair.task is not None and is_generated(pair.task.definition):
        return consumed(pair.task.definition)
    return pair.landing.stream


def _column(pair: Pair, c: FinalColumn, stuck: set[str], before: dict[str, str]) -> MergeColumn:
    assert c.staging is not None
    cast, type_ = _as_it_is(pair, c) if c.name in stuck else (_from_staging(pair, c), c.type)
    return MergeColumn(
        c.name,
        c.staging,
        cast,
        key=c.key,
        scale=scale_for(cast, type_),
        precision=precision_for(type_),
        keep_on_null_update=c.keep_on_null_update,
        before=before.get(c.name),
    )


def _key_range(pair: Pair, columns: Iterable[MergeColumn]) -> str | None:
    """The first key column that holds whole numbers on both sides: what other keys there are to a row is near it."""
    for column in columns:
        if not column.key or column.cast is not Cast.NONE or column.earlier is not None:
            continue
        types = [
            (table.column(name) if table else None)
            for table, name in ((pair.final, column.final), (pair.staging, column.staging))
        ]
        expected = next(c.type for c in pair.landing.final_columns if c.name == column.final)
        if all((t.type if t else expected).base == "NUMBER" and not (t.type if t else expected).scale for t in types):
            return column.final
    return None


def overlaid(columns: Iterable[MergeColumn], changing: Iterable[MergeColumn]) -> tuple[MergeColumn, ...]:
    """The lists with what is under way in its place: instead of the column of its name, or of the name it will have."""
    changes = {c.final: c for c in changing}
    meant = {name for c in changes.values() for name in (c.final, c.becomes)}
    found: list[MergeColumn] = []
    for column in columns:
        if column.final not in meant:
            found.append(column)
            continue
        here = next((c for c in changes.values() if column.final in (c.final, c.becomes)), None)
        if here is not None:
            found.append(changes.pop(here.final))
    return (*found, *changes.values())


def _from_staging(pair: Pair, column: FinalColumn) -> Cast:
    """The cast from the type that STAGING has: any type that takes the values will do."""
    staged = pair.staging.column(column.staging or "") if pair.staging else None
    expected = next(c.type for c in pair.landing.staging_columns if c.name == column.staging)
    if staged is None or staged.type.base == expected.base:
        return column.cast
    return cast_between(staged.type, column.type) or column.cast


def _as_it_is(pair: Pair, column: FinalColumn) -> tuple[Cast, SfType]:
    """The cast between the types that the tables have, and FINAL's type."""
    staged = pair.staging.column(column.staging or "") if pair.staging else None
    final = pair.final.column(column.name) if pair.final else None
    if final is None:
        return column.cast, column.type
    expected = next(c.type for c in pair.landing.staging_columns if c.name == column.staging)
    return cast_between(staged.type if staged else expected, final.type) or Cast.NONE, final.type


def before_images(landing: Landing) -> dict[str, str]:
    """For each key column of FINAL, the STAGING column with its before-image; empty unless every one has one."""
    found = {}
    for emission in landing.emissions:
        for name in emission.key:
            image = emission.before_image(name)
            if image is not None:
                found[snowflake_name(name)] = snowflake_name(image.name)
    return found if {c.name for c in landing.key} <= found.keys() else {}


def kept_columns(pair: Pair) -> list[MergeColumn]:
    """Columns of both tables that are not emitted any more, in FINAL's order."""
    if pair.staging is None or pair.final is None:
        return []
    expected = {c.name for c in pair.landing.final_columns} | {c.name for c in pair.landing.staging_columns}
    expected |= {c.final for c in pair.under_way}
    names = {c.name for c in pair.final.columns}
    gone = [c for c in pair.final.columns if c.name not in expected | _SERVICE and not is_leftover(c.name, names)]
    if not gone:
        return []
    kept = []
    for column in gone:
        staged = pair.staging.column(column.name)
        if staged is None:
            continue
        cast = cast_between(staged.type, column.type)
        if cast is not None:
            kept.append(same_named(column.name, cast, column.type, kept=True))
    return kept
