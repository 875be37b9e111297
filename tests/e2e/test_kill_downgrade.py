"""A downgrade that is killed, or cut off, at a statement: the next one finishes it, and the landing is as it was."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import rig
from driftguard.commands.revisions import downgrade
from driftguard.commands.status import status
from driftguard.config import load
from driftguard.migrate.writing import write
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import ENVIRONMENT
from proxy import AFTER, BEFORE, Proxy
from rig import CUSTOMERS, LATER
from warm import Warm

BACK = ("downgrade", "base", "--allow", "LOSES_DATA")


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


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        ("INSERT INTO journal .*'undo'", AFTER),
        ("INSERT INTO journal .*planned", AFTER),
        ('ALTER TASK .*ORDERS_MERGE" SUSPEND', AFTER),
        ('ALTER TASK .*ORDERS_MERGE" MODIFY', BEFORE),
        ('ALTER TABLE .*STAGING.*DROP COLUMN IF EXISTS "COUPON"', AFTER),
        ("BEGIN.*DELETE FROM revision", BEFORE),
        ("BEGIN.*DELETE FROM revision", AFTER),
    ],
)
def test_a_downgrade_that_is_killed_there_is_finished_by_the_next(
    server: SnowflakeServer, warm: Warm, tmp_path: Path, pattern: str, how: str
) -> None:
    one = rig.make(server, tmp_path)
    one.revision.path.unlink()
    one.run("ALTER TABLE {db}.FINAL.ORDERS ALTER COLUMN LABEL DROP NOT NULL", "SELECT 1")
    operations = one.plan(LATER[0], CUSTOMERS).operations
    write(
        one.directory / "migrations", "coupon", [op for op in operations if op.kind in ("add_columns", "replace_merge")]
    )
    before = one.landing()
    one.apply()
    config = load(directory=one.directory)

    proxy = Proxy(server.port)
    rig.connect(one.directory, proxy.port)
    pids: list[int] = []

    def arrives(text: str) -> None:
        if proxy.at is None and re.match(pattern, text, re.DOTALL):
            proxy.at = len(proxy.seen) + 1

    proxy.how, proxy.watch = how, arrives
    proxy.then = lambda: os.kill(pids[0], signal.SIGKILL)
    try:
        pids.append(warm.start(one.directory, *BACK))
        assert warm.wait(pids[0]) == -signal.SIGKILL
        assert proxy.broken
    finally:
        proxy.close()
    rig.connect(one.directory, server.port)
    one.free_the_lease()

    downgrade(config, "base", allowed=["LOSES_DATA"])
    assert one.landing() == before
    assert one.run("SELECT COUNT(*) AS N FROM {db}.DRIFTGUARD.REVISION")[0]["N"] == 0
    assert [item.state for item in status(config).revisions] == ["pending"]
    states = {row["NAME"]: row["STATE"] for row in one.run("SHOW TASKS IN SCHEMA {db}.STAGING")}
    assert states == {"ORDERS_MERGE": "started", "CUSTOMERS_MERGE": "suspended"}
