"""The stand-in's time: the machine's, never twice the same, and replayable."""

from __future__ import annotations

import datetime as dt
import threading
import time

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Clock:
    """Microseconds since 1970 that only grow. While a log is replayed it starts each entry at the recorded time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._pinned: int | None = None

    def now(self) -> int:
        with self._lock:
            base = time.time_ns() // 1000 if self._pinned is None else self._pinned
            self._last = max(self._last + 1, base)
            return self._last

    def pin(self, at: int | None) -> None:
        """Let time stand at `at` (it still grows by a microsecond a call); None lets it run again."""
        with self._lock:
            self._pinned = at


def iso(micros: int) -> str:
    """As Snowflake writes an instant in JSON answers: 2024-01-02T03:04:05.678Z."""
    return (_EPOCH + dt.timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_iso(text: str) -> int:
    """Microseconds of an ISO instant; no offset means UTC."""
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    return int((value - _EPOCH) / dt.timedelta(microseconds=1))
