"""The statement log: a second server on the same directory is the same account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector

from driftguard.sandbox.snowflake import SnowflakeServer


def pump(server: SnowflakeServer) -> dict[str, Any]:
    with urlopen(Request(f"http://127.0.0.1:{server.port}/sandbox/pump", data=b"{}", method="POST")) as answer:
        out: dict[str, Any] = json.load(answer)
        return out


def run(connection: Any, sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[Any] = cursor.fetchall()
        return rows


QUERIES = [
    "SELECT * FROM d.s.t ORDER BY id, at",
    "SHOW TABLES IN SCHEMA d.s",
    "SHOW COLUMNS IN SCHEMA d.s",
    "SHOW TASKS IN SCHEMA d.s",
    "SHOW PIPES IN SCHEMA d.s",
    "SHOW GRANTS TO ROLE reader",
    "SELECT id, at FROM d.s.copies ORDER BY id, at",
]


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "last line torn"])
def test_a_restart_rebuilds_everything(tmp_path: Path, torn: bool) -> None:
    lake = tmp_path / "lake" / "t"
    lake.mkdir(parents=True)
    server = SnowflakeServer(state_dir=tmp_path / "state")
    server.start()
    connection = snowflake.connector.connect(**server.connect_kwargs(), session_parameters={"TIMEZONE": "Asia/Tokyo"})
    for sql in (
        "CREATE DATABASE d",
        "CREATE SCHEMA s",
        "CREATE WAREHOUSE w",
        "CREATE TABLE t (id INT, v VARCHAR(5), at TIMESTAMP_LTZ(9), z TIMESTAMP_TZ(9)) COMMENT = 'c'",
        "CREATE TABLE copies (id INT, at TIMESTAMP_LTZ(9))",
        "INSERT INTO t SELECT 1, 'a', CURRENT_TIMESTAMP(), '2024-01-01 00:00:00'::TIMESTAMP_NTZ",
        "BEGIN",
        "INSERT INTO t (id) VALUES (77)",
        "ROLLBACK",
        "BEGIN",
        "UPDATE t SET v = 'b'",
        "COMMIT",
        "CREATE FILE FORMAT f TYPE = PARQUET USE_LOGICAL_TYPE = TRUE",
        f"CREATE STAGE st URL = '{(tmp_path / 'lake').as_uri()}/'",
        "CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f') "
        'MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE INCLUDE_METADATA = ("AT" = METADATA$START_SCAN_TIME)',
        "CREATE TASK k WAREHOUSE = w SCHEDULE = '1 MINUTE' AS BEGIN DELETE FROM copies; INSERT INTO copies "
        "SELECT id, at FROM t; END",
        "ALTER TASK k RESUME",
        "CREATE ROLE reader",
        "GRANT SELECT ON TABLE t TO ROLE reader",
    ):
        run(connection, sql)
    pq.write_table(pa.table({"id": [2, 3], "v": ["x", "y"]}), lake / "a.parquet")
    pq.write_table(pa.table({"id": ["broken"]}), lake / "b.parquet")
    assert pump(server)["files_loaded"] == 1
    with pytest.raises(snowflake.connector.errors.Error):
        run(connection, "INSERT INTO t (v) VALUES ('too long')")
    before = [run(connection, sql) for sql in QUERIES]
    server.stop()
    log = tmp_path / "state" / "snowflake.log.jsonl"
    if torn:
        log.write_bytes(log.read_bytes() + b'{"kind": "sql", "at": 17')
    again = SnowflakeServer(state_dir=tmp_path / "state")
    again.start()
    try:
        assert again.replay_problems == []
        connection = snowflake.connector.connect(
            **again.connect_kwargs(), session_parameters={"TIMEZONE": "Asia/Tokyo"}
        )
        assert [run(connection, sql) for sql in QUERIES] == before
        assert pump(again)["files_loaded"] == 0
        run(connection, "INSERT INTO d.s.t (id) VALUES (9)")
        assert len(log.read_text().splitlines()) > 10
    finally:
        again.stop()
