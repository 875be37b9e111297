"""An apply is killed, or its connection cut, at every statement that it sends; the next one ends where an undisturbed
one does. A proxy on the wire counts the statements, not driftguard."""

from __future__ import annotations

import itertools
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import rig
from driftguard.operations.catalogue import KINDS
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import ENVIRONMENT
from prepared import Prepared
from proxy import AFTER, BEFORE, Proxy
from rig import HAZARDS, PARTS, WHOLE, Rig, Shape
from warm import Warm

LEASE = 30  # seconds; what an apply waits for a file to show is a part of it
BACKFILL = 'BEGIN\nBEGIN TRANSACTION;\nUPDATE "K'
APPLY = ("apply", "--phase", "all", *(word for hazard in HAZARDS for word in ("--allow", hazard)))


@dataclass
class Ground:
    """A stand-in, a warm process, and how an undisturbed apply ends."""

    prepared: Prepared
    warm: Warm
    folder: Path
    first: Rig
    texts: tuple[str, ...] = ()  # of the statements that an undisturbed apply sends
    landing: str = ""
    journal: tuple[tuple[object, ...], ...] = ()
    numbers: Iterator[int] = field(default_factory=itertools.count)  # of its folders

    @property
    def statements(self) -> int:
        return len(self.texts)

    def number(self, pattern: str) -> int:
        """Of the first statement like that."""
        return next(n for n, text in enumerate(self.texts, start=1) if re.match(pattern, text, re.DOTALL))

    @contextmanager
    def start(self) -> Iterator[tuple[Rig, Proxy]]:
        """The same landings on a stand-in of its own, reached through a proxy."""
        away = self.prepared.fork()
        proxy = Proxy(away.port)
        try:
            yield rig.copy(self.first, away, self.folder / f"{next(self.numbers)}", proxy.port), proxy
        finally:
            proxy.close()
            self.prepared.end(away)


@contextmanager
def grounded(folder: Path, shape: Shape) -> Iterator[Ground]:
    warm, prepared = Warm(ENVIRONMENT), Prepared(ENVIRONMENT)
    try:
        first = rig.make(prepared.first, folder, shape=shape, lease_seconds=LEASE)
        prepared.freeze()
        found = Ground(prepared, warm, folder, first)
        with found.start() as (one, proxy):
            done = warm.run(one.directory, (*APPLY, "--jobs", "1"))
            assert done.returncode == 0, done.stderr
            found.texts = tuple(proxy.seen)
            found.landing, found.journal = one.landing(), tuple(one.journal())
            assert one.plan(*shape.after).operations == ()
        yield found
    finally:
        warm.close()
        prepared.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Everything in one plan."""
    with grounded(tmp_path_factory.mktemp("kill"), WHOLE) as found:
        assert kinds(found.first) == set(KINDS), "a kind of operation that nothing is killed in: put one into rig.PARTS"
        yield found


@pytest.fixture(scope="module", params=PARTS)
def part(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The same, table by table."""
    with grounded(tmp_path_factory.mktemp("kill"), PARTS[request.param]) as found:
        yield found


def kinds(one: Rig) -> set[str]:
    return {operation.kind for revision in one.revisions for operation in revision.operations}


def ended(one: Rig, ground: Ground, where: object) -> None:
    """The landing, the tasks' states and the journal are those of an undisturbed apply, and nothing is left to do.

    Nothing is left to plan either: a plan is made of what `landing` holds, and `ground` has made one of the same.
    """
    assert one.landing() == ground.landing, where
    assert tuple(one.journal()) == ground.journal, where
    assert one.apply(phase="all").steps == (), where


def kill(ground: Ground, at: int, how: str, jobs: int) -> bool:
    """Kill an apply at a statement, finish with another. False where it had ended before."""
    with ground.start() as (one, proxy):
        pids: list[int] = []
        proxy.at, proxy.how = at, how
        proxy.then = lambda: os.kill(pids[0], signal.SIGKILL)
        pids.append(ground.warm.start(one.directory, *APPLY, "--jobs", str(jobs)))
        code = ground.warm.wait(pids[0])
        if not proxy.broken:
            assert code == 0
            return False
        assert code == -signal.SIGKILL
        one.free_the_lease()
        one.apply(jobs=jobs, phase="all", allowed=HAZARDS)
        ended(one, ground, (at, how, jobs))
        return True


def cut(ground: Ground, at: int, how: str, jobs: int) -> bool:
    """Cut the connection at a statement for as long as the connector tries; the same apply comes to its end."""
    with ground.start() as (one, proxy):
        proxy.at, proxy.how = at, how
        pid = ground.warm.start(one.directory, *APPLY, "--jobs", str(jobs), network_timeout=2)
        assert ground.warm.wait(pid) == 0, (at, how, ground.warm.said(pid))
        if not proxy.broken:
            return False
        ended(one, ground, (at, how, jobs))
        again = one.history(f"QUERY_TAG LIKE 'driftguard:{one.revision.id}:%'")
        ran = [row["QUERY_TEXT"] for row in again if row["EXECUTION_STATUS"] == "SUCCESS"]
        assert len(ran) == len(set(ran)), "a statement that had succeeded was sent again"
        return True


# One or two of each sort on every change; all of them in the long run.
KILLS = (
    ("INSERT INTO journal .*planned", AFTER),
    ('ALTER TASK .*ORDERS_MERGE" SUSPEND', AFTER),
    ("ALTER PIPE .*REFRESH", AFTER),
    ('ALTER TASK .*NOTES_ROOT" SUSPEND', AFTER),
    ("CREATE OR REPLACE PROCEDURE", AFTER),
    (BACKFILL, AFTER),
    ("ALTER TABLE .*RENAME COLUMN", AFTER),
    ("INSERT INTO revision", AFTER),
)
CUTS = (
    ("USE SCHEMA", AFTER),
    ("BEGIN\nCREATE TABLE IF NOT EXISTS .*UPDATE lease SET holder='", AFTER),
    ("CREATE PIPE", BEFORE),
)


@pytest.mark.parametrize(("pattern", "how"), KILLS)
def test_an_apply_that_is_killed_there_is_finished_by_the_next(ground: Ground, pattern: str, how: str) -> None:
    assert kill(ground, ground.number(pattern), how, jobs=1)


@pytest.mark.parametrize("share", (0.6,))
def test_four_connections_that_are_killed_are_finished_by_the_next(ground: Ground, share: float) -> None:
    assert kill(ground, int(ground.statements * share), AFTER, jobs=4)


@pytest.mark.parametrize(("pattern", "how"), CUTS)
def test_an_apply_whose_connection_is_cut_there_finishes_by_itself(ground: Ground, pattern: str, how: str) -> None:
    assert cut(ground, ground.number(pattern), how, jobs=1)


def test_the_parts_have_every_kind_of_operation(tmp_path: Path) -> None:
    server = SnowflakeServer()
    server.start()
    try:
        found = [kinds(rig.make(server, tmp_path, shape=shape)) for shape in PARTS.values()]
    finally:
        server.stop()
    assert set().union(*found) == set(KINDS)


def every(ground: Ground, disturb: Callable[[Ground, int, str, int], bool], what: str) -> None:
    """Before and after every statement, also behind a point that fails; `-s` shows how far it is."""
    points = [(at, how) for at in range(1, ground.statements + 1) for how in (BEFORE, AFTER)]
    began, failed = time.monotonic(), {}
    for done, (at, how) in enumerate(points, start=1):
        try:
            assert disturb(ground, at, how, 1), "it had ended before"
        except Exception as error:
            failed[at, how] = f"{ground.texts[at - 1][:80]!r}: {error}"
        if done % 10 == 0 or done == len(points) or (at, how) in failed:
            minutes = (time.monotonic() - began) / 60
            print(
                f"{what}: {done} of {len(points)} points, {len(failed)} failed, {minutes:.1f} min",
                failed.get((at, how), "")[:300],
                flush=True,
            )
    assert failed == {}
    assert len(points) == 2 * ground.statements
    print(f"{what}: {len(points)} points of {ground.statements} statements")


@pytest.mark.long
def test_an_apply_that_is_killed_at_any_statement_is_finished_by_the_next(part: Ground) -> None:
    every(part, kill, "killed")


@pytest.mark.long
def test_an_apply_whose_connection_is_cut_at_any_statement_finishes_by_itself(part: Ground) -> None:
    every(part, cut, "cut")
