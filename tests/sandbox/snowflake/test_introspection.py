"""INFORMATION_SCHEMA, SHOW, DESCRIBE, GET_DDL: whole schemas in one statement, exact types."""

from __future__ import annotations

import json
from typing import Any

import pytest

TYPES = {
    "N": ("NUMBER(38,0)", {"type": "FIXED", "precision": 38, "scale": 0, "nullable": True}),
    "D": ("NUMBER(10,2)", {"type": "FIXED", "precision": 10, "scale": 2, "nullable": True}),
    "V": ("VARCHAR(16777216)", {"type": "TEXT", "length": 16777216, "byteLength": 16777216, "nullable": True}),
    "W": ("VARCHAR(134217728)", {"type": "TEXT", "length": 134217728, "byteLength": 134217728, "nullable": True}),
    "S": ("VARCHAR(10)", {"type": "TEXT", "length": 10, "byteLength": 40, "nullable": True}),
    "F": ("FLOAT", {"type": "REAL", "nullable": True}),
    "B": ("BOOLEAN", {"type": "BOOLEAN", "nullable": True}),
    "DT": ("DATE", {"type": "DATE", "nullable": True}),
    "TM": ("TIME(6)", {"type": "TIME", "precision": 0, "scale": 6, "nullable": True}),
    "NTZ": ("TIMESTAMP_NTZ(9)", {"type": "TIMESTAMP_NTZ", "precision": 0, "scale": 9, "nullable": True}),
    "LTZ": ("TIMESTAMP_LTZ(3)", {"type": "TIMESTAMP_LTZ", "precision": 0, "scale": 3, "nullable": True}),
    "TZ": ("TIMESTAMP_TZ(9)", {"type": "TIMESTAMP_TZ", "precision": 0, "scale": 9, "nullable": True}),
    "VA": ("VARIANT", {"type": "VARIANT", "nullable": True}),
    "AR": ("ARRAY", {"type": "ARRAY", "nullable": True}),
    "OB": ("OBJECT", {"type": "OBJECT", "nullable": True}),
}


@pytest.fixture
def typed(account: Any) -> Any:
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in TYPES.items())
    account.run(
        f"CREATE TABLE t ({columns}, bin BINARY(67108864), k INT NOT NULL COMMENT 'the key', PRIMARY KEY (k)) "
        "COMMENT = 'all'"
    )
    return account


def test_types_in_show_columns_and_describe(typed: Any) -> None:
    shown = {one["column_name"]: json.loads(one["data_type"]) for one in typed.dicts("SHOW COLUMNS IN TABLE t")}
    for name, (kind, described) in TYPES.items():
        assert shown[name] == described
        assert typed.types("t")[name] == kind
    assert shown["BIN"]["length"] == 67108864
    assert typed.dicts("SHOW COLUMNS LIKE 'k' IN SCHEMA S")[0]["null?"] == "NOT_NULL"


def test_information_schema_columns(typed: Any) -> None:
    rows = typed.run(
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE, "
        "COMMENT "
        f"FROM {typed.database}.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'S' AND TABLE_NAME = 'T' ORDER "
        "BY ORDINAL_POSITION"
    )
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["N"] == ("NUMBER", None, 38, 0, "YES", None)
    assert by_name["S"] == ("TEXT", 10, None, None, "YES", None)
    assert by_name["F"][0] == "FLOAT"
    assert by_name["TZ"][0] == "TIMESTAMP_TZ"
    assert by_name["K"] == ("NUMBER", None, 38, 0, "NO", "the key")


def test_keys_and_constraints(typed: Any) -> None:
    for where in ("TABLE t", "SCHEMA S", f"DATABASE {typed.database}"):
        assert [one["column_name"] for one in typed.dicts(f"SHOW PRIMARY KEYS IN {where}")] == ["K"]
    assert typed.run("SELECT CONSTRAINT_TYPE, ENFORCED FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS") == [
        ("PRIMARY KEY", "NO")
    ]


def test_views_of_the_other_objects(typed: Any) -> None:
    typed.stage()
    typed.run("CREATE TABLE j (v VARIANT)")
    typed.run(
        "CREATE PIPE p AUTO_INGEST = TRUE COMMENT = 'c' AS COPY INTO j FROM @st/j/ FILE_FORMAT = (FORMAT_NAME = 'f')"
    )
    assert typed.run("SELECT PIPE_NAME, IS_AUTOINGEST_ENABLED, COMMENT FROM INFORMATION_SCHEMA.PIPES") == [
        ("P", "YES", "c")
    ]
    assert typed.run("SELECT STAGE_NAME FROM INFORMATION_SCHEMA.STAGES") == [("ST",)]
    assert typed.run("SELECT FILE_FORMAT_NAME, FILE_FORMAT_TYPE FROM INFORMATION_SCHEMA.FILE_FORMATS") == [
        ("F", "PARQUET")
    ]
    assert typed.run("SELECT TABLE_NAME, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES ORDER BY 1") == [
        ("J", "BASE TABLE"),
        ("T", "BASE TABLE"),
    ]
    options = json.loads(typed.dicts("SHOW FILE FORMATS IN SCHEMA S")[0]["format_options"])
    assert options["TYPE"] == "PARQUET"
    assert (options["USE_LOGICAL_TYPE"], options["BINARY_AS_TEXT"], options["NULL_IF"]) == (True, False, [])
    pipe = typed.dicts("DESC PIPE p")[0]
    assert pipe["definition"].startswith("COPY INTO j FROM @st/j/")
    assert list(pipe) == [
        "created_on",
        "name",
        "database_name",
        "schema_name",
        "definition",
        "owner",
        "notification_channel",
        "comment",
        "integration",
        "pattern",
        "error_integration",
        "owner_role_type",
        "invalid_reason",
        "kind",
    ]
    assert {row[0]: row[2] for row in typed.run("DESC FILE FORMAT f")}["USE_VECTORIZED_SCANNER"] == "true"


def test_show_stops_at_ten_thousand_rows(account: Any) -> None:
    columns = ", ".join(f"c{number} INT" for number in range(1001))
    for table in range(10):
        account.run(f"CREATE TABLE t{table} ({columns})")
    assert len(account.run("SHOW COLUMNS IN SCHEMA S")) == 10_000
    assert account.run("SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'S'") == [(10_010,)]


def test_listings_of_places(account: Any) -> None:
    assert "S" in [one["name"] for one in account.dicts(f"SHOW SCHEMAS IN DATABASE {account.database}")]
    assert account.database in [one["name"] for one in account.dicts("SHOW DATABASES")]
    assert "W" in [one["name"] for one in account.dicts("SHOW WAREHOUSES")]
    account.run("ALTER SESSION SET QUERY_TAG = 'x'")
    assert account.dicts("SHOW PARAMETERS LIKE 'QUERY_TAG'")[0]["value"] == "x"
    account.run("CREATE TABLE t (a INT)")
    account.run("CREATE STREAM s ON TABLE t")
    assert account.dicts("SHOW STREAMS")[0]["table_name"] == f"{account.database}.S.T"


@pytest.mark.parametrize(
    "sql", ["SHOW TABLES IN SCHEMA nowhere", "SHOW TASKS IN DATABASE nowhere", "SHOW PIPES IN SCHEMA nowhere.s"]
)
def test_a_listing_of_a_place_that_is_not_there(account: Any, sql: str) -> None:
    assert account.fails(sql).errno == 2043


def test_get_ddl_of_a_table_makes_the_table_again(typed: Any) -> None:
    ddl = typed.run(f"SELECT GET_DDL('TABLE', '{typed.database}.S.T', TRUE)")[0][0]
    before = typed.types("t")
    typed.run(ddl)
    assert typed.types("t") == before


def test_a_view_keeps_its_columns_and_breaks_with_its_table(account: Any) -> None:
    account.run("CREATE TABLE t (a INT, b INT)")
    account.run("CREATE VIEW v AS SELECT a, b FROM t")
    account.run("INSERT INTO t VALUES (1, 2)")
    assert account.run("SELECT b FROM v") == [(2,)]
    account.run("ALTER TABLE t DROP COLUMN b")
    assert account.fails("SELECT a FROM v").errno == 2037


def test_a_view_with_a_star_fails_once_its_table_has_another_number_of_columns(account: Any) -> None:
    account.run("CREATE TABLE t (a INT, b INT)")
    account.run("CREATE VIEW v AS SELECT * FROM t")
    account.run("ALTER TABLE t ADD COLUMN c INT")
    error = account.fails("SELECT a FROM v")
    assert error.errno == 2057
    assert "declared 2 column(s), but view query produces 3 column(s)." in str(error.msg)
    account.run("CREATE OR REPLACE VIEW v AS SELECT * FROM t")
    assert account.run("SELECT c FROM v") == []


def test_the_columns_of_a_view_are_those_that_it_had_when_it_was_made(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, note VARCHAR(10))")
    account.run("CREATE VIEW v AS SELECT * FROM t")
    account.run("ALTER TABLE t ADD COLUMN more INT")
    rows = account.run(
        f"SELECT COLUMN_NAME, DATA_TYPE FROM {account.database}.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'V'"
    )
    assert rows == [("ID", "NUMBER"), ("NOTE", "TEXT")]
    assert account.run(f"SELECT VIEW_DEFINITION FROM {account.database}.INFORMATION_SCHEMA.VIEWS") == [
        ("CREATE VIEW v AS SELECT * FROM t",)
    ]
