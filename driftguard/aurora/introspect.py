"""Reads a database's tables, columns, types and keys with one query on pg_catalog.

The facts come from "System Catalogs" in the PostgreSQL manual (pg_class, pg_attribute, pg_type, pg_index, pg_inherits,
pg_depend). pg_catalog can be read without any grant, so a table is listed even where the role may not read it; that
the role may not is told in `Catalog.unseen`, because DMS, reading as that role, would not see it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from driftguard.aurora.connect import one_line
from driftguard.errors import UnreachableError
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table, Unseen, new_column
from driftguard.model.collecting import without_gc
from driftguard.model.identifiers import TableName

_Row = tuple[Any, ...]
_CHUNK = 2000
OLDEST = 110000  # pg_attribute.attmissingval, pg_index.indnkeyatts and starts_with() came with PostgreSQL 11

# Expressions are printed with names qualified unless they are in pg_catalog, and values in one fixed form.
_SETTINGS = """
SELECT set_config('search_path', 'pg_catalog', true), set_config('DateStyle', 'ISO, YMD', true),
       set_config('IntervalStyle', 'postgres', true), set_config('TimeZone', 'UTC', true),
       set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)
"""

# One row a column (tag c), a type in use (y), a table (r) and an index (k), and one for the database (d).
# Only the many column rows have cells of their own; the others carry a JSON array.
_QUERY = """
WITH RECURSIVE rel AS (
  SELECT c.oid, c.relname, c.relnamespace, n.nspname, c.relkind, c.relpersistence, c.relreplident, c.relispartition,
         c.relpartbound
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
     AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
     AND NOT starts_with(c.relname, 'awsdms_')
     AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
     AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid
                                               AND x.refclassid = 'pg_extension'::regclass AND x.deptype = 'e')
), used AS (
  SELECT DISTINCT a.atttypid, a.atttypmod
    FROM pg_attribute a JOIN rel ON rel.oid = a.attrelid
   WHERE a.attnum > 0 AND NOT a.attisdropped
), chain (typid, typmod, endid, endmod, strict, fallback) AS (
  SELECT atttypid, atttypmod, atttypid, atttypmod, false, NULL::text COLLATE "C" FROM used
   UNION ALL
  SELECT c.typid, c.typmod, t.typbasetype, t.typtypmod, c.strict OR t.typnotnull,
         coalesce(c.fallback, pg_get_expr(t.typdefaultbin, 0)) COLLATE "C"
    FROM chain c JOIN pg_type t ON t.oid = c.endid
   WHERE t.typtype = 'd'
)
SELECT 'd', 0::int8, 0::int4, 0::int8, 0::int4, json_build_array(
         current_database(), (SELECT oid::int8 FROM pg_database WHERE datname = current_database()),
         current_setting('server_version'), to_char(statement_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
         current_user, has_function_privilege('pg_control_system()', 'EXECUTE'),
         ARRAY (SELECT s FROM unnest(%(schemas)s::text[]) s
                 WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = s)))::text, '', NULL, NULL, NULL
 UNION ALL
SELECT 'y', c.typid::int8, 0, 0, c.typmod, json_build_array(
         t.typname, n.nspname, format_type(c.typid, c.typmod), t.typtype,
         CASE WHEN t.typtype = 'd' THEN e.typname END,
         CASE WHEN t.typtype = 'd' THEN format_type(c.endid, c.endmod) END,
         c.endmod, i.typname,
         ARRAY (SELECT l.enumlabel FROM pg_enum l WHERE l.enumtypid IN (e.oid, i.oid) ORDER BY l.enumsortorder),
         c.strict, c.fallback)::text, '', NULL, NULL, NULL
  FROM chain c
  JOIN pg_type t ON t.oid = c.typid
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_type e ON e.oid = c.endid AND e.typtype <> 'd'
  LEFT JOIN pg_type i ON i.oid = e.typelem AND i.typarray = e.oid
 UNION ALL
SELECT 'r', r.oid::int8, 0, 0, 0, json_build_array(
         r.nspname, r.relname, r.relkind, r.relpersistence, r.relreplident, r.relispartition,
         CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END,
         CASE WHEN r.relispartition THEN pg_get_expr(r.relpartbound, r.oid) END,
         (SELECT json_agg(json_build_array(pn.nspname, p.relname) ORDER BY h.inhseqno)
            FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
           WHERE h.inhrelid = r.oid),
         has_schema_privilege(r.relnamespace, 'USAGE'), has_table_privilege(r.oid, 'SELECT'),
         has_any_column_privilege(r.oid, 'SELECT'))::text, '', NULL, NULL, d.description
  FROM rel r
  LEFT JOIN pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
 UNION ALL
SELECT 'k', x.indrelid::int8, 0, 0, 0, json_build_array(
         i.relname, x.indisprimary, x.indisreplident, NOT x.indimmediate,
         (x.indkey::int2[])[0:x.indnkeyatts - 1],
         x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL, n.oid IS NOT NULL)::text, '', NULL, NULL, NULL
  FROM pg_index x JOIN rel ON rel.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
  LEFT JOIN pg_constraint n ON n.conrelid = x.indrelid AND n.conindid = x.indexrelid AND n.contype IN ('p', 'u')
 WHERE x.indisunique AND x.indislive
 UNION ALL
SELECT 'c', a.attrelid::int8, a.attnum::int4, a.atttypid::int8, a.atttypmod, a.attname::text,
       a.attnotnull::text || ',' || a.attstorage::text || ',' || a.attidentity::text || ',' || {generated},
       CASE WHEN a.atthasdef THEN pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
       c.description
  FROM pg_attribute a
  JOIN rel ON rel.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef
  LEFT JOIN pg_description c ON c.objoid = a.attrelid AND c.classoid = 'pg_class'::regclass AND c.objsubid = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
"""


def introspect(conn: psycopg.Connection[Any], *, schemas: Sequence[str] | None = None) -> Catalog:
    """The tables of the database that `conn` is connected to, sorted by schema and name.

    With `schemas` only those; one that does not exist is told in `unseen`. Left out are system schemas, temporary
    tables, tables that belong to an extension, and the tables that DMS makes for itself (`awsdms_*`).
    The connection's settings and transaction state are as before when it returns.
    Raises UnreachableError when the server refuses or is older than PostgreSQL 11.
    """
    if conn.info.server_version < OLDEST:
        raise UnreachableError(f"PostgreSQL {conn.info.server_version // 10000} is too old: 11 is the oldest supported")
    with without_gc():
        try:
            # Rolled back, so that the settings go back even where the caller has a transaction open.
            with conn.transaction(force_rollback=True):
                conn.execute(_SETTINGS)
                with conn.cursor(row_factory=tuple_row) as cursor:
                    head, raw = _collect(_stream(cursor, schemas))
            identifier = _system_identifier(conn) if head[5] else ""
        except psycopg.Error as error:
            raise UnreachableError(f"the catalog of {conn.info.dbname} cannot be read: {one_line(error)}") from error
        return _catalog(head, raw, identifier)


def read_rows(conn: psycopg.Connection[Any], schemas: Sequence[str] | None = None) -> list[_Row]:
    """The rows of the one query, as the server returns them. Benchmarks measure `introspect` against it."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(*_query(conn, schemas)).fetchall()


def _stream(cursor: psycopg.Cursor[_Row], schemas: Sequence[str] | None) -> Iterable[_Row]:
    """The same rows while the server still makes them, so that building overlaps with the query (libpq 17)."""
    if psycopg.capabilities.has_stream_chunked():
        return cursor.stream(*_query(cursor.connection, schemas), size=_CHUNK)
    return cursor.execute(*_query(cursor.connection, schemas)).fetchall()


def _query(conn: psycopg.Connection[Any], schemas: Sequence[str] | None) -> tuple[bytes, dict[str, list[str] | None]]:
    generated = "a.attgenerated::text" if conn.info.server_version >= 120000 else "''"
    return _QUERY.replace("{generated}", generated).encode(), {"schemas": None if schemas is None else list(schemas)}


def _system_identifier(conn: psycopg.Connection[Any]) -> str:
    """Who the cluster is, "" where the server does not say. Apart, because a refusal would end the one query."""
    try:
        with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
            row = cursor.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
            return str(row[0]) if row else ""
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported, psycopg.errors.InternalError_):
        return ""


@dataclass(slots=True)
class _Raw:
    """A table while its rows come in, in any order."""

    cells: list[Any] = field(default_factory=list)
    comment: str | None = None
    columns: list[Column] = field(default_factory=list)
    indexes: list[list[Any]] = field(default_factory=list)


def _collect(rows: Iterable[_Row]) -> tuple[list[Any], dict[int, _Raw]]:
    """The row of the database, and the tables by oid. SQL promises no order; what comes too early waits."""
    head: list[Any] = []
    raw: defaultdict[int, _Raw] = defaultdict(_Raw)
    types: dict[tuple[int, int], tuple[PgType, bool, str | None]] = {}  # with a domain's NOT NULL and default
    flags: dict[str, tuple[bool, str, str, str]] = {}
    last, add = 0, list[Column]().append
    waiting: list[_Row] = []
    complete = False
    for row in chain(rows, [None], waiting):  # None: all are there; only now is `waiting` read
        if row is None:
            complete = True
            continue
        tag, oid, attnum, typid, typmod, text, flag, default, missing, comment = row
        if tag == "c":
            if not complete and (typid, typmod) not in types:
                waiting.append(row)
                continue
            pg_type, strict, fallback = types[typid, typmod]
            known = flags.get(flag)
            if known is None:
                not_null, storage, identity, generated = flag.split(",")
                known = flags[flag] = (not_null != "true", identity, generated, storage)
            nullable, identity, generated, storage = known
            if strict:
                nullable = False
            if default is None:
                default = fallback
            if oid != last:
                last, add = oid, raw[oid].columns.append
            add(new_column(text, attnum, pg_type, nullable, default, missing, identity, generated, storage, comment))
        elif tag == "k":
            raw[oid].indexes.append(json.loads(text))
        elif tag == "r":
            raw[oid].cells, raw[oid].comment = json.loads(text), comment
        elif tag == "y":
            cells = json.loads(text)
            types[oid, typmod] = _type(cells), cells[9], cells[10]
        else:
            head = json.loads(text)
    return head, raw


def _catalog(head: list[Any], raw: dict[int, _Raw], identifier: str) -> Catalog:
    unseen = [Unseen(f"schema {name}", "there is no such schema in this database") for name in head[6]]
    unseen += _unreadable(raw, role=head[4])
    return Catalog(
        tables=tuple(sorted((_table(oid, table) for oid, table in raw.items()), key=lambda t: (t.schema, t.name))),
        database=head[0],
        database_oid=head[1],
        system_identifier=identifier,
        server_version=head[2],
        captured_at=head[3],
        unseen=tuple(sorted(unseen, key=lambda u: (u.what, u.reason))),
    )


def _type(cells: list[Any]) -> PgType:
    name, schema, text, kind, base, base_text, typmod, element, labels, _, _ = cells
    return PgType(
        name=name,
        text=text,
        kind=kind,
        typmod=typmod,
        base_name=base or "",
        element=element or "",
        enum_labels=tuple(labels),
        schema=schema,
        base_text=base_text or "",
    )


def _table(oid: int, raw: _Raw) -> Table:
    schema, name, kind, persistence, identity, is_partition, part_key, bound, parents, *_ = raw.cells
    columns = sorted(raw.columns, key=lambda c: c.attnum)
    names = {c.attnum: c.name for c in columns}
    primary: Key | None = None
    unique: list[Key] = []
    replica_index = ""
    for index, is_primary, is_identity, deferrable, attnums, plain, constraint in raw.indexes:
        if is_identity:
            replica_index = index
        if not plain:
            continue
        key = Key(index, tuple(names[n] for n in attnums), deferrable, constraint)
        if is_primary:
            primary = key
        else:
            unique.append(key)
    above = tuple(TableName(*parent) for parent in parents or ())
    return Table(
        oid=oid,
        schema=schema,
        name=name,
        columns=tuple(columns),
        kind=kind,
        persistence=persistence,
        primary_key=primary,
        unique_keys=tuple(sorted(unique, key=lambda k: k.name)),
        replica_identity=identity,
        replica_index=replica_index,
        partition_of=above[0] if is_partition and above else None,
        partition_key=part_key or "",
        partition_bound=bound or "",
        inherits=() if is_partition else above,
        comment=raw.comment,
    )


def _unreadable(raw: dict[int, _Raw], *, role: str) -> list[Unseen]:
    found: dict[str, str] = {}
    for table in raw.values():
        usage, select, some = table.cells[9:12]
        schema, name = table.cells[:2]
        if not usage:
            found[f"schema {schema}"] = f"role {role} has no USAGE on it"
        if not select:
            reason = f"role {role} may SELECT only some of its columns" if some else f"role {role} may not SELECT it"
            found[f"table {schema}.{name}"] = reason
    return [Unseen(what, reason) for what, reason in found.items()]
