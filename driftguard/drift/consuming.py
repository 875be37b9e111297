"""How a generated merge learns of new files, against how it should."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from driftguard.drift.context import Pair
from driftguard.merge.consumption import condition, consumed
from driftguard.merge.generate import is_generated
from driftguard.model.snowflake import APPEND_ONLY, Stream

SOON = timedelta(days=3)  # of the fortnight for which a stream's offset is kept


class Fault(enum.Enum):
    """What is wrong: with the stream, or with the task that should wait for it."""

    ANOTHER_WAY = "another way"  # the merge has no stream, has one and should not, or reads another one
    CONDITION = "condition"  # the task's WHEN is not that of the stream
    MISSING = "missing"
    STALE = "stale"
    MODE = "mode"
    TABLE = "table"


def consumption_faults(pair: Pair) -> tuple[Fault, ...]:
    """Nothing for a merge that driftguard did not write, or where streams could not be looked at."""
    task, stream = pair.task, pair.landing.stream
    if task is None or not is_generated(task.definition) or not pair.saw("streams"):
        return ()
    found = [Fault.ANOTHER_WAY] if consumed(task.definition) != stream else []
    if (task.condition or None) != (condition(stream) if stream is not None else None):
        found.append(Fault.CONDITION)
    if stream is None or Fault.ANOTHER_WAY in found:
        return tuple(found)
    return (*found, *_stream_faults(pair, pair.stream))


def _stream_faults(pair: Pair, stream: Stream | None) -> list[Fault]:
    if stream is None:
        return [Fault.MISSING]
    if stream.stale:
        return [Fault.STALE]
    if stream.mode != APPEND_ONLY:
        return [Fault.MODE]
    return [Fault.TABLE] if stream.table not in (pair.landing.staging, None) else []


def soon_stale(pair: Pair, now: str) -> str:
    """When the stream's offset is lost, if that is soon; "" where it is not, or not known. `now`: ISO 8601."""
    stream = pair.stream
    if stream is None or stream.stale or not stream.stale_after or not now:
        return ""
    near = datetime.fromisoformat(stream.stale_after) - datetime.fromisoformat(now) < SOON
    return stream.stale_after if near else ""
