"""What becomes of statements whose answer nobody got."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import rig
from driftguard.control.journal import Attempt, Journal, Place
from driftguard.control.lease import Lease
from driftguard.control.link import Link
from driftguard.control.recovery import Fate, Recovery
from driftguard.control.schema import setup_statements
from driftguard.errors import HalfwayError
from driftguard.migrate.schedule import Job, Narrator
from driftguard.migrate.worker import Worker
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.operations.add_columns import AddColumns
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake import history
from driftguard.snowflake.session import Session
from proxy import AFTER, BEFORE, Proxy


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    with Session.connect(one.connect_kwargs(), "test") as session:
        session.execute('CREATE DATABASE "DB"')
        session.execute("CREATE TABLE DB.PUBLIC.T (N INT)")
    yield one
    one.stop()


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def link(server: SnowflakeServer, network_timeout: int = 60, **more: Any) -> Link:
    def open_session() -> Session:
        return Session.connect({**server.connect_kwargs(), **more}, "test", network_timeout=network_timeout)

    return Link(open_session(), open_session)


def started(server: SnowflakeServer, sql: str, **more: Any) -> Attempt:
    """A statement that is at work on Snowflake."""
    tag = uuid.uuid4().hex
    attempt = Attempt(tag, now())

    def work() -> None:
        with contextlib.suppress(Exception):
            link(server, **more).session.execute(sql, tag=tag)

    threading.Thread(target=work, daemon=True).start()
    while not any(query.tag == tag for query in server.engine.history.queries):
        time.sleep(0.02)
    return attempt


def fate(server: SnowflakeServer, *attempts: Attempt, limit: int = 60, **more: Any) -> tuple[Fate, list[str]]:
    said: list[str] = []
    return Recovery("DB", limit, said.append).fate(link(server, **more), attempts, "do it"), said


def test_a_statement_that_never_arrived_is_absent(server: SnowflakeServer) -> None:
    assert fate(server, Attempt("nobody sent this", now())) == (Fate.ABSENT, [])


def test_a_statement_at_work_is_waited_for(server: SnowflakeServer) -> None:
    what, said = fate(server, started(server, "SELECT SYSTEM$WAIT(1)"))
    assert what is Fate.SUCCEEDED
    assert said == ["still running on Snowflake, from an attempt before: do it; waiting for it"]


def test_a_statement_that_failed_is_known_to_have_failed(server: SnowflakeServer) -> None:
    assert fate(server, started(server, "SELECT * FROM DB.PUBLIC.NOWHERE"))[0] is Fate.FAILED


def test_a_statement_over_its_time_is_cancelled(server: SnowflakeServer) -> None:
    what, said = fate(server, started(server, "SELECT SYSTEM$WAIT(300)"), limit=1)
    assert what is Fate.FAILED
    assert len(said) == 2
    assert said[1].startswith("cancelling query ")


def test_one_success_among_several_attempts_counts(server: SnowflakeServer) -> None:
    attempts = started(server, "SELECT SYSTEM$WAIT(0.5)"), Attempt("nobody sent this", now())
    assert fate(server, *attempts)[0] is Fate.SUCCEEDED


def test_a_statement_of_a_user_that_cannot_be_seen_is_outlasted(server: SnowflakeServer) -> None:
    attempt = started(server, "SELECT SYSTEM$WAIT(2)", user="somebody")
    hidden = Attempt(attempt.tag, attempt.started_at, "SOMEBODY")
    what, said = fate(server, hidden, limit=3, user="else", role="PUBLIC", database="DB")
    assert what is Fate.UNKNOWN
    assert len(said) == 1
    assert "cannot be seen (SOMEBODY sent it; to see that needs MONITOR on its warehouse" in said[0]
    assert next(q for q in server.engine.history.queries if q.tag == attempt.tag).end is not None
    assert fate(server, hidden, user="else", role="ACCOUNTADMIN")[0] is Fate.SUCCEEDED


def test_an_absence_from_a_full_history_says_nothing(server: SnowflakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 3)
    for number in range(3):
        link(server).session.rows(f"SELECT {number}")
    what, said = fate(server, Attempt("perhaps cut off", now() - timedelta(seconds=2)), limit=3)
    assert what is Fate.UNKNOWN
    assert "has run too many statements since" in said[0]


def test_what_is_older_than_the_history_is_over(server: SnowflakeServer) -> None:
    assert fate(server, Attempt("old", now() - timedelta(days=8))) == (Fate.UNKNOWN, [])


@pytest.fixture
def proxy(server: SnowflakeServer) -> Iterator[Proxy]:
    one = Proxy(server.port)
    yield one
    one.close()


def change(server: SnowflakeServer, proxy: Proxy, *statements: str) -> Journal:
    """Run changes of rows as an operation's statements, through the proxy."""
    schema = f"C{uuid.uuid4().hex[:8]}".upper()
    direct = link(server).session
    for sql in (*setup_statements("DB", schema), "CREATE TABLE T (N INT)"):
        direct.execute(sql)
    line = link(server, network_timeout=1, port=proxy.port, database="DB", schema=schema)
    todo = tuple((n, Statement(sql, f"change {n}")) for n, sql in enumerate(statements))
    operation = AddColumns(ObjectName("DB", schema, "T"), ())
    job = Job(Place("r1", "d", 0), operation, todo, frozenset())
    with Lease(link(server, database="DB", schema=schema), 60) as lease:
        recovery = Recovery("DB", 30, lambda _: None)
        worker = Worker(line, lease, "run", recovery, lambda _: rig.Estate(), Narrator(None), lambda _: None, 30)
        try:
            worker.run(job, 0)
        except HalfwayError as error:
            assert "stopped at" in str(error)
    return Journal(direct)


@pytest.mark.parametrize("how", (BEFORE, AFTER))
def test_a_change_of_rows_whose_connection_is_cut_happens_once(server: SnowflakeServer, proxy: Proxy, how: str) -> None:
    proxy.at, proxy.how = 2, how  # after its row `started`
    journal = change(server, proxy, "INSERT INTO T SELECT 7 WHERE '100 %' = '100 %'")
    assert proxy.broken
    assert journal.read()["r1"].operations[0].done == {0}
    assert journal._session.rows("SELECT N FROM T") == [{"N": 7}]


def test_a_change_of_rows_that_fails_leaves_neither_rows_nor_its_row_in_the_journal(
    server: SnowflakeServer, proxy: Proxy
) -> None:
    journal = change(server, proxy, "INSERT INTO T VALUES (1)", "INSERT INTO T SELECT 'no number' UNION ALL SELECT '2'")
    assert journal.read()["r1"].operations[0].done == {0}
    assert journal._session.rows("SELECT N FROM T") == [{"N": 1}]


def test_a_change_of_rows_that_is_cancelled_leaves_no_transaction_open(server: SnowflakeServer, proxy: Proxy) -> None:
    """What the apply writes afterwards would be lost with it: the connector cancels what takes longer than a second."""
    journal = change(server, proxy, "INSERT INTO T SELECT 7 WHERE SYSTEM$WAIT(20) IS NOT NULL")
    rows = journal._session.rows("SELECT EVENT FROM JOURNAL ORDER BY RECORDED_AT")
    assert [row["EVENT"] for row in rows] == ["started", "failed"]
