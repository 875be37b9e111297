"""`driftguard apply` is cut off, doubled, refused and obstructed; it ends where an undisturbed one does."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator

from home import Home

TABLES = ("orders", "customers")
SHOP = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2), note varchar(20));
CREATE TABLE customers (id int PRIMARY KEY, name text);
INSERT INTO orders SELECT n, n * 1.5, 'note ' || n FROM generate_series(1, 20) n;
INSERT INTO customers SELECT n, 'name ' || n FROM generate_series(1, 10) n;
"""
# What the landing looks like without narrow columns cannot need widening: these two are made by hand, as somebody would.
NARROW = (
    "ALTER TABLE ANALYTICS.FINAL.ORDERS ADD COLUMN LABEL VARCHAR(5)",
    "ALTER TABLE ANALYTICS.STAGING.ORDERS_CDC ADD COLUMN LABEL VARCHAR(5)",
)
CHANGE = """
ALTER TABLE orders ADD COLUMN coupon text, ADD COLUMN label varchar(80);
ALTER TABLE customers ADD COLUMN points int;
CREATE TABLE returns (id int PRIMARY KEY, why jsonb);
"""
AFTERWARDS = """
INSERT INTO orders SELECT n, n, 'new', 'coupon ' || n, 'a label that is long enough' FROM generate_series(21, 30) n;
UPDATE customers SET points = id * 10;
INSERT INTO returns SELECT n, '{"broken": true}' FROM generate_series(1, 5) n;
"""
# docs/grants.md, "apply"
DEPLOYER = (
    "CREATE ROLE DEPLOYER",
    "GRANT USAGE, CREATE SCHEMA ON DATABASE ANALYTICS TO ROLE DEPLOYER",
    "GRANT USAGE, CREATE TABLE, CREATE PIPE, CREATE TASK, CREATE STREAM, CREATE FILE FORMAT"
    " ON SCHEMA ANALYTICS.STAGING TO ROLE DEPLOYER",
    "GRANT USAGE, CREATE TABLE ON SCHEMA ANALYTICS.FINAL TO ROLE DEPLOYER",
    "GRANT USAGE ON STAGE ANALYTICS.STAGING.DMS_STAGE TO ROLE DEPLOYER",
    "GRANT USAGE ON WAREHOUSE LOADING TO ROLE DEPLOYER",
    "GRANT EXECUTE TASK ON ACCOUNT TO ROLE DEPLOYER",
)


def land(home: Home) -> None:
    home.aurora(SHOP)
    home.run("plan", "--write", "-m", "land")
    home.run("apply")
    home.sync()


def changed(home: Home) -> None:
    """Aurora is ahead, and a revision of everything that operations exist for is written."""
    home.execute(*NARROW)
    home.aurora(CHANGE)
    home.run("plan", "--write", "-m", "catch up")


def finished(home: Home) -> None:
    """Nothing is left to do, and the data flows."""
    home.run("check")
    home.run("plan")
    assert "nothing to apply" in home.run("apply")
    home.aurora(AFTERWARDS)
    home.sync()
    home.assert_equal(*TABLES, "returns", rows=30 + 10 + 5)


def free_the_lease(home: Home) -> None:
    """A killed apply holds it until it runs out; the tests do not wait for that."""
    home.execute("UPDATE ANALYTICS.DRIFTGUARD.LEASE SET EXPIRES_AT = '1970-01-01 00:00:00'::TIMESTAMP_NTZ")


def told(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.strip()


def apply_until(home: Home, stop: Callable[[str], bool], number: signal.Signals) -> subprocess.Popen[str]:
    """Start an apply, and send it a signal at the first line that `stop` wants. A line comes before its statement."""
    process = home.start("apply", "--jobs", "1")  # so that a line comes right before its statement
    for line in told(process):
        if stop(line):
            process.send_signal(number)
            break
    return process


def kill_at(home: Home, stop: Callable[[str], bool]) -> int:
    process = apply_until(home, stop, signal.SIGKILL)
    process.communicate(timeout=60)
    return process.returncode


def journal(home: Home, event: str) -> list[tuple[str, int, int, int]]:
    return home.execute(
        f"""SELECT REVISION, OPERATION, STEP, COUNT(*) FROM ANALYTICS.DRIFTGUARD.JOURNAL WHERE EVENT = '{event}'
        GROUP BY ALL ORDER BY 1, 2, 3"""
    )


def test_an_apply_that_is_killed_says_what_is_half_done_and_the_next_ones_finish(home: Home) -> None:
    """Three times: each gets a few statements further. `test_kill.py` goes through every statement."""
    land(home)
    home.execute("ALTER TASK ANALYTICS.STAGING.CUSTOMERS_MERGE SUSPEND")
    changed(home)
    for lines in (2, 4, 3):
        seen: list[str] = []
        code = kill_at(home, lambda line, seen=seen, lines=lines: seen.append(line) or len(seen) == lines)
        assert code == -signal.SIGKILL
        if lines == 4:
            holder = home.refused("apply", code=3)
            assert "another apply holds the lease" in holder
            assert "pid" in holder
        free_the_lease(home)
        (begun,) = [r for r in home.json("status")["revisions"] if r["state"] != "applied"]
        assert begun["state"] == "begun"
        assert begun["message"] == "catch up"
        said = home.run("status")
        assert "the next apply goes on with" in said
        for sent in begun["half_done"]:
            assert f"half done: {sent['statement']} (sent {sent['since']} UTC by {sent['by']})" in said
        assert f"({begun['done']} of {begun['statements']} statements)" in said
    home.run("apply")

    assert home.task_states()["CUSTOMERS_MERGE"] == "suspended"
    assert home.task_states()["ORDERS_MERGE"] == "started"
    assert all(times == 1 for *_, times in journal(home, "done"))
    assert all(times == 1 for *_, times in journal(home, "planned"))
    home.execute("ALTER TASK ANALYTICS.STAGING.CUSTOMERS_MERGE RESUME")
    finished(home)


def test_a_merge_task_that_was_running_runs_again_after_a_crash_while_it_was_suspended(home: Home) -> None:
    land(home)
    changed(home)
    assert kill_at(home, lambda line: line.startswith("replace the merge of ANALYTICS.STAGING.ORDERS_MERGE")) != 0
    assert home.task_states()["ORDERS_MERGE"] == "suspended"
    said = home.run("status")
    assert "begun" in said
    assert "the next apply goes on with" in said
    free_the_lease(home)
    assert "resume ANALYTICS.STAGING.ORDERS_MERGE" in home.run("apply")
    assert set(home.task_states().values()) == {"started"}
    finished(home)


def test_of_two_applies_at_once_one_works_and_the_other_names_it(home: Home) -> None:
    land(home)
    changed(home)
    first = apply_until(home, lambda line: line.startswith("add"), signal.SIGSTOP)
    try:
        refusal = home.refused("apply", code=3)
        assert f"pid {first.pid} " in refusal
        assert f"an apply is running: {refusal.split('(')[1].split(' until')[0]}" in home.run("status")
        assert home.json("status")["lease_holder"]
    finally:
        first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    assert all(times == 1 for *_, times in journal(home, "started"))
    assert home.json("status")["lease_holder"] is None
    finished(home)


def test_a_suspended_merge_task_stays_suspended_and_a_started_one_started(home: Home) -> None:
    land(home)
    home.execute("ALTER TASK ANALYTICS.STAGING.ORDERS_MERGE SUSPEND")
    changed(home)
    home.run("apply")
    states = home.task_states()
    assert states == {"ORDERS_MERGE": "suspended", "CUSTOMERS_MERGE": "started", "RETURNS_MERGE": "started"}
    home.execute("ALTER TASK ANALYTICS.STAGING.ORDERS_MERGE RESUME")
    finished(home)


def test_an_edited_revision_is_refused_whether_begun_or_applied(home: Home) -> None:
    land(home)
    (file,) = (home.directory / "migrations" / "versions").glob("*.py")
    text = file.read_text()
    file.write_text(text.replace("VARCHAR(134217728)", "VARCHAR(1000)"))
    assert "edited after it was applied" in home.refused("apply", code=2)
    assert "edited" in home.run("status")
    file.write_text(text)

    changed(home)
    (file,) = set((home.directory / "migrations" / "versions").glob("*.py")) - {file}
    kill_at(home, lambda line: line.startswith("suspend"))
    free_the_lease(home)
    text = file.read_text()
    file.write_text(text.replace("VARCHAR(134217728)", "VARCHAR(1000)"))
    before = home.estate()
    assert "edited after it was begun" in home.refused("apply", code=2)
    assert home.estate() == before
    file.write_text(text)
    home.run("apply")
    finished(home)


def test_an_apply_stops_at_a_statement_that_snowflake_refuses_and_goes_on_once_it_is_allowed(home: Home) -> None:
    home.execute(*DEPLOYER, role="ACCOUNTADMIN")
    settings = home.directory / "driftguard.toml"
    settings.write_text(settings.read_text().replace("[snowflake]", '[snowflake]\nrole = "DEPLOYER"'))
    land(home)
    home.execute(*NARROW)
    home.aurora(CHANGE)
    home.run("plan", "--write", "-m", "catch up")
    home.execute(
        "CREATE ROLE SOMEBODY",
        "GRANT OWNERSHIP ON TABLE ANALYTICS.STAGING.ORDERS_CDC TO ROLE SOMEBODY REVOKE CURRENT GRANTS",
        "GRANT SELECT, REFERENCES ON TABLE ANALYTICS.STAGING.ORDERS_CDC TO ROLE DEPLOYER",
        role="ACCOUNTADMIN",
    )
    stopped = home.refused("apply", "--quiet", code=4)
    assert "stopped at" in stopped
    assert "STAGING.ORDERS_CDC" in stopped
    assert "run `driftguard apply` again" in stopped
    assert "begun" in home.run("status")
    assert "stopped at" in home.refused("apply", "--quiet", code=4)  # nothing has changed, and the lease is free
    home.execute(
        "GRANT OWNERSHIP ON TABLE ANALYTICS.STAGING.ORDERS_CDC TO ROLE DEPLOYER REVOKE CURRENT GRANTS",
        role="ACCOUNTADMIN",
    )
    home.run("apply")
    finished(home)


def test_a_column_that_somebody_made_otherwise_stops_the_apply_before_it_begins(home: Home) -> None:
    land(home)
    changed(home)
    home.execute("ALTER TABLE ANALYTICS.FINAL.ORDERS ADD COLUMN COUPON NUMBER(5,0)")
    before = home.estate()
    refusal = home.refused("apply", code=2)
    assert "already has COUPON as NUMBER(5,0)" in refusal
    assert home.estate() == before
    assert home.json("status")["revisions"][1]["state"] == "pending"
    home.execute("ALTER TABLE ANALYTICS.FINAL.ORDERS DROP COLUMN COUPON")
    home.run("apply")
    finished(home)


def test_a_dry_run_prints_what_apply_then_runs_and_changes_nothing(home: Home) -> None:
    home.aurora(SHOP)
    home.run("plan", "--write")
    for prepare in (lambda: None, lambda: changed(home)):
        prepare()
        before = home.estate()
        rehearsed = home.run("apply", "--dry-run")
        assert home.estate() == before
        announced = [line.removeprefix("-- ") for line in rehearsed.splitlines() if line.startswith("-- ")]
        ran = [line.strip() for line in home.run("apply").splitlines()[:-1]]
        assert announced == ran
        assert f"would run {len(ran)} statements" in rehearsed
        assert (
            rehearsed.splitlines()[-1]
            == "on a model of the landing nothing of these revisions is left to do afterwards"
        )
    home.sync()
    finished(home)


def test_commands_that_only_read_need_no_control_schema_and_make_none(home: Home) -> None:
    home.aurora(SHOP)
    assert "no control schema yet" in home.run("status")
    assert home.json("status")["control"] is False
    home.run("check", code=1)
    home.run("plan", "--write")
    home.run("snapshot")
    assert "would run" in home.run("apply", "--dry-run")
    assert "pending" in home.run("status")
    schemas = {row[1] for row in home.execute("SHOW SCHEMAS IN DATABASE ANALYTICS")}
    assert "DRIFTGUARD" not in schemas
    kill_at(home, lambda line: True)  # it is there now, with nothing in it but the lease
    assert home.json("status")["control"] is True
    assert "an apply is running" in home.run("status")
    free_the_lease(home)
    home.run("apply")
    assert home.json("status")["control"] is True
