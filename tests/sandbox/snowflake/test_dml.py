"""INSERT, UPDATE, DELETE, MERGE, transactions, and the answers that they give."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from typing import Any

import pytest


def test_thirty_eight_digits_survive(account: Any) -> None:
    account.run("CREATE TABLE t (n NUMBER(38,0), d NUMBER(38,37))")
    account.run(f"INSERT INTO t VALUES ({'9' * 38}, 1.{'1' * 37})")
    assert account.run("SELECT * FROM t") == [(int("9" * 38), Decimal("1." + "1" * 37))]


def test_hostile_names(account: Any) -> None:
    name = '"order ""x"" y é\' ; --"'
    account.run(f'CREATE TABLE {name} ("select" INT, "a b" VARCHAR, {name} DATE)')
    account.run(f"INSERT INTO {name} (\"select\", \"a b\", {name}) VALUES (1, 'it''s', '2024-01-02')")
    assert account.run(f'SELECT {name}."a b", {name} FROM {name} WHERE "select" = 1') == [("it's", dt.date(2024, 1, 2))]
    assert account.dicts(f"SHOW COLUMNS IN TABLE {name}")[2]["column_name"] == 'order "x" y é\' ; --'


def test_names_in_the_wrong_case_are_unknown(account: Any) -> None:
    account.run('CREATE TABLE t (id INT, "name" VARCHAR)')
    assert account.fails("SELECT name FROM t").errno == 904
    assert account.fails('SELECT "ID ", "id" FROM t').errno == 904
    assert account.fails('SELECT * FROM "t"').errno == 2003
    account.run('CREATE TABLE "t" (a INT)')
    assert account.run('SELECT COUNT(*) FROM "t"') == [(0,)]


def test_two_columns_that_differ_by_case_alone_are_refused_with_a_reason(account: Any) -> None:
    assert "differ by case alone" in account.fails('CREATE TABLE t (id INT, "id" INT)').msg


@pytest.mark.parametrize(
    ("kind", "value", "number"),
    [
        ("NUMBER(38,0)", "'abc'", 100038),
        ("NUMBER(38,0)", "CURRENT_TIMESTAMP()", 2023),
        ("TIMESTAMP_NTZ(9)", "5", 2023),
        ("VARIANT", "'text'", 2023),
        ("DATE", "TRUE", 2023),
        ("VARCHAR(3)", "'abcd'", 100078),
        ("INT NOT NULL", "NULL", 100072),
        ("DATE", "'2024-13-01'", 100040),
        ("BOOLEAN", "'maybe'", 100037),
    ],
)
def test_a_value_that_a_column_cannot_take(account: Any, kind: str, value: str, number: int) -> None:
    account.run(f"CREATE TABLE t (c {kind})")
    assert account.fails(f"INSERT INTO t SELECT {value}").errno == number


def test_counts_are_in_the_answer(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    with account.connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
        assert cursor.rowcount == 3
        cursor.execute("UPDATE t SET a = a + 1 WHERE id > 1")
        assert cursor.rowcount == 2
        cursor.execute("UPDATE t SET a = 0 WHERE id = 77")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM t WHERE id = 1")
        assert cursor.rowcount == 1
        cursor.execute(
            "MERGE INTO t USING (SELECT 2 AS id, 9 AS a UNION ALL SELECT 5, 5) s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.a)"
        )
        assert cursor.rowcount == 2
        assert [column.name for column in cursor.description] == ["number of rows inserted", "number of rows updated"]
    assert account.run("SELECT id, a FROM t ORDER BY id") == [(2, 9), (3, 4), (5, 5)]


def test_a_merge_that_updates_one_row_twice_is_refused(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.run("INSERT INTO t VALUES (1, 1)")
    twice = "MERGE INTO t USING (SELECT 1 AS id, 2 AS a UNION ALL SELECT 1, 3) s ON t.id = s.id WHEN MATCHED THEN "
    assert account.fails(twice + "UPDATE SET a = s.a").errno == 100090
    account.run("ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_MERGE = FALSE")
    account.run(twice + "UPDATE SET a = s.a")
    account.run("ALTER SESSION UNSET ERROR_ON_NONDETERMINISTIC_MERGE")
    account.run(twice + "DELETE")
    assert account.run("SELECT COUNT(*) FROM t") == [(0,)]


def test_duplicates_that_match_nothing_are_all_inserted(account: Any) -> None:
    account.run("CREATE TABLE t (id INT PRIMARY KEY)")
    account.run(
        "MERGE INTO t USING (SELECT 1 AS id UNION ALL SELECT 1) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT "
        "(id) VALUES (s.id)"
    )
    assert account.run("SELECT COUNT(*) FROM t") == [(2,)]


def test_rollback_undoes_dml_and_ddl_commits(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run("BEGIN")
    account.run("INSERT INTO t VALUES (1)")
    account.run("ROLLBACK")
    account.run("BEGIN TRANSACTION")
    account.run("INSERT INTO t VALUES (2)")
    account.run("ALTER TABLE t ADD COLUMN a INT")
    account.run("ROLLBACK")
    assert account.run("SELECT id FROM t") == [(2,)]


def test_an_error_leaves_the_transaction_open(account: Any) -> None:
    account.run("CREATE TABLE t (id INT NOT NULL)")
    account.run("BEGIN")
    account.run("INSERT INTO t VALUES (1)")
    account.fails("INSERT INTO t VALUES (NULL)")
    account.fails("SELECT 1 / 0")
    account.run("INSERT INTO t VALUES (2)")
    other = account.other()
    assert other.run("SELECT COUNT(*) FROM t") == [(0,)]
    account.run("COMMIT")
    assert other.run("SELECT COUNT(*) FROM t") == [(2,)]


def test_autocommit_off_waits_for_commit(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    other = account.other(autocommit=False)
    other.run("INSERT INTO t VALUES (1)")
    assert account.run("SELECT COUNT(*) FROM t") == [(0,)]
    other.connection.commit()
    assert account.run("SELECT COUNT(*) FROM t") == [(1,)]


def test_updates_of_one_table_queue_and_inserts_do_not(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.run("INSERT INTO t VALUES (1, 0)")
    first, second, third = account.other(), account.other(), account.other()
    first.run("BEGIN")
    first.run("UPDATE t SET a = a + 1")
    done: list[str] = []

    def update() -> None:
        second.run("UPDATE t SET a = a + 10")
        done.append("updated")

    thread = threading.Thread(target=update)
    thread.start()
    third.run("INSERT INTO t VALUES (2, 0)")
    time.sleep(0.2)
    assert done == []
    first.run("COMMIT")
    thread.join(timeout=10)
    assert done == ["updated"]
    assert account.run("SELECT id, a FROM t ORDER BY id") == [(1, 11), (2, 10)]


def test_lock_timeout_ends_the_wait(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run("INSERT INTO t VALUES (1)")
    first, second = account.other(), account.other(session_parameters={"LOCK_TIMEOUT": 1})
    first.run("BEGIN")
    first.run("DELETE FROM t")
    assert second.fails("DELETE FROM t").errno == 625
    first.run("ROLLBACK")
    assert second.run("DELETE FROM t") == [(1,)]


def test_the_twenty_first_waiter_fails(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, a INT)")
    account.run("INSERT INTO t VALUES (1, 0)")
    holder = account.other()
    holder.run("BEGIN")
    holder.run("UPDATE t SET a = 1")
    sessions = [account.other() for _ in range(21)]
    numbers: list[int] = []

    def update(one: Any) -> None:
        try:
            one.run("UPDATE t SET a = a + 1")
            numbers.append(0)
        except Exception as error:
            numbers.append(getattr(error, "errno", -1))

    threads = [threading.Thread(target=update, args=(one,)) for one in sessions]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    time.sleep(0.5)
    holder.run("COMMIT")
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(numbers) == [0] * 20 + [625]
    assert account.run("SELECT a FROM t") == [(21,)]


def test_binds_of_both_styles(account: Any) -> None:
    account.run("CREATE TABLE t (id INT, v VARCHAR, d DATE, ts TIMESTAMP_NTZ, b BOOLEAN)")
    with account.connection.cursor() as cursor:
        row = (1, 'it\'s \\ "x"', dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5, 6), True)
        cursor.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", row)
        cursor.execute("SELECT * FROM t WHERE v = %s", (row[1],))
        assert cursor.fetchall() == [row]
        cursor.executemany("INSERT INTO t (id, v) VALUES (%s, %s)", [(2, "b"), (3, "c")])
        assert cursor.rowcount == 2
    other = account.other(paramstyle="qmark")
    with other.connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id, v, d) VALUES (?, ?, ?)", (4, "d?'", dt.date(2024, 2, 3)))
        cursor.execute("SELECT v, d FROM t WHERE id = ?", (4,))
        assert cursor.fetchall() == [("d?'", dt.date(2024, 2, 3))]


def test_create_table_as_and_clone(account: Any) -> None:
    account.run("CREATE TABLE t (id INT NOT NULL, v VARCHAR(7), ts TIMESTAMP_TZ(9)) COMMENT = 'c'")
    account.run("INSERT INTO t VALUES (1, 'x', '2024-01-01 00:00:00 +02:00')")
    account.run("CREATE TABLE u CLONE t")
    account.run("CREATE OR REPLACE TABLE v AS SELECT id, v, ts, id * 2 AS twice FROM t")
    account.run("UPDATE t SET v = 'y'")
    assert account.run("SELECT v FROM u") == [("x",)]
    assert account.types("u") == account.types("t")
    assert account.types("v")["TS"] == "TIMESTAMP_TZ(9)"
    assert account.types("v")["V"] == "VARCHAR(7)"
    account.run("DROP TABLE t")
    account.fails("SELECT * FROM t")
    account.run("UNDROP TABLE t")
    assert account.run("SELECT v FROM t") == [("y",)]


def test_an_object_keeps_its_nulls_if_asked_and_is_written_as_text(account: Any) -> None:
    """docs.snowflake.com "OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL", "TO_JSON"."""
    account.run("CREATE TABLE t (a VARCHAR, b INT)")
    account.run("INSERT INTO t VALUES ('x\"y', NULL)")
    both = account.run(
        "SELECT TO_JSON(OBJECT_CONSTRUCT('A', a, 'B', b)), TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL('A', a, 'B', b)) FROM t"
    )
    assert both == [(r'{"A":"x\"y"}', r'{"A":"x\"y","B":null}')]
    assert account.run("SELECT TO_JSON(NULL::VARIANT), TO_JSON(PARSE_JSON('null'))") == [(None, "null")]


def test_json_with_a_key_twice_is_an_error_unless_that_is_allowed(account: Any) -> None:
    """docs.snowflake.com "PARSE_JSON" and "TRY_PARSE_JSON": the parameter 's' is the default, 'd' allows it."""
    account.run("CREATE TABLE t (id INT, a VARCHAR)")
    texts = ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "a": 2}}]', '{"a": {"b": 1}, "b": [1, 1]}', "null", '{"a":']
    for number, text in enumerate(texts):
        account.run(f"INSERT INTO t VALUES ({number}, '{text}')")
    strict, allowed = "TRY_PARSE_JSON(a) IS NULL", "TRY_PARSE_JSON(a, 'd') IS NULL"
    found = account.run(f"SELECT {strict}, TRY_PARSE_JSON(a, 's') IS NULL, {allowed} FROM t ORDER BY id")
    assert found == [(True, True, False)] * 2 + [(False, False, False)] * 2 + [(True, True, True)]
    assert account.fails("SELECT PARSE_JSON(a) FROM t WHERE id = 0").errno == 100069
