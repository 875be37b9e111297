"""A person's day with the sandbox: every command in a process of its own, Aurora changed by hand beside them."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.sandbox.environment import read_state
from home import Home

LONG = 'a "long" Name, with blanks: sixty-three bytes is what it can be'
TABLES = ("orders", "Line Items", LONG, "things")
ODD = ("--allow-unknown", "DG113")  # nobody says how DMS spells a quotation mark in a folder
SHOP = f"""
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('fine', 'not so "fine"');
CREATE TABLE shop.orders (
  region varchar(8), id bigint, total numeric(12,2), placed_at timestamptz, paid boolean, note text,
  PRIMARY KEY (region, id));
CREATE TABLE shop."Line Items" ("Order Id" bigint, "No" smallint, payload jsonb, raw json, PRIMARY KEY ("No", "Order Id"));
CREATE TABLE shop."{LONG.replace('"', '""')}" (id uuid PRIMARY KEY, "{LONG.replace('"', '""')}" text);
CREATE TABLE shop.things (
  id int PRIMARY KEY, blob bytea, tags text[], matrix int[], price numeric, share real, ratio double precision,
  day date, made timestamp, mood shop.mood, code char(5), stock integer DEFAULT 7 NOT NULL);
CREATE TABLE shop.audit_log (what text, at timestamptz);
"""
ROWS = f"""
INSERT INTO shop.orders
  SELECT CASE n % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'süd' ELSE '' END, n, n * 12.34 - 500,
    '2024-03-10 01:59:59.123456-08'::timestamptz + n * interval '7 hours', CASE n % 3 WHEN 0 THEN true WHEN 1 THEN false END,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE repeat(E'tab\\t, quote "'' and 😀', n) END
  FROM generate_series(1, 200) n;
INSERT INTO shop."Line Items"
  SELECT n, n % 5, jsonb_build_object('n', n, 'deep', jsonb_build_array(NULL, true, n / 8.0, 'ü "q"')), '{{"b": [1, 2], "a": null}}'
  FROM generate_series(1, 100) n;
INSERT INTO shop."{LONG.replace('"', '""')}"
  SELECT md5(n::text)::uuid, 'value ' || n FROM generate_series(1, 30) n;
INSERT INTO shop.things
  SELECT n, decode(repeat('00ff5c27', n), 'hex'), ARRAY['a,b', NULL, '"' || n], ARRAY[[n, 1], [2, NULL]], n * 0.125, n / 3.0::real,
    n / 7.0::double precision, '1999-12-31'::date + n, '2024-01-01 00:00:00.000001'::timestamp + n * interval '1 day',
    (ARRAY['fine', 'not so "fine"', NULL])[n % 3 + 1]::shop.mood, 'c' || n, n
  FROM generate_series(1, 60) n;
INSERT INTO shop.audit_log VALUES ('opened', now());
"""
CHANGES = """
UPDATE shop.orders SET paid = true, note = 'paid' WHERE id % 7 = 0;
DELETE FROM shop.orders WHERE id % 11 = 0;
UPDATE shop."Line Items" SET payload = payload || '{"changed": true}' WHERE "No" = 3;
INSERT INTO shop.things (id, stock) VALUES (1000, 0);
"""
WITHOUT_AUDIT = (
    '"rules": [\n    {"rule-type": "selection", "rule-id": "9", "rule-name": "no audit", "rule-action": "exclude",\n'
    '     "object-locator": {"schema-name": "shop", "table-name": "audit[_]log"}},'
)


@pytest.fixture
def alone() -> Iterator[Home]:
    """A folder with a sandbox that runs by itself, with its own Postgres, as after `sandbox up --detach`."""
    folder = Path(tempfile.mkdtemp(prefix="driftguard-e2e-"))
    folder.chmod(0o711)  # under root Postgres runs as somebody else, who has to pass through
    home = Home(folder)
    home.run("sandbox", "up", "--detach")
    try:
        yield home
    finally:
        home.try_("sandbox", "down")
        EmbeddedPostgres.start(folder / ".driftguard" / "postgres").remove()  # also where the sandbox was killed
        shutil.rmtree(folder)


def shop(home: Home) -> None:
    """The shop's tables, filled; the table without a key is taken out of the mappings."""
    home.aurora(SHOP, ROWS)
    mappings = home.directory / "dms" / "table-mappings.json"
    mappings.write_text(mappings.read_text().replace('"rules": [', WITHOUT_AUDIT))


def land(home: Home) -> None:
    home.run("plan", "--write", "-m", "land the shop")
    home.run("apply")
    home.run("sandbox", "sync")


def gone(home: Home) -> None:
    """A killed process is there until the system has cleared it away."""
    deadline = time.monotonic() + 30
    while read_state(home.directory) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def findings(home: Home, *arguments: str, code: int) -> list[tuple[str, str | None, str | None]]:
    report = home.json("check", *arguments, code=code)
    assert report["version"] == 1
    return sorted((f["code"], f["table"] and f["table"]["name"], f["column"]) for f in report["findings"])


def test_tables_made_by_hand_reach_snowflake_and_stay_equal_through_a_migration(alone: Home) -> None:
    alone.aurora(SHOP, ROWS)
    first = alone.run("sandbox", "sync")
    assert '"shop.orders": 200' in first  # DMS has loaded them before Snowflake was asked

    # everything is named, and the table without a key is a finding of its own
    missing = findings(alone, code=1)
    assert {name for code, name, _ in missing if code == "DG101"} >= set(TABLES)
    assert any(name == "audit_log" and code != "DG101" for code, name, _ in missing), missing

    # it is taken out of the mappings; the rest lands
    mappings = alone.directory / "dms" / "table-mappings.json"
    mappings.write_text(mappings.read_text().replace('"rules": [', WITHOUT_AUDIT))
    assert "CREATE TABLE" in alone.run("plan", "--verbose", code=1)
    assert "wrote migrations/versions/" in alone.run("plan", "--write", "-m", "land the shop")
    applied = alone.run("apply")
    assert "resume" in applied
    alone.run("check", *ODD)

    # a second time there is nothing to do
    assert list((alone.directory / "migrations" / "versions").glob("*.py"))
    before = alone.estate()
    alone.run("plan")
    assert alone.json("plan")["operations"] == []
    assert "nothing to apply" in alone.run("apply")
    assert alone.estate() == before

    alone.run("sandbox", "sync")
    alone.assert_equal(*TABLES, schema="shop", rows=390)
    alone.aurora(CHANGES)
    alone.run("sandbox", "sync")
    alone.assert_equal(*TABLES, schema="shop", rows=390 - 18 + 1)

    # a migration: checked before it is deployed, applied, deployed
    migration = alone.write(
        "db/001_more.sql",
        """ALTER TABLE shop.orders ADD COLUMN "Coupon Code" varchar(20), ADD COLUMN discount numeric(6,3) DEFAULT 0.125;
        ALTER TABLE shop.orders ALTER COLUMN region TYPE varchar(80);
        ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(20,2);
        ALTER TABLE shop.things DROP COLUMN ratio;
        CREATE TABLE shop.returns (id bigint PRIMARY KEY, "order" jsonb);""",
    )
    proposal = ("--migrations", "db", "--base", alone.aurora_url)
    held = findings(alone, *proposal, code=1)
    assert ("DG102", "orders", "Coupon Code") in held
    assert ("DG202", "orders", "discount") in held
    assert ("DG101", "returns", None) in held
    alone.run("plan", *proposal, "--write", "-m", "coupons")
    alone.run("apply")
    alone.run("check", *ODD, *proposal)
    alone.aurora(
        migration.read_text(),
        f"""UPDATE shop.orders SET "Coupon Code" = 'C' || id WHERE id < 50;
        INSERT INTO shop.orders (region, id, total, discount) VALUES ('{"far " * 19}', 1, 123456789012345678.12, 1.001);
        INSERT INTO shop.returns SELECT n, '{{"n": 1}}' FROM generate_series(1, 9) n;
        UPDATE shop.things SET stock = stock + 1;""",
    )
    alone.run("sandbox", "sync")
    alone.run("check", *ODD)
    # A default fills the rows that are there without a word in the WAL: only new and changed rows carry it.
    alone.aurora("UPDATE shop.orders SET note = note")
    alone.run("sandbox", "sync")
    alone.assert_equal(*TABLES, "returns", schema="shop", rows=373 + 1 + 9)


def test_a_sandbox_goes_on_after_it_was_stopped(alone: Home) -> None:
    assert stat.S_IMODE((alone.directory / "connections.toml").stat().st_mode) == 0o600
    shop(alone)
    alone.run("sandbox", "sync")
    land(alone)
    estate, was = alone.estate(), alone.json("sandbox", "status")
    assert set(was) == {"version", "aurora_url", "snowflake", "lake", "pid"}
    assert set(was["snowflake"]) == {"host", "port", "connection"}

    refusal = alone.refused("sandbox", "up", code=2)
    assert refusal == alone.refused("sandbox", "up", "--detach", code=2)
    assert "sandbox down" in refusal
    assert alone.json("sandbox", "status") == was

    alone.run("sandbox", "down")
    assert "sandbox up" in alone.refused("sandbox", "status", code=2)
    assert "sandbox up" in alone.refused("sandbox", "sync", code=2)
    assert "sandbox up" in alone.refused("sandbox", "down", code=2)
    alone.refused("status", code=3)

    alone.run("sandbox", "up", "--detach")
    now = alone.json("sandbox", "status")
    assert {k: v for k, v in now.items() if k != "pid"} == {k: v for k, v in was.items() if k != "pid"}
    assert alone.estate() == estate
    alone.assert_equal(*TABLES, schema="shop", rows=390)
    assert "nothing to apply" in alone.run("apply")

    # killed, it is no different
    alone.aurora(CHANGES)
    os.kill(now["pid"], signal.SIGKILL)
    gone(alone)
    alone.run("sandbox", "up", "--detach")
    alone.run("sandbox", "sync")
    alone.assert_equal(*TABLES, schema="shop", rows=390 - 18 + 1)
    alone.run("check", *ODD)


def test_snapshots_give_the_same_findings_with_nothing_running(alone: Home) -> None:
    shop(alone)
    alone.run("snapshot", "--aurora", "empty.json", "--snowflake", "bare.json")
    land(alone)
    alone.run("snapshot", "--snowflake", "landed.json")
    alone.aurora("ALTER TABLE shop.orders ADD COLUMN coupon text; CREATE TABLE shop.returns (id int PRIMARY KEY)")
    live = alone.json("check", code=1)["findings"]
    alone.run("snapshot")
    changed = alone.run("diff", "empty.json", "snapshots/aurora.json", code=1)
    alone.run("sandbox", "down")

    snapshots = ("--source", "snapshots/aurora.json", "--against", "snapshots/snowflake.json")
    assert alone.json("check", *snapshots, code=1)["findings"] == live
    assert {f["code"] for f in live} >= {"DG101", "DG102"}
    assert alone.json("plan", *snapshots, code=1)["operations"]

    assert "changed  table shop.orders" in changed
    assert "coupon" in changed
    assert "added    table shop.returns" in changed
    assert "things" not in changed
    landed = alone.run("diff", "bare.json", "landed.json", code=1)
    assert "added    table ANALYTICS.FINAL.ORDERS" in landed
    assert "added    task ANALYTICS.STAGING.ORDERS_MERGE" in landed
    assert "no difference" in alone.run("diff", "landed.json", "snapshots/snowflake.json")
    assert "different systems" in alone.refused("diff", "empty.json", "landed.json", code=2)
