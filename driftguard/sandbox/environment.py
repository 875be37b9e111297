"""A sandbox in a folder: what is running, how to start it, move data through it, and stop it.

Its state is in `DIR/.driftguard/`. Postgres is a server of its own; the Snowflake stand-in lives in the process that
called `up`; `sync` is the only thing that moves data, and can be called from any process.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from driftguard.aurora.connect import connect
from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.config import load
from driftguard.dms.files import dms_tasks
from driftguard.errors import UnreachableError, UsageError
from driftguard.model.settings import DmsTask
from driftguard.sandbox.dms.switches import Switches
from driftguard.sandbox.dms.task import DmsStandIn
from driftguard.sandbox.files import CONNECTION, write_files, write_private
from driftguard.sandbox.snowflake.server import SnowflakeServer

DATABASE = "ANALYTICS"
AURORA_DATABASE = "app"


@dataclass(frozen=True, slots=True)
class State:
    """What other processes need to know of a running sandbox."""

    aurora_url: str
    host: str
    port: int
    lake: str
    pid: int
    own_postgres: bool

    def describe(self) -> dict[str, Any]:
        """What `sandbox status --format json` prints."""
        return {
            "aurora_url": self.aurora_url,
            "snowflake": {"host": self.host, "port": self.port, "connection": CONNECTION},
            "lake": self.lake,
            "pid": self.pid,
        }


def _home(directory: Path) -> Path:
    return directory / ".driftguard"


def read_state(directory: Path) -> State | None:
    """The running sandbox of `directory`; None if there is none, or its process is gone."""
    try:
        state = State(**json.loads((_home(directory) / "sandbox.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return state if _alive(state.pid) else None


def running(directory: Path) -> State:
    """Like `read_state`, but raises `UsageError` where nothing is running."""
    state = read_state(directory)
    if state is None:
        raise UsageError(
            f"no sandbox is running in {directory.resolve()}", hint="start it with `driftguard sandbox up`"
        )
    return state


def refuse_second(directory: Path) -> None:
    """Raises `UsageError` if a sandbox is running in `directory`."""
    if read_state(directory) is not None:
        raise UsageError(
            f"a sandbox is running in {directory.resolve()}", hint="stop it with `driftguard sandbox down`"
        )


class Sandbox:
    """A sandbox whose Snowflake stand-in runs in this process."""

    def __init__(
        self, directory: Path, state: State, server: SnowflakeServer, postgres: EmbeddedPostgres | None
    ) -> None:
        self.directory = directory
        self.state = state
        self.server = server
        self.postgres = postgres

    @classmethod
    def up(cls, directory: Path, *, aurora_url: str | None = None, port: int = 0) -> Sandbox:
        """Start Postgres (or use `aurora_url`, whose wal_level must be logical) and the stand-in; write the files.

        Raises `UsageError` if one is running in `directory` already.
        """
        refuse_second(directory)
        if aurora_url is not None:
            connect(aurora_url).close()  # a wrong URL is told now, not by the first sync
        home = _home(directory)
        home.mkdir(parents=True, exist_ok=True)
        postgres = None
        if aurora_url is None:
            postgres = EmbeddedPostgres.start(home / "postgres", logical_wal=True)
            aurora_url = _database(postgres, AURORA_DATABASE)
        lake = home / "lake"
        lake.mkdir(exist_ok=True)
        server = SnowflakeServer(state_dir=home / "snowflake", port=port or _last_port(home))
        server.start()
        _prepare(server, lake)
        state = State(aurora_url, "127.0.0.1", server.port, str(lake.resolve()), os.getpid(), postgres is not None)
        write_files(directory, aurora_url, server.port, DATABASE)
        _write_json(home / "sandbox.json", asdict(state))
        return cls(directory, state, server, postgres)

    def sync(self) -> dict[str, Any]:
        return sync(self.directory)

    def connect(self) -> Any:
        """A connection of the real Snowflake connector."""
        import snowflake.connector

        return snowflake.connector.connect(**self.server.connect_kwargs())

    def down(self) -> None:
        """Stop what `up` started. Postgres's data and the lake stay."""
        self.server.stop()
        if self.postgres is not None:
            self.postgres.stop()
        (_home(self.directory) / "sandbox.json").unlink(missing_ok=True)


def sync(directory: Path, switches: Switches | None = None) -> dict[str, Any]:
    """Move everything that is on its way: WAL → files → pipes → tasks, until nothing moves. Returns counts.

    The first call does the full load. One call at a time: a second waits. Raises `UsageError` where no sandbox runs,
    `ConfigError` for a driftguard.toml that cannot be used.
    """
    state = running(directory)
    config = load(directory=directory)
    totals: dict[str, Any] = {}
    try:
        with FileLock(_home(directory) / "sync.lock", timeout=300):
            for task in dms_tasks(config):
                dms = stand_in(directory, state, task, switches)
                started, changes = dms.start(), dms.sync()
                totals[task.name] = {"full_load": _plain(started), "cdc": _plain(changes)}
            pumped = request(state, "POST", "/sandbox/pump")
    except Timeout:
        raise UnreachableError(f"another sync of {directory} has been running for 5 minutes") from None
    return {"dms": totals, "snowflake": pumped}


def stand_in(directory: Path, state: State, task: DmsTask, switches: Switches | None = None) -> DmsStandIn:
    """The stand-in for one DMS task of a sandbox; it remembers in `.driftguard/dms/` how far it is."""
    return DmsStandIn(
        source_url=state.aurora_url,
        task=task,
        lake=Path(state.lake),
        state_dir=_home(directory) / "dms" / task.name,
        switches=switches or Switches(),
        name=f"{task.name} {_database_name(state.aurora_url)}",  # slots belong to the whole server
    )


def stop(directory: Path) -> None:
    """Stop the process that runs the sandbox, and its Postgres. Raises `UsageError` where none is running."""
    state = running(directory)
    os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while _alive(state.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _alive(state.pid):
        raise UnreachableError(f"process {state.pid} does not stop", hint=f"end it with `kill -9 {state.pid}`")


def request(state: State, method: str, path: str) -> dict[str, Any]:
    """Call an admin route of the Snowflake stand-in."""
    url = f"http://{state.host}:{state.port}{path}"
    call = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
    try:
        with urllib.request.urlopen(call, timeout=600) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise UnreachableError(f"the Snowflake stand-in at {url}: {error}") from None


def _prepare(server: SnowflakeServer, lake: Path) -> None:
    """What an account's administrator has made before anybody lands a table."""
    import snowflake.connector

    with snowflake.connector.connect(**server.connect_kwargs()) as connection, connection.cursor() as cursor:
        for statement in (
            f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
            f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.STAGING",
            f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.FINAL",
            "CREATE WAREHOUSE IF NOT EXISTS LOADING",
            f"CREATE STAGE IF NOT EXISTS {DATABASE}.STAGING.DMS_STAGE URL = 'file://{lake.resolve()}/dms/'",
            "GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE SYSADMIN",
            "GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE SYSADMIN",
        ):
            cursor.execute(statement)


def _database(postgres: EmbeddedPostgres, name: str) -> str:
    import psycopg

    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return postgres.url(name)
    return postgres.create_database(name)


def _database_name(url: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(url).get("dbname", ""))


def _last_port(home: Path) -> int:
    """The port of the last run, so that connections.toml stays right; 0 if there is none or it is taken."""
    import socket

    try:
        port = int((home / "port").read_text(encoding="utf-8"))
        with socket.socket() as probe:
            # as the stand-in itself binds: connections of the last run that are still closing do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError):
        return 0
    return port


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(temporary, json.dumps(content, indent=2))  # the URL holds the password of a superuser
    temporary.replace(path)
    path.with_name("port").write_text(str(content["port"]), encoding="utf-8")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _plain(report: Any) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(report), default=str))  # type: ignore[no-any-return]
