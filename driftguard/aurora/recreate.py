"""A catalog as DDL that makes the same empty tables on another PostgreSQL.

Column numbers come out as they were: a dropped column leaves a gap in `attnum`, so a placeholder is made and dropped
in its place. Partitions and children are made as tables of their own and attached afterwards, because their columns
may be numbered otherwise than their parent's.

What a catalog does not hold cannot come back: foreign keys, checks, plain indexes, views, functions, triggers, and
the constant that rows older than a column show (an empty table has no such rows).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from driftguard.aurora.connect import one_line
from driftguard.errors import MigrationError, UsageError
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table
from driftguard.model.identifiers import TableName
from driftguard.sql.postgres import literal, parse_name, qualified, quote

# Which extension a type comes from, for the extensions that bring types for columns.
EXTENSIONS = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "lquery": "ltree",
    "ltxtquery": "ltree",
    "cube": "cube",
    "seg": "seg",
    "vector": "vector",
    "halfvec": "vector",
    "sparsevec": "vector",
    "geometry": "postgis",
    "geography": "postgis",
    "box2d": "postgis",
    "box3d": "postgis",
    "raster": "postgis_raster",
}
_BATCH = 100  # statements a transaction: each table takes a lock, and the server has room for some thousands
_STORAGE = {"e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN", "p": "PLAIN"}
_MAIN = {"numeric", "inet", "cidr"}
_NEXTVAL = re.compile(r"nextval\('(?P<name>(?:[^']|'')+)'::regclass\)")


@dataclass(frozen=True, slots=True)
class Ddl:
    """One statement. Where it fails, `instead` runs if there is one; `note` then says what is missing.

    Without `optional` a failure is an error. Without `sql` there is nothing to run, and the note always holds.
    """

    sql: str
    optional: bool = False
    instead: str = ""
    note: str = ""


def recreate(catalog: Catalog) -> list[Ddl]:
    """The statements, in the order to run them, in a session whose search_path is pg_catalog."""
    tables = catalog.tables
    return [
        *_schemas(tables),
        *_types(tables),
        *_sequences(tables),
        *(step for table in tables for step in _table(table, catalog)),
        *(step for table in tables for step in _keys(table)),
        *(step for table in tables for step in _attachment(table, catalog)),
        *(step for table in tables for step in _comments(table)),
    ]


def run(conn: psycopg.Connection[Any], catalog: Catalog) -> list[str]:
    """Runs the statements of `recreate` on a connection in autocommit mode; what came out otherwise than it was.

    Raises MigrationError when a table, a key or a type cannot be made.
    """
    notes: list[str] = []
    conn.execute("SET search_path = pg_catalog")
    steps = recreate(catalog)
    for start in range(0, len(steps), _BATCH):
        batch = steps[start : start + _BATCH]
        notes += [step.note for step in batch if not step.sql]
        script = ";\n".join(step.sql for step in batch if step.sql)
        try:
            conn.execute(script.encode())  # several statements at once are one transaction
        except psycopg.Error:
            notes += [note for step in batch if step.sql and (note := _run_one(conn, step))]
    return notes


def _run_one(conn: psycopg.Connection[Any], step: Ddl) -> str:
    """Runs one step of a batch that failed; the note if it came out otherwise."""
    try:
        conn.execute(step.sql.encode())
        return ""
    except psycopg.Error as error:
        if not step.optional:
            raise _impossible(error) from None
    if step.instead:
        try:
            conn.execute(step.instead.encode())
        except psycopg.Error as error:
            raise _impossible(error) from None
    return step.note


def _impossible(error: psycopg.Error) -> MigrationError:
    hint = ""
    if error.sqlstate in ("42704", "0A000", "58P01"):  # undefined object, extension not available
        hint = "use --shadow-url with a server that has the same extensions"
    return MigrationError(f"the base cannot be made on the shadow database: {one_line(error)}", hint=hint)


def _column_types(tables: Iterable[Table]) -> dict[tuple[str, str], PgType]:
    """One type for each name that is not built in."""
    return {(c.type.schema, c.type.name): c.type for t in tables for c in t.columns if c.type.schema != "pg_catalog"}


def _schemas(tables: Iterable[Table]) -> Iterator[Ddl]:
    names = {t.schema for t in tables} | {schema for schema, _ in _column_types(tables)}
    names |= {name[0] for name in _sequence_names(tables).values()}
    for pg_type in _column_types(tables).values():
        if pg_type.kind == "d" and (base := _name_in(pg_type.base_text)):
            names.add(base[0])
    for name in sorted(names - {"pg_catalog"}):
        yield Ddl(f"CREATE SCHEMA IF NOT EXISTS {quote(name)}")


def _name_in(text: str) -> tuple[str, str] | None:
    """(schema, name) of a type as format_type prints it; None for a built-in one."""
    try:
        parts = parse_name(re.sub(r"(\(.*\))?(\[\])*$", "", text))
    except UsageError:
        return None  # such as "character varying"
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _types(tables: Iterable[Table]) -> Iterator[Ddl]:
    """Extensions, then enums and stand-ins for composite and range types, then domains, which may be over any."""
    extensions: dict[str, str] = {}
    plain: dict[tuple[str, str], Ddl] = {}
    domains: list[Ddl] = []
    for (schema, name), pg_type in sorted(_column_types(tables).items()):
        end = _name_in(pg_type.base_text) if pg_type.kind == "d" else (schema, pg_type.element or name)
        if pg_type.kind == "d":
            domains.append(Ddl(f"CREATE DOMAIN {quote(schema)}.{quote(name)} AS {pg_type.base_text}"))
        if end is None:
            continue
        if end[1] in EXTENSIONS:
            extensions.setdefault(EXTENSIONS[end[1]], end[0])
        elif pg_type.enum_labels:
            labels = ", ".join(map(literal, pg_type.enum_labels))
            plain[end] = Ddl(f"CREATE TYPE {quote(end[0])}.{quote(end[1])} AS ENUM ({labels})")
        elif pg_type.kind == "r":
            plain[end] = Ddl(f"CREATE TYPE {quote(end[0])}.{quote(end[1])} AS RANGE (subtype = text)")
        elif pg_type.kind == "c" or (pg_type.is_array and (end not in plain and end not in _column_types(tables))):
            plain[end] = Ddl(f"CREATE TYPE {quote(end[0])}.{quote(end[1])} AS ()")
    for extension, schema in sorted(extensions.items()):
        yield Ddl(f"CREATE EXTENSION IF NOT EXISTS {quote(extension)} SCHEMA {quote(schema)} CASCADE")
    for key in sorted(plain):
        yield plain[key]
    yield from domains


def _sequence_names(tables: Iterable[Table]) -> dict[tuple[TableName, str], tuple[str, str]]:
    """The sequence behind each column whose default is a plain nextval."""
    found: dict[tuple[TableName, str], tuple[str, str]] = {}
    for table in tables:
        for column in table.columns:
            match = _NEXTVAL.fullmatch(column.default or "")
            name = _name_in(match["name"].replace("''", "'")) if match else None
            if name:
                found[table.id, column.name] = name
    return found


def _sequences(tables: Iterable[Table]) -> Iterator[Ddl]:
    for schema, name in sorted(set(_sequence_names(tables).values())):
        yield Ddl(f"CREATE SEQUENCE IF NOT EXISTS {quote(schema)}.{quote(name)}")


def _table(table: Table, catalog: Catalog) -> Iterator[Ddl]:
    name = qualified(table.id)
    gaps = _gaps(table)
    parent = catalog.table(table.partition_of) if table.partition_of else None
    full = _create(table, gaps, parent, generated=True, partitioned=True)
    bare = _create(table, gaps, parent, generated=False, partitioned=False)
    note = f"{table.id}: made without its generated columns and its partitioning" if bare != full else ""
    yield Ddl(full, optional=bool(note), instead=bare, note=note)
    if table.kind == "p" and not table.partition_key:
        yield Ddl("", note=f"{table.id}: made as a plain table, its partition key is not known")
    if gaps:
        yield Ddl(f"ALTER TABLE {name} " + ", ".join(f"DROP COLUMN {quote(gap)}" for gap in gaps.values()))
    sequences = _sequence_names((table,))
    for column in table.columns:
        place = f"ALTER TABLE {name} ALTER COLUMN {quote(column.name)}"
        if column.default is not None and not column.generated:
            yield Ddl(
                f"{place} SET DEFAULT {column.default}",
                optional=True,
                note=f"{table.id}.{column.name}: without its default {column.default}",
            )
        sequence = sequences.get((table.id, column.name))
        if sequence and sequence[0] == table.schema:
            owned = f"ALTER SEQUENCE {quote(sequence[0])}.{quote(sequence[1])} OWNED BY {name}.{quote(column.name)}"
            yield Ddl(owned, optional=True)
        if column.storage != _usual_storage(column) and column.storage in _STORAGE:
            yield Ddl(f"{place} SET STORAGE {_STORAGE[column.storage]}", optional=True)


def _usual_storage(column: Column) -> str:
    """What storage a column of this type has unless told otherwise; good enough to leave most statements out."""
    if column.storage == "p":
        return "p"  # nearly always a type of fixed length, which can have no other
    return "m" if column.type.resolved in _MAIN else "x"


def _gaps(table: Table) -> dict[int, str]:
    """Placeholder names for the numbers that no column has."""
    taken = {c.name for c in table.columns}
    used = {c.attnum for c in table.columns}
    found: dict[int, str] = {}
    for number in range(1, max(used, default=0)):
        if number not in used:
            name = f"dropped_{number}"
            while name in taken:
                name += "_"
            found[number] = name
    return found


def _create(table: Table, gaps: dict[int, str], parent: Table | None, *, generated: bool, partitioned: bool) -> str:
    lines = {number: f"{quote(name)} int" for number, name in gaps.items()}
    for column in table.columns:
        above = parent.column(column.name) if parent else None
        lines[column.attnum] = _column(column, generated=generated, identity=not (above and above.identity))
    body = ", ".join(lines[number] for number in sorted(lines))
    kind = "UNLOGGED TABLE" if table.persistence == "u" and table.kind == "r" else "TABLE"
    by = f" PARTITION BY {table.partition_key}" if partitioned and table.partition_key else ""
    return f"CREATE {kind} {qualified(table.id)} ({body}){by}"


def _column(column: Column, *, generated: bool, identity: bool) -> str:
    """A partition takes its identity from its parent: since PostgreSQL 17 one of its own cannot be attached."""
    text = f"{quote(column.name)} {column.type.text}"
    if generated and column.generated and column.default is not None:
        text += f" GENERATED ALWAYS AS ({column.default}) {'VIRTUAL' if column.generated == 'v' else 'STORED'}"
    if identity and column.identity:
        text += f" GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'} AS IDENTITY"
    return text if column.nullable else f"{text} NOT NULL"


def _keys(table: Table) -> Iterator[Ddl]:
    name = qualified(table.id)
    if table.primary_key:
        yield Ddl(f"ALTER TABLE {name} ADD {_constraint(table.primary_key, 'PRIMARY KEY')}")
    for key in table.unique_keys:
        if key.constraint:
            yield Ddl(f"ALTER TABLE {name} ADD {_constraint(key, 'UNIQUE')}")
        else:
            columns = ", ".join(map(quote, key.columns))
            yield Ddl(f"CREATE UNIQUE INDEX {quote(key.name)} ON {name} ({columns})")
    match table.replica_identity:
        case "f":
            yield Ddl(f"ALTER TABLE {name} REPLICA IDENTITY FULL")
        case "n":
            yield Ddl(f"ALTER TABLE {name} REPLICA IDENTITY NOTHING")
        case "i" if table.replica_index:
            yield Ddl(
                f"ALTER TABLE {name} REPLICA IDENTITY USING INDEX {quote(table.replica_index)}",
                optional=True,
                note=f"{table.id}: without its replica identity",
            )


def _constraint(key: Key, kind: str) -> str:
    columns = ", ".join(map(quote, key.columns))
    return f"CONSTRAINT {quote(key.name)} {kind} ({columns}){' DEFERRABLE' if key.deferrable else ''}"


def _attachment(table: Table, catalog: Catalog) -> Iterator[Ddl]:
    name = qualified(table.id)
    if table.partition_of:
        note = f"{table.id}: a table of its own here, not a partition of {table.partition_of}"
        if table.partition_bound and catalog.table(table.partition_of):
            attach = f"ALTER TABLE {qualified(table.partition_of)} ATTACH PARTITION {name} {table.partition_bound}"
            yield Ddl(attach, optional=True, note=note)
        else:
            yield Ddl("", note=note)
    for parent in table.inherits:
        note = f"{table.id}: does not inherit from {parent} here"
        yield Ddl(f"ALTER TABLE {name} INHERIT {qualified(parent)}", optional=True, note=note)


def _comments(table: Table) -> Iterator[Ddl]:
    if table.comment is not None:
        yield Ddl(f"COMMENT ON TABLE {qualified(table.id)} IS {literal(table.comment)}")
    for column in table.columns:
        if column.comment is not None:
            target = f"{qualified(table.id)}.{quote(column.name)}"
            yield Ddl(f"COMMENT ON COLUMN {target} IS {literal(column.comment)}")
