"""What a SHOW asks for: where to look, which names, how many rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Database, Located, Schema, Table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import Row, fields, like
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import SHOW, Result

MOST_ROWS = 10_000


@dataclass(slots=True)
class Asked:
    """Where to look, and for what names."""

    database: Database | None = None
    schema: Schema | None = None
    table: Located[Table] | None = None
    like: str | None = None
    starts: str | None = None
    limit: int = MOST_ROWS
    after: str | None = None
    terse: bool = False

    def fits(self, name: str) -> bool:
        if self.like is not None and not like(self.like, name):
            return False
        if self.starts is not None and not name.startswith(self.starts):
            return False
        return self.after is None or name > self.after


def read_asked(ex: Execution, reader: Reader, *, table: bool = False, default: str = "schema") -> Asked:
    """[HISTORY] [LIKE 'p'] [IN …] [STARTS WITH 's'] [LIMIT n [FROM 's']]"""
    out = Asked()
    reader.accept("HISTORY")
    if reader.accept("LIKE"):
        out.like = reader.string()
    if reader.accept("IN"):
        _place(ex, reader, out, table=table)
    elif default == "schema" and ex.session.database is not None:
        out.database = ex.catalog.databases.get(ex.session.database)
        if out.database is not None and ex.session.schema is not None:
            out.schema = out.database.schemas.get(ex.session.schema)
    elif default == "database" and ex.session.database is not None:
        out.database = ex.catalog.databases.get(ex.session.database)
    if reader.accept("LIKE"):
        out.like = reader.string()
    if reader.accept("STARTS", "WITH"):
        out.starts = reader.string()
    if reader.accept("LIMIT"):
        out.limit = min(MOST_ROWS, reader.integer())
        if reader.accept("FROM"):
            out.after = reader.string()
    reader.end()
    return out


def _place(ex: Execution, reader: Reader, out: Asked, *, table: bool) -> None:
    if reader.accept("ACCOUNT"):
        return
    if reader.accept("DATABASE"):
        name = reader.name() if not reader.done and not reader.is_word("LIKE") else QName((ex.session.database or "",))
        out.database = _database(ex, name.name)
        return
    try:
        if reader.accept("SCHEMA"):
            name_ = (
                reader.name()
                if not reader.done and not reader.is_word("LIKE") and not reader.is_word("LIMIT")
                else None
            )
            out.database, out.schema = ex.schema(name_)
            return
        if table and (reader.accept("TABLE") or not reader.is_word("VIEW")):
            out.table = ex.find("TABLE", reader.name())
            return
        out.database, out.schema = ex.schema(reader.name())
    except errors.SnowflakeError as error:
        if error.errno == 2003:
            raise errors.operation_impossible() if table is False else error from None
        raise


def _database(ex: Execution, name: str) -> Database:
    found = ex.catalog.databases.get(name)
    if found is None or not ex.grants.enters(ex.role, found, None):
        raise errors.operation_impossible()
    return found


def cut(text: str, rows: Iterable[Row], asked: Asked) -> Result:
    out: list[Row] = []
    for row in rows:
        if len(out) >= min(asked.limit, MOST_ROWS):
            break
        out.append(row)
    return Result(fields(text), out, type_id=SHOW)


def flag(value: bool) -> str:
    return "true" if value else "false"
