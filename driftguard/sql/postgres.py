"""Names and values as PostgreSQL SQL, and PostgreSQL identifiers as a person types them."""

from __future__ import annotations

import re

from driftguard.errors import UsageError
from driftguard.model.identifiers import TableName

MAX_NAME_BYTES = 63
"""NAMEDATALEN - 1; longer names are cut by the server ("Identifiers and Key Words" in the PostgreSQL manual)."""

# An unquoted identifier: a letter, an underscore or any non-ASCII character, then also digits and `$`.
_PART = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*))\s*')
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def quote(name: str) -> str:
    """`name` as a quoted identifier. Always quoted, so that no list of reserved words is needed.

    Raises UsageError for an empty name and for one with a NUL, which PostgreSQL cannot store.

    >>> quote('say "hi"')
    '"say ""hi\"""'
    """
    if not name or "\0" in name:
        raise UsageError(f"{name!r} is not a possible PostgreSQL name")
    return '"' + name.replace('"', '""') + '"'


def qualified(table: TableName) -> str:
    """`"schema"."name"`."""
    return f"{quote(table.schema)}.{quote(table.name)}"


def literal(text: str) -> str:
    """`text` as a string literal that means the same whatever `standard_conforming_strings` is.

    Raises UsageError for a NUL, which no PostgreSQL text can hold.

    >>> literal("it's"), literal("a\\\\b")
    ("'it''s'", "E'a\\\\\\\\b'")
    """
    if "\0" in text:
        raise UsageError("a PostgreSQL text cannot hold a NUL character")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def parse_name(text: str) -> tuple[str, ...]:
    """The parts of a dotted SQL identifier: quoted parts as they are, unquoted ones folded to lower case.

    Only ASCII letters are folded, as PostgreSQL does in UTF-8 databases. Blanks around parts are allowed.
    Raises UsageError with one line on anything else.

    >>> parse_name('Shop."Mixed Case"')
    ('shop', 'Mixed Case')
    """
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise _bad(text, position)
        quoted = match["quoted"]
        part = match["plain"].translate(_ASCII_LOWER) if quoted is None else quoted.replace('""', '"')
        if not part:
            raise UsageError(f"{text!r} is not a table name: an empty quoted part")
        if "\0" in part:
            raise UsageError(f"{text!r} is not a table name: a NUL character")
        if len(part.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
            raise UsageError(f"{text!r} is not a table name: {part!r} is longer than {MAX_NAME_BYTES} bytes")
        parts.append(part)
        position = match.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            raise _bad(text, position)
        position += 1


def parse_table(text: str) -> tuple[str | None, str, str | None]:
    """(schema, table, column) of what a person typed for TABLE[.COLUMN].

    Two parts are read as schema and table; where no such table exists, `readings` has the other way to read them.
    Raises UsageError with one line when it is no SQL identifier of one to three parts.

    >>> parse_table("Orders"), parse_table('shop."Order Items".id')
    ((None, 'orders', None), ('shop', 'Order Items', 'id'))
    """
    return readings(text)[0]


def readings(text: str) -> tuple[tuple[str | None, str, str | None], ...]:
    """Every way to read TABLE[.COLUMN], the likelier first: `a.b` is a schema and a table, or a table and a column."""
    parts = parse_name(text)
    match parts:
        case (name,):
            return ((None, name, None),)
        case (first, second):
            return (first, second, None), (None, first, second)
        case (schema, name, column):
            return ((schema, name, column),)
    raise UsageError(f"{text!r} is not a table name: {len(parts)} parts, at most schema.table.column are possible")


def _bad(text: str, position: int) -> UsageError:
    if not text.strip():
        return UsageError("a table name is empty")
    rest = text[position:].strip()
    if not rest:
        reason = "something is missing at its end"
    elif rest.startswith('"'):
        reason = 'a " is not closed'
    else:
        reason = f"{rest[0]!r} at position {position + 1} does not belong there"
    return UsageError(f"{text!r} is not a table name: {reason}", hint='write schema.table, or "Quoted Name" if needed')
