"""An apply is killed, or its connection cut, at every statement that it sends; the next one ends where an undisturbed
one does. A proxy on the wire counts the statements, not driftguard."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import rig
from driftguard.operations.catalogue import KINDS
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import ENVIRONMENT
from proxy import AFTER, BEFORE, Proxy
from rig import LATER, Rig
from warm import Warm


@dataclass
class Ground:
    """A stand-in, a warm process, and how an undisturbed apply ends."""

    server: SnowflakeServer
    warm: Warm
    folder: Path
    statements: int = 0
    landing: str = ""
    journal: tuple[tuple[object, ...], ...] = ()

    def start(self, *, jobs: int = 1, network_timeout: int = 60) -> tuple[Rig, Proxy]:
        """A database of its own, reached through a proxy."""
        proxy = Proxy(self.server.port)
        return rig.make(self.server, self.folder, port=proxy.port), proxy


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    server = SnowflakeServer()
    server.start()
    warm = Warm(ENVIRONMENT)
    found = Ground(server, warm, tmp_path_factory.mktemp("kill"))
    try:
        one, proxy = found.start()
        assert {operation.kind for operation in one.revision.operations} == set(KINDS)
        code = warm.wait(warm.start(one.directory, "apply", "--jobs", "1"))
        assert code == 0, (one.directory / "err.txt").read_text()
        found.statements = len(proxy.seen)
        found.landing, found.journal = one.landing(), tuple(one.journal())
        proxy.close()
        yield found
    finally:
        warm.close()
        server.stop()


def states(landing: str) -> int:
    return landing.count('"state": "suspended"')


def ended(one: Rig, ground: Ground, where: object) -> None:
    """The landing, the tasks' states and the journal are those of an undisturbed apply, and nothing is left to plan."""
    assert one.landing() == ground.landing, where
    assert tuple(one.journal()) == ground.journal, where
    assert one.plan(*LATER).operations == (), where
    assert one.apply().steps == (), where


def kill(ground: Ground, at: int, how: str, jobs: int) -> bool:
    """Kill an apply at a statement, finish with another. False where it had ended before."""
    one, proxy = ground.start()
    try:
        pids: list[int] = []
        proxy.at, proxy.how = at, how
        proxy.then = lambda: os.kill(pids[0], signal.SIGKILL)
        pids.append(ground.warm.start(one.directory, "apply", "--jobs", str(jobs)))
        code = ground.warm.wait(pids[0])
        if not proxy.broken:
            assert code == 0
            return False
        assert code == -signal.SIGKILL
    finally:
        proxy.close()
    one.free_the_lease()
    one.apply(jobs=jobs)
    ended(one, ground, (at, how, jobs))
    return True


def cut(ground: Ground, at: int, how: str, jobs: int) -> bool:
    """Cut the connection at a statement for as long as the connector tries; the same apply comes to its end."""
    one, proxy = ground.start()
    try:
        proxy.at, proxy.how = at, how
        code = ground.warm.wait(ground.warm.start(one.directory, "apply", "--jobs", str(jobs), network_timeout=1))
        assert code == 0, (at, how, (one.directory / "err.txt").read_text())
        if not proxy.broken:
            return False
    finally:
        proxy.close()
    ended(one, ground, (at, how, jobs))
    again = [row for row in one.history("QUERY_TAG LIKE 'driftguard:" + one.revision.id + ":%'")]
    ran = [row["QUERY_TEXT"] for row in again if row["EXECUTION_STATUS"] == "SUCCESS"]
    assert len(ran) == len(set(ran)), "a statement that had succeeded was sent again"
    return True


# Set-up, lease, plan, the first statements of each kind, the last rows: a few of each on every change.
SAMPLE = (2, 10, 13, 16, 18, 20, 31, -1)


@pytest.mark.parametrize("at", SAMPLE)
def test_an_apply_that_is_killed_there_is_finished_by_the_next(ground: Ground, at: int) -> None:
    at = at % (ground.statements + 1)
    how = AFTER if at % 2 else BEFORE
    assert kill(ground, at, how, jobs=1 if at % 3 else 4)


@pytest.mark.parametrize("at", (11, 17, 21))
@pytest.mark.parametrize("how", (BEFORE, AFTER))
def test_an_apply_whose_connection_is_cut_there_finishes_by_itself(ground: Ground, at: int, how: str) -> None:
    assert cut(ground, at, how, jobs=1)


@pytest.mark.long
def test_an_apply_that_is_killed_at_any_statement_is_finished_by_the_next(ground: Ground) -> None:
    points = [(at, how) for at in range(1, ground.statements + 1) for how in (BEFORE, AFTER)]
    killed = [point for point in points if kill(ground, *point, jobs=1)]
    assert len(killed) == 2 * ground.statements


@pytest.mark.long
def test_an_apply_whose_connection_is_cut_at_any_statement_finishes_by_itself(ground: Ground) -> None:
    points = [(at, how) for at in range(1, ground.statements + 1) for how in (BEFORE, AFTER)]
    assert [point for point in points if cut(ground, *point, jobs=1)] == points
