"""What an apply, or a downgrade, would do: worked out on a model of the estate, before the first statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from driftguard.control.journal import OperationRecord, RevisionRecord
from driftguard.errors import HazardError, PlanError
from driftguard.migrate.downgrade import Inverse, begun_on_top, invert, read_back
from driftguard.migrate.held import Held
from driftguard.migrate.progress import Due, Progress, pending, walk
from driftguard.migrate.revision import Revision
from driftguard.migrate.schedule import Step
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Phase
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, Operation, State
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.manual import Manual
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.rewrite_merge import RewriteMerge

_SHOWN = 5  # operations that a refusal names


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did, or would do."""

    revisions: tuple[str, ...]
    steps: tuple[Step, ...]
    skipped: tuple[str, ...] = ()  # operations that were done already
    dry_run: bool = False
    unproven: tuple[str, ...] = ()  # of a dry run: operations that the model of the landing is not done with
    waiting: tuple[str, ...] = ()  # what could not begin, and what it waits for
    due: tuple[Due, ...] = ()  # what later phases have to do
    undo: tuple[str, ...] = ()  # how to get back what the clones keep


def check_hazards(operations: Iterable[Operation], allowed: Sequence[str]) -> None:
    """Raises `HazardError`, with the flags to give, for hazards that nobody allowed."""
    missing: dict[str, None] = {}
    kinds: set[str] = set()
    for operation in operations:
        for hazard in operation.hazards():
            if hazard.kind.value not in allowed:
                missing.setdefault(f"{operation.summary()} ({hazard.kind.value}: {hazard.reason})")
                kinds.add(hazard.kind.value)
    if missing:
        flags = " ".join(f"--allow {kind}" for kind in sorted(kinds))
        shown = list(missing)[:_SHOWN]
        more = f"; and {len(missing) - len(shown)} more" if len(missing) > len(shown) else ""
        raise HazardError(f"not allowed: {'; '.join(shown)}{more}", hint=f"look at it, then add {flags}")


def rehearse(
    revisions: Sequence[Revision],
    records: Mapping[str, RevisionRecord],
    estate: Estate,
    phases: Sequence[Phase] = (Phase.EXPAND,),
) -> Outcome:
    """The statements that `apply` would run now, worked out on a model of the estate; nothing is executed.

    Raises `PlanError` for a precondition that does not hold, and `RevisionError` as `pending` does.
    """
    progress = Progress(revisions, records)
    steps: list[Step] = []
    skipped: list[str] = []
    touched: dict[str, None] = {}
    unproven: list[str] = []

    def part(revision: Revision, phase: Phase) -> str:
        nonlocal estate
        record = records.get(revision.id, RevisionRecord())
        held, ran = Held(), []
        for index, operation in progress.open(revision, phase):
            known = record.operations.get(index, OperationRecord())
            if known.known:
                steps.extend(Step(revision.id, operation.summary(), known.planned[number]) for number in known.open)
                if operation.readiness(estate).state is State.READY:
                    estate = operation.effect(estate)
            elif held.behind(operation):
                continue
            else:
                ready, why = judge(operation, estate)
                if why:
                    held.add(operation, why)
                    continue
                if ready:
                    steps.extend(Step(revision.id, operation.summary(), s) for s in operation.statements(estate))
                    estate = operation.effect(estate)
                else:
                    skipped.append(operation.summary())
            ran.append((index, operation))
        if ran:
            touched[revision.id] = None
        progress.done(revision.id, [index for index, _ in ran])
        lasting = standing([operation for _, operation in ran])
        unproven.extend(operation.summary() for operation in lasting if operation.readiness(estate) != DONE)
        return held.text

    waits = walk(
        pending(revisions, records), phases, progress, part, lambda revision: touched.setdefault(revision.id, None)
    )
    return Outcome(tuple(touched), tuple(steps), tuple(skipped), True, tuple(unproven), tuple(waits), progress.due())


def judge(operation: Operation, estate: Estate) -> tuple[bool, str]:
    """Whether to run it (it may be done already), and what it waits for.

    Raises `PlanError` where its precondition does not hold. After the Aurora deploy that is what one waits for.
    """
    readiness = operation.readiness(estate)
    if readiness.state is State.WAITING or (readiness.state is State.BLOCKED and operation.phase is not Phase.EXPAND):
        if isinstance(operation, Manual):
            return False, f"{operation.text}\n(until then: {readiness.reason})"
        return False, f"{operation.summary()}: {readiness.reason}"
    if readiness.state is State.BLOCKED:
        raise PlanError(f"{operation.summary()}: {readiness.reason}", hint="plan again against what is there now")
    return readiness.state is State.READY, ""


def rehearse_undo(
    revisions: Sequence[Revision],
    gone: Sequence[Revision],
    records: Mapping[str, RevisionRecord],
    estate: Estate,
    control: ObjectName | None = None,
) -> list[tuple[Revision, Inverse]]:
    """What takes `gone` back, one after the other. A downgrade that has begun goes on with its own operations.

    `control` is any table of the control schema: what is dropped is cloned there, if it is given.
    Raises `PlanError` where there is no way back.
    """
    other = begun_on_top(revisions, gone, records)
    if other is not None:
        raise PlanError(
            f"revision {other.id} has begun and needs one that is to go",
            hint="finish it, then plan a way on from there",
        )
    found = []
    for revision in gone:
        record = records.get(revision.id, RevisionRecord())
        inverse = Inverse(read_back(record.undo)) if record.undo else invert(revision, record, estate, control)
        for operation in inverse.operations:
            readiness = operation.readiness(estate)
            if readiness.state is State.BLOCKED:
                raise PlanError(f"{operation.summary()}: {readiness.reason}", hint="mend that by hand first")
            if readiness.state is State.READY:
                estate = operation.effect(estate)
        found.append((revision, inverse))
    return found


def check_done(revisions: Sequence[Revision], estate: Estate) -> None:
    """Raises `PlanError` with the first operation of `revisions` that Snowflake does not show as done."""
    operations = [(revision, operation) for revision in revisions for operation in revision.operations]
    for number, (revision, operation) in enumerate(operations):
        readiness = operation.readiness(estate)
        if readiness != DONE and not any(_supersedes(later, operation) for _, later in operations[number + 1 :]):
            why = readiness.reason or "it is not done"
            raise PlanError(
                f"revision {revision.id}: {operation.summary()}: {why}",
                hint="apply it, or give --unverified with a reason",
            )


def standing(operations: Sequence[Operation]) -> list[Operation]:
    """Without the changes of a text that a later one has changed again: only of the last is the text as it says."""
    texts = {operation.place: operation for operation in operations if isinstance(operation, RewriteMerge)}
    return [one for one in operations if not isinstance(one, RewriteMerge) or texts[one.place] is one]


def _supersedes(later: Operation, earlier: Operation) -> bool:
    """Is the later one the reason why the earlier one does not have to look done?"""
    match later, earlier:
        case ReplaceMerge(), ReplaceMerge():
            return later.task == earlier.task
        case RewriteMerge(), RewriteMerge():
            return later.place == earlier.place
        case DropColumns(), AddColumns():
            return later.table == earlier.table and {c.name for c in earlier.columns} <= set(later.columns)
    return False
