"""What is written down before anything runs, however much it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from driftguard.control import schema
from driftguard.control.journal import Journal, Place
from driftguard.control.lease import Lease
from driftguard.control.link import Link
from driftguard.errors import HalfwayError
from driftguard.model.plan import Statement
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.session import Session
from recording import RecordingSession


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def session(server: SnowflakeServer) -> Iterator[RecordingSession]:
    connection = Session.connect(server.connect_kwargs() | {"role": "SYSADMIN"}, "test").connection
    with RecordingSession(connection, "test", []) as one:
        one.execute("CREATE OR REPLACE DATABASE DB")
        for statement in schema.setup_statements("DB", "DRIFTGUARD"):
            one.execute(statement)
        one.seen.clear()
        yield one


def rows(operations: int, statements: int, length: int = 20) -> list[tuple[Place, Statement | None]]:
    text = "-" * length
    return [
        (Place("r", "d", operation, number), Statement(f"{text} {operation} {number}", "it"))
        for operation in range(operations)
        for number in range(statements)
    ]


@pytest.mark.parametrize(("operations", "statements", "length"), [(70, 3, 20), (30, 2, 9000)])
def test_a_long_plan_is_written_without_a_transaction_that_a_kill_could_leave_open(
    session: RecordingSession, operations: int, statements: int, length: int
) -> None:
    Journal(session, run="one").plan([*rows(operations, statements, length), (Place("r", "d", operations), None)])
    assert len(session.seen) > 1
    assert all(sql.startswith("INSERT INTO journal") for sql in session.seen)
    known = Journal(session).read()["r"]
    assert sum(len(one.planned) for one in known.operations.values()) == operations * statements
    assert known.operations[operations].skipped


def test_each_insert_has_whole_operations(session: RecordingSession) -> None:
    """A client that is killed between two of them leaves no operation with half of its statements."""
    Journal(session, run="one").plan(rows(70, 3))
    session.execute("DELETE FROM journal WHERE operation >= 33")  # the second INSERT did not arrive
    known = Journal(session).read()["r"]
    assert {len(one.planned) for one in known.operations.values()} == {3}
    assert len(known.operations) == 33


def test_an_operation_that_is_too_long_for_one_insert_is_written_in_a_transaction(session: RecordingSession) -> None:
    Journal(session, run="one").plan(rows(1, 250))
    assert (session.seen[0], session.seen[-1]) == ("BEGIN TRANSACTION", "COMMIT")
    assert len(Journal(session).read()["r"].operations[0].planned) == 250


@pytest.mark.parametrize("statements", [3, 250])
def test_nothing_is_written_once_the_lease_is_lost(session: RecordingSession, statements: int) -> None:
    """Neither the statements of a plan nor the end of a revision, each in the request that would have written it."""
    link = Link(session, lambda: session)
    with Lease(link, 300) as lease:
        journal = Journal(session, lease, "one")
        journal.plan(rows(1, 2))
        journal.applied("r0", "d", "me")
        session.execute("UPDATE lease SET holder = 'another', token = token + 1")
        with pytest.raises(HalfwayError, match="lost to another apply"):
            journal.plan([(Place("r", "d", 1, number), Statement("--", "it")) for number in range(statements)])
        with pytest.raises(HalfwayError, match="lost to another apply"):
            journal.applied("r", "d", "me")
    known = Journal(session).read()
    assert list(known["r"].operations) == [0]
    assert not known["r"].applied
    assert known["r0"].applied


def test_a_revision_is_noted_as_whole_only_once(session: RecordingSession) -> None:
    with Lease(Link(session, lambda: session), 300) as lease:
        for _ in range(2):
            Journal(session, lease, "one").applied("r", "d", "me")
    assert len(session.rows("SELECT * FROM revision")) == 1
