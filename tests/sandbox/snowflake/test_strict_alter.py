"""ALTER TABLE refuses what Snowflake refuses: a test, or more, for every row of what is allowed and what is not.

Sources: "ALTER TABLE", "ALTER TABLE … ALTER COLUMN" and "Constraints" on docs.snowflake.com.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ROWS = [
    "ADD COLUMN [IF NOT EXISTS] c T",
    "IF NOT EXISTS + DEFAULT / AUTOINCREMENT / IDENTITY / UNIQUE / PK / FK",
    "ADD COLUMN … DEFAULT",
    "DROP DEFAULT on a column added with DEFAULT",
    "SET DEFAULT (non-sequence), add default later",
    "ADD COLUMN NOT NULL",
    "DROP COLUMN [IF EXISTS] a, b",
    "RENAME COLUMN a TO b",
    "SET DATA TYPE: target must be",
    "VARCHAR(n) longer",
    "VARCHAR(n) shorter",
    "BINARY(n) longer or shorter",
    "NUMBER(p,s) p up",
    "NUMBER(p,s) p down",
    "NUMBER scale change",
    "any cross-family change (STRING→NUMBER, NUMBER→VARCHAR)",
    "SET NOT NULL",
    "DROP NOT NULL",
    "several ALTER COLUMN clauses in one statement",
    "ALTER TABLE t SWAP WITH u",
    "constraints",
]

_COVERED: set[str] = set()
Test = Callable[..., None]


def row(title: str) -> Callable[[Test], Test]:
    """Names the row that a test is about."""
    _COVERED.add(title)

    def mark(test: Test) -> Test:
        return test

    return mark


def test_every_row_has_a_test() -> None:
    assert set(ROWS) == _COVERED


def test_no_row_of_the_facts_is_missing(titles: Callable[[str], list[str] | None]) -> None:
    found = titles("### 1.1 Allowed / not allowed")
    if found is None:
        pytest.skip("DRIFTGUARD_FACTS names no page of facts")
    assert [title for title in found if title not in ROWS] == []


@row("ADD COLUMN [IF NOT EXISTS] c T")
@pytest.mark.parametrize(
    "clause",
    [
        "ADD COLUMN a NUMBER(38,0)",
        "ADD a NUMBER(38,0)",
        "ADD COLUMN IF NOT EXISTS a NUMBER(38,0)",
        "ADD COLUMN IF NOT EXISTS a NUMBER(38,0), IF NOT EXISTS b VARCHAR(10)",
        "ADD COLUMN IF NOT EXISTS a NUMBER(38,0), COLUMN IF NOT EXISTS b VARCHAR(10)",
        "ADD COLUMN a NUMBER(38,0), b VARCHAR(10)",
        "ADD COLUMN a NUMBER(38,0), COLUMN b VARCHAR(10)",
    ],
)
def test_columns_are_added(account: Any, clause: str) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run("INSERT INTO t VALUES (1)")
    account.run(f"ALTER TABLE t {clause}")
    assert account.types("t")["A"] == "NUMBER(38,0)"
    assert account.run("SELECT a FROM t") == [(None,)]


@row("ADD COLUMN [IF NOT EXISTS] c T")
def test_if_not_exists_keeps_a_column_of_another_type(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a VARCHAR(5))")
    account.run("ALTER TABLE t ADD COLUMN IF NOT EXISTS a NUMBER(10,2), IF NOT EXISTS b DATE")
    assert account.types("t") == {"ID": "NUMBER(38,0)", "A": "VARCHAR(5)", "B": "DATE"}


@row("ADD COLUMN [IF NOT EXISTS] c T")
def test_a_column_that_is_there_is_refused_and_nothing_is_added(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    error = account.fails("ALTER TABLE t ADD COLUMN b DATE, id INT")
    assert "already exists" in error.msg
    assert list(account.types("t")) == ["ID"]


@row("IF NOT EXISTS + DEFAULT / AUTOINCREMENT / IDENTITY / UNIQUE / PK / FK")
@pytest.mark.parametrize(
    "tail", ["DEFAULT 1", "AUTOINCREMENT", "IDENTITY", "UNIQUE", "PRIMARY KEY", "REFERENCES u (id)"]
)
def test_if_not_exists_excludes_defaults_and_keys(account: Any, tail: str) -> None:
    account.run("CREATE TABLE u (id INT PRIMARY KEY)")
    account.run("CREATE TABLE t (id INT)")
    account.fails(f"ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT {tail}")
    assert list(account.types("t")) == ["ID"]


@row("ADD COLUMN … DEFAULT")
def test_a_literal_default_fills_the_rows_that_are_there(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run("INSERT INTO t VALUES (1)")
    account.run("ALTER TABLE t ADD COLUMN a VARCHAR(5) DEFAULT 'x'")
    account.run("INSERT INTO t (id) VALUES (2)")
    assert account.run("SELECT id, a FROM t ORDER BY id") == [(1, "x"), (2, "x")]


@row("ADD COLUMN … DEFAULT")
@pytest.mark.parametrize("expression", ["CURRENT_TIMESTAMP()", "1 + 1", "UPPER('x')"])
def test_an_expression_as_default_is_002263(account: Any, expression: str) -> None:
    account.run("CREATE TABLE t (id INT)")
    error = account.fails(f"ALTER TABLE t ADD COLUMN a VARCHAR(5) DEFAULT {expression}")
    assert (error.errno, error.sqlstate) == (2263, "22000")
    assert "Invalid column default expression" in error.msg


@row("ADD COLUMN … DEFAULT")
@pytest.mark.parametrize(("kind", "default"), [("DATE", "'20230101'"), ("NUMBER(5,0)", "'1'"), ("VARCHAR(5)", "1")])
def test_a_default_of_another_type_is_002023(account: Any, kind: str, default: str) -> None:
    account.run("CREATE TABLE t (id INT)")
    error = account.fails(f"ALTER TABLE t ADD COLUMN a {kind} DEFAULT {default}")
    assert (error.errno, error.sqlstate) == (2023, "22000")
    assert "Expression type does not match column data type" in error.msg


@row("DROP DEFAULT on a column added with DEFAULT")
def test_the_default_of_an_added_column_stays(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, b INT DEFAULT 3)")
    account.run("ALTER TABLE t ADD COLUMN a INT DEFAULT 5")
    account.fails("ALTER TABLE t ALTER COLUMN a DROP DEFAULT")
    account.run("ALTER TABLE t ALTER COLUMN b DROP DEFAULT")
    account.run("CREATE TABLE u CLONE t")
    account.fails("ALTER TABLE u ALTER COLUMN a DROP DEFAULT")


@row("SET DEFAULT (non-sequence), add default later")
@pytest.mark.parametrize("column", ["id", "b"])
def test_a_default_is_not_set_later(account: Any, column: str) -> None:
    account.run("CREATE TABLE t (id INT, b INT DEFAULT 3)")
    account.fails(f"ALTER TABLE t ALTER COLUMN {column} SET DEFAULT 7")
    account.run("INSERT INTO t (id) VALUES (1)")
    assert account.run("SELECT b FROM t") == [(3,)]


@row("ADD COLUMN NOT NULL")
def test_not_null_is_added_to_an_empty_table_only(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run("ALTER TABLE t ADD COLUMN a INT NOT NULL")
    account.run("INSERT INTO t VALUES (1, 2)")
    account.fails("ALTER TABLE t ADD COLUMN b INT NOT NULL")
    account.run("ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 0")
    assert list(account.types("t")) == ["ID", "A", "C"]
    assert account.fails("INSERT INTO t (id) VALUES (2)").errno == 100072


@row("DROP COLUMN [IF EXISTS] a, b")
def test_columns_are_dropped(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT, b INT, c INT)")
    account.run("ALTER TABLE t DROP COLUMN a, b")
    account.run("ALTER TABLE t DROP COLUMN IF EXISTS a, c")
    assert list(account.types("t")) == ["ID"]


@row("DROP COLUMN [IF EXISTS] a, b")
def test_a_missing_column_is_refused_and_nothing_is_dropped(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.fails("ALTER TABLE t DROP COLUMN a, nope")
    assert list(account.types("t")) == ["ID", "A"]


@row("RENAME COLUMN a TO b")
def test_a_column_is_renamed(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.run("INSERT INTO t VALUES (1, 2)")
    account.run('ALTER TABLE t RENAME COLUMN a TO "order ""x"" y"')
    assert account.run('SELECT "order ""x"" y" FROM t') == [(2,)]
    account.fails("SELECT a FROM t")


@row("RENAME COLUMN a TO b")
@pytest.mark.parametrize(
    "clause",
    ["RENAME COLUMN a TO b, b TO c", "RENAME COLUMN IF EXISTS a TO z", "RENAME COLUMN a TO b", "RENAME COLUMN k TO z"],
)
def test_a_rename_is_one_column_without_if_exists_not_taken_not_clustered(account: Any, clause: str) -> None:
    account.run("CREATE TABLE t (k INT, a INT, b INT) CLUSTER BY (k)")
    account.fails(f"ALTER TABLE t {clause}")
    assert list(account.types("t")) == ["K", "A", "B"]


@row("SET DATA TYPE: target must be")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP_TZ(9)"),
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP_LTZ(9)"),
        ("TIMESTAMP_TZ(9)", "TIMESTAMP_NTZ(9)"),
        ("TIMESTAMP_NTZ(6)", "TIMESTAMP_NTZ(9)"),
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP_NTZ(3)"),
        ("TIME(6)", "TIME(9)"),
        ("DATE", "TIMESTAMP_NTZ(9)"),
        ("NUMBER(38,0)", "FLOAT"),
        ("FLOAT", "NUMBER(38,0)"),
        ("BOOLEAN", "NUMBER(38,0)"),
        ("NUMBER(38,0)", "BOOLEAN"),
        ("VARCHAR(10)", "VARIANT"),
        ("VARIANT", "VARCHAR(10)"),
        ("VARCHAR(10)", "BINARY(10)"),
        ("VARCHAR(10)", "DATE"),
        ("ARRAY", "VARIANT"),
    ],
)
@pytest.mark.parametrize("rows", [0, 1], ids=["empty", "with a row"])
def test_no_other_target_type(account: Any, old: str, new: str, rows: int) -> None:
    account.run(f"CREATE TABLE t (id INT, c {old})")
    if rows:
        account.run("INSERT INTO t (id) VALUES (1)")
    error = account.fails(f"ALTER TABLE t ALTER COLUMN c SET DATA TYPE {new}")
    assert error.sqlstate == "22000"
    assert "cannot change column C from type" in error.msg
    assert account.types("t")["C"] == old


@row("VARCHAR(n) longer")
@pytest.mark.parametrize("spelling", ["VARCHAR(20)", "STRING(20)", "TEXT(20)", "VARCHAR", "VARCHAR(134217728)"])
def test_text_grows(account: Any, spelling: str) -> None:
    account.run("CREATE TABLE t (c VARCHAR(10))")
    account.run(f"ALTER TABLE t ALTER COLUMN c SET DATA TYPE {spelling}")
    account.run("INSERT INTO t VALUES ('12345678901')")
    length = {"VARCHAR": 16777216, "VARCHAR(134217728)": 134217728}.get(spelling, 20)
    assert account.types("t")["C"] == f"VARCHAR({length})"


@row("VARCHAR(n) shorter")
def test_text_does_not_shrink(account: Any) -> None:
    account.run("CREATE TABLE t (c VARCHAR(134217728))")
    error = account.fails("ALTER TABLE t MODIFY COLUMN c VARCHAR(16777216)")
    assert "cannot change column C from type VARCHAR(134217728) to VARCHAR(16777216)" in error.msg


@row("BINARY(n) longer or shorter")
@pytest.mark.parametrize("length", [5, 20, 10])
def test_binary_keeps_its_length(account: Any, length: int) -> None:
    account.run("CREATE TABLE t (c BINARY(10))")
    assert "cannot change column C" in account.fails(f"ALTER TABLE t ALTER COLUMN c SET DATA TYPE BINARY({length})").msg


@row("NUMBER(p,s) p up")
def test_precision_grows(account: Any) -> None:
    account.run("CREATE TABLE t (c NUMBER(5,2))")
    account.run("INSERT INTO t VALUES (123.45)")
    account.run("ALTER TABLE t ALTER COLUMN c SET DATA TYPE NUMBER(38,2)")
    account.run("INSERT INTO t VALUES (123456789012345678901234567890123456.78)")
    assert account.types("t")["C"] == "NUMBER(38,2)"


@row("NUMBER(p,s) p down")
def test_precision_shrinks_only_if_every_value_fits(account: Any) -> None:
    account.run("CREATE TABLE t (c NUMBER(10,2))")
    account.run("INSERT INTO t VALUES (999.99)")
    account.run("ALTER TABLE t ALTER COLUMN c SET DATA TYPE NUMBER(5,2)")
    account.fails("ALTER TABLE t ALTER COLUMN c SET DATA TYPE NUMBER(4,2)")
    assert account.types("t")["C"] == "NUMBER(5,2)"


@row("NUMBER scale change")
@pytest.mark.parametrize(("old", "new"), [("NUMBER(38,0)", "NUMBER(11,2)"), ("NUMBER(38,5)", "NUMBER(38,2)")])
def test_scale_stays(account: Any, old: str, new: str) -> None:
    account.run(f"CREATE TABLE t (x {old})")
    error = account.fails(f"ALTER TABLE t ALTER COLUMN x SET DATA TYPE {new}")
    assert (error.errno, error.sqlstate) == (40052, "22000")
    assert (
        f"cannot change column X from type {old} to {new} because changing the scale of a number is not supported"
        in error.msg
    )


@row("any cross-family change (STRING→NUMBER, NUMBER→VARCHAR)")
@pytest.mark.parametrize(
    ("old", "new"), [("VARCHAR(10)", "NUMBER(38,0)"), ("NUMBER(38,0)", "VARCHAR(50)"), ("DATE", "VARCHAR(50)")]
)
def test_alter_never_converts(account: Any, old: str, new: str) -> None:
    account.run(f"CREATE TABLE t (c {old})")
    assert "cannot change column C from type" in account.fails(f"ALTER TABLE t ALTER COLUMN c SET DATA TYPE {new}").msg


@row("SET NOT NULL")
def test_set_not_null_looks_at_the_rows(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.run("INSERT INTO t VALUES (1, NULL)")
    account.fails("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    account.run("INSERT INTO t VALUES (2, NULL)")
    account.run("DELETE FROM t")
    account.run("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    assert account.fails("INSERT INTO t VALUES (3, NULL)").errno == 100072


@row("SET NOT NULL")
@pytest.mark.parametrize("kind", ["VARIANT", "OBJECT", "ARRAY"])
def test_semi_structured_columns_become_not_null_in_an_empty_table_only(account: Any, kind: str) -> None:
    account.run(f"CREATE TABLE t (id INT, a {kind})")
    account.run("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    account.run("ALTER TABLE t ALTER COLUMN a DROP NOT NULL")
    account.run("INSERT INTO t (id, a) SELECT 1, PARSE_JSON('[1]')")
    account.fails("ALTER TABLE t ALTER COLUMN a SET NOT NULL")


@row("DROP NOT NULL")
def test_drop_not_null(account: Any) -> None:
    account.run("CREATE TABLE t (id INT NOT NULL)")
    account.run("ALTER TABLE t ALTER COLUMN id DROP NOT NULL")
    account.run("INSERT INTO t VALUES (NULL)")


@row("several ALTER COLUMN clauses in one statement")
@pytest.mark.parametrize(
    "clause",
    [
        "ALTER (c1 DROP NOT NULL, c4 TYPE VARCHAR(50))",
        "ALTER (COLUMN c1 DROP NOT NULL, COLUMN c4 SET DATA TYPE VARCHAR(50))",
        "ALTER COLUMN c1 DROP NOT NULL, COLUMN c4 SET DATA TYPE VARCHAR(50)",
        "MODIFY c1 DROP NOT NULL, c4 VARCHAR(50)",
    ],
)
def test_clauses_are_done_together(account: Any, clause: str) -> None:
    account.run("CREATE TABLE t (c1 INT NOT NULL, c4 VARCHAR(5))")
    account.run(f"ALTER TABLE t {clause}")
    account.run("INSERT INTO t VALUES (NULL, 'abcdefghij')")


@row("several ALTER COLUMN clauses in one statement")
def test_one_refused_clause_refuses_all(account: Any) -> None:
    account.run("CREATE TABLE t (c1 VARCHAR(5), c2 VARCHAR(5))")
    account.fails("ALTER TABLE t ALTER (c1 TYPE VARCHAR(50), c2 TYPE VARCHAR(2))")
    assert account.types("t") == {"C1": "VARCHAR(5)", "C2": "VARCHAR(5)"}


@row("ALTER TABLE t SWAP WITH u")
def test_swap_exchanges_two_tables(account: Any) -> None:
    account.run("CREATE TABLE t (a INT)")
    account.run("CREATE TABLE u (b VARCHAR(3))")
    account.run("INSERT INTO t VALUES (1)")
    account.run("ALTER TABLE t SWAP WITH u")
    assert account.types("t") == {"B": "VARCHAR(3)"}
    assert account.run("SELECT a FROM u") == [(1,)]


@row("ALTER TABLE t SWAP WITH u")
def test_swap_needs_ownership_of_both(account: Any) -> None:
    role = f"R_{account.database}"
    account.run(f"CREATE ROLE {role}")
    account.run(f"GRANT USAGE ON DATABASE {account.database} TO ROLE {role}")
    account.run(f"GRANT ALL ON SCHEMA S TO ROLE {role}")
    account.run("CREATE TABLE t (a INT)")
    account.run("CREATE TABLE u (a INT)")
    account.run(f"GRANT OWNERSHIP ON TABLE t TO ROLE {role}")
    account.run(f"GRANT SELECT ON TABLE u TO ROLE {role}")
    assert account.other(role=role).fails("ALTER TABLE t SWAP WITH u").errno == 3001


@row("constraints")
def test_keys_are_kept_and_not_enforced(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT UNIQUE, PRIMARY KEY (id))")
    account.run("INSERT INTO t VALUES (1, 1), (1, 1)")
    assert account.run("SELECT COUNT(*) FROM t") == [(2,)]
    assert [key["column_name"] for key in account.dicts("SHOW PRIMARY KEYS IN TABLE t")] == ["ID"]
    account.fails("INSERT INTO t VALUES (NULL, 1)")
    account.fails("ALTER TABLE t ALTER COLUMN id DROP NOT NULL")
