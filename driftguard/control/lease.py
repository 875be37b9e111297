"""One apply at a time: a row taken by UPDATE, kept by a heartbeat, and a token that every statement checks.

That an UPDATE with a row count of 1 is a lock on Snowflake is an assumption until it has been seen on a real account.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update

from driftguard.control.link import Link
from driftguard.control.schema import LEASE, block, fetch, run, written_out
from driftguard.errors import DriftguardError, HalfwayError, LeaseHeldError
from driftguard.snowflake.errors import number
from driftguard.snowflake.session import Session

_NOW = func.sysdate()  # UTC, whatever the session's TIMEZONE is


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def _seconds() -> float:
    """A clock that goes on while the process is stopped and, where the system has one, while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def limits(lease_seconds: int) -> dict[str, int]:
    """Session parameters of an apply: whatever it sends is over before its lease can run out.

    A statement is sent only while half of the lease is left. Source: docs.snowflake.com "Parameters",
    STATEMENT_TIMEOUT_IN_SECONDS and LOCK_TIMEOUT.
    """
    return {"STATEMENT_TIMEOUT_IN_SECONDS": lease_seconds // 2, "LOCK_TIMEOUT": lease_seconds // 3}


class Lease:
    """A context manager. `check()` raises `HalfwayError` once somebody else may have taken over."""

    def __init__(self, link: Link, seconds: int) -> None:
        self._link = link
        self._seconds_long = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ends = 0.0
        self.holder = f"{_user()}@{socket.gethostname()} pid {os.getpid()} {uuid.uuid4().hex[:8]}"
        self.token = 0

    def take(self, before: Sequence[str] = ()) -> None:
        """`before` are statements that have to run first, in the same request. Raises `LeaseHeldError`."""
        self._link.call(lambda session: self._take(session, before))

    def __enter__(self) -> Lease:
        if not self.token:
            self.take()
        self._thread = threading.Thread(target=self._beat, name="lease heartbeat", daemon=True)
        self._thread.start()
        return self

    def _take(self, session: Session, before: Sequence[str]) -> None:
        asked = _seconds()
        take = (
            update(LEASE)
            .where(LEASE.c.name == "apply", or_(LEASE.c.expires_at < _NOW, LEASE.c.holder == self.holder))
            .values(holder=self.holder, token=LEASE.c.token + 1, expires_at=self._expiry())
        )
        mine = written_out(select(LEASE.c.token).where(LEASE.c.holder == self.holder))
        (answer,) = session.rows(block(*before, written_out(take), f"LET mine NUMBER := ({mine})", "RETURN mine"))
        (token,) = answer.values()
        if token is None:
            rows = fetch(session, select(LEASE.c.holder, LEASE.c.expires_at).where(LEASE.c.name == "apply"))
            who = f"{rows[0]['HOLDER']} until {rows[0]['EXPIRES_AT']:%Y-%m-%d %H:%M:%S} UTC" if rows else "unknown"
            raise LeaseHeldError(
                f"another apply holds the lease ({who})", hint="wait for it, or for the lease to expire"
            )
        self.token = int(token)
        self._ends = asked + self._seconds_long

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
            self._link.call(lambda session: run(session, release))
        except Exception:
            if error is None:  # the lease expires by itself; the first error is the one to show
                raise

    def check(self, session: Session) -> None:
        """Is it still ours? One query."""
        if not fetch(session, select(LEASE.c.token).where(self.held())):
            raise self.lost()

    def ready(self, session: Session) -> None:
        """To be called right before a statement is sent: what is sent now is over before anybody else can begin.

        A process that was stopped or cut off for long finds out here, by its own clock. Raises `HalfwayError`.
        """
        if self._ends - _seconds() < self._seconds_long / 2:
            self._renew(session)

    def held(self) -> ColumnElement[bool]:
        """The condition on the lease table that makes a statement run only while the lease is ours."""
        return and_(self._mine(), LEASE.c.expires_at > _NOW)

    @staticmethod
    def lost() -> HalfwayError:
        return HalfwayError("the lease was lost to another apply", hint="run `driftguard status`, then apply again")

    def _mine(self) -> ColumnElement[bool]:
        return and_(LEASE.c.name == "apply", LEASE.c.holder == self.holder, LEASE.c.token == self.token)

    def _expiry(self) -> ColumnElement[Any]:
        return func.dateadd(text("'second'"), self._seconds_long, _NOW)

    def _renew(self, session: Session) -> None:
        asked = _seconds()
        if run(session, update(LEASE).where(self.held()).values(expires_at=self._expiry())) != 1:
            raise self.lost()
        self._ends = asked + self._seconds_long

    def _beat(self) -> None:
        """Its own connection: threads on one connection would share a transaction."""
        session: Session | None = None
        pause = self._seconds_long / 3  # most applies are over by then, and need no second connection
        while not self._stop.wait(pause):
            pause = self._seconds_long / 3
            try:
                if session is None:
                    session = self._link.another()
                self._renew(session)
            except HalfwayError:
                break  # the next statement notices it too
            except (DriftguardError, OSError):
                session, pause = None, 1.0
            except Exception as error:
                if number(error) < 0:
                    raise
                session, pause = None, 1.0  # broken: a new one soon, while the lease lasts
        if session is not None:
            session.close()
