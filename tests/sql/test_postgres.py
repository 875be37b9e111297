"""Names and values survive the way into SQL and back, on a real server."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftguard.errors import UsageError
from driftguard.model.identifiers import TableName
from driftguard.sql.postgres import literal, parse_name, parse_table, qualified, quote, readings

HOSTILE = [
    "select",
    "Mixed Case",
    'say "hi"',
    '"',
    "a.b",
    "it's",
    "back\\slash",
    "ünïcödé 表 😀",
    " leading and trailing ",
    "semi;colon -- /* */",
    "x" * 63,
    "%s %(a)s {0}",
    "tab\tnew\nline",
]

names = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=63).filter(
    lambda name: len(name.encode()) <= 63
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_quoted_name_creates_exactly_that_table(database: str, name: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute(f"CREATE SCHEMA {quote(name)}".encode())
        conn.execute(f"CREATE TABLE {qualified(TableName(name, name))} ({quote(name)} int)".encode())
        row = conn.execute(
            "SELECT n.nspname, c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "JOIN pg_attribute a ON attrelid = c.oid AND attnum = 1 WHERE relkind = 'r' AND nspname !~ '^pg_|^info'"
        ).fetchone()
    assert row == (name, name, name)


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_a_literal_is_the_same_text_whatever_the_server_setting(database: str, conforming: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute(f"SET standard_conforming_strings = {conforming}".encode())
        for text in [*HOSTILE, "", "\\'", "';--", "\\"]:
            assert conn.execute(f"SELECT {literal(text)}".encode()).fetchone() == (text,)


@given(names)
@example('""')
@settings(max_examples=300)
def test_parsing_undoes_quoting(name: str) -> None:
    assert parse_name(quote(name)) == (name,)
    assert parse_name(qualified(TableName(name, name))) == (name, name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders", (None, "orders", None)),
        ("Shop.Orders", ("shop", "orders", None)),
        ('"Mixed Case"."T".col', ("Mixed Case", "T", "col")),
        ('shop."Say ""x"""', ("shop", 'Say "x"', None)),
        (" shop . orders ", ("shop", "orders", None)),
        ("_a$1.Ü", ("_a$1", "Ü", None)),  # only ASCII letters are folded
        ('"a.b"', (None, "a.b", None)),
    ],
)
def test_a_typed_name_is_read_as_sql_reads_it(text: str, expected: tuple[str | None, str, str | None]) -> None:
    assert parse_table(text) == expected


def test_two_parts_have_a_second_reading() -> None:
    assert readings("orders.id") == (("orders", "id", None), (None, "orders", "id"))
    assert readings("a.b.c") == (("a", "b", "c"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a.", "missing at its end"),
        (".a", "'.' at position 1"),
        ("a..b", "'.' at position 3"),
        ('"a', "not closed"),
        ('""', "empty quoted part"),
        ("1a", "'1' at position 1"),
        ("a b", "'b' at position 3"),
        ("a-b", "'-' at position 2"),
        ("a.b.c.d", "4 parts"),
        ("x" * 64, "longer than 63 bytes"),
        ("a;drop table b", "';' at position 2"),
    ],
)
def test_a_bad_name_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_table(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_postgres_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        quote(name)
    if name:
        with pytest.raises(UsageError):
            literal(name)
