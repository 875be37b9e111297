"""Is FINAL the same as Aurora, value by value?

Read with psycopg on one side and the Snowflake connector on the other. Nothing of driftguard's type maps, emission or
merge is used: whatever they got wrong shows up here as a difference.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import snowflake.connector.errors
from psycopg import sql

from driftguard.sql.snowflake import quote


@dataclass(slots=True)
class Comparison:
    """Cells compared, by PostgreSQL type, and what differs."""

    tables: int = 0
    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    missing_columns: dict[str, int] = field(default_factory=dict)  # schema.table.column → values that Aurora has
    missing_rows: int = 0
    extra_rows: int = 0
    different_columns: Counter[str] = field(default_factory=Counter)  # schema.table.column → cells that differ

    @property
    def equal(self) -> bool:
        return not (self.differences or self.missing_columns or self.missing_rows or self.extra_rows)

    @property
    def different_cells(self) -> int:
        return self.different_columns.total()

    @property
    def lost_values(self) -> int:
        """Values that Aurora has and FINAL does not: whole columns, rows, and single cells."""
        return sum(self.missing_columns.values()) + self.different_cells


def compare_table(
    aurora: psycopg.Connection[Any],
    target_connection: Any,
    schema: str,
    table: str,
    final: tuple[str, str, str],
    into: Comparison,
) -> None:
    """Compare one Aurora table with one FINAL table (database, schema, name); adds to `into`."""
    label = f"{schema}.{table}"
    columns, types, key = _describe(aurora, schema, table)
    # Types whose text PostgreSQL defines are compared as its text; a cast to text is not that for all (inet gains /32).
    text = sql.SQL("CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END")
    selected = [text.format(sql.Identifier(c)) if _as_text(types[c]) else sql.Identifier(c) for c in columns]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(selected), sql.Identifier(schema, table))
    source = aurora.execute(query).fetchall()
    name = ".".join(map(quote, final))
    with target_connection.cursor() as cursor:
        cursor.execute("ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'")
        try:
            cursor.execute(f"SELECT * FROM {name}")
        except snowflake.connector.errors.ProgrammingError:
            into.differences.append(f"{label}: FINAL has no such table")
            into.missing_rows += len(source)
            return
        found_columns = {d[0].upper(): index for index, d in enumerate(cursor.description)}
        target = cursor.fetchall()
    into.tables += 1
    present = [c for c in columns if c.upper() in found_columns]
    for column in columns:
        if column not in present:
            index = columns.index(column)
            into.missing_columns[f"{label}.{column}"] = sum(row[index] is not None for row in source)
    if any(k not in present for k in key):
        into.differences.append(f"{label}: FINAL lacks a key column")
        return
    left = {tuple(_plain(row[columns.index(k)], types[k]) for k in key): row for row in source}
    right = {tuple(_plain(row[found_columns[k.upper()]], types[k]) for k in key): row for row in target}
    if len(right) != len(target):
        into.differences.append(f"{label}: {len(target) - len(right)} rows of FINAL share their key with another")
    into.missing_rows += len(left.keys() - right.keys())
    into.extra_rows += len(right.keys() - left.keys())
    for gone in sorted(left.keys() - right.keys(), key=str)[:3]:
        into.differences.append(f"{label}: the row {_show(gone)} is missing in FINAL")
    for extra in sorted(right.keys() - left.keys(), key=str)[:3]:
        into.differences.append(f"{label}: the row {_show(extra)} is in FINAL but not in Aurora")
    for identity in left.keys() & right.keys():
        into.rows += 1
        for column in present:
            expected = _plain(left[identity][columns.index(column)], types[column])
            actual = _plain(right[identity][found_columns[column.upper()]], types[column])
            into.cells[types[column]] += 1
            if expected != actual:
                into.different_columns[f"{label}.{column}"] += 1
                if len(into.differences) < 20:
                    into.differences.append(
                        f"{label}.{column} of {_show(identity)}: {_show(expected)} became {_show(actual)}"
                    )


def _describe(aurora: psycopg.Connection[Any], schema: str, table: str) -> tuple[list[str], dict[str, str], list[str]]:
    rows = aurora.execute(
        "SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), "
        "       array_position(i.indkey::int2[], a.attnum) "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
        "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (schema, table),
    ).fetchall()
    key = [name for name, _, position in sorted(rows, key=lambda r: (r[2] is None, r[2] or 0)) if position is not None]
    return [r[0] for r in rows], {r[0]: r[1] for r in rows}, key


def _show(value: Any) -> str:
    """A value for a person."""
    if isinstance(value, tuple):
        return ", ".join(map(_show, value))
    if value is None:
        return "NULL"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


_NATIVE = {
    "boolean", "smallint", "integer", "bigint", "numeric", "real", "double precision", "text", "character varying",
    "character", "date", "timestamp without time zone", "timestamp with time zone", "bytea", "uuid",
    "time without time zone",
}  # fmt: skip


def _as_text(type_name: str) -> bool:
    return type_name not in _NATIVE


def _document(value: Any) -> str:
    """A JSON document as text: keys in order, and 1.50 is 1.5, which it is for everyone who reads JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_document(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_document, value))}]"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else json.dumps(value)


def _plain(value: Any, type_name: str) -> Any:
    """A value as both drivers can be made to agree on it, by the PostgreSQL type."""
    if value is None:
        return None
    if type_name in ("json", "jsonb"):
        return _document(json.loads(value, parse_int=Decimal, parse_float=Decimal))
    if type_name == "character":
        return str(value).rstrip(" ")  # PostgreSQL does not count them
    if type_name == "real":
        return f"{float(value):.6g}"  # 32 bits on one side, 64 on the other
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal | int):
        return Decimal(value).normalize()
    if isinstance(value, float):
        return value
    if isinstance(value, datetime):
        if type_name == "timestamp with time zone":
            # a value without a zone is a difference, never "probably UTC"
            return value.astimezone(UTC) if value.tzinfo else ("no zone", value)
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date | time):
        return value
    return str(value)
