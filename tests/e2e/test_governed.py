"""Policies, tags and readers on the sandbox's Snowflake: seen, said, and carried to new columns."""

from __future__ import annotations

import time

from home import Home, land

MASKS = (
    "CREATE SCHEMA ANALYTICS.GOVERNANCE",
    "CREATE MASKING POLICY ANALYTICS.GOVERNANCE.TEXT_MASK AS (v VARCHAR) RETURNS VARCHAR -> "
    "CASE WHEN CURRENT_ROLE() = 'HR' THEN v ELSE '*' END",
    "ALTER TABLE ANALYTICS.FINAL.PEOPLE MODIFY COLUMN EMAIL SET MASKING POLICY ANALYTICS.GOVERNANCE.TEXT_MASK",
)


def people(home: Home) -> None:
    land(home, "CREATE TABLE people (id bigint PRIMARY KEY, email varchar(40))")
    home.execute(*MASKS)
    home.aurora("ALTER TABLE people ADD COLUMN phone varchar(20)")


def test_a_new_column_beside_a_masked_one_needs_a_word_or_a_policy(home: Home) -> None:
    people(home)
    found = {f["code"]: f for f in home.json("check", code=1)["findings"]}
    assert found["DG802"]["column"] == "phone", found["DG802"]["message"]
    assert "TEXT_MASK" in found["DG803"]["message"]

    home.execute("CREATE VIEW ANALYTICS.FINAL.MAILS AS SELECT EMAIL FROM ANALYTICS.FINAL.PEOPLE")
    added = home.json("plan", "--write")["operations"][0]
    assert [reader["name"] for reader in added["cost"]["readers"]] == ["ANALYTICS.FINAL.MAILS"]
    assert "--allow EXPOSES_COLUMN" in home.refused("apply", code=1)
    (revision,) = [p for p in (home.directory / "migrations/versions").glob("*.py") if "PHONE" in p.read_text()]
    revision.unlink()

    home.write("driftguard.toml", policy(home))
    home.run("plan", "--write")
    home.run("apply")
    sql = "SELECT REF_COLUMN_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.POLICY_REFERENCES WHERE POLICY_NAME = 'TEXT_MASK'"
    assert {row[0] for row in home.execute(sql)} == {"EMAIL", "PHONE"}
    home.run("check")
    home.aurora("INSERT INTO people VALUES (1, 'a@b', '+49')")
    home.sync()
    home.assert_equal("people", rows=1)


def policy(home: Home) -> str:
    """The sandbox's own configuration, with a decision about telephone numbers."""
    decided = '[policy]\nexempt_role = true\n[policy.masking]\n"phone" = "GOVERNANCE.TEXT_MASK"\n'
    return (home.directory / "driftguard.toml").read_text() + "\n" + decided


def test_a_role_that_may_not_read_account_usage_is_told_so_where_it_matters(home: Home) -> None:
    people(home)
    home.execute(
        "CREATE ROLE READER",
        "GRANT USAGE ON DATABASE ANALYTICS TO ROLE READER",
        "GRANT USAGE ON SCHEMA ANALYTICS.STAGING TO ROLE READER",
        "GRANT USAGE ON SCHEMA ANALYTICS.FINAL TO ROLE READER",
        "GRANT SELECT ON ALL TABLES IN SCHEMA ANALYTICS.STAGING TO ROLE READER",
        "GRANT SELECT ON ALL TABLES IN SCHEMA ANALYTICS.FINAL TO ROLE READER",
        "GRANT MONITOR ON ALL PIPES IN SCHEMA ANALYTICS.STAGING TO ROLE READER",
        "GRANT MONITOR ON ALL TASKS IN SCHEMA ANALYTICS.STAGING TO ROLE READER",
        "GRANT USAGE ON STAGE ANALYTICS.STAGING.DMS_STAGE TO ROLE READER",
        "GRANT USAGE ON FILE FORMAT ANALYTICS.STAGING.DRIFTGUARD_PARQUET TO ROLE READER",
        "GRANT USAGE ON WAREHOUSE LOADING TO ROLE READER",
    )
    text = (home.directory / "driftguard.toml").read_text()
    home.write("driftguard.toml", text.replace("[snowflake]", '[snowflake]\nrole = "READER"', 1))
    found = [f for f in home.json("check", code=1)["findings"] if f["code"].startswith("DG8")]
    assert [(f["code"], f["severity"]) for f in found] == [("DG802", "unknown")]
    assert "does not exist or not authorized" in found[0]["message"]
    home.execute("GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE READER", role="ACCOUNTADMIN")
    found = [f for f in home.json("check", code=1)["findings"] if f["code"].startswith("DG8")]
    assert {(f["code"], f["severity"]) for f in found} == {("DG802", "error"), ("DG803", "error")}


def test_a_masked_and_tagged_column_is_rebuilt_under_its_policy_or_not_at_all(home: Home) -> None:
    """Its twin has policy and tag from the statement that makes it, and the name at the end."""
    toml = (home.directory / "driftguard.toml").read_text() + "\n[marker]\ntable = 'public.marks'\nhold_seconds = 1\n"
    home.write("driftguard.toml", toml)
    marks = "CREATE TABLE marks (name varchar(1000) PRIMARY KEY)"
    land(
        home, marks, "CREATE TABLE pay (id bigint PRIMARY KEY, amount numeric(10,2)); INSERT INTO pay VALUES (1, 1.25)"
    )
    home.execute(
        "CREATE SCHEMA ANALYTICS.GOVERNANCE",
        "CREATE MASKING POLICY ANALYTICS.GOVERNANCE.MASK AS (v NUMBER) RETURNS NUMBER -> v",
        "CREATE TAG ANALYTICS.GOVERNANCE.PII",
        "ALTER TABLE ANALYTICS.FINAL.PAY MODIFY COLUMN AMOUNT SET MASKING POLICY ANALYTICS.GOVERNANCE.MASK",
        "ALTER TABLE ANALYTICS.FINAL.PAY MODIFY COLUMN AMOUNT SET TAG ANALYTICS.GOVERNANCE.PII = 'high'",
    )
    home.run("snapshot", "--aurora", "base.json")
    migration = "ALTER TABLE pay ALTER COLUMN amount TYPE numeric(12,4)"
    home.write("pr/1.sql", migration)
    proposed = ("plan", "--migrations", "pr", "--base", "base.json")
    refused = home.json(*proposed)
    assert refused["operations"] == []
    assert any("ANALYTICS.GOVERNANCE.MASK may bind the role" in note for note in refused["notes"])

    home.write("driftguard.toml", toml + "\n[policy]\nexempt_role = true\n")
    made = home.json(*proposed, "--write")
    assert made["operations"][0]["sql"][0].count("WITH MASKING POLICY") == 1
    home.run("apply")
    assert governed(home) == {"AMOUNT", "AMOUNT__NEW"}
    home.aurora(f"{migration}; {made['markers'][0]}", "INSERT INTO pay VALUES (2, 2.3456)")
    home.sync()
    time.sleep(1.5)
    home.run("apply", "--phase", "settle")
    home.run("apply", "--phase", "contract")
    home.sync()
    home.assert_equal("pay", rows=2)
    assert "AMOUNT" in governed(home)
    home.run("check")


def governed(home: Home) -> set[str]:
    """Columns that have the policy and the tag."""
    usage = "SNOWFLAKE.ACCOUNT_USAGE"
    masked = home.execute(f"SELECT REF_COLUMN_NAME FROM {usage}.POLICY_REFERENCES WHERE POLICY_NAME = 'MASK'")
    tagged = home.execute(f"SELECT COLUMN_NAME FROM {usage}.TAG_REFERENCES WHERE TAG_NAME = 'PII'")
    return {row[0] for row in masked} & {row[0] for row in tagged}
