"""The operations that bring the estate to the expected landings, in an order in which no value is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from driftguard.drift.byhand import advice
from driftguard.drift.consuming import consumption_faults
from driftguard.drift.context import Context, Pair, pair_up
from driftguard.drift.expect import merge_procedure
from driftguard.drift.fit import Fit, widened
from driftguard.drift.lineage import changed_key, replaced, swapped
from driftguard.drift.merging import merge_spec
from driftguard.drift.record import stored
from driftguard.merge.generate import generate, is_generated
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_RECORD, Landing
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Hazard, Phase
from driftguard.model.policy import OURS, Policy
from driftguard.model.snowflake import SfTable
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation
from driftguard.operations.change_consumption import ChangeConsumption
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.drop_not_null import DropNotNull
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.rewrite_merge import RewriteMerge
from driftguard.operations.take_over import TakeOver
from driftguard.operations.widen_column import WidenColumn
from driftguard.plan.adopting import taking_over
from driftguard.plan.changes import Change, changes
from driftguard.plan.completion import completion
from driftguard.plan.folders import another_folder, unselected
from driftguard.plan.governed import added_to_final, final_column
from driftguard.plan.late import late_columns, style_notes
from driftguard.plan.leaving import leaving
from driftguard.plan.markers import marker_landing
from driftguard.plan.moving import like_the_old, moving
from driftguard.plan.owners import all_ours, hand_over, merge_work, rebuilds
from driftguard.plan.rekeying import rekeying
from driftguard.plan.relabeling import relabeling
from driftguard.plan.rewriting import rewriting, with_task_of, with_texts


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations in order, and what the plan leaves to people."""

    operations: tuple[Operation, ...]
    notes: tuple[str, ...] = ()

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        return tuple(dict.fromkeys(h for op in self.operations for h in op.hazards()))


def make_plan(context: Context, planned: Collection[str] = (), adopt: Collection[ObjectName] = ()) -> Plan:
    """What to do about every difference that one of the operations can close, in the order of the phases.

    A thing that could not be looked at gets no operation, only a note: unknown is not absent. `planned`: what stands
    in a revision already: markers of changes that are completed there, and drops of columns by their summary.
    `adopt`: FINAL tables whose landings driftguard is to take over from people.
    """
    given = context
    operations: list[Operation] = []
    notes: list[str] = [f"{r.table}: no landing ({r.message})" for r in context.expectation.refusals]
    for listed in context.pairs:
        pair = with_task_of(listed, context) if context is not given else listed
        odd = next((t for t in (pair.staging, pair.final) if t is not None and not t.standard), None)
        if odd is not None:
            notes.append(f"{pair.landing.table}: nothing planned, {odd.name} is a {odd.kind.lower()}")
        elif not pair.unseen:
            taken = taking_over(pair, context) if pair.landing.final in adopt else None
            landed = _landing(pair, context, notes, planned, taken)
            context = with_texts(context, landed)
            operations += landed
            operations += another_folder(pair, context, planned, notes)
            operations += leaving(pair, context, planned)
        else:
            notes.append(f"{pair.landing.table}: nothing planned, {' and '.join(pair.unseen)} could not be looked at")
    notes += unselected(context)
    notes += style_notes(context)
    in_order = [op for phase in Phase for op in operations if op.phase is phase]
    return Plan(tuple(in_order), tuple(notes))


def _landing(
    pair: Pair, context: Context, notes: list[str], planned: Collection[str], taken: TakeOver | None
) -> list[Operation]:
    """The expand, and what completes it on the landing that comes of it."""
    free = _replaces(pair, context.policy) and rebuilds(context.policy)
    change = changes(pair, context) if free else Change()
    if old := changed_key(pair, context):
        return _other_key(pair, context, change, old, notes, planned)
    if swapped(pair, context) and pair.final is not None:
        return _other_key(pair, context, change, pair.final.primary_key, notes, planned)
    operations, refused = _expand(pair, context, change, notes, taken)
    if pair.new:
        operations = like_the_old(pair, context, operations, notes)
    if not all_ours(context.policy):
        operations = hand_over(operations, pair, context)
    merge = merge_work(pair, context)
    if merge is not None:
        operations.append(merge)
    elif any(isinstance(operation, RewriteMerge | TakeOver) for operation in operations):
        pass
    elif pair.task is not None and operations and not (_ours(pair) and context.policy.merge_managed_by == OURS):
        owner = context.policy.merge_managed_by if context.policy.merge_managed_by != OURS else "somebody else"
        where = advice(context, pair)
        what = "".join(f"; {item}" for item in (where, refused) if item)
        notes.append(f"{pair.landing.task}: the merge belongs to {owner}; add the new columns to its lists there{what}")
    if pair.new:
        operations += moving(pair, context, notes)
    if free:
        operations += relabeling(pair, context, planned)
    notes += change.notes
    if not change.columns and not pair.under_way:
        return operations
    estate = context.estate
    for operation in operations:
        estate = operation.effect(estate)
    after = dataclasses.replace(context, estate=estate)
    (pair,) = pair_up([pair.landing], estate)
    return operations + completion(pair, after, planned)


def _other_key(
    pair: Pair, context: Context, change: Change, old: tuple[str, ...], notes: list[str], planned: Collection[str]
) -> list[Operation]:
    """The columns now, and FINAL anew once the table was reloaded. The merge stays as it is until then."""
    landing = pair.landing
    why = ""
    changing = [c for c in change.columns if c.becomes or c.earlier or c.until]  # a default comes with the reload
    if not _replaces(pair, context.policy) or not rebuilds(context.policy) or marker_landing(context) is None:
        why = "see DG206"
    elif pair.under_way or changing or change.notes or replaced(pair, context) or pair.misfits:
        why = "other columns of it change too: make one change after the other, or the landing anew"
    if why:
        if set(old) == {c.name for c in landing.key}:  # another column under the old name: no name tells
            notes.append(f"{landing.final}: ({', '.join(old)}) is another column now; {why}")
            return _expand(pair, context, Change(), notes)[0]
        notes.append(f"{landing.final}: nothing planned, it is merged by the old key ({', '.join(old)}); {why}")
        return []
    assert pair.final is not None
    assert pair.staging is not None
    operations: list[Operation] = []
    added = added_to_final(pair, context, (), (), notes)
    if added is not None:
        operations.append(added)
    gained = _missing(pair.staging, landing)
    if gained:
        operations.append(AddColumns(landing.staging, gained))
    if any(name.startswith(f"{landing.final}:") for name in planned):
        return operations
    return operations + rekeying(pair, context)


def _replaces(pair: Pair, policy: Policy) -> bool:
    """Does driftguard write the merge of this landing?"""
    return _ours(pair) and pair.staging is not None and pair.final is not None and policy.merge_managed_by == OURS


def _ours(pair: Pair) -> bool:
    return pair.task is not None and is_generated(pair.task.definition)


def _expand(
    pair: Pair, context: Context, change: Change, notes: list[str], taken: TakeOver | None = None
) -> tuple[list[Operation], str]:
    """FINAL before STAGING before the merge: each step is harmless if the next never happens.

    Also why a merge that people wrote is not rewritten, where only this says so.
    """
    landing, policy = pair.landing, context.policy
    operations: list[Operation] = []
    added: AddColumns | None = None
    if pair.final is not None:
        key = {c.name for c in landing.key} | set(pair.final.primary_key)
        operations += _repair(pair, pair.final, key, notes, change)
        passed = change.handled | {c.becomes for c in pair.under_way if c.becomes}
        added = added_to_final(pair, context, passed, change.final_adds, notes)
        if added is not None:
            operations.append(added)
    gained: tuple[ColumnDef, ...] = ()
    if pair.staging is not None:
        operations += _repair(pair, pair.staging, set(), notes, change)
        gained = _missing(pair.staging, landing)
    replaces = _replaces(pair, policy)
    spec = merge_spec(pair, policy, change.columns)
    rewritten: RewriteMerge | str = ""
    if pair.staging is not None and pair.final is not None and not replaces and taken is None:
        rewritten = rewriting(pair, context, gained, added)
    if isinstance(rewritten, RewriteMerge):
        operations.append(rewritten)
    elif gained and not replaces and taken is None:
        operations.append(AddColumns(landing.staging, gained))
    create = _create(pair, policy) if taken is None else None
    if create is not None:
        operations.append(create)
    if taken is not None:
        operations.append(taken)
    if replaces:
        assert pair.task is not None
        if gained or change.anew or pair.task.definition.strip() != generate(spec).strip():
            pipe = landing.pipe if change.anew else None
            operations.append(ReplaceMerge(landing.task, spec, gained, tuple(change.anew), pipe))
            operations += late_columns(pair, context, spec)
        operations += _consumption(pair, spec)
    return operations, "" if isinstance(rewritten, RewriteMerge) else rewritten


def _consumption(pair: Pair, spec: MergeSpec) -> list[Operation]:
    """What lets the merge learn of new files as it should."""
    if consumption_faults(pair) == ():
        return []
    stream = pair.landing.stream
    gone = spec.stream if spec.stream != stream else None
    return [ChangeConsumption(pair.landing.task, dataclasses.replace(spec, stream=stream), gone)]


def _create(pair: Pair, policy: Policy) -> CreateLanding | None:
    landing = pair.landing
    pipe, task = policy.pipe_managed_by == OURS, policy.merge_managed_by == OURS
    complete = pair.staging is not None and pair.final is not None
    if pipe:
        complete = complete and pair.pipe is not None and pair.file_format is not None
    if task:
        complete = complete and pair.task is not None
    if complete:
        return None
    key = {c.name for c in landing.key}
    return CreateLanding(
        file_format=landing.file_format,
        stage=landing.stage,
        path=landing.path,
        staging=landing.staging,
        staging_columns=tuple(ColumnDef(c.name, c.type) for c in stored(landing)),
        final=landing.final,
        final_columns=tuple(final_column(pair, c, policy, required=c.name in key) for c in landing.final_columns),
        key=tuple(c.name for c in landing.key),
        pipe=landing.pipe,
        task=landing.task,
        merge=merge_spec(pair, policy),
        schedule=policy.schedule,
        warehouse=policy.warehouse,
        with_pipe=pipe,
        with_task=task,
        record=landing.record,
        procedure=merge_procedure(policy) if policy.merge_style == "procedure" else None,
    )


def _missing(table: SfTable, landing: Landing) -> tuple[ColumnDef, ...]:
    """What the table STAGING lacks: of a whole record, nothing that DMS writes."""
    there = {c.name for c in table.columns} | ({DG_RECORD} if landing.record else set())
    return tuple(ColumnDef(c.name, c.type) for c in stored(landing) if c.name not in there)


def _repair(pair: Pair, table: SfTable, required: set[str], notes: list[str], change: Change) -> list[Operation]:
    """Widen what is too narrow, and allow NULL where rows may have one."""
    operations: list[Operation] = []
    for item in pair.misfits:
        if item.table is not table or (pair.landing.record and table is pair.staging):
            continue
        name, have, want = item.actual.name, item.actual.type, item.expected.type
        if item.fit is Fit.WIDEN:
            operations.append(WidenColumn(table.name, name, widened(have, want)))
        elif item.expected.name not in change.handled and name not in {a.column.name for a in change.anew}:
            notes.append(f"{table.name}.{name}: {have} cannot become {want} by ALTER; rebuild it")
    nullable = tuple(c.name for c in table.columns if not c.nullable and c.name not in required)
    if nullable:
        operations.append(DropNotNull(table.name, nullable))
    return operations
