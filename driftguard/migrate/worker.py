"""Runs the statements of one operation after the other on a connection of its own.

For each: a row `started`, written only under the lease; the statement, under a QUERY_TAG of its own; a row `done`.
A statement whose answer did not come is looked for before it is sent again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from driftguard.control.journal import Attempt, Journal, Place
from driftguard.control.lease import Lease
from driftguard.control.link import TRIES, Link
from driftguard.control.recovery import Fate, Recovery
from driftguard.control.schema import transaction
from driftguard.errors import DriftguardError, HalfwayError
from driftguard.migrate.schedule import Job, Narrator, Step
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.snowflake.errors import connection_lost, number, text
from driftguard.snowflake.history import Run, graph_runs_now, loads_now, now, run_since, runs_now
from driftguard.snowflake.session import Session

T = TypeVar("T")
_DML = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
# Nothing in the catalog says that they ran; a second time does nothing.
_SWITCHES = (" SUSPEND", " RESUME", " REFRESH", " PIPE_EXECUTION_PAUSED = TRUE", " PIPE_EXECUTION_PAUSED = FALSE")
_RUN = "EXECUTE TASK "  # answers at once; it is done when the run has ended
_OFF = (" SUSPEND", " PIPE_EXECUTION_PAUSED = TRUE")  # what is waited for ends by itself afterwards


def is_dml(statement: Statement) -> bool:
    """Does it change rows? It then runs in a transaction together with its row `done`."""
    return _DML.match(statement.sql) is not None


def _runs(job: Job, statement: Statement) -> ObjectName | None:
    """The task that the statement starts a run of."""
    return job.operation.waits_for() if statement.sql.startswith(_RUN) else None


class Worker:
    """`apply` runs are told from each other by `run`, their statements by the tag of each attempt."""

    def __init__(
        self,
        link: Link,
        lease: Lease,
        run: str,
        recovery: Recovery,
        introspect: Callable[[Session], Estate],
        narrator: Narrator,
        say: Callable[[str], None],
        patience: float,
    ) -> None:
        self.link = link
        self._lease = lease
        self._run = run
        self._recovery = recovery
        self._introspect = introspect
        self._narrator = narrator
        self._say = say
        self._patience = patience
        self._asked: datetime | None = None  # when a run of a task was asked for last, by Snowflake's clock

    def run(self, job: Job, job_number: int) -> None:
        """All open statements of an operation, in their order. Raises `HalfwayError` at the first that fails."""
        self._asked = None
        task, loaded, graphs = job.operation.waits_for(), job.operation.drains(), job.operation.graphs()
        for position, statement in job.todo:
            place = Place(job.place.revision, job.place.digest, job.place.operation, position)
            if not statement.sql.endswith(_OFF):
                if loaded is not None:
                    self._unloaded(loaded)
                if task is not None:
                    self._rest(partial(runs_now, task=task), f"{task} is running")
                for root in graphs:
                    self._rest(partial(graph_runs_now, root=root), f"the graph of {root} is running")
                task, loaded, graphs = None, None, ()
            self._statement(job, job_number, place, statement)
        self._narrator.ended(job_number)

    def _statement(self, job: Job, job_number: int, place: Place, statement: Statement) -> None:
        attempts = list(job.attempts.get(place.statement, {}).values())
        told = False
        for left in reversed(range(TRIES)):
            if attempts and self._ran(job, place, statement, attempts):
                if not told:
                    self._say(f"already ran: {statement.summary}")
                return
            if not told:
                self._narrator.step(job_number, Step(place.revision, job.operation.summary(), statement))
                told = True
            attempt = self._call(lambda journal: journal.started(place))
            try:
                self._send(job, place, statement, attempt)
                break
            except DriftguardError:
                raise
            except Exception as error:
                if number(error) < 0:
                    raise
                if not connection_lost(error):
                    why = text(error)
                    if is_dml(statement):  # a handler does not run when its block is cancelled
                        self.link.call(lambda session: session.execute("ROLLBACK"))
                    self._call(lambda journal: journal.failed(place, attempt.tag, why))  # noqa: B023
                    raise HalfwayError(
                        f'revision {place.revision} stopped at "{statement.summary}": {why}',
                        hint="mend the cause, then run `driftguard apply` again: it goes on from there",
                    ) from None
                if not left:
                    raise HalfwayError(
                        f'revision {place.revision} stopped at "{statement.summary}": the connection broke {TRIES} '
                        f"times ({text(error)})",
                        hint="run `driftguard apply` again: it goes on from there",
                    ) from None
                attempts.append(attempt)
                self.link.reconnect()
        if not is_dml(statement):
            self._call(lambda journal: journal.done(place))

    def _send(self, job: Job, place: Place, statement: Statement, attempt: Attempt) -> None:
        session = self.link.session
        sql = statement.sql
        if is_dml(statement):
            sql = transaction(sql, Journal(session, self._lease, self._run).done_sql(place))
        task = _runs(job, statement)
        if task is not None:
            self._asked = now(session)
        self._lease.ready(session)
        session.execute(sql, tag=attempt.tag)
        if task is not None and (why := self._ended(task, self._asked)):
            self._call(lambda journal: journal.failed(place, attempt.tag, why))
            raise HalfwayError(
                f"{task} failed when it ran once more: {why}",
                hint="mend it, then run `driftguard apply` again; until then it is suspended and its pipe paused",
            )

    def _ran(self, job: Job, place: Place, statement: Statement, attempts: Collection[Attempt]) -> bool:
        """Did one of the attempts succeed? The journal has it then."""
        fate = self._recovery.fate(self.link, list(attempts), statement.summary)
        task = _runs(job, statement)
        if task is not None:  # that it was asked for says nothing of its end
            asked = self._asked or min(attempt.started_at for attempt in attempts).replace(tzinfo=UTC)
            if fate is Fate.SUCCEEDED and not self._ended(task, asked):
                self._call(lambda journal: journal.done(place))
                return True
            self._rest(partial(runs_now, task=task), f"{task} is running")
            return False
        if is_dml(statement):
            return self._call(lambda journal: journal.is_done(place))
        if fate is Fate.UNKNOWN and not statement.sql.endswith(_SWITCHES):
            estate = self.link.call(self._introspect)
            if statement.sql not in {one.sql for one in job.operation.statements(estate)}:
                fate = Fate.SUCCEEDED
        if fate is Fate.SUCCEEDED:
            self._call(lambda journal: journal.done(place))
        return fate is Fate.SUCCEEDED

    def _call(self, work: Callable[[Journal], T]) -> T:
        return self.link.call(lambda session: work(Journal(session, self._lease, self._run)))

    def _unloaded(self, table: ObjectName) -> None:
        """Wait until no file is on its way into the table, and once more for one that did not show yet."""
        for pause in (self._patience / 60, 0.0):
            self._rest(partial(loads_now, table=table), f"a file is being loaded into {table}")
            time.sleep(pause)

    def _ended(self, task: ObjectName, asked: datetime | None) -> str:
        """Wait for the run that was asked for then; what it failed with. Raises `HalfwayError` if that is too long."""
        assert asked is not None
        found, why = Run.NONE, ""

        def at_work(session: Session) -> bool:
            nonlocal found, why
            found, why = run_since(session, task, asked)
            return found in (Run.NONE, Run.AT_WORK)

        time.sleep(0.5)
        self._rest(at_work, f"{task} is running once more")
        return why

    def _rest(self, at_work: Callable[[Session], bool], what: str) -> None:
        """Wait until nothing is at work any more. Raises `HalfwayError` when that takes too long."""
        end, pause, said = time.monotonic() + self._patience, 0.2, False
        while self.link.call(at_work):
            if not said:
                self._say(f"{what}; waiting for it to end")
                said = True
            if time.monotonic() > end:
                raise HalfwayError(
                    f"{what}, for more than {self._patience:.0f} s",
                    hint="run `driftguard apply` again once it has ended",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)
