"""Scripting blocks: control flow, variables, exceptions, and where a statement ends."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("LET x := 1; x := x + 1; RETURN x;", 2),
        (
            "LET x NUMBER := 5; IF (x > 9) THEN RETURN 'a'; ELSEIF (x > 3) THEN RETURN 'b;'; ELSE RETURN 'c'; END IF;",
            "b;",
        ),
        ("LET total := 0; FOR i IN 1 TO 4 DO total := total + i; END FOR; RETURN total;", 10),
        ("LET n := 0; WHILE (n < 3) DO n := n + 1; IF (n = 2) THEN BREAK; END IF; END WHILE; RETURN n;", 2),
        ("LET s := 'it''s; END'; /* ; */ RETURN s || $$;$$;", "it's; END;"),
        ("LET v := (SELECT MAX(a) FROM VALUES (1), (3) AS t (a)); RETURN :v + 1;", 4),
        ("LET c := CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END; RETURN c;", "x"),
        ("CREATE OR REPLACE TABLE st (a INT); INSERT INTO st VALUES (1), (2); RETURN SQLROWCOUNT;", 2),
        ("EXECUTE IMMEDIATE 'CREATE OR REPLACE TABLE st AS SELECT 7 AS a'; RETURN (SELECT a FROM st);", 7),
        ("BEGIN LET y := 1 / 0; EXCEPTION WHEN OTHER THEN RETURN SQLCODE; END; RETURN 'not here';", 100051),
    ],
)
def test_a_block_returns(account: Any, body: str, value: object) -> None:
    answer = account.run(f"BEGIN\n{body}\nEND")[0][0]
    assert (int(answer) if isinstance(value, int) else answer) == value


def test_declared_variables_and_exceptions(account: Any) -> None:
    block = """
    DECLARE
      n NUMBER DEFAULT 3;
      mine EXCEPTION (-20007, 'not; today');
    BEGIN
      IF (n = 3) THEN RAISE mine; END IF;
      RETURN 'no';
    EXCEPTION
      WHEN mine THEN RETURN SQLCODE || ':' || SQLERRM;
    END"""
    assert account.run(block) == [("-20007:not; today",)]


def test_an_error_keeps_its_number_and_says_where(account: Any) -> None:
    error = account.fails("BEGIN\n  SELECT 1;\n  INSERT INTO nowhere VALUES (1);\nEND")
    assert error.errno == 2003
    assert "Uncaught exception of type 'STATEMENT_ERROR' on line 3" in error.msg


def test_rollback_and_raise_in_the_handler(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    error = account.fails(
        "BEGIN BEGIN TRANSACTION; INSERT INTO t VALUES (1); SELECT 1 / 0; COMMIT; "
        "EXCEPTION WHEN OTHER THEN ROLLBACK; RAISE; END"
    )
    assert error.errno == 100051
    assert account.run("SELECT COUNT(*) FROM t") == [(0,)]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN RETURN 1; ",
        "BEGIN END",
        "BEGIN x := ; END",
        "BEGIN RETURN 1 END",
        "BEGIN FOR i IN 1 TO DO NULL; END FOR; END",
    ],
)
def test_a_block_that_does_not_parse_runs_nothing(account: Any, text: str) -> None:
    assert account.fails(text).errno == 1003


def test_an_unset_bind_variable_is_refused(account: Any) -> None:
    account.fails("BEGIN RETURN (SELECT :nobody); END")
