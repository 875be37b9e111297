"""Procedures as they are kept and shown, and those in JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

WHOLE = """CREATE OR REPLACE SECURE PROCEDURE p(n NUMBER, "a b" VARCHAR DEFAULT CONCAT('(', 'x')) COPY GRANTS
RETURNS VARCHAR NOT NULL LANGUAGE SQL STRICT COMMENT = 'it''s \\\\ mine' EXECUTE AS CALLER
AS $$
BEGIN
  RETURN n || "a b" || '\\n it''s';
END
$$"""


def each(account: Any, *statements: str) -> None:
    for statement in statements:
        account.run(statement)


def ddl(account: Any, signature: str = "(NUMBER, VARCHAR)") -> str:
    (row,) = account.run(f"SELECT GET_DDL('PROCEDURE', '{account.database}.S.P{signature}', TRUE)")
    return str(row[0])


def test_what_get_ddl_prints_makes_the_same_procedure_again(account: Any) -> None:
    account.run(WHOLE)
    first = ddl(account)
    for part in ("SECURE", "VARCHAR(16777216) DEFAULT CONCAT('(', 'x')", "NOT NULL", "STRICT", "EXECUTE AS CALLER"):
        assert part in first
    account.run(first)
    assert ddl(account) == first
    assert account.run("CALL p(1)") == account.run("CALL p(1, '(x')") == [("1(x\n it's",)]
    assert account.run("CALL p(NULL, 'x')") == [(None,)]


def test_get_ddl_wants_the_types_of_the_arguments(account: Any) -> None:
    account.run(WHOLE)
    for wrong in ("()", "(NUMBER)", "(VARCHAR, NUMBER)"):
        sql = f"SELECT GET_DDL('PROCEDURE', '{account.database}.S.P{wrong}', TRUE)"
        assert account.fails(sql).errno == 2003
    assert ddl(account, "(NUMBER(38,0), TEXT)") == ddl(account)


def test_grants_stay_only_with_copy_grants(account: Any) -> None:
    role = f"R_{account.database}"
    each(account, WHOLE, f"CREATE ROLE {role}", f"GRANT USAGE ON PROCEDURE p(NUMBER, VARCHAR) TO ROLE {role}")

    def grantees() -> set[str]:
        return {r["grantee_name"] for r in account.dicts("SHOW GRANTS ON PROCEDURE p(NUMBER, VARCHAR)")}

    assert role in grantees()
    account.run(WHOLE)
    assert role in grantees()
    account.run(ddl(account))
    assert role not in grantees()


def test_a_procedure_in_javascript_runs_its_statements_and_can_catch_their_errors(account: Any) -> None:
    pytest.importorskip("quickjs")
    account.run("CREATE TABLE t (id INT, note VARCHAR)")
    body = r"""
    var n = snowflake.createStatement({sqlText: "INSERT INTO t SELECT 1, ?", binds: [WORD + "'s \\"]}).execute()
      .getNumRowsAffected();
    var said = "";
    try { snowflake.execute({sqlText: "SELECT * FROM missing"}); } catch (e) { said = e.code; }
    var rows = snowflake.execute({sqlText: `SELECT note FROM t`});
    rows.next();
    return [n, said, rows.getColumnValue(1), rows.getColumnValue("note"), rows.next()].join("|");
    """
    account.run(f"CREATE PROCEDURE js(word VARCHAR) RETURNS VARCHAR LANGUAGE JAVASCRIPT EXECUTE AS OWNER AS $${body}$$")
    assert account.run("CALL js('it')") == [("1|2003|it's \\|it's \\|false",)]
    account.run("CREATE PROCEDURE broken() RETURNS VARCHAR LANGUAGE JAVASCRIPT AS 'throw new Error(\"so it is\")'")
    assert "so it is" in account.fails("CALL broken()").msg


def test_a_procedure_in_python_is_kept_and_not_run(account: Any) -> None:
    head = "CREATE OR REPLACE PROCEDURE p() RETURNS VARCHAR LANGUAGE PYTHON"
    assert account.fails(f"{head} AS $$def main(session): return 'x'$$").errno == 1003
    more = "RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
    account.run(f"{head} {more} AS $$def main(session): return 'x'$$")
    first = ddl(account, "()")
    assert "PACKAGES = ('snowflake-snowpark-python')" in first
    account.run(first)
    assert ddl(account, "()") == first
    assert "PYTHON" in account.fails("CALL p()").msg


@pytest.mark.parametrize("secure", (True, False))
def test_who_does_not_own_a_secure_procedure_does_not_see_its_body(account: Any, secure: bool) -> None:
    role = f"R_{account.database}"
    ((user,),) = account.run("SELECT CURRENT_USER()")
    each(
        account,
        WHOLE if secure else WHOLE.replace("SECURE", ""),
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON DATABASE {account.database} TO ROLE {role}",
        f"GRANT USAGE ON SCHEMA s TO ROLE {role}",
        f"GRANT USAGE ON PROCEDURE p(NUMBER, VARCHAR) TO ROLE {role}",
        f'GRANT ROLE {role} TO USER "{user}"',
    )
    reader = account.other(role=role)
    ((body,),) = reader.run("SELECT PROCEDURE_DEFINITION FROM INFORMATION_SCHEMA.PROCEDURES")
    assert (body is None) == secure
    if secure:
        sql = f"SELECT GET_DDL('PROCEDURE', '{account.database}.S.P(NUMBER, VARCHAR)', TRUE)"
        assert reader.fails(sql).errno == 3001
    else:
        assert ddl(reader)


def test_a_graph_is_in_current_task_graphs_while_it_runs(account: Any) -> None:
    each(
        account,
        "CREATE TASK root SCHEDULE = '60 MINUTE' AS SELECT 1",
        "CREATE TASK child AFTER root AS SELECT SYSTEM$WAIT(2)",
        "ALTER TASK child RESUME",
        "EXECUTE TASK root",
    )
    asked = "SELECT STATE FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(ROOT_TASK_NAME => '{}'))"
    while not account.run("SELECT 1 FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CHILD'))"):
        pass
    assert account.run(asked.format("ROOT")) == [("EXECUTING",)]
    assert account.run(asked.format("CHILD")) == []
    while account.run(asked.format("ROOT")):
        pass
    assert account.run("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CHILD'))") == [
        ("SUCCEEDED",)
    ]
