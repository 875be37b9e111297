"""Applies revisions so that a crash at any point loses nothing and the next run finishes the work.

Every DDL statement of Snowflake commits by itself, so a revision is walked statement by statement: what is about to run
is in the journal before it runs, and every statement can be run a second time. The statements of an operation are
written down when it begins; a later run goes on with the same ones, so that a task that was running before the first
attempt is running again after the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from driftguard.control import schema
from driftguard.control.journal import Journal, OperationRecord, RevisionRecord
from driftguard.control.lease import Lease
from driftguard.errors import DriftguardError, HalfwayError, HazardError, PlanError, RevisionError, UnreachableError
from driftguard.migrate.revision import Revision
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, Operation, State
from driftguard.snowflake.errors import number, text
from driftguard.snowflake.session import Session


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of an apply, for those who watch."""

    revision: str
    operation: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did, or would do."""

    revisions: tuple[str, ...]
    steps: tuple[Step, ...]
    skipped: tuple[str, ...] = ()  # operations that were done already
    dry_run: bool = False


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
    for revision in revisions:
        record = records.get(revision.id, RevisionRecord())
        for index, operation in enumerate(revision.operations):
            known = record.operations.get(index, OperationRecord())
            if known.finished:
                continue
            if known.planned:
                steps += [
                    Step(revision.id, operation.summary(), Statement(*known.planned[number])) for number in known.open
                ]
                continue
            if not _ready(operation, estate):
                skipped.append(operation.summary())
                continue
            steps += [Step(revision.id, operation.summary(), s) for s in operation.statements(estate)]
            estate = operation.effect(estate)
    return Outcome(tuple(r.id for r in revisions), tuple(steps), tuple(skipped), dry_run=True)


def _ready(operation: Operation, estate: Estate) -> bool:
    """True to run it, False where it is done. Raises `PlanError` where its precondition does not hold."""
    readiness = operation.readiness(estate)
    if readiness.state is State.BLOCKED:
        raise PlanError(f"{operation.summary()}: {readiness.reason}", hint="plan again against what is there now")
    return readiness.state is State.READY


class Runner:
    """Runs pending revisions under the lease."""

    def __init__(
        self,
        session: Session,
        open_session: Callable[[], Session],
        introspect: Callable[[], Estate],
        *,
        database: str,
        control_schema: str,
        lease_seconds: int,
        watch: Callable[[Step], None] | None = None,
    ) -> None:
        self._session = session
        self._open_session = open_session
        self._introspect = introspect
        self._database = database
        self._control_schema = control_schema
        self._lease_seconds = lease_seconds
        self._watch = watch
        self._began = False

    def apply(self, revisions: Sequence[Revision], allowed: Sequence[str] = ()) -> Outcome:
        """Apply what is pending of `revisions`, in their order.

        Raises `LeaseHeldError`, `HazardError`, `RevisionError` or `PlanError` before anything is changed, and
        `HalfwayError` afterwards.
        """
        self._set_up()
        with Lease(self._session, self._control_session, self._lease_seconds) as lease:
            journal = Journal(self._session, lease)
            records = journal.read()
            waiting = pending(revisions, records)
            if not waiting:
                return Outcome((), ())
            check_hazards(waiting, allowed)
            estate = self._introspect()
            if not any(records.get(r.id) and records[r.id].operations for r in waiting):
                rehearse(waiting, records, estate)  # every precondition, before the first statement
            steps: list[Step] = []
            skipped: list[str] = []
            for revision in waiting:
                record = records.get(revision.id, RevisionRecord())
                for index, operation in enumerate(revision.operations):
                    known = record.operations.get(index, OperationRecord())
                    if known.finished:
                        continue
                    estate = self._operation(revision, index, operation, known, estate, lease, journal, steps, skipped)
                self._verify(revision)
                lease.check()
                journal.applied(revision.id, revision.digest, lease.holder)
            return Outcome(tuple(r.id for r in waiting), tuple(steps), tuple(skipped))

    def _operation(
        self,
        revision: Revision,
        index: int,
        operation: Operation,
        known: OperationRecord,
        estate: Estate,
        lease: Lease,
        journal: Journal,
        steps: list[Step],
        skipped: list[str],
    ) -> Estate:
        if known.planned:
            todo = [(number, Statement(*known.planned[number])) for number in known.open]
            self._began = True
        elif not self._is_ready(operation, estate):
            skipped.append(operation.summary())
            journal.finished(revision.id, revision.digest, index)
            return estate
        else:
            statements = operation.statements(estate)
            lease.check()
            journal.plan(revision.id, revision.digest, index, statements)
            todo = list(enumerate(statements))
        for position, statement in todo:
            step = Step(revision.id, operation.summary(), statement)
            if self._watch is not None:
                self._watch(step)
            self._statement(revision, index, position, statement, journal)
            steps.append(step)
        journal.finished(revision.id, revision.digest, index)
        return self._introspect() if known.planned else operation.effect(estate)

    def _is_ready(self, operation: Operation, estate: Estate) -> bool:
        try:
            return _ready(operation, estate)
        except PlanError as error:
            if self._began:
                raise HalfwayError(str(error)) from None
            raise

    def _statement(self, revision: Revision, index: int, position: int, statement: Statement, journal: Journal) -> None:
        tag = journal.started(revision.id, revision.digest, index, position)
        self._began = True
        try:
            self._session.execute(statement.sql, tag=tag)
        except DriftguardError:
            raise
        except Exception as error:
            if number(error) < 0:
                raise
            why = text(error)
            journal.failed(revision.id, revision.digest, index, position, why)
            raise HalfwayError(
                f'revision {revision.id} stopped at "{statement.summary}": {why}',
                hint="mend the cause, then run `driftguard apply` again: it goes on from there",
            ) from None
        journal.done(revision.id, revision.digest, index, position)

    def _verify(self, revision: Revision) -> None:
        """Look again: IF NOT EXISTS is silent about a thing that exists otherwise."""
        estate = self._introspect()
        for operation in revision.operations:
            readiness = operation.readiness(estate)
            if readiness != DONE:
                why = readiness.reason or "it is not as the revision says"
                raise HalfwayError(f"revision {revision.id} ran, but {operation.summary()}: {why}")

    def _set_up(self) -> None:
        for statement in schema.setup_statements(self._database, self._control_schema):
            try:
                self._session.execute(statement)
            except Exception as error:
                if number(error) < 0:
                    raise
                raise UnreachableError(
                    f"the control schema {self._database}.{self._control_schema} cannot be set up: {text(error)}",
                    hint="grant CREATE SCHEMA on the database, or have the schema made (docs/grants.md)",
                ) from None

    def _control_session(self) -> Session:
        session = self._open_session()
        schema.use(session, self._database, self._control_schema)
        return session
