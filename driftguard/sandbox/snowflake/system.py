"""CURRENT_… functions, SYSTEM$… functions and GET_DDL."""

from __future__ import annotations

import re

from driftguard.sandbox.snowflake import errors, listing, pipes, streams, tasks
from driftguard.sandbox.snowflake.catalog import Located, Pipe
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.session_statements import current
from driftguard.sandbox.snowflake.types import BOOLEAN, TEXT, SfType, read_type


def call(ex: Execution, name: str, arguments: list[object]) -> tuple[object, SfType] | None:
    """The value and its type; None for a function that there is not."""
    text = [str(one) for one in arguments]
    match name:
        case "SYSTEM$PIPE_STATUS":
            return _pipe_status(ex, text[0]), TEXT
        case "SYSTEM$PIPE_FORCE_RESUME":
            return _force_resume(ex, text[0]), TEXT
        case "SYSTEM$TASK_DEPENDENTS_ENABLE":
            tasks.enable_dependents(ex, Reader(text[0]).name())
            return "Statement executed successfully.", TEXT
        case "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS":
            ex.find("TASK", Reader(text[0]).name())
            return "Statement executed successfully.", TEXT
        case "SYSTEM$CANCEL_QUERY":
            return _cancel(ex, text[0]), TEXT
        case "SYSTEM$STREAM_HAS_DATA":
            return streams.has_data(ex, text[0]), BOOLEAN
        case "SYSTEM$WAIT":
            return _wait(ex, arguments), TEXT
        case "SYSTEM$LAST_CHANGE_COMMIT_TIME":
            return ex.table(Reader(text[0]).name()).thing.version, SfType("FIXED", precision=38, scale=0)
        case "IS_ROLE_IN_SESSION":
            return text[0] in ex.grants.reach(ex.role), BOOLEAN
        case "GET_DDL":
            return _ddl(ex, text), TEXT
    if name.startswith("SYSTEM$"):
        return None
    return current(ex, name), TEXT


def _pipe_status(ex: Execution, name: str) -> str:
    found: Located[Pipe] = ex.find("PIPE", Reader(name).name())
    held = ex.grants.held(ex.role, "PIPE", found.thing.id, found.thing.owner)
    if not held & {"OWNERSHIP", "MONITOR"}:
        raise errors.insufficient("pipe", found.thing.name)
    return pipes.pipe_status(ex, found)


def _force_resume(ex: Execution, name: str) -> str:
    found: Located[Pipe] = ex.find("PIPE", Reader(name).name(), "OWNERSHIP")
    found.thing.paused = False
    return "Statement executed successfully."


def _cancel(ex: Execution, query_id: str) -> str:
    """Marks the statement; one that waits or sleeps stops at once, one inside DuckDB at its next step."""
    record = ex.engine.history.query(query_id)
    if record is None:
        raise errors.SnowflakeError(709, "02000", f"Statement {query_id} not found")
    if record.end is not None:
        return f"Identified SQL statement is not currently executing. query id [{query_id}]"
    record.cancelled = True
    ex.engine.condition.notify_all()
    return f"query [{query_id}] terminated."


def _wait(ex: Execution, arguments: list[object]) -> str:
    units = {"DAYS": 86400.0, "HOURS": 3600.0, "MINUTES": 60.0, "SECONDS": 1.0, "MILLISECONDS": 0.001}
    amount = float(str(arguments[0]))
    unit = str(arguments[1]).upper() if len(arguments) > 1 else "SECONDS"
    if unit not in units:
        raise errors.invalid_value(unit, "time unit")
    ex.engine.wait(amount * units[unit], ex.record)
    return f"waited {amount:g} {unit.lower()}"


def _split(types: str) -> list[str]:
    """The types of a signature; the commas in NUMBER(38,0) separate nothing."""
    parts = re.split(r",(?![^()]*\))", types)
    return [part for part in parts if part.strip()]


def _ddl(ex: Execution, text: list[str]) -> str:
    kind = {"FILE_FORMAT": "FILE FORMAT"}.get(text[0].upper(), text[0].upper())
    if kind not in ("TABLE", "VIEW", "PIPE", "TASK", "PROCEDURE", "FILE FORMAT"):
        raise errors.unsupported(f"GET_DDL of {kind}")
    reader = Reader(text[1])
    name = reader.name()
    if kind == "PROCEDURE":
        given = [read_type(Reader(one), ex.timestamp_mapping()) for one in _split(reader.skip_parens())]
        if [one.base for one in given] != [one.base for _, one in ex.find(kind, name).thing.arguments]:
            raise errors.not_exists("Procedure", text[1])
    full = len(text) > 2 and text[2].lower() == "true"
    return listing.ddl(ex, kind, name, full)
