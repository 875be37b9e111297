"""Table locks: UPDATE, DELETE and MERGE of one table queue; INSERT passes; DDL waits for writers.

"Transactions", "Locks" on docs.snowflake.com; that a statement past about twenty waiters fails with 000625 is reported
in public issue threads, not documented. A lock is held until its transaction ends.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from driftguard.sandbox.snowflake import errors

MOST_WAITERS = 20


@dataclass(slots=True)
class _Lock:
    exclusive: int | None = None
    sharing: set[int] = field(default_factory=set)
    waiting: int = 0


class Locks:
    """Held by session id. The engine's condition is released while a statement waits."""

    def __init__(self, condition: threading.Condition) -> None:
        self._condition = condition
        self._locks: dict[int, _Lock] = {}
        self._held: defaultdict[int, set[int]] = defaultdict(set)  # tables by session

    def acquire(
        self, table: int, name: str, session: int, *, mode: str, timeout: float, check: Callable[[], None]
    ) -> None:
        """`mode`: share (INSERT, COPY), exclusive (UPDATE, DELETE, MERGE), ddl (alone)."""
        lock = self._locks.setdefault(table, _Lock())
        if self._free(lock, session, mode):
            self._take(table, session, mode)
            return
        if lock.waiting >= MOST_WAITERS:
            raise errors.SnowflakeError(
                625,
                "57014",
                f"The number of waiters for this lock exceeds the {MOST_WAITERS} statements limit on table '{name}'.",
            )
        lock.waiting += 1
        end = time.monotonic() + timeout
        try:
            while not self._free(lock, session, mode):
                check()
                left = end - time.monotonic()
                if left <= 0:
                    raise errors.SnowflakeError(
                        625,
                        "57014",
                        f"Statement has waited for the lock on table '{name}' longer than LOCK_TIMEOUT and was "
                        "aborted.",
                    )
                self._condition.wait(min(left, 0.1))
        finally:
            lock.waiting -= 1
        self._take(table, session, mode)

    @staticmethod
    def _free(lock: _Lock, session: int, mode: str) -> bool:
        if lock.exclusive not in (None, session):
            return mode == "share"
        return mode != "ddl" or lock.sharing <= {session}

    def _take(self, table: int, session: int, mode: str) -> None:
        lock = self._locks[table]
        self._held[session].add(table)
        if mode == "share":
            lock.sharing.add(session)
        else:
            lock.exclusive = session

    def release(self, session: int) -> None:
        """All locks of a session: its transaction has ended."""
        for table in self._held.pop(session, ()):
            lock = self._locks[table]
            if lock.exclusive == session:
                lock.exclusive = None
            lock.sharing.discard(session)
        self._condition.notify_all()

    def held(self) -> list[tuple[int, int]]:
        """(table, session) for every exclusive lock: SHOW LOCKS."""
        return [(table, lock.exclusive) for table, lock in self._locks.items() if lock.exclusive is not None]
