"""Pipes: what they load, what they remember, what they say."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from typing import Any

import pyarrow as pa
import pytest

COPY = "COPY INTO t FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f') MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"


@pytest.fixture
def lake(account: Any) -> Any:
    account.stage()
    account.run("CREATE TABLE t (id INT, v VARCHAR(5))")
    return account


def status(account: Any, name: str = "P") -> dict[str, Any]:
    out: dict[str, Any] = json.loads(account.run(f"SELECT SYSTEM$PIPE_STATUS('{account.database}.S.{name}')")[0][0])
    return out


def test_a_new_pipe_sees_what_is_written_after_it_until_it_is_refreshed(lake: Any) -> None:
    lake.parquet("t/before.parquet", {"id": [1]})
    time.sleep(0.01)
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.parquet("t/after.parquet", {"id": [2]})
    assert status(lake)["pendingFileCount"] == 1
    assert lake.pump()["files_loaded"] == 1
    assert lake.run("SELECT id FROM t") == [(2,)]
    assert len(lake.run("ALTER PIPE p REFRESH")) == 1
    assert lake.pump()["files_loaded"] == 1
    assert lake.run("ALTER PIPE p REFRESH") == []
    assert lake.run("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_refresh_takes_a_prefix_a_moment_and_seven_days(lake: Any) -> None:
    old = lake.parquet("t/old.parquet", {"id": [1]})
    eight_days = time.time() - 8 * 86400
    os.utime(old, (eight_days, eight_days))
    lake.parquet("t/a/one.parquet", {"id": [2]})
    lake.parquet("t/b/two.parquet", {"id": [3]})
    time.sleep(0.01)
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    assert len(lake.run("ALTER PIPE p REFRESH PREFIX = 'a/'")) == 1
    future = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    assert lake.run(f"ALTER PIPE p REFRESH MODIFIED_AFTER = '{future}'") == []
    lake.run("ALTER PIPE p REFRESH")
    assert lake.pump()["rows_loaded"] == 2


def test_a_file_is_loaded_once_whatever_is_in_it(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.parquet("t/a.parquet", {"id": [1]})
    lake.pump()
    lake.parquet("t/a.parquet", {"id": [2]})
    lake.run("TRUNCATE TABLE t")
    lake.run("ALTER PIPE p REFRESH")
    assert lake.pump()["files_loaded"] == 0
    assert lake.run("SELECT COUNT(*) FROM t") == [(0,)]


def test_a_failed_file_is_remembered_not_tried_again_and_copied_by_hand(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.parquet("t/bad.parquet", {"id": [1, 2], "v": ["fits", "does not fit"]})
    out = lake.pump()
    assert out["files_failed"][0]["file"] == "t/bad.parquet"
    assert "String 'does not fit' is too long and would be truncated" in out["files_failed"][0]["error"]
    lake.run("ALTER TABLE t ALTER COLUMN v SET DATA TYPE VARCHAR(50)")
    lake.run("ALTER PIPE p REFRESH")
    assert lake.pump()["files_failed"] == []
    assert lake.run("SELECT COUNT(*) FROM t") == [(0,)]
    lake.run(f"{COPY} FILES = ('bad.parquet')")
    assert lake.run("SELECT COUNT(*) FROM t") == [(2,)]
    rows = lake.run(
        "SELECT STATUS, ROW_COUNT, ERROR_COUNT, FIRST_ERROR_COLUMN_NAME, PIPE_NAME FROM "
        "TABLE(INFORMATION_SCHEMA.COPY_HISTORY("
        "TABLE_NAME => 'T', START_TIME => DATEADD(hours, -1, CURRENT_TIMESTAMP()))) ORDER BY LAST_LOAD_TIME"
    )
    assert rows == [("Load failed", 0, 1, '"T"["V":2]', "P"), ("Loaded", 2, 0, None, None)]


def test_copy_and_pipe_remember_separately(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.parquet("t/a.parquet", {"id": [1]})
    lake.pump()
    lake.run(COPY)
    assert lake.run("SELECT COUNT(*) FROM t") == [(2,)]
    assert lake.run(COPY) == [("Copy executed with 0 files processed.",)]


def test_a_paused_pipe_collects_and_goes_on(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.run("ALTER PIPE p SET PIPE_EXECUTION_PAUSED = TRUE")
    lake.parquet("t/a.parquet", {"id": [1]})
    assert lake.pump()["files_loaded"] == 0
    assert (status(lake)["executionState"], status(lake)["pendingFileCount"]) == ("PAUSED", 1)
    lake.run("ALTER PIPE p SET PIPE_EXECUTION_PAUSED = FALSE")
    assert lake.pump()["files_loaded"] == 1


@pytest.mark.parametrize(
    "option",
    [
        "FILES = ('a')",
        "FORCE = TRUE",
        "PURGE = TRUE",
        "SIZE_LIMIT = 5",
        "VALIDATION_MODE = RETURN_ERRORS",
        "ON_ERROR = ABORT_STATEMENT",
        "RETURN_FAILED_ONLY = TRUE",
    ],
)
def test_options_that_a_pipe_may_not_have(lake: Any, option: str) -> None:
    lake.fails(f"CREATE PIPE p AS {COPY} {option}")


def test_where_is_not_allowed_in_the_query_of_a_pipe(lake: Any) -> None:
    lake.fails(
        "CREATE PIPE p AS COPY INTO t (id) FROM (SELECT $1:id::INT FROM @st/t/ WHERE TRUE) FILE_FORMAT = "
        "(FORMAT_NAME = 'f')"
    )


def test_the_copy_text_is_never_altered(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AS {COPY}")
    lake.fails(f"ALTER PIPE p SET DEFINITION = '{COPY.replace(chr(39), chr(39) * 2)}'")
    lake.fails(f"CREATE PIPE p AS {COPY}")
    lake.run(f"CREATE PIPE IF NOT EXISTS p AS {COPY}")


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("DROP TABLE t", "STOPPED_MISSING_TABLE"),
        ("ALTER TABLE t RENAME TO t2", "STOPPED_MISSING_TABLE"),
        ("DROP STAGE st", "STOPPED_STAGE_DROPPED"),
        ("DROP FILE FORMAT f", "STOPPED_FILE_FORMAT_DROPPED"),
    ],
)
def test_a_pipe_does_not_follow_its_objects(lake: Any, sql: str, state: str) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.run(sql)
    assert status(lake)["executionState"] == state


def test_recreating_a_pipe_forgets_what_it_loaded(lake: Any) -> None:
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    lake.parquet("t/a.parquet", {"id": [1]})
    lake.pump()
    time.sleep(0.01)
    lake.run(f"CREATE OR REPLACE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    assert lake.pump()["files_loaded"] == 0
    lake.run("ALTER PIPE p REFRESH")
    assert lake.pump()["files_loaded"] == 1
    assert lake.run("SELECT COUNT(*) FROM t") == [(2,)]


def test_a_quoted_location_with_blanks(lake: Any) -> None:
    name = 'my "x" y'
    lake.run(
        f"CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM '@{lake.database}.S.ST/{name}/' FILE_FORMAT = "
        f"(FORMAT_NAME = '{lake.database}.S.F') "
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    )
    lake.parquet(f"{name}/a.parquet", {"id": [1]})
    assert lake.pump()["rows_loaded"] == 1
    assert [row[0].rpartition("/")[2] for row in lake.run(f"LIST '@st/{name}/'")] == ["a.parquet"]


@pytest.mark.parametrize(
    ("options", "adjusted", "naive"),
    [
        ("USE_LOGICAL_TYPE = TRUE", "utc", "wall"),
        ("USE_VECTORIZED_SCANNER = TRUE", "utc", "wall"),
        ("USE_LOGICAL_TYPE = FALSE", "wall", "epoch"),
    ],
)
def test_what_a_timestamp_is_depends_on_the_format(account: Any, options: str, adjusted: str, naive: str) -> None:
    """USE_LOGICAL_TYPE: UTC-adjusted is LTZ, the other NTZ; without it UTC-adjusted is NTZ, the other a number."""
    account.run(f"CREATE FILE FORMAT f TYPE = PARQUET {options}")
    account.run(f"CREATE STAGE st URL = '{account.lake.as_uri()}/'")
    account.run("CREATE TABLE t (a TIMESTAMP_NTZ(9), n TIMESTAMP_NTZ(9))")
    moment = dt.datetime(2024, 1, 2, 12, 0, 0)
    account.parquet(
        "t/a.parquet",
        {
            "a": pa.array([moment.replace(tzinfo=dt.UTC)], pa.timestamp("us", tz="UTC")),
            "n": pa.array([moment], pa.timestamp("us")),
        },
    )
    account.run(COPY)
    first, second = account.run("SELECT * FROM t")[0]
    assert first == (moment if adjusted == "wall" else moment - dt.timedelta(hours=8))
    assert second == moment
    assert naive in ("wall", "epoch")


@pytest.mark.parametrize(
    ("options", "expected"), [("BINARY_AS_TEXT = FALSE", b"\xff\x00"), ("USE_VECTORIZED_SCANNER = TRUE", b"\xff\x00")]
)
def test_bytes_are_bytes_when_the_format_says_so(account: Any, options: str, expected: bytes) -> None:
    account.run(f"CREATE FILE FORMAT f TYPE = PARQUET {options}")
    account.run(f"CREATE STAGE st URL = '{account.lake.as_uri()}/'")
    account.run("CREATE TABLE t (b BINARY)")
    account.parquet("t/a.parquet", {"b": pa.array([b"\xff\x00"], pa.binary())})
    account.run(COPY)
    assert account.run("SELECT b FROM t") == [(expected,)]


def test_bytes_are_text_by_default(account: Any) -> None:
    account.run("CREATE FILE FORMAT f TYPE = PARQUET")
    account.run(f"CREATE STAGE st URL = '{account.lake.as_uri()}/'")
    account.run("CREATE TABLE t (b VARCHAR)")
    account.parquet("t/a.parquet", {"b": pa.array([b"abc"], pa.binary())})
    account.run(COPY)
    assert account.run("SELECT b FROM t") == [("abc",)]


@pytest.mark.parametrize(
    ("null_if", "expected"), [("", None), ("NULL_IF = ()", "\\N"), ("NULL_IF = ('x', '\\\\N')", None)]
)
def test_the_default_null_if_turns_backslash_n_into_null(account: Any, null_if: str, expected: str | None) -> None:
    account.run(f"CREATE FILE FORMAT f TYPE = PARQUET {null_if}")
    account.run(f"CREATE STAGE st URL = '{account.lake.as_uri()}/'")
    account.run("CREATE TABLE t (v VARCHAR)")
    account.parquet("t/a.parquet", {"v": ["\\N"]})
    account.run(COPY)
    assert account.run("SELECT v FROM t") == [(expected,)]


def test_an_option_of_another_format_is_refused(account: Any) -> None:
    account.fails("CREATE FILE FORMAT f TYPE = PARQUET SKIP_HEADER = 1")
    account.fails("CREATE FILE FORMAT f TYPE = PARQUET USE_LOGICAL_TYPE = MAYBE")
    account.fails("CREATE STAGE s URL = 's3://bucket/'")
    account.fails("CREATE STAGE s URL = 'ftp://bucket/'")


def test_include_metadata_names_columns_that_are_there(lake: Any) -> None:
    lake.fails(f'CREATE PIPE p AS {COPY} INCLUDE_METADATA = ("NOPE" = METADATA$FILENAME)')
    lake.fails(f'CREATE PIPE p AS {COPY} INCLUDE_METADATA = ("V" = METADATA$NOPE)')


def test_a_file_written_at_once_after_the_pipe_is_seen(lake: Any) -> None:
    """The clock of file systems is coarse: what counts is that the file was not there when the pipe was made."""
    for number in range(20):
        lake.run(f"CREATE OR REPLACE PIPE p AUTO_INGEST = TRUE AS {COPY.replace('@st/t/', f'@st/t{number}/')}")
        lake.parquet(f"t{number}/a.parquet", {"id": [number]})
        assert status(lake)["pendingFileCount"] == 1


def test_a_file_that_is_written_again_is_news_to_a_pipe_that_has_not_loaded_it(lake: Any) -> None:
    lake.parquet("t/a.parquet", {"id": [1]})
    time.sleep(0.02)
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}")
    time.sleep(0.02)
    assert status(lake)["pendingFileCount"] == 0
    lake.parquet("t/a.parquet", {"id": [2]})
    assert lake.pump()["rows_loaded"] == 1
