"""Identifiers: what a name is once the quotes are off, and how it is written again."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")

RESERVED = frozenset(
    [
        "ALL",
        "ALTER",
        "AND",
        "ANY",
        "AS",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CHECK",
        "COLUMN",
        "CONNECT",
        "CONSTRAINT",
        "CREATE",
        "CROSS",
        "CURRENT",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "DELETE",
        "DISTINCT",
        "DROP",
        "ELSE",
        "EXISTS",
        "FALSE",
        "FOLLOWING",
        "FOR",
        "FROM",
        "FULL",
        "GRANT",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INCREMENT",
        "INNER",
        "INSERT",
        "INTERSECT",
        "INTO",
        "IS",
        "JOIN",
        "LATERAL",
        "LEFT",
        "LIKE",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "MINUS",
        "NATURAL",
        "NOT",
        "NULL",
        "OF",
        "ON",
        "OR",
        "ORDER",
        "QUALIFY",
        "REGEXP",
        "REVOKE",
        "RIGHT",
        "RLIKE",
        "ROW",
        "ROWS",
        "SAMPLE",
        "SELECT",
        "SET",
        "SOME",
        "START",
        "TABLE",
        "TABLESAMPLE",
        "THEN",
        "TO",
        "TRIGGER",
        "TRUE",
        "TRY_CAST",
        "UNION",
        "UNIQUE",
        "UPDATE",
        "USING",
        "VALUES",
        "WHEN",
        "WHENEVER",
        "WHERE",
        "WITH",
    ]
)


@dataclass(frozen=True, slots=True)
class QName:
    """A name as written: one, two or three parts, quotes resolved."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.parts[-1]

    def __str__(self) -> str:
        return dotted(*self.parts)


def quote(name: str) -> str:
    """`name` in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a string literal of DuckDB (no backslash escapes there)."""
    return "'" + text.replace("'", "''") + "'"


def snowflake_literal(text: str) -> str:
    """`text` as a string literal of Snowflake."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def show(name: str) -> str:
    """`name` as Snowflake writes it: bare where it may be, quoted where it must be."""
    return name if _PLAIN.match(name) and name not in RESERVED else quote(name)


def dotted(*parts: str) -> str:
    """Parts joined as in an error text or GET_DDL."""
    return ".".join(show(part) for part in parts)
