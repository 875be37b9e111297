"""Merges that are data: one procedure for all landings, and a row of the control schema for each text."""

from __future__ import annotations

import time

import pytest

from home import Home, land

MARKER = "CREATE TABLE public.driftguard_marker (name varchar(1000) PRIMARY KEY)"
SETTINGS = """
[marker]
table = "public.driftguard_marker"
hold_seconds = 1

[policy]
merge_style = "procedure"
"""


@pytest.fixture
def landed(home: Home) -> Home:
    toml = home.directory / "driftguard.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    tables = "CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int); CREATE TABLE shop.u (LIKE shop.t INCLUDING ALL)"
    land(
        home,
        MARKER,
        tables,
        "INSERT INTO shop.t SELECT n, n FROM generate_series(1, 6) AS n",
        "INSERT INTO shop.u VALUES (1, 1)",
    )
    home.sync()
    return home


def held(home: Home) -> dict[str, str]:
    """What each task of the landings holds."""
    with home.snowflake() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TASKS IN SCHEMA ANALYTICS.STAGING")
        names = [column[0] for column in cursor.description]
        return {row[names.index("name")]: row[names.index("definition")] for row in cursor.fetchall()}


def test_every_landing_calls_the_one_procedure_and_final_is_aurora(landed: Home) -> None:
    assert set(held(landed).values()) >= {
        """CALL "ANALYTICS"."STAGING"."DG_MERGE"('ANALYTICS.FINAL.T')""",
        """CALL "ANALYTICS"."STAGING"."DG_MERGE"('ANALYTICS.FINAL.U')""",
    }
    landed.aurora(
        "UPDATE shop.t SET v = 10 WHERE id = 1", "DELETE FROM shop.t WHERE id = 2", "INSERT INTO shop.u VALUES (2, 2)"
    )
    landed.sync()
    landed.assert_equal("t", schema="shop", rows=5)
    landed.assert_equal("u", schema="shop", rows=2)
    assert landed.json("plan")["operations"] == []
    landed.run("check")


def test_a_change_of_a_merge_is_one_more_row_and_its_task_stays_as_it_is(landed: Home) -> None:
    before = held(landed)
    landed.write(
        "pr/0001.sql", "ALTER TABLE shop.t ADD COLUMN w int; ALTER TABLE shop.t ALTER COLUMN v TYPE varchar(20)"
    )
    landed.run("snapshot", "--aurora", "base.json")
    made = landed.json("plan", "--migrations", "pr", "--base", "base.json", "--write")
    assert "replace_merge" in {operation["kind"] for operation in made["operations"]}
    landed.run("apply", "--quiet")
    landed.aurora("UPDATE shop.t SET v = 11 WHERE id = 1")
    landed.aurora(
        f"{(landed.directory / 'pr/0001.sql').read_text()}; {made['markers'][0]}",
        "INSERT INTO shop.t VALUES (20, 'x', 7)",
    )
    landed.sync()
    time.sleep(1.5)
    landed.run("apply", "--phase", "settle", "--quiet")
    landed.run("apply", "--phase", "contract", "--quiet", "--allow", "REBUILDS_TABLE", "--allow", "LOSES_DATA")
    landed.aurora("UPDATE shop.t SET v = 'y' WHERE id = 3")
    landed.sync()
    landed.assert_equal("t", schema="shop", rows=7)
    assert landed.json("plan")["operations"] == []
    assert held(landed) == before
    texts = dict(landed.execute("SELECT LANDING, COUNT(*) FROM ANALYTICS.DRIFTGUARD.MERGE_TEXT GROUP BY 1"))
    assert texts["ANALYTICS.FINAL.T"] >= 3
    assert texts["ANALYTICS.FINAL.U"] == 1


def test_a_text_that_is_gone_is_said_and_nothing_is_made_anew(landed: Home) -> None:
    landed.execute("DELETE FROM ANALYTICS.DRIFTGUARD.MERGE_TEXT WHERE LANDING = 'ANALYTICS.FINAL.T'")
    assert "DG306" in landed.run("check", code=1)
    assert landed.json("plan")["operations"] == []


def test_a_merge_that_is_data_reads_whole_records_and_learns_of_files_another_way(home: Home) -> None:
    toml = home.directory / "driftguard.toml"
    text = toml.read_text(encoding="utf-8") + '\n[policy]\nmerge_style = "procedure"\nstaging_style = "record"\n'
    toml.write_text(text, encoding="utf-8")
    land(
        home, "CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t SELECT n, n FROM generate_series(1, 6) AS n"
    )
    home.sync()
    home.aurora("ALTER TABLE t ADD COLUMN w numeric(6, 2)", "UPDATE t SET w = 1.5, v = 7 WHERE id = 1")
    home.sync()
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.assert_equal("t", rows=6)

    toml.write_text(text + 'consumption = "files"\n', encoding="utf-8")
    (changed,) = home.json("plan", "--write")["operations"]
    assert changed["kind"] == "change_consumption"
    home.run("apply", "--quiet")
    home.aurora("UPDATE t SET w = 2.25 WHERE id = 2", "DELETE FROM t WHERE id = 3")
    home.sync()
    home.assert_equal("t", rows=5)
    assert home.json("plan")["operations"] == []
    assert set(held(home).values()) == {"""CALL "ANALYTICS"."STAGING"."DG_MERGE"('ANALYTICS.FINAL.T')"""}
