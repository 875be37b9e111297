"""Whole Parquet rows in a VARIANT, and what comes out of them: as Snowflake documents it, and where it does not, as said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector

from driftguard.sandbox.snowflake.server import SnowflakeServer

BIG = Decimal("12345678901234567890123456789012.123456")
MOMENT = datetime(2026, 7, 1, 12, 30, 15, 123456)
ROW = {
    "id": pa.array([1, 2], pa.int64()),
    "o\"dd \\ it's": pa.array(["x", None], pa.string()),
    "Big": pa.array([BIG, None], pa.decimal128(38, 6)),
    "moment": pa.array([MOMENT, None], pa.timestamp("us")),
    "instant": pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    "bytes": pa.array([b"\x00\xff", None], pa.binary()),
    "ratio": pa.array([float("nan"), None], pa.float64()),
    "flag": pa.array([True, None], pa.bool_()),
    "far": pa.array([2_000_000_000, None], pa.int32()).cast(pa.date32()),
    "soon": pa.array([date(2026, 1, 2), None], pa.date32()),
}


@pytest.fixture(scope="module")
def cursor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("records")
    pq.write_table(pa.table(ROW), folder / "rows.parquet")
    server = SnowflakeServer()
    server.start()
    try:
        with snowflake.connector.connect(**server.connect_kwargs(), role="SYSADMIN") as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE DATABASE d")
            cursor.execute("CREATE SCHEMA d.s")
            cursor.execute(f"CREATE STAGE lake URL = 'file://{folder}/'")
            for name, scanner in (("old", "FALSE"), ("new", "TRUE")):
                cursor.execute(f"CREATE TABLE {name} (r VARIANT, file VARCHAR(100))")
                cursor.execute(
                    f"COPY INTO {name} (r, file) FROM (SELECT $1, METADATA$FILENAME FROM @lake) "
                    f"FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE USE_VECTORIZED_SCANNER = {scanner} "
                    "BINARY_AS_TEXT = FALSE NULL_IF = ())"
                )
            yield cursor
    finally:
        server.stop()


@pytest.mark.parametrize("scanner", ["old", "new"])
@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("r['id']::NUMBER(38,0)", 1),
        ("r:\"id\"::NUMBER(38,0)", 1),
        ("r['o\"dd \\\\ it''s']::VARCHAR", "x"),
        ("r['Big']::NUMBER(38,6)", BIG),
        ("r['moment']::TIMESTAMP_NTZ(9)", MOMENT),
        ("CONVERT_TIMEZONE('UTC', r['instant']::TIMESTAMP_LTZ(9))::TIMESTAMP_NTZ(9)", MOMENT),
        ("TO_VARCHAR(r['bytes']::BINARY, 'HEX')", "00FF"),
        ("r['ratio']::FLOAT = 'NaN'::FLOAT", True),
        ("r['flag']::VARCHAR", "true"),
        ("DATEDIFF('day', '1970-01-01'::DATE, r['far']::DATE)", 2_000_000_000),
        ("r['soon']::DATE", date(2026, 1, 2)),
        ("r['ID']::NUMBER(38,0)", None),
        ("r['nowhere']::VARCHAR", None),
    ],
)  # fmt: skip
def test_a_value_of_a_record(cursor: Any, scanner: str, read: str, value: Any) -> None:
    """The name is exact, in its case. Of the second row everything but the key is NULL, whichever NULL it is."""
    first, second = cursor.execute(f"SELECT {read} FROM {scanner} ORDER BY r['id']::NUMBER").fetchall()
    assert first[0] == value
    assert second[0] in (None, 2)


def test_a_null_is_absent_or_a_json_null_by_the_scanner(cursor: Any) -> None:
    for scanner, said in (("old", True), ("new", None)):
        query = f"SELECT IS_NULL_VALUE(r['flag']) FROM {scanner} WHERE r['id']::NUMBER = 2"
        assert cursor.execute(query).fetchall() == [(said,)]
