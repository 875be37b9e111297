"""Whatever is wrong: one clear line, the right exit code, nothing half done, no traceback."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from driftguard.cli import main

from .conftest import PASSWORD, Project

COMMANDS = ("check", "plan", "apply", "status", "snapshot")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# -- the configuration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_configuration(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(main, [command, "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "no such file" in result.stderr
    assert "driftguard init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_file_that_is_not_there(project: Project) -> None:
    assert "nowhere.toml: no such file" in project.refused(2, "check", "--config", str(project.folder / "nowhere.toml"))


@pytest.mark.parametrize(
    ("text", "why"),
    [("[landing]\ndatabas = 'X'\n", "landing.databas"), ("[landing\n", "not valid TOML"), ("", "'landing' is missing")],
)
def test_a_wrong_configuration(project: Project, text: str, why: str) -> None:
    (project.folder / "driftguard.toml").write_text(text)
    for command in COMMANDS:
        assert why in project.refused(2, command)


def test_an_unknown_setting_in_the_environment(project: Project) -> None:
    assert "DRIFTGUARD_AURORA_ULR" in project.refused(2, "check", DRIFTGUARD_AURORA_ULR="x")


# -- Aurora ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        (("127.0.0.1", "no-such-host.invalid"), 3, "check the host name"),
        (("{port}", "1"), 3, "Connection refused"),
        (("{password}", "wrong-" + "secret"), 3, "check the user and password"),
        (("/{name}", "/nothing"), 3, "does not exist"),
        (("postgresql://", "mysql://"), 2, "mysql://"),
        (("{password}", "with/slash"), 2, "bare / or @"),
    ],
)
def test_a_wrong_aurora_url(shop: Project, change: tuple[str, str], code: int, why: str) -> None:
    parts = urlsplit(shop.aurora_url)
    values = {"port": str(parts.port), "password": parts.password or "", "name": parts.path.lstrip("/")}
    old = change[0].format(**values)
    assert old in shop.aurora_url
    shop.write(url=shop.aurora_url.replace(old, change[1]))
    started = time.monotonic()
    line = shop.refused(code, "check")
    assert why in line
    assert time.monotonic() - started < 10
    for secret in (parts.password or "-", "wrong-secret", "with/slash"):
        assert secret not in line


def test_a_source_that_is_no_file_and_no_url(shop: Project) -> None:
    assert "nowhere.json" in shop.refused(2, "check", "--source", "nowhere.json")


# -- Snowflake ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_password(shop: Project, command: str) -> None:
    shop.connections(password="not the secret")
    line = shop.refused(3, command)
    assert "check user, key or token" in line
    assert "not the secret" not in line


@pytest.mark.parametrize("change", [{"port": 9}, {"host": "no-such-host.invalid"}])
def test_a_host_that_cannot_be_reached_fails_in_seconds(shop: Project, change: dict[str, object]) -> None:
    shop.connections(**change)
    started = time.monotonic()
    line = shop.refused(3, "check")
    assert "check account, network" in line
    assert time.monotonic() - started < 20


def test_a_connection_that_connections_toml_does_not_have(shop: Project) -> None:
    shop.write(connection="nothing")
    assert "'nothing'" in shop.refused(2, "check")


def test_a_connections_file_that_is_not_there(shop: Project) -> None:
    (shop.folder / "connections.toml").unlink()
    assert "no such file" in shop.refused(2, "check")


def test_a_connections_file_that_is_not_toml(shop: Project) -> None:
    (shop.folder / "connections.toml").write_text(f'[test\npassword = "{PASSWORD}"\n')
    (shop.folder / "connections.toml").chmod(0o600)
    result = shop.process("check")  # the connector remembers the broken file for the rest of its process
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "connections.toml" in line
    assert PASSWORD not in line


@pytest.mark.parametrize("command", ["check", "plan"])
def test_no_connection_and_no_snapshot(shop: Project, command: str) -> None:
    text = (shop.folder / "driftguard.toml").read_text()
    (shop.folder / "driftguard.toml").write_text(text.replace('connection = "test"\n', ""))
    line = shop.refused(2, command)
    assert "no Snowflake connection, and no snapshot" in line


@pytest.mark.parametrize("command", ["apply", "status", "snapshot"])
def test_no_connection_for_a_command_that_needs_one(shop: Project, command: str) -> None:
    text = (shop.folder / "driftguard.toml").read_text()
    (shop.folder / "driftguard.toml").write_text(text.replace('connection = "test"\n', ""))
    assert "no Snowflake connection" in shop.refused(2, command)


def test_a_database_that_the_role_does_not_see(shop: Project) -> None:
    text = (shop.folder / "driftguard.toml").read_text()
    (shop.folder / "driftguard.toml").write_text(text.replace('database = "DB"', 'database = "NOPE"'))
    assert "docs/grants.md" in shop.refused(3, "check")


def test_a_schema_that_the_role_may_not_use_is_unknown_and_not_absent(shop: Project) -> None:
    """It fails like an error, and nothing is planned for it."""
    shop.snowflake(
        "CREATE ROLE IF NOT EXISTS NARROW",
        "GRANT USAGE ON DATABASE DB TO ROLE NARROW",
        "GRANT USAGE ON SCHEMA DB.STAGING TO ROLE NARROW",
        "GRANT CREATE TABLE ON SCHEMA DB.STAGING TO ROLE NARROW",
    )
    shop.connections(role="NARROW")
    result = shop.run("check", "--format", "json")
    assert result.exit_code == 1, result.output
    codes = {f["code"] for f in json.loads(result.stdout)["findings"] if f["severity"] in ("error", "unknown")}
    assert codes == {"DG601"}
    planned = shop.run("plan", "--format", "json")
    assert json.loads(planned.stdout)["operations"] == []
    assert "could not be looked at" in planned.stdout


def test_an_apply_without_privileges_changes_nothing(shop: Project) -> None:
    shop.run("plan", "--write")
    shop.snowflake("CREATE ROLE IF NOT EXISTS READER", "GRANT USAGE ON DATABASE DB TO ROLE READER")
    shop.connections(role="READER")
    assert "grant CREATE SCHEMA" in shop.refused(3, "apply")
    assert shop.snowflake("SHOW TABLES IN DATABASE DB") == []


# -- DMS ---------------------------------------------------------------------------------------------------------------

INCLUDE = {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-name": "1",
    "rule-action": "include",
    "object-locator": {"schema-name": "shop", "table-name": "%"},
}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "JSON"),
        ("", "JSON"),
        ("[]", "object"),
        ({"rule": []}, "rules"),
        ({"rules": {}}, "rules"),
        ({"rules": ["x"]}, "rule"),
        ({"rules": [INCLUDE | {"rule-action": "inclood"}]}, "inclood"),
        ({"rules": [INCLUDE | {"rule-type": "selektion"}]}, "selektion"),
        ({"rules": [INCLUDE, INCLUDE]}, "1"),
        ({"rules": [INCLUDE | {"object-locator": {"schema-name": "shop"}}]}, "table-name"),
        ({"rules": [INCLUDE | {"object-locator": 5}]}, "object-locator"),
    ],
)
def test_malformed_table_mappings(shop: Project, content: object, why: str) -> None:
    shop.mappings(content)
    line = shop.refused(2, "check")
    assert why in line
    assert "table-mappings.json" in line


def test_a_mappings_file_that_is_not_there(shop: Project) -> None:
    shop.write(mappings="dms/nowhere.json")
    line = shop.refused(2, "check")
    assert "dms/nowhere.json" in line
    assert "'shop'" in line, "the task is named"


def test_an_unknown_s3_setting(shop: Project) -> None:
    shop.write(s3='DataFormatt = "parquet"')
    assert "S3Settings has no member 'DataFormatt'" in shop.refused(2, "check")


# -- tables ------------------------------------------------------------------------------------------------------------


def findings(project: Project) -> list[tuple[str, str | None]]:
    result = project.run("check", "--format", "json")
    assert result.exit_code in (0, 1), result.output
    found = json.loads(result.stdout)["findings"]
    return [(f["code"], f["table"]["name"] if f["table"] else None) for f in found if f["severity"] == "error"]


def test_names_that_differ_only_by_case_are_a_finding_and_the_others_go_on(shop: Project) -> None:
    shop.aurora('CREATE TABLE shop.users (id bigint PRIMARY KEY, "userId" int, userid int)')
    assert findings(shop) == [("DG101", "orders"), ("DG110", "users")]


def test_a_table_without_a_key_is_a_finding_and_the_others_go_on(shop: Project) -> None:
    shop.aurora("CREATE TABLE shop.log (line text)")
    assert findings(shop) == [("DG501", "log"), ("DG101", "orders")]
    planned = json.loads(shop.run("plan", "--format", "json").stdout)
    assert [op["kind"] for op in planned["operations"]] == ["create_landing"]
    assert any("shop.log" in note for note in planned["notes"])


def test_a_name_of_63_bytes_with_quotes_and_blanks_works(project: Project) -> None:
    name = 'Ein "Name" mit Blanks; é'
    name += "x" * (63 - len(name.encode()))
    quoted = '"' + name.replace('"', '""') + '"'
    project.aurora(
        "CREATE SCHEMA shop", f'CREATE TABLE shop.{quoted} ({quoted} bigint PRIMARY KEY, {quoted[:-2]}y" text)'
    )
    assert project.run("plan", "--write").exit_code == 0
    applied = project.run("apply")
    assert applied.exit_code == 0, applied.output
    assert findings(project) == []
    assert project.run("plan").exit_code == 0
    assert name in [row[1] for row in project.snowflake("SHOW TABLES IN SCHEMA DB.FINAL")]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"kind": "aurora"}', '{"format": 99}', "\x00\xff", '{"version": 1, "kind": "snowflake"}'],
)
def test_a_snapshot_that_is_none(shop: Project, text: str) -> None:
    path = shop.folder / "s.json"
    path.write_bytes(text.encode("latin-1"))
    for option in ("--source", "--against"):
        assert "s.json" in shop.refused(2, "check", option, str(path))
    assert "s.json" in shop.refused(2, "diff", str(path), str(path))


def test_a_snapshot_of_the_other_side(shop: Project) -> None:
    aurora, snowflake = shop.folder / "a.json", shop.folder / "s.json"
    assert shop.run("snapshot", "--aurora", str(aurora), "--snowflake", str(snowflake)).exit_code == 0
    assert "a.json" in shop.refused(2, "check", "--against", str(aurora))
    assert "s.json" in shop.refused(2, "check", "--source", str(snowflake))
    assert "different systems" in shop.refused(2, "diff", str(aurora), str(snowflake))


def test_a_snapshot_cut_in_half(shop: Project) -> None:
    path = shop.folder / "a.json"
    shop.run("snapshot", "--aurora", str(path))
    path.write_text(path.read_text()[:-40])
    assert "a.json" in shop.refused(2, "check", "--source", str(path))


def test_two_formats_without_out(shop: Project) -> None:
    line = shop.refused(2, "check", "--format", "json", "--format", "text")
    assert "only one result goes to stdout" in line


def test_more_out_than_formats(shop: Project) -> None:
    line = shop.refused(2, "check", "--format", "json", "--out", "a", "--out", "b")
    assert "more --out than --format" in line


def test_a_file_that_cannot_be_written(shop: Project) -> None:
    before = tree(shop.folder)
    for place in (shop.folder / "driftguard.toml" / "x.json", shop.folder):
        assert "name a file that can be written" in shop.refused(2, "check", "--format", "json", "--out", str(place))
        assert "name a file that can be written" in shop.refused(2, "snapshot", "--aurora", str(place))
    assert tree(shop.folder) == before


def test_a_plan_into_a_folder_that_cannot_be_written(shop: Project) -> None:
    shop.write(dir="driftguard.toml")
    before = tree(shop.folder)
    assert "driftguard.toml" in shop.refused(2, "plan", "--write")
    assert tree(shop.folder) == before


def test_init_into_a_folder_that_cannot_be_written(project: Project) -> None:
    line = project.refused(2, "init", str(project.folder / "driftguard.toml"))
    assert "name a folder that can be written" in line


def test_migrations_that_are_not_there(shop: Project) -> None:
    assert "no such folder" in shop.refused(2, "check", "--migrations", str(shop.folder / "nowhere"))


def test_options_that_contradict_each_other(shop: Project) -> None:
    folder = str(shop.folder)
    assert "--base and --shadow-url go with --migrations" in shop.refused(2, "check", "--base", "x")
    assert "twice" in shop.refused(2, "plan", "--migrations", folder, "--source", "x.json")


# -- revisions ---------------------------------------------------------------------------------------------------------


def test_a_revision_that_was_edited_after_it_was_applied(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    assert shop.run("apply").exit_code == 0
    (path,) = (shop.folder / "migrations/versions").glob("*.py")
    path.write_text(path.read_text().replace("'NOTE'", "'NOTES'", 1))
    assert "edited after it was applied" in shop.refused(2, "apply")
    assert "edited" in shop.run("status").stdout


def test_a_revision_that_is_no_revision(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    (path,) = (shop.folder / "migrations/versions").glob("*.py")
    path.write_text("import os\n" + path.read_text())
    for command in ("apply", "plan", "status"):
        assert f"{path}:1" in shop.refused(2, command)
    assert shop.snowflake("SHOW TABLES IN DATABASE DB") == []


def test_a_revision_that_is_not_known(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    for command in (("apply", "--revision", "feed"), ("downgrade", "feed"), ("stamp", "feed")):
        assert "'feed' names no revision to go to" in shop.refused(2, *command)
    assert shop.snowflake("SHOW TABLES IN DATABASE DB") == []


def test_a_stamp_of_what_is_not_there_changes_nothing(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    assert "it is not done: apply it, or give --unverified with a reason" in shop.refused(2, "stamp", "heads")
    assert "--unverified needs a --reason" in shop.refused(2, "stamp", "heads", "--unverified")
    assert "pending" in shop.run("status").stdout


def test_a_landing_is_not_taken_back(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    assert shop.run("apply").exit_code == 0
    for target in ("base", "-1"):
        assert "its tables hold data" in shop.refused(2, "downgrade", target, "--allow", "LOSES_DATA")
    assert "'EVERYTHING' is no hazard" in shop.refused(2, "downgrade", "base", "--allow", "EVERYTHING")


def test_heads_that_cannot_be_merged(shop: Project) -> None:
    assert "nothing to merge" in shop.run("merge-heads").stdout
    assert shop.run("plan", "--write").exit_code == 0
    (path,) = (shop.folder / "migrations/versions").glob("*.py")
    path.write_text("import os\n" + path.read_text())
    assert f"{path}:1" in shop.refused(2, "merge-heads")


def test_a_hazard_that_is_not_known(shop: Project) -> None:
    assert shop.run("plan", "--write").exit_code == 0
    line = shop.refused(2, "apply", "--allow", "LOSES_DATTA")
    assert "LOSES_DATTA" in line
    assert "LOSES_DATA" in line, "the known ones are listed"


def test_a_code_that_is_not_known(shop: Project) -> None:
    assert "DG999" in shop.refused(2, "check", "--allow-unknown", "DG999")


# -- the sandbox -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["sync", "status", "down"])
def test_a_sandbox_command_where_none_is_running(project: Project, command: str) -> None:
    before = tree(project.folder)
    line = project.refused(2, "sandbox", command, "--dir", str(project.folder))
    assert "no sandbox is running" in line
    assert tree(project.folder) == before


def test_a_sandbox_on_a_postgres_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["sandbox", "up", "--dir", str(tmp_path), "--aurora-url", "postgresql://u:s3cret@127.0.0.1:1/x"]
    )
    assert result.exit_code == 3, result.output
    assert "s3cret" not in result.output
    assert result.stderr.count("\n") == 1


def test_an_override_that_decides_about_nothing_is_a_finding(shop: Project) -> None:
    """Misspelt names would otherwise leave the shipped map in force without a word."""
    place = shop.folder / "typemaps"
    place.mkdir()
    override = '[[override]]\n{}\nfinal = "VARCHAR(134217728)"\nreason = "as it is"\n'
    lines = ('column = "shop.orders.note"', 'column = "shop.orders.nope"', 'type = "integer"')
    (place / "overrides.toml").write_text("".join(map(override.format, lines)))
    found = json.loads(shop.run("check", "--format", "json").stdout)["findings"]
    told = [f["message"].partition("overrides.toml: ")[2] for f in found if f["code"] == "DG114"]
    nothing = "decides about no column"
    assert told == [f"override 2 (column shop.orders.nope) {nothing}", f"override 3 (type integer) {nothing}"]
