"""Loading Parquet: what drift does under each form of COPY, one test or more a row.

Sources: "COPY INTO <table>", "CREATE PIPE", "SYSTEM$PIPE_STATUS" on docs.snowflake.com; the number of a failed cast
(100071) and the text of 002019 from public code samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

ROWS = [
    "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE",
    "…and no column matches at all",
    "SELECT $1:col::T … projection",
    "neither, multi-column target",
    "neither, single VARIANT column",
    "both MATCH_BY_COLUMN_NAME and SELECT",
    "table column **dropped** but named in a pipe's list/projection",
]

_COVERED: set[str] = set()
Test = Callable[..., None]
BY_NAME = "FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f') MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"


def row(title: str) -> Callable[[Test], Test]:
    """Names the row that a test is about."""
    _COVERED.add(title)

    def mark(test: Test) -> Test:
        return test

    return mark


@pytest.fixture
def lake(account: Any) -> Any:
    account.stage()
    return account


def test_every_row_has_a_test() -> None:
    assert set(ROWS) == _COVERED


def test_no_row_of_the_facts_is_missing(titles: Callable[[str], list[str] | None]) -> None:
    found = titles("### 3.1 Modes and what drift does")
    if found is None:
        pytest.skip("DRIFTGUARD_FACTS names no page of facts")
    assert [title for title in found if title not in ROWS] == []


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_an_extra_column_of_the_file_vanishes_silently(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT)")
    lake.parquet("t/a.parquet", {"id": [1], "extra": ["lost"]})
    answer = lake.dicts(f"COPY INTO t {BY_NAME}")
    assert (answer[0]["status"], answer[0]["rows_loaded"]) == ("LOADED", 1)
    assert lake.run("SELECT * FROM t") == [(1,)]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_a_missing_column_is_null(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT, a VARCHAR(5) DEFAULT 'x')")
    lake.parquet("t/a.parquet", {"id": [1]})
    lake.run(f"COPY INTO t {BY_NAME}")
    assert lake.run("SELECT * FROM t") == [(1, None)]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_a_missing_column_that_must_not_be_null_is_100072(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT, a INT NOT NULL)")
    lake.parquet("t/a.parquet", {"id": [1]})
    assert lake.fails(f"COPY INTO t {BY_NAME}").errno == 100072
    assert lake.run("SELECT COUNT(*) FROM t") == [(0,)]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
@pytest.mark.parametrize(
    ("kind", "values", "number"),
    [
        ("NUMBER(38,0)", ["abc"], 100038),
        ("BOOLEAN", ["maybe"], 100037),
        ("TIMESTAMP_NTZ(9)", ["soon"], 100035),
        ("DATE", [1.5], 100071),
        ("NUMBER(38,0)", pa.array([0], pa.timestamp("us")), 100071),
        ("NUMBER(38,0)", pa.array([0], pa.date32()), 100071),
        ("BOOLEAN", pa.array([0], pa.date32()), 100071),
        ("NUMBER(38,0)", [{"a": 1}], 100071),
        ("VARCHAR(2)", ["abc"], 100078),
        ("NUMBER(3,0)", [1000], None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_value_that_does_not_fit_stops_the_copy(lake: Any, kind: str, values: Any, number: int | None) -> None:
    lake.run(f"CREATE TABLE t (c {kind})")
    lake.parquet("t/a.parquet", {"c": values})
    error = lake.fails(f"COPY INTO t {BY_NAME}")
    assert number is None or error.errno == number
    assert lake.run("SELECT COUNT(*) FROM t") == [(0,)]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_case_sensitive_matches_the_exact_name(lake: Any) -> None:
    lake.run('CREATE TABLE t (id INT, "name" VARCHAR(5))')
    lake.parquet("t/a.parquet", {"id": [1], "name": ["x"]})
    lake.run(f"COPY INTO t {BY_NAME.replace('CASE_INSENSITIVE', 'CASE_SENSITIVE')}")
    assert lake.run("SELECT * FROM t") == [(None, "x")]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
@pytest.mark.parametrize("on_error", ["CONTINUE", "SKIP_FILE", "ABORT_STATEMENT"])
def test_on_error_decides_about_the_other_rows(lake: Any, on_error: str) -> None:
    lake.run("CREATE TABLE t (c NUMBER(38,0))")
    lake.parquet("t/a.parquet", {"c": ["1", "x", "3"]})
    lake.parquet("t/b.parquet", {"c": ["7"]})
    sql = f"COPY INTO t {BY_NAME} ON_ERROR = {on_error}"
    if on_error == "ABORT_STATEMENT":
        assert lake.fails(sql).errno == 100038
        assert lake.run("SELECT COUNT(*) FROM t") == [(0,)]
        return
    first = {one["file"].rpartition("/")[2]: one for one in lake.dicts(sql)}["a.parquet"]
    assert first["status"] == ("PARTIALLY_LOADED" if on_error == "CONTINUE" else "LOAD_FAILED")
    assert (first["errors_seen"], first["first_error_line"]) == (1, 2)
    assert first["first_error_column_name"] == '"T"["C":1]'
    loaded = [(1,), (3,), (7,)] if on_error == "CONTINUE" else [(7,)]
    assert lake.run("SELECT c FROM t ORDER BY c") == loaded


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_a_decimal_is_rounded_to_the_column_without_an_error(lake: Any) -> None:
    from decimal import Decimal

    lake.run("CREATE TABLE t (c NUMBER(38,2), d NUMBER(38,0))")
    values = {
        "c": pa.array([Decimal("1.236")], pa.decimal128(10, 3)),
        "d": pa.array([Decimal("9" * 38)], pa.decimal128(38, 0)),
    }
    lake.parquet("t/a.parquet", values)
    lake.run(f"COPY INTO t {BY_NAME}")
    assert lake.run("SELECT * FROM t") == [(Decimal("1.24"), int("9" * 38))]


@row("…and no column matches at all")
def test_rows_of_nulls_are_loaded(lake: Any) -> None:
    lake.run("CREATE TABLE t (x INT, y INT)")
    lake.parquet("t/a.parquet", {"a": [1, 2], "b": [3, 4]})
    lake.run(f"COPY INTO t {BY_NAME}")
    assert lake.run("SELECT * FROM t") == [(None, None), (None, None)]


@row("SELECT $1:col::T … projection")
def test_a_projection_ignores_extra_columns_and_gives_null_for_missing_ones(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT, a VARCHAR(20), file VARCHAR(100))")
    lake.parquet("t/a.parquet", {"id": [1], "extra": [5]})
    lake.run(
        "COPY INTO t (id, a, file) FROM (SELECT $1:id::NUMBER(38,0), $1:a::VARCHAR, METADATA$FILENAME FROM @st/t/) "
        "FILE_FORMAT = (FORMAT_NAME = 'f')"
    )
    assert lake.run("SELECT * FROM t") == [(1, None, "t/a.parquet")]


@row("SELECT $1:col::T … projection")
def test_a_failed_cast_in_a_projection_is_100071(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT)")
    lake.parquet("t/a.parquet", {"id": ["abc"]})
    error = lake.fails("COPY INTO t FROM (SELECT $1:id::NUMBER(38,0) FROM @st/t/) FILE_FORMAT = (FORMAT_NAME = 'f')")
    assert (error.errno, error.sqlstate) == (100071, "22000")
    assert 'Failed to cast variant value "abc" to FIXED' in error.msg


@row("neither, multi-column target")
@pytest.mark.parametrize("head", ["COPY INTO t", "CREATE PIPE p AS COPY INTO t"])
def test_several_columns_without_a_mode_are_002019(lake: Any, head: str) -> None:
    lake.run("CREATE TABLE t (id INT, a INT)")
    error = lake.fails(f"{head} FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f')")
    assert (error.errno, error.sqlstate) == (2019, "0A000")
    assert "PARQUET file format can produce one and only one column of type variant, object, or array" in error.msg


@row("neither, multi-column target")
def test_one_column_that_is_not_semi_structured_is_002019(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT)")
    assert lake.fails("COPY INTO t FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f')").errno == 2019


@row("neither, single VARIANT column")
def test_a_row_becomes_one_variant(lake: Any) -> None:
    lake.run("CREATE TABLE t (v VARIANT)")
    lake.parquet("t/a.parquet", {"id": [1], "extra": ["kept"]})
    lake.run("COPY INTO t FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f')")
    assert json.loads(lake.run("SELECT v FROM t")[0][0]) == {"id": 1, "extra": "kept"}
    assert lake.run("SELECT v:nope FROM t") == [(None,)]


@row("both MATCH_BY_COLUMN_NAME and SELECT")
@pytest.mark.parametrize("head", ["COPY INTO t", "CREATE PIPE p AS COPY INTO t"])
def test_a_mode_and_a_projection_exclude_each_other(lake: Any, head: str) -> None:
    lake.run("CREATE TABLE t (id INT)")
    error = lake.fails(
        f"{head} FROM (SELECT $1:id::INT FROM @st/t/) FILE_FORMAT = (FORMAT_NAME = 'f') MATCH_BY_COLUMN_NAME = "
        "CASE_SENSITIVE"
    )
    assert "match_by_column_name is not supported with copy transform." in error.msg


@row("table column **dropped** but named in a pipe's list/projection")
@pytest.mark.parametrize(
    "copy",
    [
        "COPY INTO t (id, a) FROM (SELECT $1:id::INT, $1:a::INT FROM @st/t/) FILE_FORMAT = (FORMAT_NAME = 'f')",
        "COPY INTO t FROM (SELECT $1:id::INT, $1:a::INT FROM @st/t/) FILE_FORMAT = (FORMAT_NAME = 'f')",
        f'COPY INTO t {BY_NAME} INCLUDE_METADATA = ("A" = METADATA$FILE_ROW_NUMBER)',
    ],
    ids=["list", "projection", "metadata"],
)
def test_the_pipe_stalls(lake: Any, copy: str) -> None:
    lake.run("CREATE TABLE t (id INT, a INT)")
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {copy}")
    lake.run("ALTER TABLE t DROP COLUMN a")
    lake.parquet("t/a.parquet", {"id": [1], "a": [2]})
    assert lake.pump()["files_loaded"] == 0
    status = json.loads(lake.run(f"SELECT SYSTEM$PIPE_STATUS('{lake.database}.S.P')")[0][0])
    assert status["executionState"] == "STALLED_COMPILATION_ERROR"
    assert lake.dicts("SHOW PIPES")[0]["invalid_reason"]


@row("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE / CASE_SENSITIVE")
def test_a_pipe_that_matches_by_name_goes_on_when_a_column_is_added_or_dropped(lake: Any) -> None:
    lake.run("CREATE TABLE t (id INT, a INT)")
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t {BY_NAME}")
    lake.run("ALTER TABLE t DROP COLUMN a")
    lake.run("ALTER TABLE t ADD COLUMN b INT")
    lake.parquet("t/a.parquet", {"id": [1], "a": [2], "b": [3]})
    assert lake.pump()["rows_loaded"] == 1
    assert lake.run("SELECT * FROM t") == [(1, 3)]
