"""A sandbox's folder as a person uses it: the command line in it, its Aurora, its Snowflake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import snowflake.connector

import driftguard
from driftguard.config import load
from driftguard.dms.files import dms_tasks
from driftguard.sandbox.compare import Comparison, compare_table
from driftguard.sandbox.dms import DmsStandIn, Switches
from driftguard.sandbox.environment import running, sync
from warm import Warm

WITHOUT_SNOWFLAKE = {k: v for k, v in os.environ.items() if not k.startswith(("SNOWFLAKE_", "DRIFTGUARD_", "PG"))}
ENVIRONMENT = {**WITHOUT_SNOWFLAKE, "PYTHONPATH": str(Path(driftguard.__file__).parent.parent), "PYTHONUNBUFFERED": "1"}


@cache
def _warm() -> Warm:
    """One for all homes; it ends when this process does, because its input ends."""
    return Warm(ENVIRONMENT)


@dataclass(frozen=True)
class Home:
    """`directory` is a sandbox's; the sandbox itself may live in any process."""

    directory: Path

    # --- the command line -------------------------------------------------------------------------------------------

    def try_(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run driftguard in this folder, in a process of its own, whatever comes of it."""
        return _warm().run(self.directory, arguments)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What driftguard prints; it must end with `code`."""
        done = self.try_(*arguments)
        said = f"driftguard {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == code, said
        assert "Traceback" not in done.stderr, said
        return done.stdout

    def refused(self, *arguments: str, code: int) -> str:
        """The one line that driftguard refuses with."""
        done = self.try_(*arguments)
        lines = done.stderr.splitlines()
        assert (done.returncode, len(lines)) == (code, 1), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert lines[0].startswith("driftguard: ")
        return lines[0].removeprefix("driftguard: ")

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--format", "json", code=code))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, not waited for. It hears Ctrl-C even where these tests run in the background, which ignores it."""
        heard = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "driftguard", *arguments],
                cwd=self.directory, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, heard)

    # --- Aurora -----------------------------------------------------------------------------------------------------

    @property
    def aurora_url(self) -> str:
        return running(self.directory).aurora_url

    def aurora(self, *transactions: str) -> None:
        """Each text in a transaction of its own."""
        with psycopg.connect(self.aurora_url, autocommit=True) as connection:
            for text in transactions:
                with connection.transaction():
                    connection.execute(text.encode())

    def write(self, path: str, text: str) -> Path:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    # --- the way between --------------------------------------------------------------------------------------------

    def sync(self, switches: Switches | None = None, *, seed: int | None = None) -> dict[str, Any]:
        """Move everything; with `seed` the files load in an order of its own. Nothing may fail on the way."""
        if seed is None:
            moved = sync(self.directory, switches)["snowflake"]
        else:
            stand_in = self.dms(switches)
            stand_in.start()
            stand_in.sync()
            moved = self.pump(seed)
        assert not moved["files_failed"], moved
        assert not moved["tasks_failed"], moved
        return moved

    def dms(self, switches: Switches | None = None) -> DmsStandIn:
        """The stand-in that `sync` would use, to take apart what `sync` does at once."""
        from driftguard.sandbox.environment import stand_in

        state = running(self.directory)
        (task,) = dms_tasks(load(directory=self.directory))
        return stand_in(self.directory, state, task, switches)

    def pump(self, seed: int | None = None) -> dict[str, Any]:
        """Pipes and tasks alone: what DMS has not written yet stays where it is."""
        state = running(self.directory)
        call = urllib.request.Request(
            f"http://{state.host}:{state.port}/sandbox/pump", method="POST", data=json.dumps({"seed": seed}).encode()
        )
        with urllib.request.urlopen(call, timeout=300) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    # --- Snowflake --------------------------------------------------------------------------------------------------

    @contextmanager
    def snowflake(self, role: str | None = None) -> Iterator[Any]:
        """A connection of the real connector, by the connections.toml that a person would use."""
        more = {"role": role} if role else {}
        with snowflake.connector.connect(
            connection_name="driftguard_sandbox", connections_file_path=self.directory / "connections.toml", **more
        ) as connection:
            yield connection

    def execute(self, *statements: str, role: str | None = None) -> list[Any]:
        """Run statements on Snowflake; the rows of the last."""
        rows: list[Any] = []
        with self.snowflake(role) as connection, connection.cursor() as cursor:
            for statement in statements:
                rows = cursor.execute(statement).fetchall()
        return rows

    def compare(self, *tables: str, schema: str = "public") -> Comparison:
        result = Comparison()
        with psycopg.connect(self.aurora_url) as aurora, self.snowflake() as connection:
            for table in tables:
                plain = table.replace("_", "a").isalnum() and table == table.lower()
                name = table.upper() if plain else table
                compare_table(aurora, connection, schema, table, ("ANALYTICS", "FINAL", name), result)
        return result

    def assert_equal(self, *tables: str, schema: str = "public", rows: int | None = None) -> Comparison:
        """FINAL is what Aurora is, and there was something to compare."""
        result = self.compare(*tables, schema=schema)
        assert result.differences == [], "\n".join(result.differences)
        assert result.equal, result
        assert result.tables == len(tables), result
        assert rows is None or result.rows == rows, result.rows
        return result

    def task_states(self) -> dict[str, str]:
        with self.snowflake() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TASKS IN SCHEMA ANALYTICS.STAGING")
            names = [d[0] for d in cursor.description]
            return {row[names.index("name")]: row[names.index("state")] for row in cursor.fetchall()}

    def estate(self) -> dict[str, Any]:
        """All of Snowflake that driftguard looks at, as its snapshot has it, without times that move by themselves."""
        file = self.directory / "look.json"
        self.run("snapshot", "--snowflake", file.name)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        found.pop("captured_at")
        for stream in found.get("streams", ()):
            stream.pop("stale_after", None)
        return found


def land(home: Home, *statements: str) -> None:
    """The tables of `statements`, landed and in step: what comes next comes as changes."""
    home.aurora(*statements)
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
