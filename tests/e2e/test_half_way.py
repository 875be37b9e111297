"""What an apply finds of another: a statement that still runs, a task at work, somebody else's lease."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rig
from driftguard.commands.apply import apply
from driftguard.config import load
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import ENVIRONMENT
from proxy import ANSWER_HELD, DURING, HELD, Proxy
from rig import HAZARDS, LATER, WHOLE, Rig
from warm import Warm


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    one = Warm(ENVIRONMENT)
    yield one
    one.close()


def sent(one: Rig) -> list[str]:
    """Statements of the revision that succeeded, also those of another process."""
    rows = one.history(f"QUERY_TAG LIKE 'driftguard:{one.revision.id}:%' AND EXECUTION_STATUS = 'SUCCESS'")
    return [row["QUERY_TEXT"] for row in rows]


def finished(one: Rig) -> None:
    assert one.plan(*LATER).operations == ()
    assert len(sent(one)) == len(set(sent(one))), "a statement that had succeeded was sent again"
    states = {row["NAME"]: row["STATE"] for row in one.run("SHOW TASKS IN SCHEMA {db}.STAGING")}
    assert states == {"ORDERS_MERGE": "started", "CUSTOMERS_MERGE": "suspended", "RETURNS_MERGE": "started"}


def number(one: Rig, server: SnowflakeServer, folder: Path, pattern: str) -> int:
    """Of the first statement like `pattern` that an undisturbed apply sends."""
    proxy = Proxy(server.port)
    other = rig.make(server, folder)
    rig.connect(other.directory, proxy.port)
    apply(load(directory=other.directory), jobs=1)
    proxy.close()
    return next(n for n, text in enumerate(proxy.seen, start=1) if re.match(pattern, text))


def test_the_next_apply_waits_for_a_statement_that_still_runs_and_does_not_send_it_again(
    server: SnowflakeServer, warm: Warm, tmp_path: Path
) -> None:
    proxy = Proxy(server.port)
    one = rig.make(server, tmp_path, port=proxy.port)
    blocker = one.open()
    blocker.execute("BEGIN TRANSACTION")
    blocker.execute(f"INSERT INTO {one.database}.FINAL.ORDERS (ID, LABEL) VALUES (1, 'x')")  # DDL waits for it
    proxy.how, pids = DURING, []

    def arrived(text: str) -> None:
        while not one.history(f"EXECUTION_STATUS = 'RUNNING' AND QUERY_TAG LIKE 'driftguard:{one.revision.id}:%'"):
            time.sleep(0.05)

    proxy.arrived = arrived
    proxy.then = lambda: os.kill(pids[0], signal.SIGKILL)
    proxy.at = number(one, server, tmp_path, 'ALTER TABLE .*"LABEL" SET DATA TYPE')
    pids.append(warm.start(one.directory, "apply", "--jobs", "1"))
    assert warm.wait(pids[0]) == -signal.SIGKILL
    one.free_the_lease()

    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("still running"):
            blocker.execute("COMMIT")

    one.apply(say=say)
    proxy.close()
    assert said[0] == (
        f"still running on Snowflake, from an attempt before: widen {one.database}.FINAL.ORDERS.LABEL to "
        "VARCHAR(134217728); waiting for it"
    )
    assert any(text.startswith("already ran: widen") for text in said)
    finished(one)


DDL = ('ALTER TABLE .*"LABEL" SET DATA TYPE', "INSERT INTO {db}.FINAL.ORDERS (ID, LABEL) VALUES (9, 'x')")
DML = ('BEGIN\nBEGIN TRANSACTION;\nUPDATE "K.*"ORDERS"', "UPDATE {db}.FINAL.ORDERS SET TOTAL = TOTAL")


@pytest.mark.parametrize("end", ("killed", "cut"))
@pytest.mark.parametrize(("pattern", "blocking"), (DDL, DML), ids=("DDL", "DML"))
def test_a_statement_that_still_runs_or_was_cancelled_is_no_trouble_for_the_next_apply(
    server: SnowflakeServer, warm: Warm, tmp_path: Path, pattern: str, blocking: str, end: str
) -> None:
    """After a kill it is at work. After a cut the connector cancels it when its time is over, on another line."""
    proxy = Proxy(server.port)
    one = rig.make(server, tmp_path, port=proxy.port, shape=WHOLE, lease_seconds=30)
    blocker = one.open()
    looks, pids = [], []

    def watch(text: str) -> None:
        if proxy.at is None and re.match(pattern, text, re.DOTALL):
            blocker.execute("BEGIN TRANSACTION")
            blocker.execute(blocking.format(db=one.database))
            proxy.at, proxy.how = len(proxy.seen) + 1, DURING
        elif proxy.broken and "QUERY_HISTORY" in text:
            looks.append(text)
            if len(looks) == 2:  # the first one has seen it at work
                blocker.execute("ROLLBACK")

    def arrived(text: str) -> None:
        while not one.history("EXECUTION_STATUS = 'RUNNING' AND QUERY_TAG LIKE 'driftguard:%'"):
            time.sleep(0.05)

    proxy.watch, proxy.arrived = watch, arrived
    proxy.then = lambda: os.kill(pids[0], signal.SIGKILL) if end == "killed" else None
    command = ("apply", "--phase", "all", "--jobs", "1", *(word for hazard in HAZARDS for word in ("--allow", hazard)))
    pids.append(warm.start(one.directory, *command, network_timeout=2 if end == "cut" else 0))
    code, (_, said) = warm.wait(pids[0]), warm.said(pids[0])
    if end == "killed":
        assert code == -signal.SIGKILL
        one.free_the_lease()
    else:
        assert (code, "it goes on from there" in said) == (4, True)
        blocker.execute("ROLLBACK")
    pid = warm.start(one.directory, *command)
    code, (_, said) = warm.wait(pid), warm.said(pid)
    proxy.close()
    assert code == 0, said
    assert ("still running on Snowflake, from an attempt before" in said) == (end == "killed")
    assert ("already ran" in said) == (end == "killed")
    rows = one.history("QUERY_TAG LIKE 'driftguard:%' AND EXECUTION_STATUS = 'SUCCESS'")
    ran = [row["QUERY_TAG"].rpartition(":")[0] for row in rows if one.database in row["QUERY_TEXT"]]
    assert len(ran) == len(set(ran)), "a statement that had succeeded was sent again"
    assert one.plan(*WHOLE.after).operations == ()
    assert one.landing() == undisturbed(server, str(tmp_path))


@cache
def undisturbed(server: SnowflakeServer, folder: str) -> str:
    """How an apply ends that nothing happens to."""
    one = rig.make(server, Path(folder), shape=WHOLE, lease_seconds=30)
    one.apply(phase="all", allowed=HAZARDS)
    return one.landing()


def test_a_running_merge_is_awaited_before_it_is_changed(server: SnowflakeServer, tmp_path: Path) -> None:
    one = rig.make(server, tmp_path)
    one.run(
        # what is not there is deleted: a row for the stream, without which no run starts
        "INSERT INTO {db}.STAGING.CUSTOMERS_CDC (OP, ID, COMMIT_TS, _DG_FILE, _DG_ROW, _DG_LOADED_AT) "
        "SELECT 'D', 999, '2026-01-02 00:00:00', 'shop/customers/1.parquet', 0, '2026-01-02'::TIMESTAMP_LTZ",
        "ALTER TASK {db}.STAGING.CUSTOMERS_MERGE MODIFY AS SELECT SYSTEM$WAIT(6)",
        "EXECUTE TASK {db}.STAGING.CUSTOMERS_MERGE",
    )
    said: list[str] = []
    one.apply(say=said.append, jobs=1)
    waited, *rest = said  # there is no Aurora here, which is said at the end
    assert waited == f"{one.database}.STAGING.CUSTOMERS_MERGE is running; waiting for it to end"
    assert all(text.startswith("lineage not noted") for text in rest)
    (end,) = one.run(
        "SELECT COMPLETED_TIME FROM TABLE({db}.INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CUSTOMERS_MERGE'))"
    )
    changes = one.history(
        f'QUERY_TEXT LIKE \'ALTER TASK "{one.database}"."STAGING"."CUSTOMERS_MERGE" MODIFY AS%BEGIN%\''
    )
    assert min(row["START_TIME"] for row in changes) >= end["COMPLETED_TIME"]
    finished(one)


@pytest.mark.parametrize("round_", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 20))])
def test_of_several_applies_together_one_works_and_the_others_say_who(
    server: SnowflakeServer, warm: Warm, tmp_path: Path, round_: int
) -> None:
    one = rig.make(server, tmp_path)
    folders = []
    for index in range(4):  # a folder each, for what they print
        folder = one.directory / f"place{index}"
        folder.mkdir()
        for name in ("driftguard.toml", "connections.toml", "migrations"):
            (folder / name).symlink_to(one.directory / name)
        folders.append(folder)
    pids = [warm.start(folder, "apply") for folder in folders]
    codes = [warm.wait(pid) for pid in pids]
    assert 0 in codes
    for code, pid in zip(codes, pids, strict=True):
        lines = warm.said(pid)[1].splitlines()
        if code:
            assert code == 3, lines
            assert len(lines) == 1, lines
            assert "another apply holds the lease" in lines[0]
            assert "pid" in lines[0]
    assert one.apply().steps == ()
    finished(one)


def overtaken(one: Rig, warm: Warm, proxy: Proxy, wait: float) -> None:
    """The first apply is stopped at `proxy.at`, another finishes, the first goes on: it must not run anything."""
    stopped, go, pids = threading.Event(), threading.Event(), []

    def stop() -> None:
        os.kill(pids[0], signal.SIGSTOP)
        stopped.set()
        go.wait(120)

    proxy.then = stop
    pids.append(warm.start(one.directory, "apply", "--jobs", "1", "--quiet"))
    try:
        assert stopped.wait(60)
        time.sleep(wait)
        if not wait:
            one.free_the_lease()
        one.apply()
        before = one.landing(), len(sent(one))
    finally:
        os.kill(pids[0], signal.SIGCONT)
        go.set()
    assert warm.wait(pids[0]) == 4
    (line,) = warm.said(pids[0])[1].splitlines()
    assert "the lease was lost to another apply" in line
    assert (one.landing(), len(sent(one))) == before
    finished(one)


def test_an_apply_that_was_stopped_past_its_lease_executes_nothing_more(
    server: SnowflakeServer, warm: Warm, tmp_path: Path
) -> None:
    proxy = Proxy(server.port)
    one = rig.make(server, tmp_path, port=proxy.port)
    proxy.at, proxy.how = number(one, server, tmp_path, "ALTER TASK .* MODIFY AS") - 1, HELD  # its row `started`
    overtaken(one, warm, proxy, 0)
    proxy.close()


@pytest.mark.long
def test_an_apply_that_was_stopped_between_its_row_and_its_statement_does_not_send_it(
    server: SnowflakeServer, warm: Warm, tmp_path: Path
) -> None:
    """The lease runs out by itself: the process knows by its own clock."""
    proxy = Proxy(server.port)
    one = rig.make(server, tmp_path, port=proxy.port, lease_seconds=30)
    proxy.at, proxy.how = number(one, server, tmp_path, "ALTER TASK .* MODIFY AS") - 1, ANSWER_HELD
    overtaken(one, warm, proxy, 31)
    proxy.close()
