"""The merge task of a pipeline: its scripting block, its window, its idempotence, in sessions that are not UTC."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

BODY = """BEGIN
  -- a comment; with a semicolon, 'a quote' and END
  LET since TIMESTAMP_LTZ := (SELECT COALESCE(MAX("UPTO"), '1970-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ)
    FROM {db}.S."WATERMARK" WHERE "LANDING" = 'X;');
  LET upto TIMESTAMP_LTZ := (SELECT MAX("_DG_LOADED_AT") FROM {db}.S."ORDERS_CDC");
  BEGIN TRANSACTION;
  MERGE INTO {db}.S."ORDERS" AS t USING (
    SELECT "ID", "NAME", TRY_TO_BOOLEAN("FLAG") AS "FLAG", TRY_PARSE_JSON("DOC") AS "DOC",
           TRY_CAST("N" AS NUMBER(38, 2)) AS "N",
           TRY_TO_TIMESTAMP_TZ(
             TO_VARCHAR("TS", 'YYYY-MM-DD HH24:MI:SS.FF9') || ' +00:00', 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM') AS "TS",
           COALESCE("OP", 'I') AS "_DG_OP", TRY_TO_TIMESTAMP_NTZ("TRANSACT_TS") AS "_DG_COMMIT_TS",
           IFF(SPLIT_PART("_DG_FILE", '/', -1) LIKE 'LOAD%', '0', '1') || '|' || COALESCE("SEQ", '') || '|' ||
             "_DG_FILE" || '|' || LPAD("_DG_ROW"::VARCHAR, 12, '0') AS "_DG_SEQ"
    FROM {db}.S."ORDERS_CDC"
    WHERE "_DG_LOADED_AT" > DATEADD('minute', -60, :since) AND "_DG_LOADED_AT" <= :upto
    QUALIFY ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "_DG_SEQ" DESC) = 1
  ) AS s ON t."ID" = s."ID"
  WHEN MATCHED AND s."_DG_OP" = 'D' AND (s."_DG_SEQ" >= t."_DG_SEQ") THEN DELETE
  WHEN MATCHED AND s."_DG_OP" <> 'D' AND (s."_DG_SEQ" > t."_DG_SEQ") THEN
    UPDATE SET "NAME" = s."NAME", "FLAG" = s."FLAG", "DOC" = s."DOC",
    "N" = s."N", "TS" = s."TS", "_DG_COMMIT_TS" = s."_DG_COMMIT_TS", "_DG_SEQ" = s."_DG_SEQ"
  WHEN NOT MATCHED AND s."_DG_OP" <> 'D' THEN
    INSERT ("ID", "NAME", "FLAG", "DOC", "N", "TS", "_DG_COMMIT_TS", "_DG_SEQ")
    VALUES (s."ID", s."NAME", s."FLAG", s."DOC", s."N", s."TS", s."_DG_COMMIT_TS", s."_DG_SEQ");
  INSERT INTO {db}.S."WATERMARK" ("LANDING", "UPTO", "RAN_AT")
    SELECT 'X;', :upto, CURRENT_TIMESTAMP() WHERE :upto > :since;
  COMMIT;
EXCEPTION
  WHEN OTHER THEN
    ROLLBACK;
    RAISE;
END"""


@pytest.fixture
def landing(account: Any) -> Any:
    text = "VARCHAR(134217728)"
    account.stage()
    account.run(
        f"CREATE TABLE orders_cdc (op {text}, transact_ts {text}, seq {text}, _dg_file {text}, _dg_row NUMBER(38,0), "
        f"_dg_loaded_at TIMESTAMP_LTZ(9), id NUMBER(38,0), name {text}, flag {text}, doc {text}, n {text}, ts "
        "TIMESTAMP_NTZ(9))"
    )
    account.run(
        f"CREATE TABLE orders (id NUMBER(38,0), name {text}, flag BOOLEAN, doc VARIANT, n NUMBER(38,2), ts "
        "TIMESTAMP_TZ(9), "
        f"_dg_commit_ts TIMESTAMP_NTZ(9), _dg_seq {text}, PRIMARY KEY (id))"
    )
    account.run(f"CREATE TABLE watermark (landing {text}, upto TIMESTAMP_LTZ(9), ran_at TIMESTAMP_LTZ(9))")
    account.run(
        "CREATE PIPE orders_pipe AUTO_INGEST = TRUE AS COPY INTO orders_cdc FROM @st/orders/ FILE_FORMAT = "
        "(FORMAT_NAME = 'f') "
        'MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE INCLUDE_METADATA = ("_DG_FILE" = METADATA$FILENAME, '
        '"_DG_ROW" = METADATA$FILE_ROW_NUMBER, "_DG_LOADED_AT" = METADATA$START_SCAN_TIME)'
    )
    account.run(f"CREATE TASK merge_orders WAREHOUSE = w SCHEDULE = '1 MINUTE' AS {BODY.format(db=account.database)}")
    account.run("ALTER TASK merge_orders RESUME")
    return account


def test_rows_arrive_change_and_go(landing: Any) -> None:
    moment = dt.datetime(2024, 7, 2, 3, 4, 5, 678901)
    landing.parquet(
        "orders/LOAD00000001.parquet",
        {
            "id": [1, 2, 3],
            "name": ["a", "b", "\\N"],
            "flag": ["true", "perhaps", None],
            "doc": ['{"a":1}', "{", None],
            "n": ["1.236", "zz", None],
            "ts": pa.array([moment] * 3, pa.timestamp("us")),
        },
    )
    assert landing.pump()["rows_loaded"] == 3
    rows = landing.run("SELECT id, name, flag, doc:a::NUMBER, n::VARCHAR, ts FROM orders ORDER BY id")
    instant = moment.replace(tzinfo=dt.UTC)
    assert rows == [
        (1, "a", True, 1, "1.24", instant),
        (2, "b", None, None, None, instant),
        (3, "\\N", None, None, None, instant),
    ]
    landing.parquet(
        "orders/20240703.parquet",
        {"Op": ["U", "D", "I"], "id": [1, 2, 4], "name": ["a2", None, "d"], "seq": ["1", "2", "3"]},
    )
    out = landing.pump()
    assert (out["files_loaded"], out["tasks_run"], out["tasks_failed"]) == (1, 1, [])
    assert landing.run("SELECT id, name FROM orders ORDER BY id") == [(1, "a2"), (3, "\\N"), (4, "d")]
    assert landing.run("SELECT COUNT(*), COUNT(DISTINCT upto) FROM watermark") == [(2, 2)]
    assert landing.pump()["tasks_run"] == 0


def test_a_failing_merge_leaves_nothing_open_and_is_in_the_history(landing: Any) -> None:
    landing.parquet("orders/LOAD1.parquet", {"id": [1], "name": ["a"]})
    landing.run("ALTER TABLE orders DROP COLUMN name")
    out = landing.pump()
    assert len(out["tasks_failed"]) == 1
    runs = landing.dicts("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'MERGE_ORDERS'))")
    assert runs[0]["STATE"] == "FAILED"
    assert runs[0]["ERROR_CODE"] == "000904"
    assert "invalid identifier" in runs[0]["ERROR_MESSAGE"]
    landing.run("ALTER TABLE orders ADD COLUMN name VARCHAR")
    landing.pump()
    assert landing.run("SELECT id, name FROM orders") == [(1, "a")]


def test_a_task_is_suspended_after_ten_failures_in_a_row(landing: Any) -> None:
    landing.run("CREATE TASK broken SCHEDULE = '1 MINUTE' AS INSERT INTO nowhere VALUES (1)")
    landing.run("ALTER TASK broken RESUME")
    for _ in range(11):
        landing.pump()
    task = next(one for one in landing.dicts("SHOW TASKS") if one["name"] == "BROKEN")
    assert (task["state"], task["last_suspended_reason"]) == ("suspended", "SUSPENDED_DUE_TO_ERRORS")
    states = [
        one[0] for one in landing.run("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'BROKEN'))")
    ]
    assert states.count("FAILED") == 9
    assert states.count("FAILED_AND_AUTO_SUSPENDED") == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_files_load_in_any_order_and_final_is_the_same(landing: Any, seed: int) -> None:
    for number in range(6):
        landing.parquet(
            f"orders/2024-{number}.parquet", {"Op": ["U"], "id": [1], "name": [f"v{number}"], "seq": [str(number)]}
        )
    assert landing.pump(seed=seed)["files_loaded"] == 6
    assert landing.run("SELECT name FROM orders") == [("v5",)]


def test_the_definition_is_kept_verbatim(landing: Any) -> None:
    body = BODY.format(db=landing.database)
    task = landing.dicts("SHOW TASKS LIKE 'merge%'")[0]
    assert task["definition"] == body
    assert (task["state"], task["schedule"], task["warehouse"]) == ("started", "1 MINUTE", "W")
    assert landing.dicts("DESC TASK merge_orders")[0]["definition"] == body
    ddl = landing.run(f"SELECT GET_DDL('TASK', '{landing.database}.S.MERGE_ORDERS', TRUE)")[0][0]
    assert ddl.endswith(f"as {body};")
