"""Changes that Snowflake refuses, through the whole chain: FINAL is what Aurora is, whatever was under way meanwhile.

Each change goes the whole way: planned from the migration, expanded, deployed while rows are written, settled once the
marker has passed, contracted. Files of before the DDL load after it, and late.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest

from home import Home, land

MARKER = "CREATE TABLE driftguard_marker (name varchar(1000) PRIMARY KEY)"
SETTINGS = '\n[marker]\ntable = "public.driftguard_marker"\nhold_seconds = 1\n\n'


@dataclass(frozen=True)
class Case:
    """`before` and `after` are writes on the old and on the new shape."""

    create: str
    migration: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    first: tuple[str, ...] = ("UPDATE t SET v = 3 WHERE id IN (1, 2, 3)",)


CASES = {
    "scale": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v numeric(10,2))",
        "ALTER TABLE t ALTER COLUMN v TYPE numeric(12,4)",
        ("INSERT INTO t VALUES (10, 1.25)", "UPDATE t SET v = 7.77 WHERE id = 1", "UPDATE t SET v = NULL WHERE id = 2"),
        ("INSERT INTO t VALUES (20, 1.2345)", "UPDATE t SET v = 0.0001 WHERE id = 3", "UPDATE t SET v = NULL WHERE id = 4"),
    ),
    "family": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t ALTER COLUMN v TYPE text",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "UPDATE t SET v = NULL WHERE id = 2"),
        ("INSERT INTO t VALUES (20, 'x')", "UPDATE t SET v = 'y' WHERE id = 3", "UPDATE t SET v = NULL WHERE id = 4"),
    ),
    "timestamptz": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v timestamp)",
        "SET TimeZone = 'America/New_York'; ALTER TABLE t ALTER COLUMN v TYPE timestamptz",
        ("INSERT INTO t VALUES (10, '2026-01-01 00:00:00')", "UPDATE t SET v = '2026-07-01 12:00' WHERE id = 1"),
        ("INSERT INTO t VALUES (20, '2026-01-01 00:00:00+00')", "UPDATE t SET v = NULL WHERE id = 4"),
        ("UPDATE t SET v = '2026-06-30 23:59:59.5' WHERE id <> 5",),
    ),
    "rename": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t RENAME COLUMN v TO w",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "UPDATE t SET v = NULL WHERE id = 2"),
        ("INSERT INTO t VALUES (20, 8)", "UPDATE t SET w = 9 WHERE id = 3", "UPDATE t SET w = NULL WHERE id = 4"),
    ),
    "rename a key": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t RENAME COLUMN id TO nr",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "DELETE FROM t WHERE id = 2"),
        ("INSERT INTO t VALUES (20, 8)", "UPDATE t SET v = 9 WHERE nr = 3", "DELETE FROM t WHERE nr = 4"),
    ),
    "reuse": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t ADD COLUMN v int",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "UPDATE t SET v = NULL WHERE id = 2"),
        ("INSERT INTO t (id, v, w) VALUES (20, 8, NULL)", "UPDATE t SET v = 9 WHERE id = 3", "UPDATE t SET w = NULL, v = 5 WHERE id = 4"),
    ),
    "again": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v text",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "UPDATE t SET v = NULL WHERE id = 2"),
        ("INSERT INTO t VALUES (20, 'x')", "UPDATE t SET v = 'y' WHERE id = 3"),
    ),
    "labels": Case(
        "CREATE TYPE mood AS ENUM ('ok', 'bad'); CREATE TABLE t (id int PRIMARY KEY, v mood)",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        ("INSERT INTO t VALUES (10, 'ok')", "UPDATE t SET v = 'bad' WHERE id = 1"),
        ("INSERT INTO t VALUES (20, 'fine')", "UPDATE t SET v = NULL WHERE id = 2"),
        ("UPDATE t SET v = 'ok' WHERE id <> 4",),
    ),
    "table": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t RENAME TO t_moved",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1", "DELETE FROM t WHERE id = 2"),
        ("INSERT INTO t_moved VALUES (20, 8)", "UPDATE t_moved SET v = 9 WHERE id = 3", "DELETE FROM t_moved WHERE id = 4"),
    ),
    "default": Case(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "ALTER TABLE t ADD COLUMN d int DEFAULT 7, ADD COLUMN s text NOT NULL DEFAULT 'new'",
        ("INSERT INTO t VALUES (10, 5)", "UPDATE t SET v = 6 WHERE id = 1"),
        ("INSERT INTO t VALUES (20, 8, NULL, 'x')", "UPDATE t SET d = NULL WHERE id = 3", "INSERT INTO t VALUES (21, 8)"),
    ),
}  # fmt: skip


ENDS = {"table": "t_moved"}
TABLES = {name: f"t_{name.replace(' ', '_')}" for name in CASES}
RECORDS = ("family", "timestamptz", "rename a key", "reuse", "default")  # where the merge has to read records otherwise


@pytest.fixture(params=["in time", "late files", "late files, whole records in STAGING"])
def arrived(request: pytest.FixtureRequest, home: Home) -> tuple[Home, list[str]]:
    """Every case in a table of its own, all the way; what the tables are called then."""
    late, records = "late files" in request.param, "records" in request.param
    toml = home.directory / "driftguard.toml"
    zone = '[aurora]\nmigration_timezone = "America/New_York"\n'
    style = '\n[policy]\nstaging_style = "record"\n' if records else ""
    text = toml.read_text(encoding="utf-8").replace("[aurora]\n", zone, 1)
    toml.write_text(text + SETTINGS + style, encoding="utf-8")
    cases = {name: case for name, case in CASES.items() if name in RECORDS or not records}
    creates = [of(name, case.create) for name, case in cases.items()]
    land(home, MARKER, *creates)
    for name, case in cases.items():
        home.aurora(*(of(name, f"INSERT INTO t (id) VALUES ({n})") for n in range(1, 7)))
        home.aurora(*(of(name, text) for text in case.first))
    home.sync()
    home.run("snapshot", "--aurora", "base.json")
    migrations = {name: of(name, case.migration) for name, case in cases.items()}
    for number, text in enumerate(migrations.values()):
        home.write(f"pr/{number:04}.sql", text)
    made = home.json("plan", "--migrations", "pr", "--base", "base.json", code=1)
    marked = {name: [m for m in made["markers"] if f".{ENDS.get(name, TABLES[name]).upper()}:" in m] for name in cases}
    assert all(len(found) == 1 for found in marked.values()), (marked, made["notes"])
    home.run("plan", "--migrations", "pr", "--base", "base.json", "--write")
    home.run("apply", "--quiet")
    home.sync()
    for name, case in cases.items():
        home.aurora(*(of(name, text) for text in case.before))  # committed before the DDL, loaded after it
    if late:
        home.dms().sync()
    for name, case in cases.items():
        home.aurora(f"{migrations[name]}; {marked[name][0]}")
        home.aurora(*(of(name, text) for text in case.after))
    if late:
        assert "is not in ANALYTICS.FINAL.DRIFTGUARD_MARKER yet" in " ".join(
            home.run("apply", "--phase", "settle", code=1).split()
        )
    home.sync(seed=3)
    home.sync()
    time.sleep(1.5)
    home.run("apply", "--phase", "settle", "--quiet")
    home.run("apply", "--phase", "contract", "--quiet")
    home.sync()
    return home, [ENDS.get(name, TABLES[name]) for name in cases]


def of(name: str, sql: str) -> str:
    """The case's SQL on the table of its own."""
    return re.sub(r"\bt\b", TABLES[name], sql)


def test_no_value_is_lost_or_comes_back(arrived: tuple[Home, list[str]]) -> None:
    home, tables = arrived
    home.assert_equal(*tables)
    assert home.json("plan")["operations"] == []
