"""Append-only streams: what they give, when their offset moves, when they cannot be read, and tasks that wait for one.

"Introduction to streams", "CREATE STREAM", "CREATE TASK" (WHEN) on docs.snowflake.com.
"""

from __future__ import annotations

from typing import Any

import pytest

STREAM = "CREATE STREAM st ON TABLE t APPEND_ONLY = TRUE"
TAKE = "INSERT INTO took SELECT a FROM st"


@pytest.fixture
def stream(account: Any) -> Any:
    account.run("CREATE TABLE t (a INT, b VARCHAR)")
    account.run("CREATE TABLE took (a INT)")
    account.run("INSERT INTO t VALUES (0, 'before')")
    account.run(STREAM)
    return account


def given(account: Any) -> list[int]:
    return [int(row[0]) for row in account.run("SELECT a FROM st ORDER BY a")]


def has_data(account: Any) -> bool:
    return bool(account.run("SELECT SYSTEM$STREAM_HAS_DATA('st')")[0][0])


def listed(account: Any) -> dict[str, Any]:
    (found,) = account.dicts("SHOW STREAMS")
    return dict(found)


# -- what it gives -----------------------------------------------------------------------------------------------------


def test_it_gives_what_was_inserted_since_it_was_made_and_says_so(stream: Any) -> None:
    assert (given(stream), has_data(stream)) == ([], False)
    stream.run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    rows = stream.dicts("SELECT * FROM st ORDER BY a")
    assert [(row["A"], row["B"], row["METADATA$ACTION"], row["METADATA$ISUPDATE"]) for row in rows] == [
        (1, "x", "INSERT", False),
        (2, "y", "INSERT", False),
    ]
    assert rows[0]["METADATA$ROW_ID"] != rows[1]["METADATA$ROW_ID"]
    assert has_data(stream)


def test_show_initial_rows_gives_what_was_there(stream: Any) -> None:
    stream.run(f"{STREAM.replace('CREATE', 'CREATE OR REPLACE')} SHOW_INITIAL_ROWS = TRUE")
    assert given(stream) == [0]
    stream.run(TAKE)
    assert given(stream) == []


def test_rows_of_files_and_of_a_merge_are_in_it(stream: Any) -> None:
    stream.stage()
    stream.parquet("p/1.parquet", {"A": [5, 6]})
    stream.run("COPY INTO t FROM @st/p/ FILE_FORMAT = f MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    stream.run(
        "MERGE INTO t USING (SELECT COLUMN1 AS a FROM (VALUES (0), (7))) AS s ON t.a = s.a "
        "WHEN MATCHED THEN UPDATE SET b = 'again' WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
    )
    assert given(stream) == [5, 6, 7]


def test_updates_and_deletes_are_nothing_to_it(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    stream.run("UPDATE t SET b = 'z' WHERE a = 0")
    stream.run("DELETE FROM t")
    assert given(stream) == [1, 2]
    stream.run("TRUNCATE TABLE t")
    assert given(stream) == [1, 2]


def test_it_has_the_columns_that_the_table_has_now(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x')")
    stream.run("ALTER TABLE t RENAME COLUMN b TO c")
    stream.run("ALTER TABLE t ADD COLUMN d VARCHAR")
    stream.run("ALTER TABLE t ALTER COLUMN c SET DATA TYPE VARCHAR(16777216)")
    stream.run("INSERT INTO t VALUES (2, 'y', 'new')")
    assert stream.run("SELECT a, c, d FROM st ORDER BY a") == [(1, "x", None), (2, "y", "new")]
    stream.run("ALTER TABLE t DROP COLUMN c")
    stream.fails("SELECT c FROM st")
    stream.run("ALTER TABLE t RENAME TO u")
    stream.run("INSERT INTO u VALUES (3, NULL)")
    assert given(stream) == [1, 2, 3]


# -- the offset --------------------------------------------------------------------------------------------------------


def test_a_query_leaves_the_offset_and_a_change_of_rows_moves_it(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x')")
    assert given(stream) == given(stream) == [1]
    stream.run("INSERT INTO took SELECT a FROM st WHERE FALSE")
    assert (given(stream), has_data(stream)) == ([], False)


def test_a_statement_that_fails_leaves_it(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x')")
    stream.fails("INSERT INTO took SELECT TO_NUMBER(b) FROM st")
    assert given(stream) == [1]


def test_in_a_transaction_it_moves_with_the_commit_and_a_rollback_leaves_it(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x')")
    stream.run("BEGIN")
    stream.run(TAKE)
    assert given(stream) == [1]  # every statement of the transaction sees the same
    stream.run("ROLLBACK")
    assert given(stream) == [1]
    stream.run("BEGIN")
    stream.run(TAKE)
    stream.run("COMMIT")
    assert given(stream) == []
    assert stream.run("SELECT a FROM took") == [(1,)]


def test_a_transaction_sees_it_as_it_was_at_its_beginning_and_takes_no_more(stream: Any) -> None:
    other = stream.other()
    stream.run("INSERT INTO t VALUES (1, 'x')")
    stream.run("BEGIN")
    other.run("INSERT INTO t VALUES (2, 'meanwhile')")
    stream.run("INSERT INTO t VALUES (3, 'its own')")
    assert given(stream) == [1]
    stream.run(TAKE)
    stream.run("COMMIT")
    assert given(stream) == [2, 3]
    assert stream.run("SELECT a FROM took") == [(1,)]
    other.connection.close()


def test_what_is_not_committed_is_not_in_it(stream: Any) -> None:
    other = stream.other()
    other.run("BEGIN")
    other.run("INSERT INTO t VALUES (1, 'x')")
    assert (given(stream), has_data(stream)) == ([], False)
    stream.run("INSERT INTO t VALUES (2, 'earlier')")
    stream.run(TAKE)
    other.run("COMMIT")
    assert given(stream) == [1]
    other.run("BEGIN")
    other.run("INSERT INTO t VALUES (3, 'x')")
    other.run("ROLLBACK")
    assert given(stream) == [1]
    other.connection.close()


def test_two_streams_of_a_table_have_an_offset_each(stream: Any) -> None:
    stream.run(STREAM.replace("st", "second"))
    stream.run("INSERT INTO t VALUES (1, 'x')")
    stream.run(TAKE)
    assert given(stream) == []
    assert stream.run("SELECT a FROM second") == [(1,)]


# -- when there is none ------------------------------------------------------------------------------------------------


def test_a_table_made_anew_under_its_name_leaves_it_stale(stream: Any) -> None:
    assert (listed(stream)["stale"], listed(stream)["mode"]) == ("false", "APPEND_ONLY")
    stream.run("CREATE OR REPLACE TABLE t (a INT, b VARCHAR)")
    assert listed(stream)["stale"] == "true"
    assert "cannot read from stream" in stream.fails("SELECT * FROM st").msg
    stream.fails("SELECT SYSTEM$STREAM_HAS_DATA('st')")
    stream.run(STREAM.replace("CREATE", "CREATE OR REPLACE"))
    stream.run("INSERT INTO t VALUES (1, 'x')")
    assert given(stream) == [1]


def test_a_stream_that_nobody_reads_for_a_fortnight_is_stale(stream: Any) -> None:
    stream.run("INSERT INTO t VALUES (1, 'x')")
    assert (listed(stream)["stale_after"] - listed(stream)["created_on"]).days == 14
    aged = stream.server.engine.catalog.schema(stream.database, "S").streams["ST"]
    aged.offset -= 15 * 86_400_000_000
    assert listed(stream)["stale"] == "true"
    assert "stale" in stream.fails("SELECT * FROM st").msg


def test_asking_an_empty_stream_for_data_keeps_it_from_becoming_stale(stream: Any) -> None:
    before = listed(stream)["stale_after"]
    assert not has_data(stream)
    assert listed(stream)["stale_after"] > before


def test_what_create_refuses(stream: Any) -> None:
    assert "already exists" in stream.fails(STREAM).msg
    stream.run(STREAM.replace("STREAM st", "STREAM IF NOT EXISTS st"))
    stream.fails("CREATE STREAM x ON TABLE nowhere APPEND_ONLY = TRUE")
    stream.fails("CREATE STREAM x ON TABLE t APPEND_ONLY = TRUE COLOUR = 'red'")
    stream.fails("CREATE STREAM x ON VIEW v")
    stream.run("CREATE STREAM x ON TABLE t")
    assert "append-only" in stream.fails("SELECT * FROM x").msg
    assert [row["mode"] for row in stream.dicts("SHOW STREAMS LIKE 'X'")] == ["DEFAULT"]
    stream.run("DROP STREAM st")
    stream.fails("SELECT * FROM st")
    stream.fails("DROP STREAM st")
    stream.run("DROP STREAM IF EXISTS st")
    stream.run("INSERT INTO t VALUES (1, 'x')")


def test_who_may_make_and_read_one(stream: Any) -> None:
    place = f"{stream.database}.S"
    stream.run("CREATE OR REPLACE ROLE reader")
    stream.run(f"GRANT USAGE ON DATABASE {stream.database} TO ROLE reader")
    stream.run(f"GRANT USAGE, CREATE STREAM ON SCHEMA {place} TO ROLE reader")
    stream.run(f"CREATE TABLE {place}.fresh (a INT)")
    stream.run(f"GRANT SELECT ON TABLE {place}.fresh TO ROLE reader")
    stream.run(f"GRANT SELECT ON STREAM {place}.st TO ROLE reader")
    stream.run("USE ROLE reader")
    stream.fails("SELECT * FROM st")  # not without SELECT on its table
    stream.fails("CREATE STREAM mine ON TABLE fresh APPEND_ONLY = TRUE")  # nobody tracks its changes yet
    stream.run("USE ROLE ACCOUNTADMIN")
    stream.run("CREATE STREAM first ON TABLE fresh APPEND_ONLY = TRUE")
    stream.run(f"GRANT SELECT ON TABLE {place}.t TO ROLE reader")
    stream.run("USE ROLE reader")
    stream.run("CREATE STREAM mine ON TABLE fresh APPEND_ONLY = TRUE")
    stream.run("SELECT * FROM st")
    stream.run("USE ROLE ACCOUNTADMIN")


# -- tasks -------------------------------------------------------------------------------------------------------------

TASK = "CREATE TASK task SCHEDULE = '1 MINUTE' WHEN SYSTEM$STREAM_HAS_DATA('st') AS INSERT INTO took SELECT a FROM st"


def history(account: Any) -> list[tuple[Any, ...]]:
    return [
        (row["STATE"], row["ERROR_CODE"])
        for row in account.dicts(
            "SELECT STATE, ERROR_CODE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'TASK')) ORDER BY RUN_ID"
        )
    ]


def test_a_task_runs_only_while_its_condition_is_true(stream: Any) -> None:
    stream.run(TASK)
    assert [row["condition"] for row in stream.dicts("SHOW TASKS")] == ["SYSTEM$STREAM_HAS_DATA('st')"]
    stream.run("ALTER TASK task RESUME")
    assert stream.pump()["tasks_run"] == 0
    assert [state for state, _ in history(stream)] == ["SKIPPED"]
    stream.run("INSERT INTO t VALUES (1, 'x')")
    assert stream.pump()["tasks_run"] == 1
    assert stream.run("SELECT a FROM took") == [(1,)]
    assert "SUCCEEDED" in [state for state, _ in history(stream)]
    stream.run("EXECUTE TASK task")
    stream.pump()
    assert [state for state, _ in history(stream)][-1] == "SKIPPED"


def test_a_condition_is_set_and_taken_away(stream: Any) -> None:
    stream.run(TASK)
    stream.run("ALTER TASK task MODIFY WHEN NOT SYSTEM$STREAM_HAS_DATA('st')")
    assert [row["condition"] for row in stream.dicts("SHOW TASKS")] == ["NOT SYSTEM$STREAM_HAS_DATA('st')"]
    stream.run("ALTER TASK task REMOVE WHEN")
    assert [row["condition"] for row in stream.dicts("SHOW TASKS")] == [None]


@pytest.mark.parametrize("condition", ["(SELECT COUNT(*) > 0 FROM st)", "MY_FUNCTION('st')", ""])
def test_a_condition_asks_no_other_function(stream: Any, condition: str) -> None:
    stream.run(TASK)
    stream.fails(f"ALTER TASK task MODIFY WHEN {condition}")


def test_a_run_whose_stream_is_gone_fails(stream: Any) -> None:
    stream.run(TASK)
    stream.run("ALTER TASK task RESUME")
    stream.run("DROP STREAM st")
    assert len(stream.pump()["tasks_failed"]) == 1
    assert [state for state, _ in history(stream)] == ["FAILED"]
