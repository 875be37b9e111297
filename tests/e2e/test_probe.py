"""`driftguard probe --aurora`: what this DMS does is seen, written down, and then used."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from driftguard.config import load
from driftguard.sandbox.dms.switches import Switches
from driftguard.sandbox.environment import running, sync
from driftguard.typemap.load import load as load_typemaps
from home import Home

PLAIN = Switches()
OTHER = Switches(
    unchanged_toast="looked_up", key_update="ignored", cdc_boolean_text="t", timestamp_adjusted_to_utc=True,
    delete_row="key_only",
)  # fmt: skip


def schemas(home: Home) -> list[str]:
    with psycopg.connect(home.aurora_url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'driftguard%'").fetchall()
    return [name for (name,) in rows]


def until_made(home: Home, process: subprocess.Popen[str]) -> None:
    """DMS comes by when the tables are there: then it finds them in its full load."""
    deadline = time.monotonic() + 60
    while not schemas(home):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def probe(home: Home, *arguments: str, switches: Switches = PLAIN, code: int = 0) -> str:
    """The probe in a process of its own, and DMS beside it."""
    process = home.start("probe", "--aurora", "--timeout", "120", *arguments)
    until_made(home, process)
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(process.communicate)
        while process.poll() is None:
            sync(home.directory, switches)
            time.sleep(0.2)
        out, err = said.result()
    assert process.returncode == code, f"{out}\n{err}"
    assert "Traceback" not in err, err
    assert schemas(home) == []
    return out


def document(home: Home, *arguments: str, **more: Any) -> Any:
    return json.loads(probe(home, "--format", "json", *arguments, **more))


def observed(home: Home) -> Any:
    return tomllib.loads((home.directory / "typemaps" / "observed.toml").read_text())


def datetime_row(home: Home) -> dict[str, Any]:
    (row,) = (r for r in observed(home)["dms_to_parquet"] if r["match"] == {"dms": ["DATETIME"]})
    return row


def fate(found: Any, type_: str, way: str) -> list[str]:
    (item,) = (t for t in found["types"] if t["type"] == type_ and t["table"] != "edges")
    return [v["outcome"] for v in item[way]["values"]]


def test_the_usual_dms_is_seen_as_it_is(home: Home) -> None:
    (home.directory / "typemaps" / "observed.toml").unlink()
    found = document(home)
    answers = found["answers"]
    assert "timestamp in full load: no" in answers["timestamps marked as adjusted to UTC"]
    assert "timestamptz in CDC: no" in answers["timestamps marked as adjusted to UTC"]
    assert answers["boolean in CDC"] == "'false' or 'true'"
    assert answers["unchanged large value in an update"].startswith("NULL")
    assert answers["update of a primary key"].startswith("U with the new key")
    assert answers["deleted row"] == "D with the key alone"  # the WAL holds the replica identity
    assert "no Op" in answers["rows of a full load"]
    assert "9999-12-31" in answers["timestamp 'infinity'"]
    assert "23:59:59.999" in answers["time '24:00:00'"]
    assert answers["numeric(10,2) 'NaN'"] == "full load: NULL; CDC: NULL"
    assert answers["double precision 'NaN'"] == "full load: same; CDC: same"
    for way in ("full_load", "cdc"):
        assert fate(found, "bigint", way) == ["same", "same"]
        assert set(fate(found, "numeric(38,10)", way)) == {"same"}
        assert set(fate(found, "jsonb", way)) == {"same"}
        assert fate(found, "time", way)[1].startswith("changed")
        assert fate(found, "interval", way)[0].startswith("changed: '1 year 2 mons 3 days 04:05:06.789' → '1 YEAR")
    assert found["unfinished"] == []
    assert datetime_row(home)["type"] == "TIMESTAMP({p})"
    rows = observed(home)
    assert all(r["proven_by"] == "footer sample" for hop in rows.values() for r in hop)
    assert {r["type"] for r in rows["postgres_to_dms"] if r["match"] == {"type": ["oid"]}} == {"-"}  # it is not there
    assert {"type": ["tsrange"]} in [r["match"] for r in rows["postgres_to_dms"]]
    assert "DECIMAL({p},{s})" in [r["type"] for r in rows["dms_to_parquet"]]
    load_typemaps(observed=home.directory / "typemaps" / "observed.toml")
    again = document(home)  # DMS was running by then: everything comes as changes
    assert again["answers"]["rows of a full load"].startswith("not seen")
    assert "timestamp in CDC: no" in again["answers"]["timestamps marked as adjusted to UTC"]
    assert again["conflicts"] == []


def test_another_dms_is_seen_as_it_is_and_its_timestamps_arrive_right(home: Home) -> None:
    """The stand-in's account is in America/Los_Angeles: a marked timestamp in a TIMESTAMP_NTZ column would be shifted."""
    before = (home.directory / "typemaps" / "observed.toml").read_text()
    shown = probe(home, switches=OTHER, code=1)
    assert "DATETIME says type = 'TIMESTAMP({p})'" in shown
    assert "--force replaces it" in shown
    assert datetime_row(home)["source"] == "footer of a file of the sandbox's DMS stand-in"
    assert "# What was seen in files of this pipeline." in before
    assert "timestamptz in CDC: yes (INT64 Timestamp(isAdjustedToUTC=true" in shown
    assert "boolean in CDC: 'f' or 't'" in shown
    assert "unchanged large value in an update: looked up" in shown
    assert "update of a primary key: no row at all" in shown

    found = document(home, "--force", switches=OTHER)
    assert found["written"]
    row = datetime_row(home)
    assert (row["type"], row["loss"]) == ("TIMESTAMP_UTC({p})", "exact")
    home.aurora(
        "CREATE TABLE visits (id int PRIMARY KEY, at timestamptz, local timestamp);"
        "INSERT INTO visits SELECT n, '2026-03-08 09:30:00.123456+00'::timestamptz + n * interval '1 hour', "
        "'2026-03-08 01:30:00'::timestamp + n * interval '1 hour' FROM generate_series(1, 30) n"
    )
    plan = home.json("plan", "--write", "-m", "land visits")
    assert "TIMESTAMP_LTZ(9)" in str([o["sql"] for o in plan["operations"]])
    home.run("apply")
    home.sync(OTHER)
    home.assert_equal("visits", rows=30)


def test_a_dry_run_writes_nothing_and_prints_the_rows(home: Home) -> None:
    file = home.directory / "typemaps" / "observed.toml"
    file.write_text("# mine\n" + file.read_text())
    before = file.read_text()
    shown = probe(home, "--dry-run")
    assert file.read_text() == before
    assert "[[postgres_to_dms]]" in shown
    assert f"its files stay below {running(home.directory).lake}/dms/driftguard_probe/" in shown


def test_ctrl_c_leaves_no_schema(home: Home) -> None:
    process = home.start("probe", "--aurora", "--timeout", "120")
    until_made(home, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert schemas(home) == []


def test_nothing_arrives(home: Home) -> None:
    line = home.try_("probe", "--aurora", "--timeout", "2", "--quiet")
    assert line.returncode == 3
    assert "no file of the probe came to" in line.stderr
    assert "is the DMS task running" in line.stderr
    assert schemas(home) == []


def test_what_the_probe_refuses(home: Home) -> None:
    assert "one thing is probed at a time" in home.refused("probe", code=2)
    home.aurora("CREATE SCHEMA driftguard_probe; CREATE TABLE driftguard_probe.ours (id int)")
    assert "it holds ours" in home.refused("probe", "--aurora", code=2)
    assert schemas(home) == ["driftguard_probe"]
    home.aurora("DROP TABLE driftguard_probe.ours")
    assert "no probe has made it" in home.refused("probe", "--aurora", code=2)
    home.aurora("DROP SCHEMA driftguard_probe")
    mappings = home.directory / "dms" / "table-mappings.json"
    text = mappings.read_text()
    mappings.write_text(
        text.replace('"schema-name": "%", "table-name": "%" }', '"schema-name": "app", "table-name": "%" }')
    )
    line = home.refused("probe", "--aurora", code=2)
    assert '"schema-name": "driftguard_probe"' in line
    mappings.write_text(text)
    assert load(directory=home.directory).settings.lake.url
    observed_file = home.directory / "typemaps" / "observed.toml"
    observed_file.write_text('dms_to_parquet = [{ match = { dms = ["DATE"] }, type = "DATE32" }]\n')
    assert "is not a [[…]] table of its own" in home.refused("probe", "--aurora", code=2)
    assert schemas(home) == []


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x"])
def test_an_aurora_that_is_not_there(home: Home, url: str) -> None:
    assert "cannot connect" in home.refused("probe", "--aurora", url, code=3)
