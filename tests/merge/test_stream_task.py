"""A landing that driftguard makes, files that a pipe loads, and the merge task that waits for the stream on STAGING."""

from __future__ import annotations

import dataclasses
import itertools
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import POLICY, context, plain, table
from driftguard.control.schema import setup_statements
from driftguard.drift.compare import compare
from driftguard.model.policy import Policy
from driftguard.model.snowflake import Estate
from driftguard.plan.planner import make_plan
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.session import Session

ORDERS = table("orders", ("note", plain("text")))
_NUMBERS = itertools.count(1)


@dataclasses.dataclass
class Landed:
    """The landing of ORDERS in a database of its own."""

    server: SnowflakeServer
    session: Session
    policy: Policy
    lake: Path

    def run(self, sql: str) -> list[dict[str, Any]]:
        return self.session.rows(sql.format(db=self.policy.database))

    def file(self, name: str, *rows: tuple[int, str, str]) -> None:
        """A CDC file of (id, note, commit time), put where the pipe looks."""
        ids, notes, times = zip(*rows, strict=True)
        folder = self.lake / "shop" / "orders"
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"Op": ["I"] * len(ids), "commit_ts": times, "id": ids, "note": notes}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")

    def pump(self) -> dict[str, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/sandbox/pump", data=b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def notes(self) -> dict[int, str]:
        return {int(row["ID"]): row["NOTE"] for row in self.run("SELECT ID, NOTE FROM {db}.FINAL.ORDERS")}

    def waiting(self) -> int:
        return int(self.run("SELECT COUNT(*) AS N FROM {db}.STAGING.ORDERS_STREAM")[0]["N"])

    def runs(self) -> list[str]:
        sql = (
            "SELECT STATE FROM TABLE({db}.INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'ORDERS_MERGE')) ORDER BY RUN_ID"
        )
        return [row["STATE"] for row in self.run(sql)]

    def estate(self) -> Estate:
        return introspect(self.session, self.policy.database, ("STAGING", "FINAL"))

    def found(self) -> list[str]:
        seen = compare(context(ORDERS, policy=self.policy, estate=self.estate()))
        return [f"{f.code} {f.severity.value}" for f in seen if f.code in ("DG304", "DG321", "DG322", "DG323")]

    def plan(self, policy: Policy | None = None) -> list[str]:
        """Plan and apply; the kinds of the operations."""
        estate = self.estate()
        operations = make_plan(context(ORDERS, policy=policy or self.policy, estate=estate)).operations
        for operation in operations:
            for statement in operation.statements(estate):
                self.session.execute(statement.sql)
            estate = operation.effect(estate)
        return [operation.kind for operation in operations]


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def landed(server: SnowflakeServer, tmp_path: Path) -> Iterator[Landed]:
    policy = dataclasses.replace(POLICY, database=f"ST{next(_NUMBERS)}")
    with Session.connect({**server.connect_kwargs(), "user": "driftguard"}, "stream") as session:
        one = Landed(server, session, policy, tmp_path)
        for sql in (
            "CREATE DATABASE {db}", "CREATE SCHEMA {db}.STAGING", "CREATE SCHEMA {db}.FINAL",
            "CREATE WAREHOUSE IF NOT EXISTS WH", f"CREATE STAGE {{db}}.STAGING.DMS_STAGE URL = '{tmp_path.as_uri()}/'",
        ):  # fmt: skip
            one.run(sql)
        for sql in setup_statements(policy.database, policy.control_schema):
            session.execute(sql)
        one.plan()
        yield one


def test_rows_arrive_and_a_run_without_any_does_not_start(landed: Landed) -> None:
    assert landed.pump()["tasks_run"] == 0
    assert landed.runs() == ["SKIPPED"]
    landed.file("20260101-1", (1, "one", "2026-01-01 00:00:01.000000"))
    assert landed.pump()["tasks_run"] == 1
    assert (landed.notes(), landed.waiting()) == ({1: "one"}, 0)
    landed.run("EXECUTE TASK {db}.STAGING.ORDERS_MERGE")
    assert landed.pump()["tasks_failed"] == []
    assert landed.runs() == ["SKIPPED", "SUCCEEDED", "SKIPPED"]
    assert landed.found() == []
    assert landed.plan() == []


def test_a_merge_that_fails_leaves_its_rows_in_the_stream_for_the_next_run(landed: Landed) -> None:
    landed.file("20260101-1", (1, "one", "2026-01-01 00:00:01.000000"))
    landed.run("ALTER TABLE {db}.DRIFTGUARD.WATERMARK RENAME TO {db}.DRIFTGUARD.AWAY")
    landed.run("CREATE TABLE {db}.DRIFTGUARD.WATERMARK (LANDING VARCHAR, UPTO TIMESTAMP_LTZ, RAN_AT NUMBER(1,0))")
    assert len(landed.pump()["tasks_failed"]) == 1
    assert (landed.notes(), landed.waiting()) == ({}, 1)
    landed.run("DROP TABLE {db}.DRIFTGUARD.WATERMARK")
    landed.run("ALTER TABLE {db}.DRIFTGUARD.AWAY RENAME TO {db}.DRIFTGUARD.WATERMARK")
    landed.run("EXECUTE TASK {db}.STAGING.ORDERS_MERGE")
    assert landed.pump()["tasks_failed"] == []
    assert (landed.notes(), landed.waiting()) == ({1: "one"}, 0)


def test_a_stream_that_is_dropped_is_found_and_made_again_and_nothing_is_lost(landed: Landed) -> None:
    landed.file("20260101-1", (1, "one", "2026-01-01 00:00:01.000000"))
    landed.pump()
    landed.run("DROP STREAM {db}.STAGING.ORDERS_STREAM")
    landed.file("20260101-2", (2, "two", "2026-01-01 00:00:02.000000"))
    assert len(landed.pump()["tasks_failed"]) == 1
    assert landed.found() == ["DG321 unknown"]
    assert landed.plan() == ["change_consumption"]
    assert (landed.found(), landed.plan()) == ([], [])
    landed.pump()
    assert landed.notes() == {1: "one", 2: "two"}
    assert landed.run("SELECT COUNT(*) AS N FROM {db}.DRIFTGUARD.MERGED_FILE") == [{"N": 2}]


def test_a_stale_stream_is_found_and_made_again(landed: Landed) -> None:
    landed.file("20260101-1", (1, "one", "2026-01-01 00:00:01.000000"))
    landed.run("ALTER TASK {db}.STAGING.ORDERS_MERGE SUSPEND")
    landed.pump()
    aged = landed.server.engine.catalog.schema(landed.policy.database, "STAGING").streams["ORDERS_STREAM"]
    aged.offset -= 12 * 86_400_000_000
    assert landed.found() == ["DG322 warning"]
    aged.offset -= 3 * 86_400_000_000
    assert landed.found() == ["DG321 error"]
    assert landed.plan() == ["change_consumption"]
    landed.run("ALTER TASK {db}.STAGING.ORDERS_MERGE RESUME")
    landed.pump()
    assert landed.notes() == {1: "one"}


def test_a_merge_changes_from_one_way_to_the_other_and_back_between_two_files(landed: Landed) -> None:
    by_files = dataclasses.replace(landed.policy, consumption="files")
    landed.file("20260101-1", (1, "one", "2026-01-01 00:00:01.000000"))
    landed.pump()
    for number, policy in ((2, by_files), (3, landed.policy)):
        landed.run("ALTER TASK {db}.STAGING.ORDERS_MERGE SUSPEND")
        landed.file(f"20260101-{number}", (number, "more", f"2026-01-01 00:00:0{number}.000000"))
        landed.pump()  # loaded, and not merged
        landed.run("ALTER TASK {db}.STAGING.ORDERS_MERGE RESUME")
        assert landed.plan(policy) == ["change_consumption"]
        assert landed.plan(policy) == []
        assert [task.state for task in landed.estate().tasks] == ["started"]
        landed.pump()
        assert sorted(landed.notes()) == list(range(1, number + 1))
    assert landed.run("SELECT COUNT(*) AS N FROM {db}.DRIFTGUARD.MERGED_FILE") == [{"N": 3}]
