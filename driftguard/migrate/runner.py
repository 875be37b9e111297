"""Applies revisions so that a crash at any point loses nothing and the next run finishes the work.

Every DDL statement of Snowflake commits by itself, so a revision is walked statement by statement: what is about to run
is in the journal before it runs, and every statement can be run a second time. The statements of a revision are written
down before its first runs; a later run goes on with the same ones, so that a task that was running before the first
attempt is running again after the last.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from driftguard.control import schema
from driftguard.control.journal import Journal, Place, RevisionRecord, undoing
from driftguard.control.lease import Lease, limits
from driftguard.control.link import Link
from driftguard.control.recovery import Recovery
from driftguard.control.siblings import Siblings
from driftguard.errors import HalfwayError, PlanError, UnreachableError
from driftguard.migrate.downgrade import written
from driftguard.migrate.held import Held
from driftguard.migrate.progress import Progress, pending, walk
from driftguard.migrate.rehearsal import Outcome, check_done, check_hazards, judge, rehearse, rehearse_undo, standing
from driftguard.migrate.revision import Revision
from driftguard.migrate.schedule import Job, Narrator, Step, changed, run_side_by_side
from driftguard.migrate.worker import Worker
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, Operation, State
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, connection_lost, number, text
from driftguard.snowflake.session import Session

T = TypeVar("T")


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
        self._siblings = Siblings(self._link)
        self._began = False

    def apply(
        self, revisions: Sequence[Revision], allowed: Sequence[str] = (), phases: Sequence[Phase] = (Phase.EXPAND,)
    ) -> Outcome:
        """Run these phases of what is pending of `revisions`, in their order.

        Raises `LeaseHeldError`, `HazardError`, `RevisionError` or `PlanError` before anything is changed, and
        `HalfwayError` afterwards.
        """
        return self._leased(lambda lease: self._apply(lease, revisions, allowed, phases))

    def _leased(self, work: Callable[[Lease], T]) -> T:
        """Set up the control schema, and do `work` under the lease."""
        try:
            with self._set_up() as lease:
                try:
                    return work(lease)
                finally:
                    self._siblings.end()
        except (PlanError, UnreachableError) as error:
            if self._began:
                raise HalfwayError(str(error), hint="run `driftguard apply` again: it goes on from there") from None
            raise
        finally:
            self._siblings.close()

    def _apply(
        self, lease: Lease, revisions: Sequence[Revision], allowed: Sequence[str], phases: Sequence[Phase]
    ) -> Outcome:
        run = uuid.uuid4().hex
        records = self._link.call(lambda session: Journal(session).read())
        waiting = pending(revisions, records)
        progress = Progress(revisions, records)
        if not waiting:
            return Outcome((), ())
        due = [operation for revision in waiting for _, operation in progress.open(revision, *phases)]
        check_hazards(due, allowed)
        self._siblings.open(min(self._jobs, len(due)) - 1)
        estate = self._link.call(self._introspect)
        if not any(
            operation.open for r in waiting if r.id in records for operation in records[r.id].operations.values()
        ):
            rehearse(revisions, records, estate, phases)  # every precondition, before the first statement
        steps: list[Step] = []
        skipped: list[str] = []
        touched: dict[str, Phase] = {}
        undo: dict[str, None] = {}

        def part(revision: Revision, phase: Phase) -> str:
            nonlocal estate
            record = records.get(revision.id, RevisionRecord())
            jobs, ran, stopped = self._plan(
                revision, record, progress.open(revision, phase), estate, lease, run, skipped
            )
            steps.extend(self._run(jobs, lease, run))
            undo.update(dict.fromkeys(_restores(jobs)))
            if ran:
                touched[revision.id] = phase
                estate = self._verify(revision, [operation for _, operation in ran])
                progress.done(revision.id, [index for index, _ in ran])
            return stopped

        def whole(revision: Revision) -> None:
            if revision.id not in touched and revision.phases:  # an apply before this one was cut off right here
                self._verify(revision, [op for op in revision.operations if op.phase is revision.phases[-1]], estate)
            touched.setdefault(revision.id, Phase.EXPAND)
            self._link.call(
                lambda session: Journal(session, lease, run).applied(revision.id, revision.digest, lease.holder)
            )

        waits = walk(waiting, phases, progress, part, whole)
        return Outcome(
            tuple(touched), tuple(steps), tuple(skipped), waiting=tuple(waits), due=progress.due(), undo=tuple(undo)
        )

    def _plan(
        self,
        revision: Revision,
        record: RevisionRecord,
        operations: Sequence[tuple[int, Operation]],
        estate: Estate,
        lease: Lease,
        run: str,
        skipped: list[str],
    ) -> tuple[list[Job], list[tuple[int, Operation]], str]:
        """What can be done now: the jobs, the operations that are done afterwards, and what others wait for.

        What nobody has planned yet is planned, and in the journal afterwards.
        """
        jobs: list[Job] = []
        ran: list[tuple[int, Operation]] = []
        held = Held()
        rows: list[tuple[Place, Statement | None]] = []
        for index, operation in operations:
            place = Place(revision.id, revision.digest, index)
            known = record.operations.get(index)
            if known is not None and known.known:
                self._began = True
                todo = tuple((number, known.planned[number]) for number in known.open)
                jobs.append(Job(place, operation, todo, frozenset(operation.touches()), known.attempts))
                if operation.readiness(estate).state is State.READY:
                    estate = operation.effect(estate)
                ran.append((index, operation))
                continue
            if held.behind(operation):
                continue
            ready, why = judge(operation, estate)
            if why:
                held.add(operation, why)
                continue
            ran.append((index, operation))
            if not ready:
                skipped.append(operation.summary())
                rows.append((place, None))
                continue
            statements = operation.statements(estate)
            after = operation.effect(estate)
            jobs.append(Job(place, operation, tuple(enumerate(statements)), changed(operation, estate, after)))
            rows += [(Place(revision.id, revision.digest, index, n), one) for n, one in enumerate(statements)]
            estate = after
        if rows:
            self._link.call(lambda session: Journal(session, lease, run).plan(rows))
        return jobs, ran, held.text

    def stamp(self, revisions: Sequence[Revision], unverified: str = "") -> tuple[str, ...]:
        """Note that `revisions` are applied, without running them; returns those that were not noted yet.

        Everything of them must be there already, or `unverified` says why that was not looked at. Raises `PlanError`
        with the first operation that is not done.
        """
        return self._leased(lambda lease: self._stamp(lease, revisions, unverified))

    def _stamp(self, lease: Lease, revisions: Sequence[Revision], unverified: str) -> tuple[str, ...]:
        run = uuid.uuid4().hex
        waiting = pending(revisions, self._link.call(lambda session: Journal(session).read()))
        if not unverified:
            check_done(waiting, self._link.call(self._introspect))
        for revision in waiting:
            place = Place(revision.id, revision.digest, -1)
            self._link.call(lease.check)
            self._link.call(
                lambda session, place=place: Journal(session, lease, run).stamped(place, unverified or "verified")  # type: ignore[misc]
            )
        return tuple(revision.id for revision in waiting)

    def undo(self, revisions: Sequence[Revision], gone: Sequence[Revision], allowed: Sequence[str] = ()) -> Outcome:
        """Take `gone` back, one after the other. `revisions` are all that there are.

        Raises what `apply` raises, and `PlanError` where there is no way back.
        """
        try:
            return self._leased(lambda lease: self._undo(lease, revisions, gone, allowed))
        except HalfwayError as error:
            raise HalfwayError(str(error.args[0]), hint="run the downgrade again: it goes on from there") from None

    def _undo(
        self, lease: Lease, revisions: Sequence[Revision], gone: Sequence[Revision], allowed: Sequence[str]
    ) -> Outcome:
        run = uuid.uuid4().hex
        records = self._link.call(lambda session: Journal(session).read())
        estate = self._link.call(self._introspect)
        control = ObjectName(self._database, self._control_schema, "JOURNAL")
        rehearsed = rehearse_undo(revisions, gone, records, estate, control)
        check_hazards((operation for _, inverse in rehearsed for operation in inverse.operations), allowed)
        steps: list[Step] = []
        skipped: list[str] = []
        undo: list[str] = []
        for revision, inverse in rehearsed:
            record = records[revision.id]
            place = Place(revision.id, revision.digest, -1)
            self._link.call(lease.check)
            if not record.undo:
                text = written(inverse.operations)
                self._link.call(lambda session, place=place, text=text: Journal(session, lease, run).undo(place, text))  # type: ignore[misc]
            back = dataclasses.replace(revision, id=undoing(revision.id), operations=inverse.operations)
            known = record.back or RevisionRecord()
            jobs, _, _ = self._plan(back, known, tuple(enumerate(back.operations)), estate, lease, run, skipped)
            steps += self._run([job for job in jobs if job.todo], lease, run)
            undo += _restores(jobs)
            estate = self._verify(back, back.operations)
            self._link.call(lease.check)
            self._link.call(lambda session, place=place: Journal(session, lease, run).undone(place))  # type: ignore[misc]
        notes = tuple(note for _, inverse in rehearsed for note in inverse.notes)
        return Outcome(tuple(r.id for r in gone), tuple(steps), (*skipped, *notes), undo=tuple(undo))

    def _run(self, jobs: Sequence[Job], lease: Lease, run: str) -> list[Step]:
        """Every job, and what was sent for it, in the plan's order."""
        if not jobs:
            return []
        self._began = True
        narrator = Narrator(self._watch)
        workers = [
            Worker(link, lease, run, self._recovery, self._introspect, narrator, self._say, self._lease_seconds)
            for link in (self._link, *self._siblings.take(min(self._jobs, len(jobs)) - 1))
        ]
        try:
            run_side_by_side(jobs, workers, lambda worker, number: worker.run(jobs[number], number))
        finally:
            narrator.close()
        return [step for number in sorted(narrator.steps) for step in narrator.steps[number]]

    def _verify(self, revision: Revision, operations: Sequence[Operation], estate: Estate | None = None) -> Estate:
        """Look again: IF NOT EXISTS is silent about a thing that exists otherwise."""
        estate = estate or self._link.call(self._introspect)
        for operation in standing(operations):
            readiness = operation.readiness(estate)
            if readiness != DONE:
                why = readiness.reason or "it is not as the revision says"
                raise HalfwayError(f"revision {revision.id} ran, but {operation.summary()}: {why}")
        return estate

    def _set_up(self) -> Lease:
        """Takes the lease in the request that sees to the control tables: one round trip for both."""

        def use(session: Session) -> None:
            schema.use(session, self._database, self._control_schema)

        create, _, _ = schema.setup_statements(self._database, self._control_schema)
        lease = Lease(self._link, self._lease_seconds)
        try:
            try:
                self._link.call(use)
            except Exception as error:
                if number(error) not in MISSING_OR_NOT_AUTHORIZED:
                    raise
                self._link.call(lambda session: session.execute(create))
                self._link.call(use)
            self._link.prepare = use
            lease.take(schema.table_statements())
        except Exception as error:
            if number(error) < 0 or connection_lost(error):
                raise
            raise UnreachableError(
                f"the control schema {self._database}.{self._control_schema} cannot be set up: {text(error)}",
                hint="grant CREATE SCHEMA on the database, or have the schema made (docs/grants.md)",
            ) from None
        return lease


def _restores(jobs: Sequence[Job]) -> list[str]:
    """For each clone that was made: how to get back what it keeps."""
    return [kept.restore for job in jobs for kept in job.operation.undos()]
