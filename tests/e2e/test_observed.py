"""The footers of the lake win over the prediction, from the file to the values in FINAL.

The stand-in's account is in America/Los_Angeles, as a new Snowflake account is.
"""

from __future__ import annotations

from driftguard.sandbox.dms.switches import Switches
from home import Home

MARKED = Switches(timestamp_adjusted_to_utc=True)
TABLE = """CREATE TABLE visits (id int PRIMARY KEY, at timestamptz, local timestamp, paid boolean);
INSERT INTO visits SELECT n, '2026-03-08 09:59:59.123456+00'::timestamptz + n * interval '1 hour',
  '2026-03-08 01:30:00'::timestamp + n * interval '1 hour', n % 2 = 0 FROM generate_series(1, 48) n"""


def codes(home: Home, *arguments: str, code: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in home.json("check", *arguments, code=code)["findings"]:
        found.setdefault(finding["code"], []).append(finding["column"])
    return found


def test_files_as_predicted_settle_what_was_open(home: Home) -> None:
    """Without observed.toml the mark of timestamps is unknown; one look at the lake answers it."""
    (home.directory / "typemaps" / "observed.toml").unlink()
    home.aurora(TABLE)
    assert "DG308" in codes(home, code=1)
    assert "DG444" in codes(home, "--observed", code=1)  # no file yet
    home.sync()
    assert "DG308" in codes(home, code=1)
    looked = codes(home, "--observed", code=1)
    assert not [c for c in looked if c == "DG308" or c.startswith("DG44")], looked
    home.run("plan", "--observed", "--write", "-m", "land visits")
    home.run("apply")
    home.sync()
    home.assert_equal("visits", rows=48)
    report = home.run("check", "--observed")
    assert "1 footer of 1 folder" in report
    assert "dms/public/visits/LOAD00000001.parquet: 48 rows" in report


def test_marked_timestamps_are_landed_as_moments(home: Home) -> None:
    """The sandbox's observed.toml says that they are not marked; the files of this DMS say otherwise."""
    home.aurora(TABLE)
    home.sync(MARKED)
    assert codes(home, "--observed", code=1)["DG442"] == ["at", "local"]
    planned = home.json("plan", "--observed", "--write", "-m", "land visits")
    assert "TIMESTAMP_LTZ(9)" in str([o["sql"] for o in planned["operations"]])
    assert planned["observed"]["folders"][0]["full_load"]["rows"] == 48
    home.run("apply")
    home.sync(MARKED)
    home.assert_equal("visits", rows=48)
    home.aurora("UPDATE visits SET at = at + interval '1 minute' WHERE id < 20")
    home.sync(MARKED)
    home.assert_equal("visits", rows=48)
    assert set(codes(home, "--observed", code=0)) == {"DG442"}
    assert "DG104" in codes(home, code=1)  # without a look, the landing is not what the map predicts


def test_a_proposal_is_not_held_against_the_files(home: Home) -> None:
    home.aurora(TABLE)
    home.sync()
    home.run("plan", "--write", "-m", "land visits")
    home.run("apply")
    home.write(
        "db/001.sql",
        "ALTER TABLE visits ADD COLUMN note text, DROP COLUMN paid; CREATE TABLE new (id int PRIMARY KEY);",
    )
    found = codes(home, "--observed", "--migrations", "db", "--base", home.aurora_url, code=1)
    assert "DG102" in found
    assert not [c for c in found if c.startswith("DG44")], found
