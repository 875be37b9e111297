"""A primary key that moves to other columns: DMS gives the table up, and a reload fills FINAL anew by the new key."""

from __future__ import annotations

import time

from home import Home, land

MARKER = "CREATE TABLE driftguard_marker (name varchar(1000) PRIMARY KEY)"
MIGRATION = "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (code)"


def test_final_is_filled_anew_by_the_new_key(home: Home) -> None:
    toml = home.directory / "driftguard.toml"
    more = '\n[marker]\ntable = "public.driftguard_marker"\nhold_seconds = 1\n'
    toml.write_text(toml.read_text(encoding="utf-8") + more, encoding="utf-8")
    land(home, MARKER, "CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL, v text)")
    home.aurora(
        "INSERT INTO t SELECT n, n * 10, 'v' || n FROM generate_series(1, 20) AS n", "DELETE FROM t WHERE id = 2"
    )
    home.sync()
    home.run("snapshot", "--aurora", "base.json")
    home.write("pr/0001.sql", MIGRATION)
    made = home.json("plan", "--migrations", "pr", "--base", "base.json", code=1)
    home.run("plan", "--migrations", "pr", "--base", "base.json", "--write")
    home.run("apply", "--quiet")
    home.aurora(
        "UPDATE t SET v = 'late' WHERE id = 3", "DELETE FROM t WHERE id = 4", f"{MIGRATION}; {made['markers'][0]}"
    )
    home.aurora(
        "UPDATE t SET v = 'new' WHERE id = 5", "DELETE FROM t WHERE id = 6", "INSERT INTO t VALUES (5, 999, 'twin')"
    )
    home.sync()
    time.sleep(1.2)
    assert "not allowed" in home.refused("apply", "--phase", "contract", code=1)
    home.run("apply", "--phase", "settle", "--quiet")
    allowed = [word for kind in ("CHANGES_KEY", "RELOADS_FILES", "REBUILDS_TABLE") for word in ("--allow", kind)]
    said = home.try_("apply", "--phase", "contract", "--quiet", *allowed)
    assert said.returncode == 4, said
    assert "has no rows of a reload since" in said.stderr
    home.dms().reload([("public", "t")])
    home.aurora("UPDATE t SET v = 'newest' WHERE code = 70", "DELETE FROM t WHERE code = 80")
    home.sync()
    home.run("apply", "--phase", "contract", "--quiet", *allowed)
    home.aurora(
        "UPDATE t SET v = 'after' WHERE code = 90",
        "DELETE FROM t WHERE code = 100",
        "INSERT INTO t VALUES (5, 1000, 'x')",
    )
    home.sync()
    home.assert_equal("t", rows=17)
    assert home.json("plan")["operations"] == []
    assert home.run("check")
