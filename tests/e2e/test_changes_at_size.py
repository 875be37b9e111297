"""Every kind of change on tables of 100,000 rows, while rows are written all the time: FINAL is Aurora, cell by cell."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from home import Home, land

ROWS = 100_000
SETTINGS = '\n[marker]\ntable = "public.driftguard_marker"\nhold_seconds = 1\n'
TABLES = {
    "scale": ("v numeric(10,2)", "n * 0.01", "ALTER TABLE scale ALTER COLUMN v TYPE numeric(12,4)"),
    "moments": (
        "v timestamp", "timestamp '2026-01-01' + n * interval '7 min'",
        "SET LOCAL TimeZone = 'America/New_York'; ALTER TABLE moments ALTER COLUMN v TYPE timestamptz",
    ),
    "family": ("v int", "n", "ALTER TABLE family ALTER COLUMN v TYPE text"),
    "renamed": ("v int", "n", "ALTER TABLE renamed RENAME COLUMN v TO w"),
    "keyed": ("v int, code int NOT NULL", "n, n + 1000000", "ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (code)"),
}  # fmt: skip
ALLOWED = [word for kind in ("CHANGES_KEY", "RELOADS_FILES", "REBUILDS_TABLE") for word in ("--allow", kind)]


class Writer:
    """Updates, inserts and deletes in every table, until it is told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.written = 0
        self.errors: list[str] = []

    def _run(self) -> None:
        dice = random.Random(7)
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stop.is_set():
                table = dice.choice(list(TABLES))
                row = dice.randrange(1, ROWS + 1)
                try:
                    self._write(connection, dice, table, row)
                    self.written += 1
                except psycopg.errors.UndefinedColumn:
                    continue  # the rename came between looking and writing
                except psycopg.Error as error:
                    self.errors.append(str(error))
                    return
                time.sleep(0.01)

    def _write(self, connection: psycopg.Connection, dice: random.Random, table: str, row: int) -> None:
        (column,) = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 2", [table]
        ).fetchone() or ("v",)
        values = {"scale": "round(random()::numeric * 1000, 2)", "moments": "'2026-05-05 05:05:05'", "family": str(row)}
        match dice.randrange(4):
            case 0:
                connection.execute(f"DELETE FROM {table} WHERE id = {row}".encode())
            case 1:
                connection.execute(f"UPDATE {table} SET {column} = NULL WHERE id = {row}".encode())
            case _:
                value = values.get(table, str(row + 1))
                connection.execute(f"UPDATE {table} SET {column} = {value} WHERE id = {row}".encode())

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def pumping(home: Home) -> Iterator[None]:
    """Files, pipes and merges go on all the time, as they do in the world."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            home.sync()
            time.sleep(0.5)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.long
def test_final_is_aurora_after_every_change_under_running_writes(home: Home) -> None:
    toml = home.directory / "driftguard.toml"
    zone = '[aurora]\nmigration_timezone = "America/New_York"\n'
    toml.write_text(toml.read_text(encoding="utf-8").replace("[aurora]\n", zone, 1) + SETTINGS, encoding="utf-8")
    creates = [f"CREATE TABLE {name} (id int PRIMARY KEY, {columns})" for name, (columns, _, _) in TABLES.items()]
    fills = [f"INSERT INTO {n} SELECT n, {v} FROM generate_series(1, {ROWS}) AS n" for n, (_, v, _) in TABLES.items()]
    land(home, "CREATE TABLE driftguard_marker (name varchar(1000) PRIMARY KEY)", *creates, *fills)
    home.run("snapshot", "--aurora", "base.json")
    for number, (_, _, migration) in enumerate(TABLES.values()):
        home.write(f"pr/{number:04}.sql", migration)
    markers = home.json("plan", "--migrations", "pr", "--base", "base.json", code=1)["markers"]
    home.run("plan", "--migrations", "pr", "--base", "base.json", "--write")
    with Writer(home.aurora_url) as writer:
        with pumping(home):
            home.run("apply", "--quiet")
            for name, (_, _, migration) in TABLES.items():
                (line,) = [m for m in markers if f".{name.upper()}:" in m]
                home.aurora(f"{migration}; {line}")
            end = time.monotonic() + 240
            while home.try_("apply", "--phase", "settle", "--quiet").returncode == 1:
                assert time.monotonic() < end
        home.sync()
        home.dms().reload([("public", "keyed")])
        home.sync()
        home.run("apply", "--phase", "contract", "--quiet", *ALLOWED)
        with pumping(home):
            time.sleep(5)
    home.sync()
    assert writer.errors == []
    assert writer.written > 300
    result = home.assert_equal(*TABLES)
    print(f"{writer.written} writes meanwhile, {result.rows} rows, {sum(result.cells.values())} cells compared")
    assert home.json("plan")["operations"] == []
