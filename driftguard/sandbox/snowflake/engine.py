"""The account: DuckDB, the catalog, grants, locks, histories, sessions, and one statement at a time.

Every statement runs under one condition, which it gives back while it waits (for a table lock, for SYSTEM$WAIT). So a
session never sees a write conflict of DuckDB's, and what the stand-in measures is serial.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb

from driftguard.sandbox.snowflake import errors, macros, streams
from driftguard.sandbox.snowflake.catalog import Catalog, Located, Table, Task, Thing
from driftguard.sandbox.snowflake.clock import Clock
from driftguard.sandbox.snowflake.grants import Grants
from driftguard.sandbox.snowflake.history import History, QueryRecord
from driftguard.sandbox.snowflake.locks import Locks
from driftguard.sandbox.snowflake.sessions import Session, Transaction

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.log import StatementLog


Relations = dict[str, Any]


class Rows(list[tuple[Any, ...]]):
    """All rows of an answer: DuckDB holds the connection until the last one is fetched."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self

    def fetchone(self) -> Any:
        return self[0] if self else None


class Engine:
    """The state of the stand-in."""

    def __init__(self) -> None:
        self.root = duckdb.connect(":memory:")
        self.root.execute("SET threads = 1")
        for sql in macros.statements():
            self.root.execute(sql)
        self.catalog = Catalog()
        self.clock = Clock()
        self.grants = Grants()
        self.history = History()
        self.condition = threading.Condition(threading.RLock())
        self.locks = Locks(self.condition)
        self.sessions: dict[int, Session] = {}
        self.log: StatementLog | None = None
        self.background: list[threading.Thread] = []
        self.graphs: dict[int, Located[Task]] = {}  # the roots of the graph runs that are at work
        self.commits = 0  # of rows that a stream has
        self.counted: dict[int, tuple[int, int]] = {}  # by table: its version, and the rows it had then
        self._session_ids = itertools.count(1001)
        self._transaction_ids = itertools.count(1)
        self._run_ids = itertools.count(1)

    # -- sessions ----------------------------------------------------------------------------------------------

    def new_session(self, user: str = "SYSTEM", role: str = "ACCOUNTADMIN") -> Session:
        with self.condition:
            session = Session(id=next(self._session_ids), user=user, role=role, connection=self.root.cursor())
            self.sessions[session.id] = session
            return session

    def close_session(self, session: Session) -> None:
        """An open transaction is rolled back, as Snowflake does when its session ends."""
        with self.condition:
            self.rollback(session)
            session.connection.close()
            self.sessions.pop(session.id, None)

    def next_run_id(self) -> int:
        return next(self._run_ids)

    # -- DuckDB ------------------------------------------------------------------------------------------------

    def run(self, session: Session, sql: str, record: QueryRecord | None = None) -> Rows:
        """`sql` of DuckDB in the session's zone; its errors as Snowflake's, its transaction kept alive."""
        if record is not None:
            check(record)
        try:
            return Rows(self._execute(session, sql).fetchall())
        except duckdb.Error as error:
            if session.transaction is not None and session.transaction.started:
                self._restore(session, session.transaction)
            raise errors.from_engine(error) from None

    def _execute(self, session: Session, sql: str, relations: Relations | None = None) -> Any:
        if session.active_timezone != session.timezone:
            session.connection.execute(f"SET TimeZone = '{session.timezone}'")
            session.active_timezone = session.timezone
        for name, rows in (relations or {}).items():
            session.connection.register(name, rows)
        try:
            return session.connection.execute(sql)
        finally:
            for name in relations or {}:
                session.connection.unregister(name)

    def write(
        self, session: Session, sql: str, record: QueryRecord | None = None, relations: Relations | None = None
    ) -> list[tuple[Any, ...]]:
        """A statement that changes rows, inside the session's transaction if there is one; its rows."""
        if record is not None:
            check(record)
        transaction = session.transaction
        if transaction is None and not session.autocommit:
            transaction = self.begin(session, explicit=False)
        try:
            if transaction is None:
                return list(self._execute(session, sql, relations).fetchall())
            if not transaction.started:
                session.connection.execute("BEGIN TRANSACTION")
                transaction.started = True
            out = list(self._execute(session, sql, relations).fetchall())
        except duckdb.TransactionException:
            if transaction is None:
                raise
            # another session committed after DuckDB's snapshot; READ COMMITTED wants the statement on the new state
            self._restore(session, transaction)
            out = list(self._execute(session, sql, relations).fetchall())
        except duckdb.Error as error:
            if transaction is not None:
                self._restore(session, transaction)
            raise errors.from_engine(error) from None
        if transaction is not None:
            transaction.writes.append((sql, relations))
        return out

    def _restore(self, session: Session, transaction: Transaction) -> None:
        """DuckDB ends a transaction at the first error, Snowflake does not: begin again and repeat what was done."""
        with contextlib.suppress(duckdb.Error):
            session.connection.execute("ROLLBACK")
        session.connection.execute("BEGIN TRANSACTION")
        for sql, relations in transaction.writes:
            self._execute(session, sql, relations)

    # -- transactions ------------------------------------------------------------------------------------------

    def begin(self, session: Session, *, explicit: bool = True, name: str = "") -> Transaction:
        if session.transaction is None:
            number = next(self._transaction_ids)
            session.transaction = Transaction(
                id=number,
                explicit=explicit,
                name=name or str(uuid.uuid4()),
                at=self.clock.now(),
                began=self.commits,
            )
        return session.transaction

    def commit(self, session: Session) -> None:
        transaction = session.transaction
        session.transaction = None
        if transaction is not None:
            streams.advance(self, session, transaction)
            if transaction.started:
                session.connection.execute("COMMIT")
            streams.committed(self, transaction)
            for table_id in transaction.touched:
                table = self.catalog.table_by_id(table_id)
                if table is not None:
                    table.version += 1
        self.locks.release(session.id)

    def rollback(self, session: Session) -> None:
        transaction = session.transaction
        session.transaction = None
        if transaction is not None:
            if transaction.started:
                session.connection.execute("ROLLBACK")
            streams.rolled_back(transaction)
        self.locks.release(session.id)

    def end_statement(self, session: Session) -> None:
        """Outside a transaction, a statement's locks end with it."""
        if session.transaction is None:
            self.locks.release(session.id)

    def touched(self, session: Session, table: Table, rows: int) -> None:
        """Rows of `table` changed; whoever waits for work learns of it at the commit."""
        if not rows:
            return
        if session.transaction is not None:
            session.transaction.touched[table.id] = session.transaction.touched.get(table.id, 0) + rows
        else:
            table.version += 1

    def lock(self, session: Session, table: Thing, mode: str, record: QueryRecord | None) -> None:
        self.locks.acquire(
            table.id,
            table.name,
            session.id,
            mode=mode,
            timeout=float(str(session.parameter("LOCK_TIMEOUT"))),
            check=(lambda: check(record)) if record is not None else (lambda: None),
        )

    def wait(self, seconds: float, record: QueryRecord | None, until: Callable[[], bool] = lambda: False) -> None:
        """Sleeps without holding anybody up; cancelling or a timeout ends it."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not until():
            if record is not None:
                check(record)
            self.condition.wait(min(left, 0.05))


def check(record: QueryRecord) -> None:
    """Raises if the statement was cancelled or has run too long."""
    if record.cancelled:
        raise errors.SnowflakeError(*errors.CANCELLED)
    if record.timed_out is not None and time.monotonic() > record.timed_out:
        raise errors.SnowflakeError(
            630, "57014", "Statement reached its statement or warehouse timeout and was canceled."
        )
