"""Snowflake SQL text: the only place where a name or a value becomes SQL for that engine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from driftguard.errors import UsageError
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import MAX_BINARY, UNBOUNDED_VARCHAR, SfType


@lru_cache(maxsize=65_536)
def quote(name: str) -> str:
    """`name` as a double-quoted identifier.

    >>> quote('say "x" twice')
    '"say ""x"" twice"'

    Raises `UsageError` for an empty name or one with a NUL byte, which Snowflake cannot store.
    Source: docs.snowflake.com "Identifier requirements".
    """
    if not name or "\0" in name:
        raise UsageError(f"{name!r} cannot be a Snowflake identifier")
    return '"' + name.replace('"', '""') + '"'


def qualified(name: ObjectName) -> str:
    """`"DB"."SCHEMA"."NAME"`."""
    return ".".join(quote(part) for part in (name.database, name.schema, name.name))


def schema_name(database: str, schema: str) -> str:
    """`"DB"."SCHEMA"`."""
    return f"{quote(database)}.{quote(schema)}"


def literal(text: str) -> str:
    r"""`text` as a string literal; `\` is an escape character in Snowflake literals, so it is doubled.

    >>> print(literal("it's"))
    'it''s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def names(items: Iterable[str]) -> str:
    """Quoted identifiers, comma-separated."""
    return ", ".join(quote(item) for item in items)


def stage_location(stage: ObjectName, path: str) -> str:
    """`'@"DB"."SCHEMA"."STAGE"/path/'`: in string quotes, so that blanks and quotes in `path` are taken whole."""
    return literal(f"@{qualified(stage)}/{path}")


def type_text(type_: SfType) -> str:
    """The type as DDL, always with its parameters: an omitted length means what the account's defaults say today."""
    return str(type_)


_TYPE = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9 ]*?)\s*(?:\(\s*([0-9]{1,18})\s*(?:,\s*([0-9]{1,18})\s*)?\))?\s*")

# Synonyms, as listed in docs.snowflake.com "Summary of data types" and the pages it links to. SHOW COLUMNS prints
# FIXED, TEXT and REAL; INFORMATION_SCHEMA prints NUMBER, TEXT and FLOAT.
_SYNONYMS = {
    **dict.fromkeys(("DECIMAL", "DEC", "NUMERIC", "FIXED"), "NUMBER"),
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"), "NUMBER"),
    **dict.fromkeys(("FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"), "FLOAT"),
    **dict.fromkeys(("TEXT", "STRING", "NVARCHAR", "NVARCHAR2", "CHAR VARYING", "NCHAR VARYING"), "VARCHAR"),
    **dict.fromkeys(("CHARACTER", "NCHAR"), "CHAR"),
    **dict.fromkeys(("VARBINARY",), "BINARY"),
    **dict.fromkeys(("DATETIME", "TIMESTAMPNTZ", "TIMESTAMP WITHOUT TIME ZONE"), "TIMESTAMP_NTZ"),
    **dict.fromkeys(("TIMESTAMPLTZ", "TIMESTAMP WITH LOCAL TIME ZONE"), "TIMESTAMP_LTZ"),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), "TIMESTAMP_TZ"),
}
_NO_ARGUMENTS_NUMBERS = {"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"}


def parse_type(text: str) -> SfType:
    """A type's text in canonical form: synonyms resolved, documented defaults filled in.

    A bare TIMESTAMP stays TIMESTAMP: what it means depends on TIMESTAMP_TYPE_MAPPING.
    Raises `UsageError` for text that is no type.
    """
    match = _TYPE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a Snowflake type")
    word = " ".join(match[1].upper().split())
    first = int(match[2]) if match[2] else None
    second = int(match[3]) if match[3] else None
    base = _SYNONYMS.get(word, word)
    if base == "NUMBER":
        if word in _NO_ARGUMENTS_NUMBERS:
            first, second = 38, 0
        return SfType("NUMBER", precision=38 if first is None else first, scale=second or 0)
    if base == "CHAR":
        return SfType("VARCHAR", length=1 if first is None else first)
    if base == "VARCHAR":
        return SfType("VARCHAR", length=UNBOUNDED_VARCHAR if first is None else first)
    if base == "BINARY":
        return SfType("BINARY", length=MAX_BINARY if first is None else first)
    if base in ("TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        return SfType(base, precision=9 if first is None else first)
    if base == "FLOAT":
        return SfType("FLOAT")
    return SfType(base, precision=first, scale=second)
