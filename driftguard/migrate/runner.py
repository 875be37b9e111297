"""Applies revisions so that a crash at any point loses nothing and the next run finishes the work.

Every DDL statement of Snowflake commits by itself, so a revision is walked statement by statement: what is about to run
is in the journal before it runs, and every statement can be run a second time. The statements of a revision are written
down before its first runs; a later run goes on with the same ones, so that a task that was running before the first
attempt is running again after the last.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from driftguard.control import schema
from driftguard.control.journal import Journal, OperationRecord, Place, RevisionRecord
from driftguard.control.lease import Lease, limits
from driftguard.control.link import Link
from driftguard.control.recovery import Recovery
from driftguard.errors import HalfwayError, HazardError, PlanError, RevisionError, UnreachableError
from driftguard.migrate.held import Held
from driftguard.migrate.revision import Revision
from driftguard.migrate.schedule import Job, Narrator, Step, changed, run_side_by_side
from driftguard.migrate.worker import Worker
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, Operation, State
from driftguard.snowflake.errors import connection_lost, number, text
from driftguard.snowflake.session import Session


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did, or would do."""

    revisions: tuple[str, ...]
    steps: tuple[Step, ...]
    skipped: tuple[str, ...] = ()  # operations that were done already
    dry_run: bool = False
    unproven: tuple[str, ...] = ()  # of a dry run: operations that the model of the landing is not done with at the end
    waiting: tuple[str, ...] = ()  # what a person has to do before the next apply can go on
    undo: tuple[str, ...] = ()  # how to get back what the clones keep


def pending(revisions: Iterable[Revision], records: dict[str, RevisionRecord]) -> tuple[Revision, ...]:
    """Revisions that are not applied. Raises `RevisionError` for one that was edited after it was begun."""
    waiting = []
    for revision in revisions:
        record = records.get(revision.id)
        if record is not None and record.digest != revision.digest:
            state = "applied" if record.applied else "begun"
            raise RevisionError(
                f"{revision.path} was edited after it was {state}",
                hint="restore the file, and put the further change into a new revision",
            )
        if record is None or not record.applied:
            waiting.append(revision)
    return tuple(waiting)


def check_hazards(revisions: Sequence[Revision], allowed: Sequence[str]) -> None:
    """Raises `HazardError`, with the flags to give, for hazards that nobody allowed."""
    missing: dict[str, str] = {}
    for revision in revisions:
        for operation in revision.operations:
            for hazard in operation.hazards():
                if hazard.kind.value not in allowed:
                    missing.setdefault(hazard.kind.value, f"{operation.summary()} ({hazard.reason})")
    if missing:
        flags = " ".join(f"--allow {kind}" for kind in sorted(missing))
        raise HazardError(f"not allowed: {'; '.join(missing.values())}", hint=f"look at it, then add {flags}")


def rehearse(revisions: Sequence[Revision], records: dict[str, RevisionRecord], estate: Estate) -> Outcome:
    """The statements that `apply` would run now, worked out on a model of the estate; nothing is executed."""
    steps: list[Step] = []
    skipped: list[str] = []
    held = Held()
    for revision in revisions:
        record = records.get(revision.id, RevisionRecord())
        stopped = bool(held.waits)  # a later revision waits for the whole of an earlier one
        for index, operation in enumerate(revision.operations):
            known = record.operations.get(index, OperationRecord())
            if known.known:
                steps += [Step(revision.id, operation.summary(), known.planned[number]) for number in known.open]
                if known.open and operation.readiness(estate).state is State.READY:
                    estate = operation.effect(estate)
                continue
            ready = _ready(operation, estate)
            if held.holds(operation, estate) or stopped:
                estate = operation.effect(estate)
                continue
            if not ready:
                skipped.append(operation.summary())
                continue
            steps += [Step(revision.id, operation.summary(), s) for s in operation.statements(estate)]
            estate = operation.effect(estate)
    left = tuple(op.summary() for r in revisions for op in r.operations if op.readiness(estate) != DONE)
    return Outcome(
        tuple(r.id for r in revisions),
        tuple(steps),
        tuple(skipped),
        dry_run=True,
        unproven=left,
        waiting=tuple(held.waits),
    )


def _ready(operation: Operation, estate: Estate) -> bool:
    """True to run it, False where it is done. Raises `PlanError` where its precondition does not hold."""
    readiness = operation.readiness(estate)
    if readiness.state is State.BLOCKED:
        raise PlanError(f"{operation.summary()}: {readiness.reason}", hint="plan again against what is there now")
    return readiness.state is State.READY


class Runner:
    """Runs pending revisions under the lease, independent operations on up to `jobs` connections side by side.

    `watch` is called before each statement, in the plan's order; `say` with what a person has to wait for.
    """

    def __init__(
        self,
        session: Session,
        open_session: Callable[[], Session],
        introspect: Callable[[Session], Estate],
        *,
        database: str,
        control_schema: str,
        lease_seconds: int,
        jobs: int = 1,
        watch: Callable[[Step], None] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._link = Link(session, open_session)
        self._introspect = introspect
        self._database = database
        self._control_schema = control_schema
        self._lease_seconds = lease_seconds
        self._jobs = jobs
        self._watch = watch
        self._say = say
        self._recovery = Recovery(database, limits(lease_seconds)["STATEMENT_TIMEOUT_IN_SECONDS"], say)
        self._siblings: list[Link] = []
        self._began = False

    def apply(self, revisions: Sequence[Revision], allowed: Sequence[str] = ()) -> Outcome:
        """Apply what is pending of `revisions`, in their order.

        Raises `LeaseHeldError`, `HazardError`, `RevisionError` or `PlanError` before anything is changed, and
        `HalfwayError` afterwards.
        """
        self._set_up()
        try:
            with Lease(self._link, self._lease_seconds) as lease:
                return self._under(lease, revisions, allowed)
        except (PlanError, UnreachableError) as error:
            if self._began:
                raise HalfwayError(str(error), hint="run `driftguard apply` again: it goes on from there") from None
            raise
        finally:
            for link in self._siblings:
                link.session.close()

    def _under(self, lease: Lease, revisions: Sequence[Revision], allowed: Sequence[str]) -> Outcome:
        run = uuid.uuid4().hex
        records = self._link.call(lambda session: Journal(session).read())
        waiting = pending(revisions, records)
        if not waiting:
            return Outcome((), ())
        check_hazards(waiting, allowed)
        estate = self._link.call(self._introspect)
        if not any(records.get(r.id) and records[r.id].operations for r in waiting):
            rehearse(waiting, records, estate)  # every precondition, before the first statement
        steps: list[Step] = []
        skipped: list[str] = []
        undo: list[str] = []
        for revision in waiting:
            held = Held()
            record = records.get(revision.id, RevisionRecord())
            jobs = self._plan(revision, record, estate, lease, run, skipped, held)
            steps += self._run(jobs, lease, run)
            undo += [kept.restore for job in jobs if (kept := job.operation.undo()) is not None]
            if held.waits:
                begun = tuple(r.id for r in waiting[: waiting.index(revision) + 1])
                return Outcome(begun, tuple(steps), tuple(skipped), waiting=tuple(held.waits), undo=tuple(undo))
            estate = self._verify(revision)
            self._link.call(lease.check)
            self._link.call(
                lambda session, revision=revision: Journal(session, lease, run).applied(  # type: ignore[misc]
                    revision.id, revision.digest, lease.holder
                )
            )
        return Outcome(tuple(r.id for r in waiting), tuple(steps), tuple(skipped), undo=tuple(undo))

    def _plan(
        self,
        revision: Revision,
        record: RevisionRecord,
        estate: Estate,
        lease: Lease,
        run: str,
        skipped: list[str],
        held: Held,
    ) -> list[Job]:
        """What can be done now of a revision. What nobody has planned yet is planned, and in the journal afterwards."""
        jobs: list[Job] = []
        rows: list[tuple[Place, Statement | None]] = []
        for index, operation in enumerate(revision.operations):
            place = Place(revision.id, revision.digest, index)
            known = record.operations.get(index)
            if known is not None and known.known:
                self._began = True
                todo = tuple((number, known.planned[number]) for number in known.open)
                if todo:
                    jobs.append(Job(place, operation, todo, frozenset(operation.touches()), known.attempts))
                continue
            if held.holds(operation, estate):
                continue
            if not _ready(operation, estate):
                skipped.append(operation.summary())
                rows.append((place, None))
                continue
            statements = operation.statements(estate)
            after = operation.effect(estate)
            jobs.append(Job(place, operation, tuple(enumerate(statements)), changed(operation, estate, after)))
            rows += [(Place(revision.id, revision.digest, index, n), one) for n, one in enumerate(statements)]
            estate = after
        if rows:
            self._link.call(lease.check)
            self._link.call(lambda session: Journal(session, lease, run).plan(rows))
        return jobs

    def _run(self, jobs: Sequence[Job], lease: Lease, run: str) -> list[Step]:
        """Every job, and what was sent for it, in the plan's order."""
        if not jobs:
            return []
        self._began = True
        narrator = Narrator(self._watch)
        missing = min(self._jobs, len(jobs)) - 1 - len(self._siblings)
        if missing > 0:
            with ThreadPoolExecutor(missing) as pool:
                self._siblings += pool.map(lambda _: self._link.sibling(), range(missing))
        workers = [
            Worker(link, lease, run, self._recovery, self._introspect, narrator, self._say, self._lease_seconds)
            for link in (self._link, *self._siblings)
        ]
        try:
            run_side_by_side(jobs, workers, lambda worker, number: worker.run(jobs[number], number))
        finally:
            narrator.close()
        return [step for number in sorted(narrator.steps) for step in narrator.steps[number]]

    def _verify(self, revision: Revision) -> Estate:
        """Look again: IF NOT EXISTS is silent about a thing that exists otherwise."""
        estate = self._link.call(self._introspect)
        for operation in revision.operations:
            readiness = operation.readiness(estate)
            if readiness != DONE:
                why = readiness.reason or "it is not as the revision says"
                raise HalfwayError(f"revision {revision.id} ran, but {operation.summary()}: {why}")
        return estate

    def _set_up(self) -> None:
        for statement in schema.setup_statements(self._database, self._control_schema):
            try:
                self._link.call(lambda session, sql=statement: session.execute(sql))  # type: ignore[misc]
            except Exception as error:
                if number(error) < 0 or connection_lost(error):
                    raise
                raise UnreachableError(
                    f"the control schema {self._database}.{self._control_schema} cannot be set up: {text(error)}",
                    hint="grant CREATE SCHEMA on the database, or have the schema made (docs/grants.md)",
                ) from None
            if statement.startswith("USE SCHEMA"):
                self._link.prepare = lambda session: schema.use(session, self._database, self._control_schema)
