"""One apply at a time: a row taken by UPDATE, kept by a heartbeat, and a token that every statement checks.

That an UPDATE with a row count of 1 is a lock on Snowflake is an assumption until it has been seen on a real account.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update

from driftguard.control.schema import LEASE, fetch, run
from driftguard.errors import DriftguardError, HalfwayError, LeaseHeldError
from driftguard.snowflake.session import Session

_NOW = func.sysdate()  # UTC, whatever the session's TIMEZONE is


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


class Lease:
    """A context manager. `check()` raises `HalfwayError` once somebody else may have taken over."""

    def __init__(self, session: Session, open_session: Callable[[], Session], seconds: int) -> None:
        self._session = session
        self._open_session = open_session
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.holder = f"{_user()}@{socket.gethostname()} pid {os.getpid()} {uuid.uuid4().hex[:8]}"
        self.token = 0

    def __enter__(self) -> Lease:
        take = (
            update(LEASE)
            .where(LEASE.c.name == "apply", or_(LEASE.c.expires_at < _NOW, LEASE.c.holder == self.holder))
            .values(holder=self.holder, token=LEASE.c.token + 1, expires_at=self._expiry())
        )
        if run(self._session, take) != 1:
            rows = fetch(self._session, select(LEASE.c.holder, LEASE.c.expires_at).where(LEASE.c.name == "apply"))
            who = f"{rows[0]['HOLDER']} until {rows[0]['EXPIRES_AT']:%Y-%m-%d %H:%M:%S} UTC" if rows else "unknown"
            raise LeaseHeldError(
                f"another apply holds the lease ({who})", hint="wait for it, or for the lease to expire"
            )
        rows = fetch(self._session, select(LEASE.c.token).where(LEASE.c.holder == self.holder))
        self.token = int(rows[0]["TOKEN"])
        self._thread = threading.Thread(target=self._beat, name="lease heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        release = (
            update(LEASE)
            .where(self._mine())
            .values(holder=None, expires_at=text("'1970-01-01 00:00:00'::TIMESTAMP_NTZ(9)"))
        )
        try:
            run(self._session, release)
        except Exception:
            if error is None:  # the lease expires by itself; the first error is the one to show
                raise

    def check(self) -> None:
        """Is it still ours? One query."""
        if not fetch(self._session, select(LEASE.c.token).where(self.held())):
            raise self.lost()

    def held(self) -> ColumnElement[bool]:
        """The condition on the lease table that makes a statement run only while the lease is ours."""
        return and_(self._mine(), LEASE.c.expires_at > _NOW)

    @staticmethod
    def lost() -> HalfwayError:
        return HalfwayError("the lease was lost to another apply", hint="run `driftguard status`, then apply again")

    def _mine(self) -> ColumnElement[bool]:
        return and_(LEASE.c.name == "apply", LEASE.c.holder == self.holder, LEASE.c.token == self.token)

    def _expiry(self) -> ColumnElement[Any]:
        return func.dateadd(text("'second'"), self._seconds, _NOW)

    def _beat(self) -> None:
        """Its own connection: threads on one connection would share a transaction."""
        if self._stop.wait(self._seconds / 3):
            return  # most applies are over by then, and need no second connection
        try:
            session = self._open_session()
        except DriftguardError:
            return  # the next statement will notice that the lease ran out
        with session:
            while True:
                try:
                    run(session, update(LEASE).where(self._mine()).values(expires_at=self._expiry()))
                except Exception:
                    return
                if self._stop.wait(self._seconds / 3):
                    return
