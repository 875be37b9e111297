"""One added column on each of many tables, 50 ms to every round trip: `apply` with one connection against eight.

The stand-in runs one statement at a time, so what it needs itself is the same with any number of connections; it is
printed beside the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from driftguard.control.schema import setup_statements
from driftguard.migrate.runner import Runner
from driftguard.migrate.writing import write
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import SfType
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.session import Session

GOAL = 5.0


def serve(pipe: Any) -> None:
    """The stand-in, in a process of its own."""
    server = SnowflakeServer()
    server.start()
    pipe.send(server.port)
    pipe.recv()


def slow_down(pipe: Any, port: int, delay: float) -> None:
    """The line to it, in another: what goes there arrives later. Bytes alone, so that it takes no time of its own."""
    asyncio.run(_line(pipe, port, delay))


async def _line(pipe: Any, port: int, delay: float) -> None:
    async def relay(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(client, there, delay), _carry(back, answer, 0.0))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float) -> None:
    """Bytes from one end to the other, each `delay` seconds after it came, and in order."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(1 << 16):
            loop.call_later(delay, target.write, chunk)
    loop.call_later(delay, target.close)


def start(target: Any, *given: Any) -> tuple[Any, int]:
    """What ends it, and its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=target, args=(theirs, *given), daemon=True).start()
    return ours, ours.recv()


def arguments(port: int) -> dict[str, object]:
    return {
        "account": "sandbox",
        "user": "driftguard",
        "password": "sandbox",
        "host": "127.0.0.1",
        "port": port,
        "protocol": "http",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--delay-ms", type=float, default=50.0)
    options = parser.parse_args()
    server, direct = start(serve)
    line, slow = start(slow_down, direct, options.delay_ms / 1000)
    try:
        times = {jobs: run(direct, slow, options.tables, jobs) for jobs in (1, 8)}
    finally:
        line.send("enough")
        server.send("enough")
    ratio = times[1] / times[8]
    print(f"{options.tables} tables, {options.delay_ms:.0f} ms a round trip, journal on")
    print(f"--jobs 1: {times[1]:.2f} s   --jobs 8: {times[8]:.2f} s   ratio {ratio:.1f} (goal {GOAL:.0f})")
    return 0


def run(direct: int, slow: int, tables: int, jobs: int) -> float:
    """Seconds of an apply on a database of its own."""
    database = f"JOBS{jobs}"
    columns = ", ".join(f"C{n} VARCHAR(10)" for n in range(10))
    session = Session.connect(arguments(direct), "direct")
    control = setup_statements(database, "DRIFTGUARD")  # there since the first apply of an estate
    for sql in (f"CREATE DATABASE {database}", f"CREATE SCHEMA {database}.FINAL", *control):
        session.execute(sql)
    for number in range(tables):
        session.execute(f"CREATE TABLE {database}.FINAL.T{number} ({columns})")
    added = (ColumnDef("ADDED", SfType("VARCHAR", length=100)),)
    operations = tuple(AddColumns(ObjectName(database, "FINAL", f"T{n}"), added) for n in range(tables))

    def open_session() -> Session:
        return Session.connect(arguments(slow), "slow")

    with tempfile.TemporaryDirectory() as folder, open_session() as first:
        runner = Runner(
            first,
            open_session,
            lambda at: introspect(at, database, ("FINAL",)),
            database=database,
            control_schema="DRIFTGUARD",
            lease_seconds=300,
            jobs=jobs,
        )
        (revision,) = write(Path(folder), "one column each", operations)
        began = time.perf_counter()
        outcome = runner.apply([revision])
        seconds = time.perf_counter() - began
    assert len(outcome.steps) == tables
    told(session, jobs, seconds)
    return seconds


def told(session: Session, jobs: int, seconds: float) -> None:
    rows = session.rows(
        "SELECT QUERY_TEXT, DATEDIFF('microsecond', START_TIME, END_TIME) / 1000 AS MS FROM "
        "TABLE(SNOWFLAKE.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))".replace("SNOWFLAKE", f"JOBS{jobs}")
    )
    alters = [float(row["MS"]) for row in rows if row["QUERY_TEXT"].startswith(f'ALTER TABLE "JOBS{jobs}"')]
    inserts = [float(row["MS"]) for row in rows if row["QUERY_TEXT"].startswith("INSERT INTO journal")]
    print(
        f"--jobs {jobs}: {seconds:.2f} s; the stand-in's own ms a statement, with waiting for each other: "
        f"ALTER {statistics.median(alters):.0f}, journal {statistics.median(inserts):.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
