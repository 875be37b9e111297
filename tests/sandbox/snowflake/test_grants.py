"""What a role may not see, and what it may not do."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def role(account: Any) -> Any:
    """An account with a table, and a session of a role that has nothing yet."""
    account.run(f"CREATE ROLE R_{account.database}")
    account.run("CREATE TABLE t (id INT)")
    account.run("CREATE TABLE u (id INT)")
    return account


def session(account: Any) -> Any:
    return account.other(role=f"R_{account.database}")


def grant(account: Any, *grants: str) -> None:
    for one in grants:
        account.run(f"GRANT {one} TO ROLE R_{account.database}")


def test_nothing_granted_nothing_seen(role: Any) -> None:
    one = session(role)
    assert role.database not in [row["name"] for row in one.dicts("SHOW DATABASES")]
    assert one.fails(f"SELECT * FROM {role.database}.S.T").errno == 2003
    assert one.fails(f"SHOW TABLES IN SCHEMA {role.database}.S").errno == 2043


def test_usage_alone_shows_an_empty_schema(role: Any) -> None:
    grant(role, f"USAGE ON DATABASE {role.database}", f"USAGE ON SCHEMA {role.database}.S")
    one = session(role)
    assert one.run("SHOW TABLES IN SCHEMA S") == []
    assert one.run("SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'S'") == [(0,)]
    assert one.fails("SELECT * FROM t").errno == 2003


def test_one_privilege_shows_one_table(role: Any) -> None:
    grant(
        role,
        f"USAGE ON DATABASE {role.database}",
        f"USAGE ON SCHEMA {role.database}.S",
        f"REFERENCES ON TABLE {role.database}.S.T",
    )
    one = session(role)
    assert [row["name"] for row in one.dicts("SHOW TABLES IN SCHEMA S")] == ["T"]
    error = one.fails("SELECT * FROM t")
    assert (error.errno, error.sqlstate) == (3001, "42501")
    assert one.fails("SELECT * FROM u").errno == 2003


@pytest.mark.parametrize(
    "sql", ["ALTER TABLE t ADD COLUMN a INT", "DROP TABLE t", "COMMENT ON TABLE t IS 'x'", "ALTER TABLE t RENAME TO z"]
)
def test_changing_a_table_takes_ownership(role: Any, sql: str) -> None:
    grant(
        role,
        f"USAGE ON DATABASE {role.database}",
        f"ALL ON SCHEMA {role.database}.S",
        f"ALL ON TABLE {role.database}.S.T",
    )
    one = session(role)
    one.run("INSERT INTO t VALUES (1)")
    assert one.fails(sql).errno == 3001
    grant(role, f"OWNERSHIP ON TABLE {role.database}.S.T")
    session(role).run(sql)


def test_a_role_inherits_and_loses_what_is_revoked(role: Any) -> None:
    above = f"ABOVE_{role.database}"
    role.run(f"CREATE ROLE {above}")
    grant(
        role,
        f"USAGE ON DATABASE {role.database}",
        f"USAGE ON SCHEMA {role.database}.S",
        f"SELECT ON ALL TABLES IN SCHEMA {role.database}.S",
    )
    role.run(f"GRANT ROLE R_{role.database} TO ROLE {above}")
    one = role.other(role=above)
    assert one.run("SELECT COUNT(*) FROM t") == [(0,)]
    role.run(f"REVOKE SELECT ON TABLE t FROM ROLE R_{role.database}")
    assert one.fails("SELECT COUNT(*) FROM t").errno == 2003
    assert one.run("SELECT COUNT(*) FROM u") == [(0,)]


def test_show_grants(role: Any) -> None:
    grant(role, f"USAGE ON DATABASE {role.database}", f"USAGE ON SCHEMA {role.database}.S")
    rows = role.dicts(f"SHOW GRANTS TO ROLE R_{role.database}")
    assert {(row["privilege"], row["granted_on"], row["name"]) for row in rows} == {
        ("USAGE", "DATABASE", role.database),
        ("USAGE", "SCHEMA", f"{role.database}.S"),
    }
    on = role.dicts(f"SHOW GRANTS ON SCHEMA {role.database}.S")
    assert {(row["privilege"], row["grantee_name"]) for row in on} == {
        ("OWNERSHIP", "ACCOUNTADMIN"),
        ("USAGE", f"R_{role.database}"),
    }


def test_pipes_and_tasks_need_monitor_or_operate(role: Any) -> None:
    role.stage()
    role.run("CREATE TABLE j (v VARIANT)")
    role.run("CREATE PIPE p AS COPY INTO j FROM @st/j/ FILE_FORMAT = (FORMAT_NAME = 'f')")
    role.run("CREATE TASK k SCHEDULE = '1 MINUTE' AS SELECT 1")
    grant(role, f"USAGE ON DATABASE {role.database}", f"USAGE ON SCHEMA {role.database}.S")
    assert session(role).run("SHOW PIPES IN SCHEMA S") == []
    grant(role, f"MONITOR ON PIPE {role.database}.S.P", f"MONITOR ON TASK {role.database}.S.K")
    one = session(role)
    assert len(one.run("SHOW PIPES IN SCHEMA S")) == 1
    one.run("SELECT SYSTEM$PIPE_STATUS('P')")
    assert one.fails("ALTER PIPE p SET PIPE_EXECUTION_PAUSED = TRUE").errno == 3001
    assert one.fails("ALTER TASK k RESUME").errno == 3001
    grant(role, f"OPERATE ON TASK {role.database}.S.K")
    one.run("ALTER TASK k RESUME")
    assert one.fails("ALTER TASK k MODIFY AS SELECT 2").errno == 3001


def test_a_role_that_is_not_there(account: Any) -> None:
    account.fails("USE ROLE nobody")
    with pytest.raises(Exception, match="does not exist or not authorized"):
        account.other(role="NOBODY")


def test_copy_grants_keeps_them(role: Any) -> None:
    grant(
        role,
        f"USAGE ON DATABASE {role.database}",
        f"USAGE ON SCHEMA {role.database}.S",
        f"SELECT ON TABLE {role.database}.S.T",
    )
    role.run("CREATE OR REPLACE TABLE t (id INT, a INT) COPY GRANTS")
    assert session(role).run("SELECT COUNT(*) FROM t") == [(0,)]
    role.run("CREATE OR REPLACE TABLE t (id INT)")
    assert session(role).fails("SELECT COUNT(*) FROM t").errno == 2003


def test_future_grants_reach_what_is_made_later(role: Any) -> None:
    grant(role, f"USAGE ON DATABASE {role.database}", f"USAGE ON SCHEMA {role.database}.S")
    grant(
        role,
        f"SELECT ON FUTURE TABLES IN SCHEMA {role.database}.S",
        f"MONITOR ON FUTURE TASKS IN DATABASE {role.database}",
    )
    role.run("CREATE TABLE later (id INT)")
    role.run("CREATE TASK soon SCHEDULE = '1 MINUTE' AS SELECT 1")
    one = session(role)
    assert [row["name"] for row in one.dicts("SHOW TABLES IN SCHEMA S")] == ["LATER"]
    assert [row["name"] for row in one.dicts("SHOW TASKS IN SCHEMA S")] == ["SOON"]
    role.run(f"REVOKE SELECT ON FUTURE TABLES IN SCHEMA {role.database}.S FROM ROLE R_{role.database}")
    role.run("CREATE TABLE never (id INT)")
    assert one.fails("SELECT * FROM never").errno == 2003
