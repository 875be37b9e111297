"""A type as a person writes it is the type that the catalog has."""

from __future__ import annotations

import psycopg
import pytest

from driftguard.aurora.introspect import introspect
from driftguard.errors import UsageError
from driftguard.typemap.typetext import parse_type

WRITTEN = [
    "smallint", "int", "integer", "int4", "bigint", "real", "float", "float(10)", "float(40)", "double precision",
    "numeric", "numeric(10)", "numeric(40,2)", "decimal(5,-2)", "dec(3,5)", "money", "bool", "boolean", "char", "char(5)",
    "character varying(20)", "varchar", "VARCHAR ( 20 )", "text", "bytea", "date", "time", "time(3)", "timetz",
    "time with time zone", "timestamp", "timestamp(3)", "timestamp(3) with time zone", "timestamptz",
    "timestamp without time zone", "interval", "json", "jsonb", "uuid", "bit", "bit(8)", "bit varying", "varbit(5)", "inet",
    "cidr", "macaddr", "macaddr8", "point", "polygon", "int4range", "tstzrange", "datemultirange", "tsvector", "pg_lsn",
    "name", '"char"', "integer[]", "numeric(10,2)[]", "varchar(10)[][]",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_it_is_what_postgresql_makes_of_it(text: str, database: str) -> None:
    """Name, precision, scale, length, kind and element; the text may spell a typmod that the type ignores."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (c {text})".encode())
        (table,) = introspect(connection).tables
    actual, parsed = table.columns[0].type, parse_type(text)
    for name in ("name", "resolved", "precision", "scale", "length", "kind", "element"):
        assert getattr(parsed, name) == getattr(actual, name), name
    assert parsed.text == actual.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mood", "not a type that comes with PostgreSQL"),
        ("", "not a type of PostgreSQL"),
        ("numeric(0)", "0 is not between 1 and 1000"),
        ("numeric(10,2000)", "from -1000 to 1000"),
        ("varchar(5,2)", "only numeric has a second number"),
        ("varchar(0)", "is not between"),
        ("integer(5)", "takes no number"),
        ("timestamp(9)", "is not between 0 and 6"),
        ("date with time zone", "only time and timestamp"),
        ("numeric(10,2); DROP TABLE x", "not a type of PostgreSQL"),
        ("varchar(x)", "not a type of PostgreSQL"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_type(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
