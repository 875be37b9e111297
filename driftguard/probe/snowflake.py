"""What one account's Snowflake does where the documents say nothing or no two say the same: asked by statement, in a
schema that is made for it and dropped again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from snowflake.connector.errors import Error

from driftguard.errors import UnreachableError, UsageError
from driftguard.snowflake.capabilities import Answer, Capability
from driftguard.snowflake.errors import NO_PRIVILEGE, NO_WAREHOUSE, RETRYABLE, number, text, unreachable
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import schema_name

SCHEMA = "DRIFTGUARD_PROBE"

_NO_FILE = "needs a Parquet file on a stage, which this probe does not make"
_NOT_TRIED = {
    "load_rounds_decimals": "a Parquet DECIMAL of larger scale than its column is rounded on load",
    "load_keeps_backslash_n": r"the text \N stays a text with NULL_IF = ()",
    "load_takes_empty_strings": "an empty string loads with MATCH_BY_COLUMN_NAME",
    "desc_pipe_columns": "DESC PIPE shows the definition",
}


def ask(session: Session, database: str) -> tuple[Capability, ...]:
    """Every question, each answered yes, no or not tried. Raises `UsageError` if the schema exists, `UnreachableError`
    where it cannot be made. It is dropped at the end, whatever happens."""
    place = schema_name(database, SCHEMA)
    try:
        session.execute(f"CREATE SCHEMA {place}")
    except Error as error:
        if number(error) == 2002:  # "already exists"
            raise UsageError(
                f"the schema {place} exists", hint="drop it if an earlier probe left it there; the probe needs the name"
            ) from None
        raise unreachable(error, session.where) from None
    try:
        session.execute(f"USE SCHEMA {place}")
        found = tuple(_answer(session, *question) for question in QUESTIONS)
    except Error as error:
        raise unreachable(error, session.where) from None
    finally:
        _drop(session, place)
    return found + tuple(Capability(key, what, Answer.NOT_TRIED, note=_NO_FILE) for key, what in _NOT_TRIED.items())


def _drop(session: Session, place: str) -> None:
    with suppress(Error):
        session.execute("ROLLBACK")
    try:
        session.execute(f"DROP SCHEMA IF EXISTS {place} CASCADE")
    except Error as error:
        raise UnreachableError(
            f"Snowflake ({session.where}): {text(error)}", hint=f"the schema {place} is still there: drop it"
        ) from None


def current_account(session: Session) -> str:
    """The account's name as Snowflake gives it."""
    (row,) = session.rows("SELECT CURRENT_ACCOUNT() AS ACCOUNT")
    return str(row["ACCOUNT"])


Question = tuple[str, str, tuple[str, ...], str, Callable[[Session, str], bool]]


def _answer(
    session: Session, key: str, what: str, setup: tuple[str, ...], sql: str, judge: Callable[[Session, str], bool]
) -> Capability:
    """One question: what has to be there first, the statement that settles it, and how its outcome is read."""
    try:
        for statement in setup:
            session.execute(statement)
    except Error as error:
        return Capability(key, what, Answer.NOT_TRIED, sql, number(error), f"before it: {text(error)}")
    try:
        answer = Answer.YES if judge(session, sql) else Answer.NO
        return Capability(key, what, answer, sql)
    except Error as error:
        # a missing privilege or a broken line says nothing about what Snowflake can do
        refused = number(error) in NO_PRIVILEGE | NO_WAREHOUSE | RETRYABLE
        return Capability(key, what, Answer.NOT_TRIED if refused else Answer.NO, sql, number(error), text(error))


def _runs(session: Session, sql: str) -> bool:
    session.execute(sql)
    return True


def _one(session: Session, sql: str) -> bool:
    """The query's only value is 1."""
    (row,) = session.rows(sql)
    (value,) = row.values()
    return int(value) == 1


def _counts(session: Session, sql: str) -> bool:
    """A first run changes one row, a second none: what a lock by UPDATE rests on."""
    return (session.execute(sql), session.execute(sql)) == (1, 0)


def _type_kept(session: Session, sql: str) -> bool:
    session.execute(sql)
    return _one(
        session,
        "SELECT COUNT(*) AS N FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = CURRENT_SCHEMA() "
        "AND TABLE_NAME = 'KEPT' AND COLUMN_NAME = 'A' AND DATA_TYPE = 'NUMBER'",
    )


def _rolled_back(session: Session, sql: str) -> bool:
    """Is the row still there after a DDL and a rollback?"""
    session.execute(sql)
    session.execute("ROLLBACK")
    return _one(session, "SELECT COUNT(*) AS N FROM UNDONE")


QUESTIONS: tuple[Question, ...] = (
    (
        "add_not_null_on_rows",
        "ADD COLUMN … NOT NULL works on a table with rows",
        ("CREATE TABLE FILLED (A NUMBER(38,0))", "INSERT INTO FILLED SELECT 1"),
        "ALTER TABLE FILLED ADD COLUMN B NUMBER(38,0) NOT NULL",
        _runs,
    ),
    (
        "add_if_not_exists_ignores_type",
        "ADD COLUMN IF NOT EXISTS of another type is passed over",
        ("CREATE TABLE KEPT (A NUMBER(38,0))",),
        "ALTER TABLE KEPT ADD COLUMN IF NOT EXISTS A VARCHAR(5)",
        _type_kept,
    ),
    (
        "cast_rounds_decimals",
        "a cast to a smaller scale rounds and does not fail",
        (),
        "SELECT IFF(1.26::NUMBER(10,1) = 1.3, 1, 0) AS N",
        _one,
    ),
    (
        "update_counts_rows",
        "an UPDATE returns how many rows it changed, 0 where none fits",
        ("CREATE TABLE COUNTED (A NUMBER(38,0))", "INSERT INTO COUNTED SELECT 1"),
        "UPDATE COUNTED SET A = 2 WHERE A = 1",
        _counts,
    ),
    (
        "ddl_commits",
        "a DDL commits the transaction that is open",
        (
            "CREATE TABLE UNDONE (A NUMBER(38,0))",
            "CREATE TABLE OTHER (A NUMBER(38,0))",
            "BEGIN",
            "INSERT INTO UNDONE SELECT 1",
        ),
        "ALTER TABLE OTHER ADD COLUMN B NUMBER(38,0)",
        _rolled_back,
    ),
    (
        "varchar_128_mb",
        "VARCHAR(134217728) is a type",
        (),
        "CREATE TABLE WIDE (A VARCHAR(134217728))",
        _runs,
    ),
)
