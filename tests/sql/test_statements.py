"""Where psql sees the end of a statement, and where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftguard.sql.statements import line_and_column, split


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        (" ;; -- nothing\n/* ; */;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1;", "SELECT 2;"]),
        ("SELECT ';'; SELECT 'it''s;'", ["SELECT ';';", "SELECT 'it''s;'"]),
        (r"SELECT E'a\';b'; SELECT 'c\'; SELECT 3", [r"SELECT E'a\';b';", r"SELECT 'c\';", "SELECT 3"]),
        ('SELECT ";" FROM "a"";b"; x', ['SELECT ";" FROM "a"";b";', "x"]),
        ("DO $$ BEGIN x; END $$; y", ["DO $$ BEGIN x; END $$;", "y"]),
        ("DO $a$ $$;$$ $b$; $a$; y", ["DO $a$ $$;$$ $b$; $a$;", "y"]),
        ("SELECT $1; SELECT a$b$c; SELECT 2", ["SELECT $1;", "SELECT a$b$c;", "SELECT 2"]),
        ("a /* ; /* ; */ ; */ b; c", ["a /* ; /* ; */ ; */ b;", "c"]),
        ("a -- ;\n b; c", ["a -- ;\n b;", "c"]),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); x", None),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; x",
            None,
        ),
        ("CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END; x", None),
        ("BEGIN; CREATE TABLE t (a int); END; x", ["BEGIN;", "CREATE TABLE t (a int);", "END;", "x"]),
        ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
        ("SELECT $$open; SELECT 2", ["SELECT $$open; SELECT 2"]),
        ("SELECT 1 /* open; SELECT 2", ["SELECT 1 /* open; SELECT 2"]),
    ],
)
def test_statements_end_where_psql_ends_them(script: str, statements: list[str] | None) -> None:
    found = [statement.text for statement in split(script)]
    if statements is None:
        statements = [script[: script.rindex(";") + 1], "x"]
    assert found == statements


@given(st.text(alphabet="ab;'\"$/*-() \n\\E", max_size=40))
def test_nothing_is_lost_and_offsets_are_true(script: str) -> None:
    end = 0
    for statement in split(script):
        assert script[statement.offset :].startswith(statement.text)
        assert statement.offset >= end
        end = statement.offset + len(statement.text)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("begin;", True),
        ("START TRANSACTION", True),
        ("COMMIT AND CHAIN", True),
        ("ROLLBACK", True),
        ("ROLLBACK TO SAVEPOINT a", False),
        ("PREPARE TRANSACTION 'x'", True),
        ("PREPARE x AS SELECT 1", False),
        ("SAVEPOINT a", False),
        ("DO $$ BEGIN COMMIT; END $$", False),
        ("/* x */ -- y\n END", True),
    ],
)
def test_transaction_control_is_told_from_the_rest(sql: str, expected: bool) -> None:
    assert split(sql)[0].is_transaction_control is expected


def test_lines_and_columns_begin_at_one() -> None:
    assert line_and_column("ab\ncd", 0) == (1, 1)
    assert line_and_column("ab\ncd", 4) == (2, 2)
