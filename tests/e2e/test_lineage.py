"""A rename that nobody planned is known by what the control schema remembers of the columns, and by nothing else."""

from __future__ import annotations

import time

from home import Home, land

MARKER = "CREATE TABLE driftguard_marker (name varchar(1000) PRIMARY KEY)"
SETTINGS = '\n[marker]\ntable = "public.driftguard_marker"\nhold_seconds = 1\n'


def codes(home: Home) -> set[str]:
    return {f["code"] for f in home.json("check", code=1)["findings"] if f["severity"] in ("error", "unknown")}


def test_a_rename_on_aurora_is_found_and_carried_through(home: Home) -> None:
    toml = home.directory / "driftguard.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    land(home, MARKER, "CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    home.aurora("ALTER TABLE t RENAME COLUMN v TO w")
    assert "DG702" in codes(home)
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    assert "DG702" not in {f["code"] for f in home.json("check")["findings"]}
    home.aurora("INSERT INTO t VALUES (3, 3)", "UPDATE t SET w = 9 WHERE id = 1")
    home.sync()
    home.try_("apply", "--phase", "settle")  # writes the marker
    home.sync()
    time.sleep(1.5)
    home.run("apply", "--phase", "settle", "--quiet")
    home.run("apply", "--phase", "contract", "--quiet")
    home.assert_equal("t", rows=3)
    assert home.json("plan")["operations"] == []
    names = [row[0] for row in home.execute("SELECT COLUMN_NAME FROM ANALYTICS.DRIFTGUARD.LINEAGE ORDER BY ATTNUM")]
    assert {"v", "w"} <= set(names)


def test_without_lineage_a_rename_is_a_new_column_and_the_old_one_is_kept(home: Home) -> None:
    land(home, "CREATE TABLE t (id int PRIMARY KEY, v int)")
    home.execute("DELETE FROM ANALYTICS.DRIFTGUARD.LINEAGE")
    home.aurora("ALTER TABLE t RENAME COLUMN v TO w")
    found = codes(home)
    assert "DG702" not in found
    assert {"DG102", "DG202"} <= found


def test_an_apply_that_cannot_see_aurora_says_that_it_notes_no_lineage(home: Home) -> None:
    home.aurora("CREATE TABLE t (id int PRIMARY KEY, v int)")
    home.run("plan", "--write")
    toml = home.directory / "driftguard.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace(home.aurora_url, "postgresql://nobody@127.0.0.1:1/none"), encoding="utf-8")
    done = home.try_("apply")
    assert done.returncode == 0, done
    assert "lineage not noted" in done.stderr
    assert home.execute("SELECT COUNT(*) FROM ANALYTICS.DRIFTGUARD.LINEAGE") == [(0,)]
