"""What became of a statement whose answer nobody got: found by its QUERY_TAG, waited for, and cancelled at the end.

A statement lives on when its client is gone, so the next one must not run beside it.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from driftguard.control.journal import Attempt
from driftguard.control.link import Link
from driftguard.errors import HalfwayError
from driftguard.snowflake.errors import connection_lost, number, text
from driftguard.snowflake.history import KEPT, Query, Status, cancel, tagged
from driftguard.snowflake.session import Session

_STOPPING = 60.0  # seconds that a cancelled statement may take to end


class Fate(enum.Enum):
    """`UNKNOWN`: the history may not be read or does not reach back; the statement is over, its outcome not known."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABSENT = "absent"  # it never arrived
    UNKNOWN = "unknown"


class Recovery:
    """`limit`: the STATEMENT_TIMEOUT of every session that applies; `say`: for what a person waits for."""

    def __init__(
        self, database: str, limit: int, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._limit = limit
        self._say = say
        self._sleep = sleep

    def fate(self, link: Link, attempts: Sequence[Attempt], what: str) -> Fate:
        """When it returns, none of the attempts is at work. Raises `HalfwayError` for one that cannot be ended."""
        since = min(attempt.started_at for attempt in attempts)
        waited, cancelled_at = False, 0.0
        pause = 0.2
        while True:
            found = link.call(lambda session: self._look(session, attempts, since))
            if isinstance(found, str):
                return self._outlast(attempts, what, found)
            running = [query for query in found if query.status is Status.RUNNING]
            if not running:
                break
            if not waited:
                self._say(f"still running on Snowflake, from an attempt before: {what}; waiting for it")
                waited = True
            if cancelled_at and time.monotonic() - cancelled_at > _STOPPING:
                raise HalfwayError(
                    f"{what}: query {running[0].id} does not end",
                    hint="stop it on Snowflake, then run `driftguard apply` again",
                )
            if not cancelled_at and self._left(attempts) <= 0:
                self._say(f"cancelling query {running[0].id}, which is over its time: {what}")
                for query in running:
                    link.call(lambda session, query=query: cancel(session, query.id))  # type: ignore[misc]
                cancelled_at = time.monotonic()
            self._sleep(pause)
            pause = min(pause * 1.5, 5.0)
        if any(query.status is Status.SUCCEEDED for query in found):
            return Fate.SUCCEEDED
        return Fate.FAILED if found else Fate.ABSENT

    def _look(self, session: Session, attempts: Sequence[Attempt], since: datetime) -> tuple[Query, ...] | str:
        """Why, where an attempt could have run without being seen."""
        if datetime.now(UTC).replace(tzinfo=None) - since > KEPT:
            return "the history does not reach back that far"
        (row,) = session.rows("SELECT CURRENT_USER() AS ME")
        me = str(row["ME"])
        found: list[Query] = []
        for user in sorted({attempt.user or me for attempt in attempts}):
            tags = [attempt.tag for attempt in attempts if (attempt.user or me) == user]
            try:
                queries, whole = tagged(session, self._database, tags, user, since)
            except Exception as error:
                if number(error) < 0 or connection_lost(error):
                    raise
                return f"the query history may not be read: {text(error)}"
            if not queries and user != me:
                return f"{user} sent it; to see that needs MONITOR on its warehouse, docs/grants.md"
            if not queries and not whole:
                return f"{user} has run too many statements since"
            found += queries
        return tuple(found)

    def _outlast(self, attempts: Sequence[Attempt], what: str, why: str) -> Fate:
        left = self._left(attempts)
        if left > 0:
            self._say(
                f"whether it still runs cannot be seen ({why}): {what}; waiting {left:.0f} s, after which Snowflake "
                "has ended it"
            )
            self._sleep(left)
        return Fate.UNKNOWN

    def _left(self, attempts: Sequence[Attempt]) -> float:
        """Seconds until STATEMENT_TIMEOUT has passed for the newest."""
        newest = max(attempt.started_at for attempt in attempts)
        return self._limit - (datetime.now(UTC).replace(tzinfo=None) - newest).total_seconds()
