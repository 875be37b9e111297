"""Sessions: time zones, parameters, tags, timeouts, cancelling, passwords, several clients."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import urllib.request
import uuid
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import Error

from driftguard.sandbox.snowflake import SnowflakeServer


def test_a_session_that_sets_nothing_is_in_los_angeles(account: Any) -> None:
    rows = account.run("SELECT '2024-01-01 00:00:00'::TIMESTAMP_NTZ::TIMESTAMP_TZ, CURRENT_TIMESTAMP()")
    assert rows[0][0] == dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)
    assert rows[0][1].utcoffset() in (dt.timedelta(hours=-8), dt.timedelta(hours=-7))


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 0), ("Europe/Berlin", -1), ("America/Los_Angeles", 8)])
def test_the_zone_decides_what_a_wall_clock_means(account: Any, zone: str, hour: int) -> None:
    account.run("CREATE TABLE t (z TIMESTAMP_TZ, l TIMESTAMP_LTZ)")
    account.run(f"ALTER SESSION SET TIMEZONE = '{zone}'")
    account.run("INSERT INTO t SELECT '2024-01-01 00:00:00'::TIMESTAMP_NTZ, '2024-01-01 00:00:00'")
    expected = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    assert account.run("SELECT z, l FROM t") == [(expected, expected)]
    assert account.run("SELECT l::TIMESTAMP_NTZ, TO_VARCHAR(l, 'YYYY-MM-DD HH24:MI') FROM t") == [
        (dt.datetime(2024, 1, 1), "2024-01-01 00:00")
    ]
    account.run("ALTER SESSION SET TIMEZONE = 'UTC'")
    assert account.run("SELECT l::TIMESTAMP_NTZ FROM t") == [(expected.replace(tzinfo=None),)]


def test_a_zone_that_does_not_exist_is_refused(account: Any) -> None:
    account.fails("ALTER SESSION SET TIMEZONE = 'Mars/Olympus'")
    account.fails("ALTER SESSION SET NO_SUCH_PARAMETER = 1")


def test_ranges_of_years_and_microseconds(account: Any) -> None:
    account.run("CREATE TABLE t (ts TIMESTAMP_NTZ, d DATE)")
    account.run(
        "INSERT INTO t VALUES ('9999-12-31 23:59:59.999999', '9999-12-31'), ('0001-01-01 00:00:00', "
        "'0001-01-01'), ('1969-12-31 23:59:59.5', '1969-12-31')"
    )
    assert account.run("SELECT * FROM t ORDER BY d") == [
        (dt.datetime(1, 1, 1), dt.date(1, 1, 1)),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 500000), dt.date(1969, 12, 31)),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.date(9999, 12, 31)),
    ]


def test_tags_of_session_and_statement_are_in_the_history(account: Any) -> None:
    one = account.other(session_parameters={"QUERY_TAG": "of the session"})
    one.run("SELECT 'tagged one'")
    with one.connection.cursor() as cursor:
        cursor.execute("SELECT 'tagged two'", _statement_params={"QUERY_TAG": "of the statement"})
        query_id = cursor.sfqid
    rows = one.run(
        "SELECT QUERY_TAG, EXECUTION_STATUS, QUERY_ID FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT "
        "=> 1000)) "
        "WHERE QUERY_TEXT LIKE 'SELECT ''tagged%' ORDER BY START_TIME"
    )
    assert [row[:2] for row in rows] == [("of the session", "SUCCESS"), ("of the statement", "SUCCESS")]
    assert rows[1][2] == query_id


def test_a_failed_statement_is_in_the_history_with_its_error(account: Any) -> None:
    account.fails("SELECT * FROM no_such_table_at_all")
    rows = account.run(
        "SELECT EXECUTION_STATUS, ERROR_CODE, ERROR_MESSAGE, END_TIME FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY()) "
        "WHERE QUERY_TEXT = 'SELECT * FROM no_such_table_at_all'"
    )
    assert rows[0][:2] == ("FAILED_WITH_ERROR", "002003")
    assert "NO_SUCH_TABLE_AT_ALL" in rows[0][2]


def test_the_history_of_a_user_is_that_user_s_alone_and_never_older_than_7_days(account: Any) -> None:
    account.run("SELECT 'mine, today'")
    history = "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER({}RESULT_LIMIT => 10000))"
    find = f"SELECT USER_NAME FROM {history} WHERE QUERY_TEXT = $$SELECT 'mine, today'$$"
    assert account.run(find.format("")) == [("DRIFTGUARD",)]
    assert account.run(find.format("USER_NAME => '\"DRIFTGUARD\"', ")) == [("DRIFTGUARD",)]
    assert account.run(find.format("USER_NAME => '\"SOMEBODY\"', ")) == []
    start = "END_TIME_RANGE_START => DATEADD('day', -{}, CURRENT_TIMESTAMP()), "
    assert account.run(find.format(start.format(6))) == [("DRIFTGUARD",)]
    assert "7 days" in str(account.fails(find.format(start.format(8))))


def test_a_running_statement_ends_at_the_epoch_and_comes_first_in_the_history(account: Any) -> None:
    thread = threading.Thread(target=lambda: account.other().run("SELECT SYSTEM$WAIT(2)"), daemon=True)
    thread.start()
    time.sleep(0.7)
    account.run("SELECT 'later'")
    rows = account.run(
        "SELECT QUERY_TEXT, EXECUTION_STATUS, DATE_PART(EPOCH_SECOND, END_TIME) FROM "
        "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 1))"
    )
    assert rows == [("SELECT SYSTEM$WAIT(2)", "RUNNING", 0)]
    finished = "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(END_TIME_RANGE_END => CURRENT_TIMESTAMP(), RESULT_LIMIT => 1))"
    assert account.run(f"SELECT EXECUTION_STATUS FROM {finished}") == [("SUCCESS",)]
    thread.join()


def test_a_request_that_is_repeated_gets_the_first_answer(account: Any) -> None:
    account.run("CREATE TABLE once (n INT)")
    body = json.dumps({"sqlText": "INSERT INTO once VALUES (1)"}).encode()
    url = f"http://127.0.0.1:{account.server.port}/queries/v1/query-request?requestId={uuid.uuid4()}"
    token = {"Authorization": f'Snowflake Token="{account.connection.rest.token}"'}
    answers = []
    for _ in range(2):
        call = urllib.request.Request(url, method="POST", data=body, headers=token)
        with urllib.request.urlopen(call, timeout=30) as response:
            answers.append(json.load(response))
    assert answers[0] == answers[1]
    assert account.run("SELECT COUNT(*) FROM once") == [(1,)]


def test_a_statement_lives_on_when_its_client_is_cut_and_can_be_cancelled(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    one = account.other(session_parameters={"QUERY_TAG": f"cut {account.database}"})
    threading.Thread(
        target=lambda: _ignore(lambda: one.run("BEGIN SELECT SYSTEM$WAIT(1); INSERT INTO t VALUES (1); END")),
        daemon=True,
    ).start()
    time.sleep(0.3)
    find = (
        "SELECT QUERY_ID, EXECUTION_STATUS FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY()) WHERE QUERY_TAG = "
        f"'cut {account.database}'"
    )
    assert account.run(find)[0][1] == "RUNNING"
    assert account.run("SELECT COUNT(*) FROM t") == [(0,)]
    deadline = time.monotonic() + 10
    while account.run(find)[0][1] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert account.run("SELECT COUNT(*) FROM t") == [(1,)]
    two = account.other(session_parameters={"QUERY_TAG": f"stop {account.database}"})
    caught: list[Any] = []
    thread = threading.Thread(target=lambda: caught.append(_ignore(lambda: two.run("SELECT SYSTEM$WAIT(30)"))))
    thread.start()
    time.sleep(0.3)
    query_id = account.run(find.replace("'cut", "'stop"))[0][0]
    account.run(f"SELECT SYSTEM$CANCEL_QUERY('{query_id}')")
    thread.join(timeout=10)
    assert caught[0].errno == 604


def _ignore(call: Any) -> Any:
    try:
        return call()
    except Error as error:
        return error


def test_a_statement_timeout_is_000630(account: Any) -> None:
    account.run("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    error = account.fails("SELECT SYSTEM$WAIT(20)")
    assert (error.errno, error.sqlstate) == (630, "57014")


def test_an_asynchronous_query_can_be_followed(account: Any) -> None:
    with account.connection.cursor() as cursor:
        cursor.execute_async("SELECT SYSTEM$WAIT(1, 'SECONDS'), 5")
        query_id = cursor.sfqid
        assert account.connection.is_still_running(account.connection.get_query_status(query_id))
        cursor.get_results_from_sfqid(query_id)
        assert cursor.fetchall()[0][1] == 5


def test_the_current_functions(account: Any) -> None:
    account.run("USE WAREHOUSE w")
    row = account.run(
        "SELECT CURRENT_WAREHOUSE(), CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_USER(), "
        "CURRENT_ACCOUNT()"
    )[0]
    assert row == ("W", "ACCOUNTADMIN", account.database, "S", "DRIFTGUARD", "SANDBOX")
    assert account.run("SELECT CURRENT_SESSION(), CURRENT_REGION()")[0][0].isdigit()


def test_result_scan_and_the_flow_operator_read_the_answer_before(account: Any) -> None:
    account.run("CREATE TABLE a (x INT)")
    account.run("SHOW TABLES IN SCHEMA S")
    assert account.run('SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("A",)]
    assert account.run('SHOW TABLES IN SCHEMA S ->> SELECT "name" FROM $1 WHERE "rows" = 0') == [("A",)]


def test_several_statements_in_one_request_are_refused(account: Any) -> None:
    assert account.fails("SELECT 1; SELECT 2").errno == 8
    assert [cursor.fetchone()[0] for cursor in account.connection.execute_string("SELECT 1; SELECT ';2';")] == [1, ";2"]


def test_a_wrong_password_is_refused() -> None:
    server = SnowflakeServer(passwords={"driftguard": "right"})
    server.start()
    try:
        snowflake.connector.connect(**server.connect_kwargs()).close()
        with pytest.raises(Error) as caught:
            snowflake.connector.connect(**{**server.connect_kwargs(), "password": "wrong"})
        assert caught.value.errno in (250001, 390100)
        assert "Incorrect username or password was specified" in str(caught.value)
    finally:
        server.stop()


def test_a_defect_becomes_an_error_and_no_http_500(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftguard.sandbox.snowflake import dispatch

    def broken(*_: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setitem(dispatch.OTHER, "EXPLAIN", broken)
    start = time.monotonic()
    assert account.fails("EXPLAIN SELECT 1").errno == 603
    assert time.monotonic() - start < 5
