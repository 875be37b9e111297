"""Policies and tags: what may be set on what, by whom, and how ACCOUNT_USAGE shows it."""

from __future__ import annotations

from typing import Any

import pytest

MASK = (
    "CREATE MASKING POLICY MASK AS (v VARCHAR) RETURNS VARCHAR -> CASE WHEN CURRENT_ROLE() = 'HR' THEN v ELSE '*' END"
)


@pytest.fixture
def governed(account: Any) -> Any:
    account.run("CREATE TABLE T (ID NUMBER(38,0), EMAIL VARCHAR(100), REGION VARCHAR(10))")
    account.run(MASK)
    account.run("CREATE MASKING POLICY MASK_NUMBER AS (v NUMBER) RETURNS NUMBER -> NULL")
    account.run("CREATE ROW ACCESS POLICY ROWS_ AS (r VARCHAR) RETURNS BOOLEAN -> r = 'eu'")
    account.run("CREATE TAG PII ALLOWED_VALUES 'low', 'high'")
    return account


def policies(account: Any) -> set[tuple[Any, ...]]:
    sql = "SELECT POLICY_NAME, POLICY_KIND, REF_ENTITY_NAME, REF_COLUMN_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.POLICY_REFERENCES"
    return set(account.run(f"{sql} WHERE REF_DATABASE_NAME = '{account.database}'"))


def tags(account: Any) -> set[tuple[Any, ...]]:
    sql = "SELECT TAG_NAME, TAG_VALUE, OBJECT_NAME, COLUMN_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.TAG_REFERENCES"
    return set(account.run(f"{sql} WHERE OBJECT_DATABASE = '{account.database}' AND DOMAIN = 'COLUMN'"))


def test_policies_and_tags_are_set_and_taken_off(governed: Any) -> None:
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK")
    governed.run("ALTER TABLE T ADD ROW ACCESS POLICY ROWS_ ON (REGION)")
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET TAG PII = 'high', COLUMN REGION SET TAG PII = 'low'")
    assert policies(governed) == {
        ("MASK", "MASKING_POLICY", "T", "EMAIL"), ("ROWS_", "ROW_ACCESS_POLICY", "T", None),
    }  # fmt: skip
    assert tags(governed) == {("PII", "high", "T", "EMAIL"), ("PII", "low", "T", "REGION")}
    governed.run("ALTER TABLE T ALTER COLUMN EMAIL UNSET MASKING POLICY")
    governed.run("ALTER TABLE T ALTER COLUMN EMAIL UNSET TAG PII")
    governed.run("ALTER TABLE T DROP ROW ACCESS POLICY ROWS_")
    assert policies(governed) == set()
    assert tags(governed) == {("PII", "low", "T", "REGION")}


def test_an_added_column_can_be_governed_from_the_start(governed: Any) -> None:
    governed.run(
        "ALTER TABLE T ADD COLUMN IF NOT EXISTS PHONE VARCHAR(20) WITH MASKING POLICY MASK WITH TAG (PII = 'low')"
    )
    assert ("MASK", "MASKING_POLICY", "T", "PHONE") in policies(governed)
    assert ("PII", "low", "T", "PHONE") in tags(governed)


def test_a_clone_keeps_policies_and_tags(governed: Any) -> None:
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK")
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET TAG PII = 'high'")
    governed.run("CREATE OR REPLACE TABLE KEPT CLONE T")
    assert ("MASK", "MASKING_POLICY", "KEPT", "EMAIL") in policies(governed)
    assert ("PII", "high", "KEPT", "EMAIL") in tags(governed)


def test_a_transient_table_has_no_permanent_clone(account: Any) -> None:
    """The other way round, and transient to transient, it goes."""
    account.run("CREATE TRANSIENT TABLE T (ID NUMBER(38,0))")
    error = account.fails("CREATE TABLE P CLONE T")
    assert (error.errno, error.sqlstate) == (2120, "0A000")
    account.run("CREATE OR REPLACE TRANSIENT TABLE U CLONE T")
    account.run("CREATE TABLE V (ID NUMBER(38,0))")
    account.run("CREATE TRANSIENT TABLE W CLONE V")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("ALTER TABLE T MODIFY COLUMN ID SET MASKING POLICY MASK", "is for VARCHAR"),
        ("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY OTHER", "already attached"),
        ("ALTER TABLE T MODIFY COLUMN EMAIL SET TAG PII = 'none'", "invalid value"),
        ("ALTER TABLE T ADD ROW ACCESS POLICY ROWS_ ON (ID)", "do not fit"),
        ("ALTER TABLE T ADD ROW ACCESS POLICY ROWS_ ON (NOWHERE)", "invalid identifier"),
        ("DROP MASKING POLICY MASK", "cannot be dropped"),
        ("CREATE MASKING POLICY BAD AS (v VARCHAR) RETURNS NUMBER -> 1", "must match"),
        ("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY NOWHERE", "does not exist"),
    ],
)
def test_what_is_refused_changes_nothing(governed: Any, sql: str, text: str) -> None:
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK")
    governed.run(MASK.replace("POLICY MASK", "POLICY OTHER"))
    before = policies(governed)
    assert text in str(governed.fails(sql))
    assert policies(governed) == before


def test_a_column_takes_another_policy_only_by_force(governed: Any) -> None:
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK")
    governed.run(MASK.replace("POLICY MASK", "POLICY OTHER"))
    governed.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY OTHER FORCE")
    assert policies(governed) == {("OTHER", "MASKING_POLICY", "T", "EMAIL")}


def test_who_owns_the_table_may_not_set_any_policy(governed: Any) -> None:
    """APPLY on the policy, or APPLY MASKING POLICY on the account."""
    role = f"OWNER_{governed.database}"
    governed.run(f"CREATE ROLE {role}")
    governed.run(f"GRANT USAGE ON DATABASE {governed.database} TO ROLE {role}")
    governed.run(f"GRANT USAGE ON SCHEMA S TO ROLE {role}")
    governed.run(f"GRANT OWNERSHIP ON TABLE T TO ROLE {role}")
    theirs = governed.other(role=role)
    assert "does not exist" in str(theirs.fails("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK"))
    governed.run(f"GRANT APPLY ON MASKING POLICY MASK TO ROLE {role}")
    theirs.run("ALTER TABLE T MODIFY COLUMN EMAIL SET MASKING POLICY MASK")
    assert "does not exist" in str(theirs.fails("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.POLICY_REFERENCES"))
    governed.run(f"GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE {role}")
    assert ("MASK", "MASKING_POLICY", "T", "EMAIL") in policies(theirs)
    assert "does not exist" in str(theirs.fails("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.OBJECT_DEPENDENCIES"))
    governed.run(f"REVOKE DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER FROM ROLE {role}")
    theirs.fails("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.POLICY_REFERENCES")


def test_views_and_streams_are_seen_as_readers(governed: Any) -> None:
    governed.run("CREATE VIEW V AS WITH T2 AS (SELECT * FROM T) SELECT EMAIL FROM T2")
    governed.run("CREATE VIEW W AS SELECT EMAIL FROM S.V")
    governed.run("CREATE STREAM ST ON TABLE T")
    sql = "SELECT REFERENCED_OBJECT_NAME, REFERENCING_OBJECT_NAME, REFERENCING_OBJECT_DOMAIN"
    rows = governed.run(
        f"{sql} FROM SNOWFLAKE.ACCOUNT_USAGE.OBJECT_DEPENDENCIES WHERE REFERENCED_DATABASE = '{governed.database}'"
    )
    assert set(rows) == {("T", "V", "VIEW"), ("V", "W", "VIEW"), ("T", "ST", "STREAM")}
