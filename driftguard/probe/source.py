"""The probe's schema on Aurora: made, filled, changed, read back, dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from driftguard.aurora.connect import connect, one_line
from driftguard.aurora.introspect import introspect
from driftguard.errors import UnreachableError, UsageError
from driftguard.model.catalog import Table
from driftguard.probe import cases
from driftguard.probe.cases import ALL_TABLES, CHANGES, LAST, LATER, SCHEMA, TABLES, Case

DROP = f"DROP SCHEMA {SCHEMA} CASCADE"

# A value so that both sides can be compared: microseconds for what is a time, bytes in hexadecimal, otherwise the text
# that the type's own output function gives.
_CANONICAL = {
    "number": "{c}::numeric::text",
    "float": "{c}::float8::text",
    "boolean": "{c}::text",
    "bytes": "encode({c}, 'hex')",
    "json": "{c}::text",
    "text": "format('%%s', {c})",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A value as PostgreSQL holds it: in its own text, and so that it can be compared."""

    text: str
    canonical: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The schema as it was made: its tables as the catalog has them, the cases that this server knows, the values by
    table, id and column."""

    tables: tuple[Table, ...]
    cases: Mapping[str, tuple[Case, ...]]
    values: Mapping[tuple[str, int, str], Written]
    left_out: tuple[str, ...]


@contextmanager
def schema(url: str | None, tell: Callable[[str], None]) -> Iterator[psycopg.Connection]:
    """A connection, and the schema dropped at the end, however that comes. Where that fails too, the line to run."""
    connection = connect(url, application_name="driftguard probe", read_only=False)
    connection.autocommit = True
    try:
        _refuse_foreign(connection)
        connection.execute(DROP.replace("SCHEMA ", "SCHEMA IF EXISTS "))
        try:
            yield connection
        finally:
            connection.close()
            _drop(url, tell)
    finally:
        connection.close()


def _drop(url: str | None, tell: Callable[[str], None]) -> None:
    try:
        with connect(url, application_name="driftguard probe", read_only=False) as connection:
            connection.execute("SET lock_timeout = '30s'")
            connection.execute(DROP.replace("SCHEMA ", "SCHEMA IF EXISTS "))
    except (psycopg.Error, UnreachableError) as error:
        reason = one_line(error) if isinstance(error, psycopg.Error) else str(error)
        tell(f"the schema {SCHEMA} is still on Aurora ({reason}); drop it with: {DROP};")


def _refuse_foreign(connection: psycopg.Connection) -> None:
    """Raises `UsageError` if the schema holds anything that no probe has made."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')",
        (SCHEMA,),
    ).fetchall()
    marked = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", (SCHEMA,)
    ).fetchone()
    foreign = sorted(name for (name,) in rows if name not in ALL_TABLES)
    if foreign or (marked is not None and marked[0] != cases.COMMENT):
        what = f"it holds {foreign[0]}" if foreign else "no probe has made it"
        raise UsageError(f"the schema {SCHEMA} exists, and {what}", hint="rename or drop it; the probe needs the name")


def make(connection: psycopg.Connection) -> Probe:
    """All tables with their rows, in one transaction: whoever sees the schema sees the rows too."""
    left_out: list[str] = []
    try:
        with connection.transaction():
            _run(connection, f"CREATE SCHEMA {SCHEMA}")
            connection.execute(
                sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(SCHEMA), sql.Literal(cases.COMMENT))
            )
            _run(connection, f"CREATE TYPE {SCHEMA}.mood AS ENUM ('fine', 'not so \"fine\"')")
            _run(connection, f"CREATE TYPE {SCHEMA}.pair AS (number integer, words text)")
            _run(connection, f"CREATE DOMAIN {SCHEMA}.price AS numeric(10,2)")
            known = {
                name: tuple(_known(connection, case, left_out) for case in found) for name, found in TABLES.items()
            }
            usable = {name: tuple(c for c in found if c is not None) for name, found in known.items()}
            for name, found in usable.items():
                columns = ", ".join(f"{case.column} {case.type}" for case in found)
                _run(connection, f"CREATE TABLE {SCHEMA}.{name} (id integer PRIMARY KEY, {columns})")
                insert(connection, name, found, 0)
            _run(
                connection,
                f"CREATE TABLE {SCHEMA}.{CHANGES} (id integer PRIMARY KEY, small integer, large text, flag boolean)",
            )
            _run(connection, f"ALTER TABLE {SCHEMA}.{CHANGES} ALTER COLUMN large SET STORAGE EXTERNAL")
            for number in (cases.UNTOUCHED, cases.DELETED, cases.OLD_KEY):
                connection.execute(
                    sql.SQL("INSERT INTO {} VALUES (%s, 0, repeat('x', %s), true)").format(_table(CHANGES)),
                    (number, cases.LARGE),
                )
        tables = introspect(connection, schemas=[SCHEMA]).tables
        values = {
            (name, number, column): written
            for name, found in usable.items()
            for number, row in _read(connection, name, found).items()
            for column, written in row.items()
        }
    except psycopg.Error as error:
        raise UnreachableError(f"Aurora: {one_line(error)}", hint="the probe needs CREATE on the database") from None
    return Probe(tables, usable, values, tuple(left_out))


def change(connection: psycopg.Connection, probe: Probe) -> None:
    """Everything that only a CDC file can show: the same values again, updates, a new key, a delete; at last a row that
    says that all of it is through."""
    try:
        for name, found in probe.cases.items():
            with connection.transaction():
                insert(connection, name, found, LATER)
            connection.execute(sql.SQL("INSERT INTO {} (id) VALUES (%s)").format(_table(name)), (LAST,))
        for statement, arguments in (
            ("UPDATE {} SET small = small + 1 WHERE id = %s", (cases.UNTOUCHED,)),
            ("UPDATE {} SET id = %s WHERE id = %s", (cases.NEW_KEY, cases.OLD_KEY)),
            ("DELETE FROM {} WHERE id = %s", (cases.DELETED,)),
            ("INSERT INTO {} (id, flag) VALUES (%s, false)", (LAST,)),
        ):
            connection.execute(sql.SQL(statement).format(_table(CHANGES)), arguments)
    except psycopg.Error as error:
        raise UnreachableError(f"Aurora: {one_line(error)}") from None


def insert(connection: psycopg.Connection, table: str, found: tuple[Case, ...], first: int) -> None:
    """One row for each round of values, NULL where a case has run out of them; row `first` is all NULL."""
    rounds = max((len(case.values) for case in found), default=0)
    for number in range(rounds + 1):
        values = [case.values[number - 1] if 0 < number <= len(case.values) else None for case in found]
        cells = sql.SQL(", ").join(
            sql.SQL("%s::text::" + case.type) if value is not None else sql.SQL("NULL")
            for case, value in zip(found, values, strict=True)
        )
        connection.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, {})").format(_table(table), cells),
            [first + number, *(value for value in values if value is not None)],
        )


def _known(connection: psycopg.Connection, case: Case, left_out: list[str]) -> Case | None:
    """The case with the values that this server takes; None where it does not know the type."""
    values: list[str] = []
    for value in case.values:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("SELECT %s::text::" + case.type), (value,))
        except psycopg.Error as error:
            left_out.append(f"{case.type} {_short(value)}: {one_line(error)}")
            continue
        values.append(value)
    return Case(case.column, case.type, case.kind, tuple(values)) if values else None


def _read(connection: psycopg.Connection, table: str, found: tuple[Case, ...]) -> dict[int, dict[str, Written]]:
    """What the server has made of the values."""
    expressions = [_canonical(case) for case in found]
    texts = [f"format('%%s', {case.column})" for case in found]
    with connection.transaction():
        connection.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL extra_float_digits = 1")
        rows = connection.execute(
            sql.SQL(f"SELECT id, {', '.join([*texts, *expressions])} FROM {SCHEMA}.{table}"), (),
        ).fetchall()  # fmt: skip
    result: dict[int, dict[str, Written]] = {}
    for number, *cells in rows:
        half = len(found)
        result[number] = {
            case.column: Written(text, canonical)
            for case, text, canonical in zip(found, cells[:half], cells[half:], strict=True)
            if canonical is not None
        }
    return result


def _canonical(case: Case) -> str:
    column = case.column
    if case.kind != "time":
        return _CANONICAL[case.kind].format(c=column)
    if case.type == "date":
        micros = f"({column} - date '1970-01-01')::numeric * 86400000000"
    else:
        micros = f"round((extract(epoch FROM {column}) * 1000000)::numeric)"
    if case.type == "time":
        return f"({micros})::text"
    return f"CASE WHEN isfinite({column}) THEN ({micros})::text ELSE {column}::text END"


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)


def _run(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())


def _short(value: str) -> str:
    return repr(value if len(value) <= 30 else f"{value[:27]}...")
