"""Tasks, graphs and procedures: what may be changed when, and what the listings say."""

from __future__ import annotations

import time
from typing import Any

import pytest


@pytest.fixture
def graph(account: Any) -> Any:
    account.run("CREATE TABLE log (who VARCHAR)")
    account.run("CREATE TASK root SCHEDULE = '5 MINUTE' AS INSERT INTO log VALUES ('root')")
    account.run("CREATE TASK child AFTER root AS INSERT INTO log VALUES ('child')")
    account.run("CREATE TASK grandchild AFTER child AS BEGIN INSERT INTO log VALUES ('grandchild'); END")
    return account


def states(account: Any) -> dict[str, str]:
    return {one["name"]: one["state"] for one in account.dicts("SHOW TASKS")}


def test_a_task_is_made_suspended(graph: Any) -> None:
    assert set(states(graph).values()) == {"suspended"}
    assert graph.pump()["tasks_run"] == 0


@pytest.mark.parametrize(
    "change", ["MODIFY AS SELECT 1", "SET COMMENT = 'x'", "SET SCHEDULE = '1 MINUTE'", "MODIFY WHEN TRUE"]
)
def test_a_resumed_task_is_not_modified(graph: Any, change: str) -> None:
    graph.run("ALTER TASK root RESUME")
    error = graph.fails(f"ALTER TASK root {change}")
    assert "not suspended" in error.msg
    graph.run("ALTER TASK root SUSPEND")
    graph.run(f"ALTER TASK root {change}")


@pytest.mark.parametrize("change", ["MODIFY AS SELECT 1", "RESUME", "SET COMMENT = 'x'"])
def test_a_child_is_not_touched_while_its_root_is_resumed(graph: Any, change: str) -> None:
    graph.run("ALTER TASK root RESUME")
    graph.fails(f"ALTER TASK grandchild {change}")
    graph.fails("CREATE TASK late AFTER child AS SELECT 1")
    graph.run("ALTER TASK root SUSPEND")
    graph.run(f"ALTER TASK grandchild {change}")


def test_dependents_enable_resumes_all_and_a_suspended_child_is_passed_over(graph: Any) -> None:
    graph.run(f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('{graph.database}.S.ROOT')")
    assert set(states(graph).values()) == {"started"}
    assert graph.pump()["tasks_run"] == 3
    graph.run("ALTER TASK root SUSPEND")
    graph.run("ALTER TASK child SUSPEND")
    graph.run("DELETE FROM log")
    graph.run("EXECUTE TASK root")
    graph.pump()
    assert graph.run("SELECT who FROM log ORDER BY who") == [("grandchild",), ("root",)]


def test_execute_task_runs_a_suspended_root_in_the_background(graph: Any) -> None:
    graph.run("EXECUTE TASK root")
    deadline = time.monotonic() + 10
    find = (
        "SELECT STATE, SCHEDULED_FROM, NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE DATABASE_NAME "
        "= CURRENT_DATABASE()"
    )
    while graph.run(find) != [("SUCCEEDED", "EXECUTE TASK", "ROOT")] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert graph.run(find) == [("SUCCEEDED", "EXECUTE TASK", "ROOT")]
    assert states(graph)["ROOT"] == "suspended"


def test_what_show_tasks_says_of_a_graph(graph: Any) -> None:
    child = next(one for one in graph.dicts("SHOW TASKS IN DATABASE") if one["name"] == "CHILD")
    assert child["predecessors"] == f'["{graph.database}.S.ROOT"]'
    assert list(child) == [
        "created_on",
        "name",
        "id",
        "database_name",
        "schema_name",
        "owner",
        "comment",
        "warehouse",
        "schedule",
        "predecessors",
        "state",
        "definition",
        "condition",
        "allow_overlapping_execution",
        "error_integration",
        "last_committed_on",
        "last_suspended_on",
        "owner_role_type",
        "config",
        "budget",
        "task_relations",
        "last_suspended_reason",
        "target_completion_interval",
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TASK t SCHEDULE = '1 MINUTE' AS",
        "CREATE TASK t SCHEDULE = '1 MINUTE' AS BEGIN SELECT 1",
        "CREATE TASK t SCHEDULE = '1 MINUTE' AS SELEC 1",
        "CREATE TASK t SCHEDULE = '1 MINUTE' AS INSERT INTO",
        "CREATE TASK t SCHEDULE = 'sometimes' AS SELECT 1",
        "CREATE TASK t WAREHOUSE = nowhere SCHEDULE = '1 MINUTE' AS SELECT 1",
        "CREATE TASK t SCHEDULE = '1 MINUTE' AUTOCOMMIT = FALSE AS SELECT 1",
        "CREATE TASK t NO_SUCH_PROPERTY = 1 AS SELECT 1",
        "CREATE TASK t AFTER nobody AS SELECT 1",
    ],
)
def test_a_task_that_cannot_be(account: Any, sql: str) -> None:
    account.fails(sql)
    assert account.run("SHOW TASKS") == []


def test_a_task_without_a_schedule_is_not_resumed(account: Any) -> None:
    account.run("CREATE TASK t AS SELECT 1")
    account.fails("ALTER TASK t RESUME")


def test_task_history_limits_before_it_filters(account: Any) -> None:
    account.run("CREATE TASK t SCHEDULE = '1 MINUTE' AS SELECT 1")
    for _ in range(3):
        account.run("EXECUTE TASK t")
        account.pump()
    assert (
        len(account.run("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'T', RESULT_LIMIT => 2))"))
        == 2
    )
    account.fails("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10001))")


def test_a_procedure_is_called_listed_and_replaced(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    body = " BEGIN INSERT INTO t VALUES (1); -- ;\n RETURN 'done; $'; END "
    account.run(f"CREATE PROCEDURE merge_t() RETURNS VARCHAR LANGUAGE SQL AS $${body}$$")
    assert account.run("CALL merge_t()") == [("done; $",)]
    shown = account.dicts("SHOW PROCEDURES IN SCHEMA S")[0]
    assert (shown["name"], shown["arguments"]) == ("MERGE_T", "MERGE_T() RETURN VARCHAR")
    assert account.run(
        "SELECT PROCEDURE_DEFINITION FROM INFORMATION_SCHEMA.PROCEDURES WHERE PROCEDURE_NAME = 'MERGE_T'"
    ) == [(body,)]
    assert dict(account.run("DESC PROCEDURE merge_t()"))["body"] == body
    assert body in account.run(f"SELECT GET_DDL('PROCEDURE', '{account.database}.S.MERGE_T()', TRUE)")[0][0].replace(
        "''", "'"
    )
    account.fails("CREATE PROCEDURE merge_t() RETURNS VARCHAR LANGUAGE SQL AS $$ BEGIN RETURN 1; END $$")
    account.run("CREATE OR REPLACE PROCEDURE merge_t() RETURNS VARCHAR LANGUAGE SQL AS 'BEGIN RETURN ''new''; END'")
    account.run("CREATE TASK call_it SCHEDULE = '1 MINUTE' AS CALL merge_t()")
    account.run("EXECUTE TASK call_it")
    account.pump()
    runs = account.dicts("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CALL_IT'))")
    assert runs[0]["RETURN_VALUE"] == "new"


def test_a_procedure_may_not_leave_a_transaction_open(account: Any) -> None:
    account.run("CREATE TABLE t (id INT)")
    account.run(
        "CREATE PROCEDURE p() RETURNS VARCHAR LANGUAGE SQL AS $$ BEGIN BEGIN TRANSACTION; INSERT INTO t VALUES "
        "(1); RETURN 'x'; END $$"
    )
    assert "incomplete" in account.fails("CALL p()").msg
    assert account.run("SELECT COUNT(*) FROM t") == [(0,)]


@pytest.mark.parametrize(
    "body", ["$$ nonsense $$", "$$ BEGIN SELECT 1 $$", "$$ BEGIN IF (TRUE) SELECT 1; END IF; END $$"]
)
def test_a_procedure_whose_body_does_not_parse_is_refused(account: Any, body: str) -> None:
    assert account.fails(f"CREATE PROCEDURE p() RETURNS VARCHAR LANGUAGE SQL AS {body}").errno == 1003
