"""What Snowflake remembers of statements and task runs: found by QUERY_TAG, followed to their end, cancelled.

Sources: docs.snowflake.com "QUERY_HISTORY, QUERY_HISTORY_BY_*", "TASK_HISTORY", "SYSTEM$CANCEL_QUERY".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftguard.model.identifiers import ObjectName
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal, qualified, quote

KEPT = timedelta(days=6, hours=23)  # a range that begins before the last 7 days is an error
MOST = 10_000  # the largest RESULT_LIMIT; it is applied before WHERE
_SLACK = timedelta(minutes=5)  # between the clocks of this machine and of Snowflake


class Status(enum.Enum):
    """A statement's state, of EXECUTION_STATUS's seven words: neither success nor failure is still at work."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a cancelled statement is one that failed


@dataclass(frozen=True, slots=True)
class Query:
    """One statement of the history."""

    id: str
    tag: str
    status: Status


def tagged(
    session: Session, database: str, tags: Iterable[str], user: str, since: datetime
) -> tuple[tuple[Query, ...], bool]:
    """The statements of `user` with one of `tags` that ended after `since` (UTC) or still run.

    The second part is False where the history was cut at its limit, so that a statement may be missing. Statements of
    another user are there only with MONITOR or OPERATE on the warehouse. Connector errors pass through.
    """
    begin = literal((since - _SLACK).isoformat(sep=" ", timespec="seconds"))
    history = (
        f"TABLE({quote(database)}.INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER(USER_NAME => {literal(quote(user))}, "
        f"END_TIME_RANGE_START => {begin}::TIMESTAMP_LTZ, RESULT_LIMIT => {MOST}))"
    )
    wanted = ", ".join(literal(tag) for tag in tags)
    rows = session.rows(f"SELECT QUERY_ID, QUERY_TAG, EXECUTION_STATUS FROM {history} WHERE QUERY_TAG IN ({wanted})")
    found = tuple(Query(str(r["QUERY_ID"]), str(r["QUERY_TAG"]), _status(r["EXECUTION_STATUS"])) for r in rows)
    if found:
        return found, True
    (counted,) = session.rows(f"SELECT COUNT(*) AS FOUND FROM {history}")
    return (), int(counted["FOUND"]) < MOST


def _status(text: object) -> Status:
    word = str(text).lower()
    if word == "success":
        return Status.SUCCEEDED
    return Status.FAILED if word.startswith("fail") else Status.RUNNING


def cancel(session: Session, query_id: str) -> None:
    """Ask Snowflake to stop a statement. A user may stop their own. Connector errors pass through."""
    session.rows(f"SELECT SYSTEM$CANCEL_QUERY({literal(query_id)})")


def loads_now(session: Session, table: ObjectName) -> bool:
    """Is a file on its way into this table? Connector errors pass through.

    Source: docs.snowflake.com "COPY_HISTORY", whose STATUS of such a file is `Load in progress`.
    """
    sql = (
        f"SELECT COUNT(*) AS FILES FROM TABLE({quote(table.database)}.INFORMATION_SCHEMA.COPY_HISTORY("
        f"TABLE_NAME => {literal(qualified(table))}, START_TIME => DATEADD('hour', -1, CURRENT_TIMESTAMP()))) "
        "WHERE STATUS ILIKE 'Load in progress'"
    )
    (row,) = session.rows(sql)
    return int(row["FILES"]) > 0


def graph_runs_now(session: Session, root: ObjectName) -> bool:
    """Is a run of the graph below this root at work, or between two of its tasks? Connector errors pass through.

    Source: docs.snowflake.com "CURRENT_TASK_GRAPHS". It is asked last: a run between two tasks is in no TASK_HISTORY.
    """
    if runs_now(session, root):
        return True
    sql = (
        f"SELECT COUNT(*) AS RUNS FROM TABLE({quote(root.database)}.INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS("
        f"RESULT_LIMIT => {MOST}, ROOT_TASK_NAME => {literal(root.name)})) "
        f"WHERE STATE = 'EXECUTING' AND SCHEMA_NAME = {literal(root.schema)}"
    )
    (row,) = session.rows(sql)
    return int(row["RUNS"]) > 0


class Run(enum.Enum):
    """How a run of a task ended, or that it has not."""

    NONE = "none"  # nothing is known of it yet
    AT_WORK = "at work"
    ENDED = "ended"  # also one that had nothing to do
    FAILED = "failed"


def now(session: Session) -> datetime:
    """Snowflake's clock. Connector errors pass through."""
    (row,) = session.rows("SELECT CURRENT_TIMESTAMP() AS NOW")
    found: datetime = row["NOW"]
    return found


def run_since(session: Session, task: ObjectName, since: datetime) -> tuple[Run, str]:
    """The run that an EXECUTE TASK sent after `since` has started, and what it failed with. Connector errors pass.

    Source: docs.snowflake.com "TASK_HISTORY": SCHEDULED_FROM is `EXECUTE TASK` for such a run.
    """
    asked = f"{literal(since.isoformat(sep=' '))}::TIMESTAMP_LTZ"
    sql = (
        f"SELECT STATE, ERROR_MESSAGE FROM TABLE({quote(task.database)}.INFORMATION_SCHEMA.TASK_HISTORY("
        f"SCHEDULED_TIME_RANGE_START => {asked}, RESULT_LIMIT => {MOST}, TASK_NAME => {literal(task.name)})) "
        f"WHERE SCHEMA_NAME = {literal(task.schema)} AND SCHEDULED_FROM = 'EXECUTE TASK' "
        f"AND SCHEDULED_TIME >= {asked} ORDER BY SCHEDULED_TIME DESC LIMIT 1"
    )
    rows = session.rows(sql)
    if not rows:
        return Run.NONE, ""
    state = str(rows[0]["STATE"]).upper()
    if state in ("SUCCEEDED", "SKIPPED"):
        return Run.ENDED, ""
    if state in ("SCHEDULED", "EXECUTING"):
        return Run.AT_WORK, ""
    return Run.FAILED, str(rows[0]["ERROR_MESSAGE"] or state)


def runs_now(session: Session, task: ObjectName) -> bool:
    """Is a run of this task, or of the graph below it, at work? Connector errors pass through."""
    sql = (
        "WITH runs AS (SELECT * FROM "
        f"TABLE({quote(task.database)}.INFORMATION_SCHEMA.TASK_HISTORY(SCHEDULED_TIME_RANGE_START => "
        f"DATEADD('day', -1, CURRENT_TIMESTAMP()), RESULT_LIMIT => {MOST}))) "
        "SELECT COUNT(*) AS RUNS FROM runs WHERE STATE = 'EXECUTING' AND ROOT_TASK_ID IN "
        f"(SELECT ROOT_TASK_ID FROM runs WHERE SCHEMA_NAME = {literal(task.schema)} AND NAME = {literal(task.name)})"
    )
    (row,) = session.rows(sql)
    return int(row["RUNS"]) > 0
