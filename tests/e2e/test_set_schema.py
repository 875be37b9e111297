"""A table that moves to another schema of Aurora while its landing keeps its name: no file is left unread."""

from __future__ import annotations

import json
import time

import pytest

from home import Home, land

MARKER = "CREATE TABLE public.driftguard_marker (name varchar(1000) PRIMARY KEY)"
SETTINGS = '\n[marker]\ntable = "public.driftguard_marker"\nhold_seconds = 1\n'
MIGRATION = "CREATE SCHEMA archive; ALTER TABLE shop.t SET SCHEMA archive"


@pytest.fixture
def landed(home: Home) -> Home:
    toml = home.directory / "driftguard.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    tables = "CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY, v int)"
    land(home, MARKER, tables, "INSERT INTO shop.t SELECT n, n FROM generate_series(1, 6) AS n")
    home.sync()
    home.run("snapshot", "--aurora", "base.json")
    home.write("pr/0001.sql", MIGRATION)
    return home


def folders(home: Home) -> dict[str, str]:
    """Of each pipe of the table."""
    pipes = home.estate()["pipes"]
    return {p["name"]["name"]: p["definition"].partition('DMS_STAGE"')[2].split("'")[0] for p in pipes}


def test_final_is_what_aurora_is_before_meanwhile_and_after(landed: Home) -> None:
    made = landed.json("plan", "--migrations", "pr", "--base", "base.json", "--write")
    assert [operation["kind"] for operation in made["operations"]] == ["add_pipe", "await_marker", "replace_pipe"]
    landed.run("apply", "--quiet")
    landed.run("check", "--migrations", "pr", "--base", "base.json")
    landed.aurora(
        "INSERT INTO shop.t VALUES (10, 10)", "UPDATE shop.t SET v = 11 WHERE id = 1", "DELETE FROM shop.t WHERE id = 2"
    )
    landed.dms().sync()  # the files lie there, and nobody has loaded them yet
    landed.aurora(
        f"{MIGRATION}; {made['markers'][0]}",
        "INSERT INTO archive.t VALUES (20, 20)", "UPDATE archive.t SET v = 33 WHERE id = 3",
        "UPDATE archive.t SET v = 12 WHERE id = 1", "DELETE FROM archive.t WHERE id IN (4, 10)",
    )  # fmt: skip
    landed.sync(seed=3)
    landed.sync()
    landed.assert_equal("t", schema="archive")  # readers do not wait for settle and contract
    time.sleep(1.5)
    landed.run("apply", "--phase", "settle", "--quiet")
    assert "REPLACES_PIPE" in landed.refused("apply", "--phase", "contract", code=1)
    landed.aurora("UPDATE archive.t SET v = v + 1")
    landed.run("apply", "--phase", "contract", "--allow", "REPLACES_PIPE", "--quiet")
    landed.aurora("INSERT INTO archive.t VALUES (30, 30)", "DELETE FROM archive.t WHERE id = 20")
    landed.sync()
    landed.assert_equal("t", schema="archive", rows=5)
    assert folders(landed)["T_PIPE"] == "/archive/t/"
    assert "T_PIPE__NEW" not in folders(landed)
    assert landed.json("plan")["operations"] == []
    landed.run("check")


def test_a_move_that_nobody_planned_is_made_good(landed: Home) -> None:
    """Aurora is ahead: the second pipe loads what lies in the new folder, and lineage tells which table it was."""
    landed.aurora("UPDATE shop.t SET v = 7 WHERE id = 1", MIGRATION, "UPDATE archive.t SET v = 8 WHERE id = 2")
    landed.sync()
    assert not landed.compare("t", schema="archive").equal
    landed.run("plan", "--write")
    landed.run("apply", "--quiet")
    assert landed.json("plan")["operations"] == []
    landed.run("apply", "--phase", "settle", code=1)  # writes the marker
    landed.sync()
    landed.assert_equal("t", schema="archive", rows=6)
    time.sleep(1.5)
    landed.run("apply", "--phase", "settle", "--quiet")
    landed.run("apply", "--phase", "contract", "--allow", "REPLACES_PIPE", "--quiet")
    landed.sync()
    landed.assert_equal("t", schema="archive", rows=6)
    assert landed.json("plan")["operations"] == []
    landed.run("check")


def test_a_schema_that_no_rule_selects_is_said_with_the_rule(landed: Home) -> None:
    """With the rule that the plan gives in the mappings, it can be planned."""
    mappings = landed.directory / "dms" / "table-mappings.json"
    whole = json.loads(mappings.read_text(encoding="utf-8"))
    whole["rules"][0]["object-locator"]["schema-name"] = "shop"
    whole["rules"].append(
        whole["rules"][0] | {"rule-id": "9", "object-locator": {"schema-name": "public", "table-name": "%"}}
    )
    mappings.write_text(json.dumps(whole), encoding="utf-8")
    made = landed.json("plan", "--migrations", "pr", "--base", "base.json")
    (note,) = made["notes"]
    assert "archive.t, which was shop.t: no selection rule of the task names table archive.t" in note
    rule, _ = json.JSONDecoder().raw_decode(note[note.index("{") :])
    mappings.write_text(json.dumps({"rules": [*whole["rules"], rule]}), encoding="utf-8")
    made = landed.json("plan", "--migrations", "pr", "--base", "base.json", code=1)
    assert [operation["kind"] for operation in made["operations"]] == ["add_pipe", "await_marker", "replace_pipe"]
