"""The stand-in reads SQL with sqlglot as it comes: written in Python, or compiled."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from sqlglot import exp

import driftguard.sandbox.snowflake as stand_in
from driftguard.sandbox.snowflake import parsing
from driftguard.sandbox.snowflake.errors import SnowflakeError
from driftguard.sandbox.snowflake.parsing import parse


def test_no_class_of_the_stand_in_comes_from_sqlglot() -> None:
    """A compiled one refuses to make such classes: 'interpreted classes cannot inherit from compiled'."""
    found = [
        importlib.import_module(f"{stand_in.__name__}.{one.name}") for one in pkgutil.iter_modules(stand_in.__path__)
    ]
    ours = {thing for module in found for thing in vars(module).values() if isinstance(thing, type)}
    ours = {one for one in ours if one.__module__.startswith(stand_in.__name__)}
    assert len(ours) > 50
    assert [one for one in ours if any(base.__module__.startswith("sqlglot") for base in one.__mro__)] == []


@pytest.mark.parametrize(
    "written",
    ["DATEADD('day', 1, C)", "to_date(C, 'YYYY')", "DATE(C)", "TRY_TO_NUMBER(C)", "CURRENT_TIMESTAMP(3)", "SYSDATE()"],
)
def test_functions_that_the_stand_in_builds_keep_their_name_and_arguments(written: str) -> None:
    (call,) = parse(f"SELECT {written}").expressions
    assert call.sql(dialect="snowflake").upper() == written.upper().replace("(C", '("C"').replace(" C)", ' "C")')


def test_names_like_those_functions_stay_names() -> None:
    tree = parse(
        'WITH to_date (date, "date") AS (SELECT 1, 2) SELECT to_date.date, "to_date"."date" FROM to_date (date)'
    )
    names = {identifier.this for identifier in tree.find_all(exp.Identifier)}
    assert names == {"TO_DATE", "DATE", "date", "to_date"}


@pytest.mark.parametrize("sql", ["", ";", "-- nothing"])
def test_a_text_without_a_statement_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(SnowflakeError, match="syntax error"):
        parse(sql)


@pytest.mark.parametrize(
    ("seen", "then"),
    [
        ("SELECT 1 AS a, 'x' AS b FROM t WHERE c = 'y' AND d = 2", "SELECT 77 AS a, '' AS b FROM t WHERE c = 'Z' AND d = 3"),
        ("INSERT INTO t (a, b) SELECT 'x' AS a, 1 AS b", "INSERT INTO t (a, b) SELECT 'it''s' AS a, 1.50 AS b"),
        ("SELECT 'x' AS a, 'x' AS a", "SELECT '~value 1~' AS a, '~value 0~' AS a"),
        ("SELECT 'x' AS a, 73000000000000000 AS b", "SELECT 'y' AS a, 73000000000000000 AS b"),
        ("SELECT '~value 0~', 'x' AS a", "SELECT '~value 0~', 'y' AS a"),
        ("SELECT a, INTERVAL '1 day' AS b, 1 AS c", "SELECT a, INTERVAL '2 hours' AS b, 1 AS c"),
        ("SELECT CAST(a AS VARCHAR(10)) AS b, DATEADD('day', 1, c) AS d", "SELECT CAST(a AS VARCHAR(20)) AS b, DATEADD('hour', 1, c) AS d"),
        ("UPDATE t SET a = 'x' WHERE b = 1", "UPDATE t SET a = 'y' WHERE b = 22"),
        ("SELECT 'x' AS \"Ab\" FROM t WHERE a = 'x' AND 'b' = 'c'", "SELECT 'z' AS \"Ab\" FROM t WHERE a = '1' AND 'b' = '2'"),
    ],
)  # fmt: skip
def test_a_statement_of_a_shape_that_was_seen_has_its_own_values(seen: str, then: str) -> None:
    once = [parsing.parse(sql) for sql in (seen, then, seen)]
    parsing._known.cache_clear()
    alone = parsing._parsed(then)
    assert once[1] == alone
    assert once[1].sql(dialect="snowflake") == alone.sql(dialect="snowflake")
    assert once[0] == once[2] == parsing._parsed(seen)


def test_a_tree_that_was_changed_leaves_the_next_as_it_was() -> None:
    sql = "SELECT 1 AS a FROM t WHERE b = 'x' AND c"
    first = parse(sql)
    first.set("expressions", [])
    assert parse(sql) == parsing._parsed(sql)


def test_a_syntax_error_names_what_was_sent_and_where() -> None:
    for _ in range(2):
        with pytest.raises(SnowflakeError, match=r"line 2 .*unexpected 'FROM'"):
            parse("SELECT 'a value' AS a,\n  'another' AS FROM FROM")
