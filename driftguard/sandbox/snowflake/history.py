"""What happened: statements, loads of files, runs of tasks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class QueryRecord:
    """One row of QUERY_HISTORY()."""

    query_id: str
    text: str
    session_id: int
    user: str
    role: str
    warehouse: str | None
    database: str | None
    schema: str | None
    tag: str
    start: int
    end: int | None = None
    status: str = "RUNNING"
    error_code: int | None = None
    error_message: str | None = None
    rows: int = 0
    kind: str = "UNKNOWN"
    request_id: str = ""
    cancelled: bool = False
    timed_out: float | None = None


@dataclass(slots=True)
class LoadRecord:
    """One row of COPY_HISTORY(): one file, one attempt."""

    file_name: str
    stage_location: str
    loaded: int
    rows: int
    parsed: int
    size: int
    status: str
    table_id: int
    table: tuple[str, str, str]
    pipe: tuple[str, str, str] | None = None
    pipe_id: int | None = None
    received: int | None = None
    error: str | None = None
    error_line: int | None = None
    error_column: str | None = None
    errors: int = 0
    error_limit: int = 1


@dataclass(slots=True)
class TaskRun:
    """One row of TASK_HISTORY()."""

    query_id: str
    task_id: int
    task: tuple[str, str, str]
    text: str
    state: str
    scheduled: int
    root_id: str
    graph_version: int
    run_id: int
    scheduled_from: str
    started: int | None = None
    completed: int | None = None
    error_code: int | None = None
    error_message: str | None = None
    return_value: str | None = None
    condition: str | None = None
    attempt: int = 1
    config: str | None = None


@dataclass(slots=True)
class History:
    """All three, the newest last. Snowflake keeps them for 7 days (queries, tasks) and 14 days (loads)."""

    queries: deque[QueryRecord] = field(default_factory=lambda: deque(maxlen=50_000))
    loads: list[LoadRecord] = field(default_factory=list)
    runs: list[TaskRun] = field(default_factory=list)

    def query(self, query_id: str) -> QueryRecord | None:
        return next((one for one in reversed(self.queries) if one.query_id == query_id), None)
