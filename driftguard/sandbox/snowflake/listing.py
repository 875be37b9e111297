"""Which objects a session can list, and the small things that SHOW, DESCRIBE and INFORMATION_SCHEMA share."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from driftguard.sandbox.snowflake.catalog import Column, Database, Located, Schema, Table, Task
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import dotted, show, snowflake_literal
from driftguard.sandbox.snowflake.results import Field
from driftguard.sandbox.snowflake.types import BOOLEAN, LTZ, NUMBER, TEXT, SfType

Row = tuple[object, ...]
_SHAPES = {"#": NUMBER, "@": LTZ, "?": BOOLEAN}
VIEWS = (
    "COLUMNS",
    "COPY_HISTORY",
    "DATABASES",
    "FILE_FORMATS",
    "LOAD_HISTORY",
    "PIPES",
    "PROCEDURES",
    "QUERY_HISTORY",
    "SCHEMATA",
    "STAGES",
    "TABLES",
    "TABLE_CONSTRAINTS",
    "VIEWS",
)


def fields(text: str) -> list[Field]:
    """`name name# name@ name?`: text, number, instant, boolean."""
    out: list[Field] = []
    for word in text.split():
        kind = TEXT if word == "null??" else _SHAPES.get(word[-1], TEXT)
        out.append(Field("null?" if word == "null??" else word.rstrip("#@?"), kind))
    return out


def visible(
    ex: Execution, kind: str, database: Database | None = None, schema: Schema | None = None
) -> Iterator[Located[Any]]:
    """Objects of a kind that the role may see, in order of name."""
    found = [
        one
        for one in ex.catalog.everything(kind)
        if (database is None or one.database is database) and (schema is None or one.schema is schema)
    ]
    found.sort(key=lambda one: (one.database.name, one.schema.name, one.thing.name))
    for one in found:
        if ex.grants.visible(ex.role, one):
            yield one


def schemas(ex: Execution, database: Database | None = None) -> Iterator[tuple[Database, Schema]]:
    for one, schema in sorted(ex.catalog.schemas(), key=lambda pair: (pair[0].name, pair[1].name)):
        if (database is None or one is database) and ex.grants.enters(ex.role, one, schema):
            yield one, schema


def like(pattern: str, value: str) -> bool:
    """SHOW … LIKE: `%` and `_`, case ignored."""
    parts = {"%": ".*", "_": "."}
    text = "".join(parts.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(text, value, re.IGNORECASE | re.DOTALL) is not None


def data_type(column: Column) -> str:
    return _data_type(column.type, column.nullable)


@functools.lru_cache(maxsize=1024)
def _data_type(kind: SfType, nullable: bool) -> str:
    return json.dumps(kind.json(nullable), separators=(",", ":"))


def rows_of(ex: Execution, tables: Iterable[Table]) -> dict[int, int]:
    """How many rows each table has, by its id; many tables in one query of DuckDB.

    What was counted is kept until the table's rows change. A transaction of one's own has rows that others do not see.
    """
    versions = {table.id: (table.version, table.physical) for table in tables}
    kept = ex.engine.counted if ex.session.transaction is None else {}
    missing = [number for number, (version, _) in versions.items() if kept.get(number, (-1, 0))[0] != version]
    counts = [f"SELECT {number}, count(*) FROM {versions[number][1]}" for number in missing]
    for at in range(0, len(counts), 100):
        for number, rows in ex.run(" UNION ALL ".join(counts[at : at + 100])):
            kept[int(number)] = (versions[int(number)][0], int(rows))
    return {number: kept[number][1] for number in versions}


def predecessors(ex: Execution, task: Task) -> list[str]:
    out = []
    for one in task.predecessors:
        found = ex.catalog.by_id("TASK", one)
        if found is not None:
            out.append(found.full_name)
    return out


def type_sql(kind: SfType) -> str:
    return kind.sql


def table_ddl(found: Located[Table], full: bool) -> str:
    """GET_DDL('TABLE', …), laid out as Snowflake lays it out (unsourced in detail)."""
    table = found.thing
    name = found.full_name if full else show(table.name)
    lines = []
    for column in table.columns:
        text = f"\t{show(column.name)} {column.type.sql}"
        text += " NOT NULL" if not column.nullable else ""
        text += f" DEFAULT {column.default}" if column.default is not None else ""
        text += " autoincrement" if column.autoincrement else ""
        text += f" COMMENT {snowflake_literal(column.comment)}" if column.comment else ""
        lines.append(text)
    for key in table.constraints:
        columns = ", ".join(show(one) for one in key.columns)
        kind = {"PRIMARY KEY": "primary key", "UNIQUE": "unique", "FOREIGN KEY": "foreign key"}[key.kind]
        given = "" if key.name.startswith("SYS_CONSTRAINT_") else f"constraint {show(key.name)} "
        tail = f" references {key.references}" if key.references is not None else ""
        lines.append(f"\t{given}{kind} ({columns}){tail}")
    comment = f"COMMENT={snowflake_literal(table.comment)}" if table.comment else ""
    transient = "TRANSIENT " if table.transient else ""
    return f"create or replace {transient}TABLE {name} (\n" + ",\n".join(lines) + f"\n){comment};"


def ddl(ex: Execution, kind: str, name: Any, full: bool) -> str:
    """GET_DDL for a table, view, pipe, task, procedure or file format."""
    from driftguard.sandbox.snowflake import procedures

    found: Located[Any] = ex.find(kind, name)
    thing = found.thing
    shown = found.full_name if full else show(thing.name)
    comment = f" COMMENT={snowflake_literal(thing.comment)}" if thing.comment else ""
    match kind:
        case "TABLE":
            return table_ddl(found, full)
        case "VIEW":
            return f"create or replace view {shown} as {thing.query};"
        case "PIPE":
            return (
                f"create or replace pipe {shown} auto_ingest={str(thing.auto_ingest).lower()}{comment} as "
                f"{thing.definition};"
            )
        case "TASK":
            text = f"create or replace task {shown}\n"
            text += f"\twarehouse={show(thing.warehouse)}\n" if thing.warehouse else ""
            text += f"\tschedule='{thing.schedule}'\n" if thing.schedule else ""
            text += f"\tCOMMENT={snowflake_literal(thing.comment)}\n" if thing.comment else ""
            before = predecessors(ex, thing)
            text += f"\tafter {', '.join(before)}\n" if before else ""
            text += f"\twhen {thing.condition}\n" if thing.condition else ""
            return f"{text}\tas {thing.definition};"
        case "PROCEDURE":
            return procedures.ddl(ex, found, shown)
        case "FILE FORMAT":
            options = "\n".join(f"\t{key} = {_option(value)}" for key, value in thing.options.items())
            return f"CREATE OR REPLACE FILE FORMAT {shown}\n\tTYPE = {thing.type}\n{options}\n{comment};"
        case _:
            raise AssertionError(kind)


def _option(value: object) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(snowflake_literal(str(one)) for one in value) + ")"
    return str(value).upper() if isinstance(value, bool) else str(value)


def named(database: str, schema: str, name: str) -> str:
    return dotted(database, schema, name)
