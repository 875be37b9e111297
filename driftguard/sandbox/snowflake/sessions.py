"""A session: who, where, with which parameters, and its transaction."""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.names import QName

if TYPE_CHECKING:
    import duckdb

    from driftguard.sandbox.snowflake.catalog import Stream
    from driftguard.sandbox.snowflake.results import Result

# Defaults of "Parameters", docs.snowflake.com; the ones that the stand-in acts on come first.
DEFAULTS: dict[str, tuple[object, str]] = {
    "TIMEZONE": ("America/Los_Angeles", "string"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ", "string"),
    "QUERY_TAG": ("", "string"),
    "LOCK_TIMEOUT": (43200, "number"),
    "STATEMENT_TIMEOUT_IN_SECONDS": (172800, "number"),
    "ERROR_ON_NONDETERMINISTIC_MERGE": (True, "boolean"),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": (False, "boolean"),
    "AUTOCOMMIT": (True, "boolean"),
    "ABORT_DETACHED_QUERY": (False, "boolean"),
    "BINARY_INPUT_FORMAT": ("HEX", "string"),
    "BINARY_OUTPUT_FORMAT": ("HEX", "string"),
    "CLIENT_SESSION_KEEP_ALIVE": (False, "boolean"),
    "DATE_INPUT_FORMAT": ("AUTO", "string"),
    "DATE_OUTPUT_FORMAT": ("YYYY-MM-DD", "string"),
    "MULTI_STATEMENT_COUNT": (1, "number"),
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": ("JSON", "string"),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": (False, "boolean"),
    "ROWS_PER_RESULTSET": (0, "number"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": (0, "number"),
    "STRICT_JSON_OUTPUT": (False, "boolean"),
    "TIMESTAMP_INPUT_FORMAT": ("AUTO", "string"),
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": ("", "string"),
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": ("YYYY-MM-DD HH24:MI:SS.FF3", "string"),
    "TIMESTAMP_OUTPUT_FORMAT": ("YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM", "string"),
    "TIMESTAMP_TZ_OUTPUT_FORMAT": ("", "string"),
    "TIME_INPUT_FORMAT": ("AUTO", "string"),
    "TIME_OUTPUT_FORMAT": ("HH24:MI:SS", "string"),
    "TRANSACTION_ABORT_ON_ERROR": (False, "boolean"),
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": ("READ COMMITTED", "string"),
    "UNSUPPORTED_DDL_ACTION": ("ignore", "string"),
    "USE_CACHED_RESULT": (True, "boolean"),
    "WEEK_OF_YEAR_POLICY": (0, "number"),
    "WEEK_START": (0, "number"),
}


@dataclass(slots=True)
class Transaction:
    """An open transaction. DuckDB's own begins with the first write, so that reads see what others committed."""

    id: int
    explicit: bool
    name: str
    started: bool = False
    writes: list[tuple[str, dict[str, Any] | None]] = field(default_factory=list)
    touched: dict[int, int] = field(default_factory=dict)
    at: int = 0
    began: int = 0  # what was committed when it began, by `Engine.commits`
    inserted: list[tuple[Stream, int]] = field(default_factory=list)  # batches of streams
    consumed: dict[int, Stream] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """The state of one login."""

    id: int
    user: str
    role: str
    connection: duckdb.DuckDBPyConnection
    warehouse: str | None = None
    database: str | None = None
    schema: str | None = None
    secondary: bool = False
    parameters: dict[str, object] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    transaction: Transaction | None = None
    last_query_id: str | None = None
    results: dict[str, Result] = field(default_factory=dict)
    active_timezone: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    overrides: dict[str, object] = field(default_factory=dict)

    def parameter(self, name: str) -> object:
        """The value in force: for one statement, for the session, or the default."""
        if name in self.overrides:
            return self.overrides[name]
        return self.parameters.get(name, DEFAULTS.get(name, ("", "string"))[0])

    @property
    def timezone(self) -> str:
        return str(self.parameter("TIMEZONE"))

    @property
    def autocommit(self) -> bool:
        return bool(self.parameter("AUTOCOMMIT"))

    def set_parameter(self, name: str, value: object) -> None:
        """ALTER SESSION SET; an unknown parameter is refused (the number is unsourced)."""
        self.parameters[name] = checked(name, value)

    def qualify(self, name: QName, action: str = "SELECT") -> tuple[str, str, str]:
        """`name` as database, schema, object, filled in from the session."""
        parts = name.parts
        if len(parts) == 3:
            return parts[0], parts[1], parts[2]
        if self.database is None:
            raise errors.no_database(action)
        if len(parts) == 2:
            return self.database, parts[0], parts[1]
        if self.schema is None:
            raise errors.no_schema(action)
        return self.database, self.schema, parts[0]


def checked(name: str, value: object) -> object:
    """A parameter's value in its type, or the refusal."""
    if name not in DEFAULTS:
        raise errors.compilation(1999, "22023", f"invalid parameter '{name}'")
    kind = DEFAULTS[name][1]
    if kind == "boolean":
        text = str(value).upper()
        if text not in ("TRUE", "FALSE"):
            raise errors.invalid_value(str(value), name)
        return text == "TRUE"
    if kind == "number":
        try:
            return int(str(value))
        except ValueError:
            raise errors.invalid_value(str(value), name) from None
    text = str(value)
    if name == "TIMEZONE":
        _check_zone(text)
    if name == "TIMESTAMP_TYPE_MAPPING":
        text = text.upper()
        if text not in ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
            raise errors.invalid_value(text, name)
    if name == "QUERY_TAG" and len(text) > 2000:
        raise errors.invalid_value(text[:20] + "…", name)
    return text


def _check_zone(name: str) -> None:
    pytz: Any = importlib.import_module("pytz")  # the connector brings it; it needs no zone files of the system

    try:
        pytz.timezone(name)
    except pytz.UnknownTimeZoneError:
        raise errors.invalid_value(name, "TIMEZONE") from None
