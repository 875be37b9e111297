"""A crash at any point loses no change and writes none twice."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import driftguard

if TYPE_CHECKING:
    from conftest import Source

CHILD = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    from driftguard.emission.mappings import parse_mappings
    from driftguard.model.settings import DmsTask, EndpointSettings
    from driftguard.sandbox.dms import DmsStandIn, Switches

    url, lake, state, action, point, at = sys.argv[1:]
    rules = [
        {"rule-type": "selection", "rule-id": "1", "rule-action": "include",
         "object-locator": {"schema-name": "public", "table-name": "%"}},
        {"rule-type": "transformation", "rule-id": "2", "rule-target": "column", "rule-action": "add-column",
         "object-locator": {"schema-name": "%", "table-name": "%"}, "value": "seq", "expression": "$AR_H_CHANGE_SEQ"},
    ]
    task = DmsTask("t", parse_mappings({"rules": rules}), EndpointSettings(timestamp_column_name="ts"))
    dms = DmsStandIn(
        source_url=url, task=task, lake=Path(lake), state_dir=Path(state), name="crash",
        switches=Switches(unchanged_toast="looked_up"),
    )
    left = int(at)

    def die(here):
        global left
        if here == point:
            left -= 1
            if left == 0:
                os._exit(9)

    dms.step = die
    print(getattr(dms, action)().files)
    """
)


def child(source: Source, action: str, point: str = "", at: int = 1) -> int:
    """Runs one step in a process of its own, which dies at the `at`-th time that it reaches a point."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CHILD,
            source.url,
            str(source.lake),
            str(source.place / "state"),
            action,
            point,
            str(at),
        ],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(driftguard.__file__).parents[1])},
    )
    assert done.returncode in (0, 9), done.stderr
    return done.returncode


@pytest.mark.parametrize(
    ("point", "at"),
    [("planned", 1), ("staged", 1), ("written", 1), ("staged", 2), ("written", 3), ("confirmed", 1), ("advanced", 1)],
)
def test_a_killed_sync_is_finished_by_the_next(source: Source, point: str, at: int) -> None:
    source.run("CREATE TABLE t (id int PRIMARY KEY, v int)", "CREATE TABLE u (id int PRIMARY KEY, v int)")
    child(source, "start")
    source.run("INSERT INTO t SELECT n, 0 FROM generate_series(1, 5) n", "INSERT INTO u VALUES (1, 0)")
    source.run("ALTER TABLE t ADD COLUMN w int", "UPDATE t SET w = 1")
    assert child(source, "sync", point, at) == 9
    there = {path: path.read_bytes() for table in ("public/t", "public/u") for path in source.files(table)}
    source.run("UPDATE t SET v = 2", "DELETE FROM u")
    assert child(source, "sync") == 0
    assert all(path.read_bytes() == content for path, content in there.items()), "a file that was seen never changes"
    rows = source.changes("public/t")
    assert [(row["Op"], row["id"], row["v"], row.get("w")) for row in rows] == (
        [("I", n, 0, None) for n in range(1, 6)]
        + [("U", n, 0, 1) for n in range(1, 6)]
        + [("U", n, 2, 1) for n in range(1, 6)]
    )
    assert [row["Op"] for row in source.changes("public/u")] == ["I", "D"]
    numbers = [row["seq"][16:] for table in ("public/t", "public/u") for row in source.changes(table)]
    assert sorted(numbers) == [f"{n:019d}" for n in range(1, 18)], "the change sequence has no gap and no double"
    assert not list(source.lake.rglob("*.tmp"))


def test_a_file_that_a_pipe_may_have_loaded_keeps_its_looked_up_values(source: Source) -> None:
    source.run("CREATE TABLE t (id int PRIMARY KEY, v int, big text)")
    source.run("INSERT INTO t SELECT 1, 0, string_agg(md5(n::text), '') FROM generate_series(1, 300) n")
    child(source, "start")
    source.run("UPDATE t SET v = 1")
    assert child(source, "sync", "written") == 9
    source.run("UPDATE t SET big = 'short'")
    assert child(source, "sync") == 0
    assert [len(row["big"]) for row in source.changes()] == [9600, 5]


def test_the_change_sequence_goes_on_when_the_clock_goes_back(source: Source) -> None:
    source.run("CREATE TABLE t (id int PRIMARY KEY)")
    child(source, "start")
    path = source.place / "state" / "dms.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clock": "2999010100000000", "changes": 5}))
    source.run("INSERT INTO t VALUES (1)")
    child(source, "sync")
    assert [row["seq"] for row in source.changes()] == ["29990101000000000000000000000000006"]


def test_a_killed_full_load_is_finished_by_the_next_start(source: Source) -> None:
    for table in ("a", "b", "c"):
        source.run(f"CREATE TABLE {table} (id int PRIMARY KEY)", f"INSERT INTO {table} VALUES (1)")
    assert child(source, "start", "loaded", 2) == 9
    source.run("CREATE TABLE later (id int PRIMARY KEY)", "INSERT INTO later VALUES (1)", "INSERT INTO c VALUES (2)")
    assert child(source, "start") == 0
    assert [len(source.loaded(f"public/{table}")) for table in ("a", "b", "c", "later")] == [1, 1, 2, 0]
    assert child(source, "sync") == 0
    assert [len(source.changes(f"public/{table}")) for table in ("a", "b", "c", "later")] == [0, 0, 1, 1]


def test_a_start_killed_before_its_memory_was_written_begins_again(source: Source) -> None:
    source.run("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
    assert child(source, "start", "prepared") == 9
    source.run("INSERT INTO a VALUES (2)")
    assert child(source, "start") == 0
    assert child(source, "sync") == 0
    assert len(source.loaded("public/a")) == 2
    assert [row["id"] for row in source.changes("public/a")] == [2]
