"""Table functions: COPY_HISTORY, TASK_HISTORY, QUERY_HISTORY, TASK_DEPENDENTS, RESULT_SCAN, INFER_SCHEMA's absence.

Their pages on docs.snowflake.com. TASK_HISTORY applies RESULT_LIMIT (100 unless given) before any WHERE, as documented.
"""

from __future__ import annotations

from collections.abc import Callable

from driftguard.sandbox.snowflake import errors, tasks
from driftguard.sandbox.snowflake.catalog import Located, Task
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.information_schema import Answer
from driftguard.sandbox.snowflake.listing import Row, fields, visible
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.show_objects import TASK_COLUMNS, task_row

DAY = 24 * 3600 * 1_000_000
Arguments = dict[str, object]


def call(ex: Execution, name: QName, positional: list[object], given: Arguments) -> Answer:
    """TABLE(name(…))."""
    function = _FUNCTIONS.get(name.name)
    if function is None:
        raise errors.compilation(2141, "42601", f"Unknown table function {name.name}")
    if name.name == "RESULT_SCAN":
        return _result_scan(ex, positional)
    if len(name.parts) < 2 or name.parts[-2] != "INFORMATION_SCHEMA":
        raise errors.compilation(2141, "42601", f"Unknown table function {name.name}")
    if len(name.parts) == 3 and name.parts[0] not in ex.catalog.databases:
        raise errors.not_exists("Database", name.parts[0])
    home = name.parts[0] if len(name.parts) == 3 else ex.session.database
    if home is None:
        raise errors.no_database("SELECT")
    known = _NAMES[name.name]
    arguments = dict(given)
    for parameter, value in zip(known, positional, strict=False):
        arguments.setdefault(parameter, value)
    for key in arguments:
        if key not in known:
            raise errors.compilation(1007, "22023", f"invalid argument name '{key}' for function {name.name}")
    return function(ex, arguments, home)


def _result_scan(ex: Execution, positional: list[object]) -> Answer:
    wanted = str(positional[0]) if positional and positional[0] is not None else ""
    found = ex.session.results.get(wanted)
    if found is None:
        raise errors.SnowflakeError(709, "02000", f"Statement {wanted} not found")
    return found.fields, found.rows


def _copy_history(ex: Execution, given: Arguments, home: str) -> Answer:
    if "TABLE_NAME" not in given or "START_TIME" not in given:
        raise errors.compilation(1015, "22023", "COPY_HISTORY needs TABLE_NAME and START_TIME")
    name = Reader(str(given["TABLE_NAME"])).name()
    if len(name.parts) == 1 and ex.session.schema is not None and ex.session.database == home:
        name = QName((home, ex.session.schema, *name.parts))
    elif len(name.parts) < 3:
        name = QName((home, *name.parts))
    found = ex.lookup("TABLE", name)
    if found is None:
        raise errors.not_exists("Table", str(name))
    start = max(_moment(given["START_TIME"]), ex.now - 14 * DAY)
    end = _moment(given["END_TIME"]) if "END_TIME" in given else ex.now
    truncated = found.thing.truncated  # type: ignore[attr-defined]
    rows: list[Row] = []
    for one in ex.engine.history.loads:
        if one.table_id != found.thing.id or not max(start, truncated) <= one.loaded <= end:
            continue
        pipe = one.pipe if one.pipe is None or _sees_pipe(ex, one.pipe_id) else (None, None, None)
        rows.append(
            (
                one.file_name,
                one.stage_location,
                one.loaded,
                one.rows,
                one.parsed,
                one.size,
                one.error,
                one.error_line,
                None if one.error_line is None else 0,
                one.error_column,
                one.errors,
                one.error_limit,
                one.status,
                one.table[0],
                one.table[1],
                one.table[2],
                *(pipe if pipe is not None else (None, None, None)),
                one.received,
                None,
                one.size,
            )
        )
    return fields(
        "FILE_NAME STAGE_LOCATION LAST_LOAD_TIME@ ROW_COUNT# ROW_PARSED# FILE_SIZE# FIRST_ERROR_MESSAGE "
        "FIRST_ERROR_LINE_NUMBER# "
        "FIRST_ERROR_CHARACTER_POS# FIRST_ERROR_COLUMN_NAME ERROR_COUNT# ERROR_LIMIT# STATUS TABLE_CATALOG_NAME "
        "TABLE_SCHEMA_NAME "
        "TABLE_NAME PIPE_CATALOG_NAME PIPE_SCHEMA_NAME PIPE_NAME PIPE_RECEIVED_TIME@ FIRST_COMMIT_TIME@ BYTES_BILLED#"
    ), rows


def _sees_pipe(ex: Execution, pipe_id: int | None) -> bool:
    found = ex.catalog.by_id("PIPE", pipe_id or 0)
    return found is not None and bool(
        ex.grants.held(ex.role, "PIPE", found.thing.id, found.thing.owner) & {"OWNERSHIP", "MONITOR"}
    )


def _moment(value: object) -> int:
    if isinstance(value, int):
        return value
    from driftguard.sandbox.snowflake.clock import parse_iso

    try:
        return parse_iso(str(value).replace(" +", "+").replace(" -", "-"))
    except ValueError:
        raise errors.not_recognised(str(value), "TIMESTAMP") from None


def _limit(given: Arguments, default: int) -> int:
    limit = int(str(given.get("RESULT_LIMIT", default)))
    if not 1 <= limit <= 10_000:
        raise errors.invalid_value(str(limit), "RESULT_LIMIT")
    return limit


def _task_history(ex: Execution, given: Arguments, home: str) -> Answer:
    start = max(_moment(given.get("SCHEDULED_TIME_RANGE_START", 0)), ex.now - 7 * DAY)
    end = _moment(given["SCHEDULED_TIME_RANGE_END"]) if "SCHEDULED_TIME_RANGE_END" in given else ex.now
    seen = {one.thing.id for one in visible(ex, "TASK")}
    database = str(given.get("DATABASE_NAME", home))
    rows: list[Row] = []
    for run in reversed(ex.engine.history.runs):
        if run.task_id not in seen or not start <= run.scheduled <= end or run.task[0] != database:
            continue
        if "SCHEMA_NAME" in given and run.task[1] != str(given["SCHEMA_NAME"]):
            continue
        if "TASK_NAME" in given and run.task[2] != _task_name(str(given["TASK_NAME"])):
            continue
        if "ROOT_TASK_ID" in given and run.root_id != str(given["ROOT_TASK_ID"]):
            continue
        if given.get("ERROR_ONLY") and not run.state.startswith(("FAILED", "CANCELLED")):
            continue
        rows.append(
            (
                run.query_id,
                run.task[2],
                run.task[0],
                run.task[1],
                run.text,
                run.condition,
                run.state,
                None if run.error_code is None else f"{run.error_code:06d}",
                run.error_message,
                run.scheduled,
                run.started,
                None,
                run.completed,
                run.root_id,
                run.graph_version,
                run.run_id,
                run.return_value,
                run.scheduled_from,
                run.attempt,
                run.config,
                None,
                None,
                None,
                None,
                None,
                str(run.run_id),
            )
        )
        if len(rows) >= _limit(given, 100):
            break
    return fields(
        "QUERY_ID NAME DATABASE_NAME SCHEMA_NAME QUERY_TEXT CONDITION_TEXT STATE ERROR_CODE ERROR_MESSAGE "
        "SCHEDULED_TIME@ "
        "QUERY_START_TIME@ NEXT_SCHEDULED_TIME@ COMPLETED_TIME@ ROOT_TASK_ID GRAPH_VERSION# RUN_ID# RETURN_VALUE "
        "SCHEDULED_FROM "
        "ATTEMPT_NUMBER# CONFIG QUERY_HASH QUERY_HASH_VERSION# QUERY_PARAMETERIZED_HASH "
        "QUERY_PARAMETERIZED_HASH_VERSION# "
        "INSTANCE_ID GRAPH_RUN_GROUP_ID"
    ), rows


def _task_graphs(ex: Execution, given: Arguments, home: str) -> Answer:
    """The runs of graphs, and of single tasks, that are at work; nothing is SCHEDULED, as a pump runs the tasks."""
    _limit(given, 1000)
    rows: list[Row] = []
    for number, root in ex.engine.graphs.items():
        task = root.thing
        if root.database.name != home or not ex.grants.visible(ex.role, root):
            continue
        if "ROOT_TASK_NAME" in given and task.name != _task_name(str(given["ROOT_TASK_NAME"])):
            continue
        rows.append((task.name, root.database.name, root.schema.name, "EXECUTING", task.task_id, number))
    return fields("ROOT_TASK_NAME DATABASE_NAME SCHEMA_NAME STATE ROOT_TASK_ID RUN_ID#"), rows


def _task_name(text: str) -> str:
    reader = Reader(text)
    return reader.name().name if text.startswith('"') else text


def _query_history(ex: Execution, given: Arguments, home: str) -> Answer:
    """Statements still at work first, then by their end. A range outside of the last 7 days is an error."""
    start = _moment(given["END_TIME_RANGE_START"]) if "END_TIME_RANGE_START" in given else ex.now - 7 * DAY
    end = _moment(given["END_TIME_RANGE_END"]) if "END_TIME_RANGE_END" in given else None
    if start < ex.now - 7 * DAY or (end is not None and end < ex.now - 7 * DAY):
        raise errors.SnowflakeError(
            1009, "22023", "Cannot retrieve data on queries that completed more than 7 days ago."
        )
    admin = ex.grants.admin(ex.role)
    limit = _limit(given, 100)
    wanted = str(given["SESSION_ID"]) if "SESSION_ID" in given else None
    user = _task_name(str(given["USER_NAME"])) if "USER_NAME" in given else None
    found = [one for one in ex.engine.history.queries if one is not ex.record]
    found.sort(key=lambda one: one.end or ex.now, reverse=True)
    rows: list[Row] = []
    for one in found:
        if (one.end or ex.now) < start or (end is not None and (one.end is None or one.end > end)):
            continue
        if (user is not None and one.user != user) or (wanted is not None and str(one.session_id) != wanted):
            continue
        if not admin and one.user != ex.session.user:
            continue
        elapsed = ((one.end or ex.now) - one.start) // 1000
        rows.append(
            (
                one.query_id,
                one.text,
                one.database,
                one.schema,
                one.kind,
                one.session_id,
                one.user,
                one.role,
                one.warehouse,
                one.tag,
                one.status,
                None if one.error_code is None else f"{one.error_code:06d}",
                one.error_message,
                one.start,
                one.end or 0,  # documented: the epoch while it runs
                elapsed,
                one.rows,
            )
        )
        if len(rows) >= limit:
            break
    _ = home
    return fields(
        "QUERY_ID QUERY_TEXT DATABASE_NAME SCHEMA_NAME QUERY_TYPE SESSION_ID# USER_NAME ROLE_NAME WAREHOUSE_NAME "
        "QUERY_TAG "
        "EXECUTION_STATUS ERROR_CODE ERROR_MESSAGE START_TIME@ END_TIME@ TOTAL_ELAPSED_TIME# ROWS_PRODUCED#"
    ), rows


def _me(ex: Execution) -> str:
    return '"' + ex.session.user.replace('"', '""') + '"'


def _dependents(ex: Execution, given: Arguments, home: str) -> Answer:
    root: Located[Task] = ex.find("TASK", Reader(str(given.get("TASK_NAME", ""))).name())
    out, todo = [root], [root] if given.get("RECURSIVE", True) else []
    todo = [root]
    while todo:
        for child in tasks.children(ex, todo.pop(0).thing):
            if child.thing.id not in {one.thing.id for one in out}:
                out.append(child)
                if given.get("RECURSIVE", True):
                    todo.append(child)
    _ = home
    return fields(TASK_COLUMNS.upper()), [task_row(ex, one) for one in out]


_FUNCTIONS: dict[str, Callable[[Execution, Arguments, str], Answer]] = {
    "COPY_HISTORY": _copy_history,
    "TASK_HISTORY": _task_history,
    "CURRENT_TASK_GRAPHS": _task_graphs,
    "QUERY_HISTORY": _query_history,
    "QUERY_HISTORY_BY_SESSION": _query_history,
    "QUERY_HISTORY_BY_USER": lambda ex, given, home: _query_history(ex, {"USER_NAME": _me(ex), **given}, home),
    "TASK_DEPENDENTS": _dependents,
    "RESULT_SCAN": lambda *_: ([], []),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "COPY_HISTORY": ("TABLE_NAME", "START_TIME", "END_TIME"),
    "TASK_HISTORY": (
        "SCHEDULED_TIME_RANGE_START",
        "SCHEDULED_TIME_RANGE_END",
        "RESULT_LIMIT",
        "TASK_NAME",
        "ERROR_ONLY",
        "ROOT_TASK_ID",
        "DATABASE_NAME",
        "SCHEMA_NAME",
    ),
    "QUERY_HISTORY": (
        "END_TIME_RANGE_START",
        "END_TIME_RANGE_END",
        "RESULT_LIMIT",
        "INCLUDE_CLIENT_GENERATED_STATEMENT",
    ),
    "QUERY_HISTORY_BY_SESSION": ("SESSION_ID", "END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT"),
    "QUERY_HISTORY_BY_USER": ("USER_NAME", "END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT"),
    "TASK_DEPENDENTS": ("TASK_NAME", "RECURSIVE"),
    "CURRENT_TASK_GRAPHS": ("RESULT_LIMIT", "ROOT_TASK_NAME"),
}
