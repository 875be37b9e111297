"""driftguard.toml and the environment: what is read, from where, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.config import Config, Settings, load
from driftguard.errors import ConfigError

MINIMAL = '[landing]\ndatabase = "ANALYTICS"\n'


def write(folder: Path, text: str, name: str = "driftguard.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str = MINIMAL, **environ: str) -> Config:
    write(folder, text)
    return load(directory=folder, environ=environ)


def test_only_the_database_has_no_default(tmp_path: Path) -> None:
    found = read(tmp_path)
    policy = found.policy()
    assert (policy.database, policy.staging_schema, policy.final_schema) == ("ANALYTICS", "STAGING", "FINAL")
    assert (policy.overlap_minutes, policy.control_schema) == (60, "DRIFTGUARD")
    with pytest.raises(ConfigError, match=r"'landing.database' is missing"):
        read(tmp_path, "[landing]\n")
    with pytest.raises(ConfigError, match=r"'landing' is missing"):
        read(tmp_path, "")


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    """docs/configuration.md shows every key; a key that is not in there would be undocumented."""
    text = (Path(__file__).parents[1] / "docs/configuration.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    settings = read(tmp_path, example).settings
    for section in type(settings).model_fields:
        assert section in example
        kind = getattr(type(settings).model_fields[section].annotation, "model_fields", {})
        for key, field in kind.items():
            assert (field.alias or key) in example, f"{section}.{key}"


def test_what_init_writes_is_valid(tmp_path: Path) -> None:
    from driftguard.commands.init import init
    from driftguard.dms.files import dms_tasks

    first = init(tmp_path)
    assert {p.name for p in first.written} >= {"driftguard.toml", "table-mappings.json", "overrides.toml"}
    found = load(directory=tmp_path, environ={})
    assert dms_tasks(found)
    again = init(tmp_path)
    assert again.written == ()
    assert set(again.kept) == set(first.written)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[landing\n", "not valid TOML"),
        (MINIMAL + "[landin]\nx = 1\n", "unknown key 'landin'"),
        (MINIMAL + "colour = 1\n", "unknown key 'landing.colour'"),
        (MINIMAL + "overlap_minutes = -1\n", "landing.overlap_minutes"),
        (MINIMAL + 'overlap_minutes = "soon"\n', "landing.overlap_minutes"),
        (MINIMAL + "staging_schema = 5\n", "landing.staging_schema"),
        (MINIMAL + "[control]\nlease_seconds = 1\n", "control.lease_seconds"),
        (MINIMAL + '[control]\nschema_name = "X"\n', "unknown key 'control.schema_name'"),
        (MINIMAL + '[policy]\ndropped_columns = "drop"\n', "policy.dropped_columns"),
        (MINIMAL + '[policy.managed_by]\nmerge = "me"\n', "policy.managed_by.merge"),
        (MINIMAL + '[[waiver]]\ncode = "X1"\nreason = "why"\n', "waiver.0.code"),
        (MINIMAL + '[[waiver]]\ncode = "DG101"\n', "'waiver.0.reason' is missing"),
        (MINIMAL + '[[waiver]]\ncode = "DG101"\nreason = "why"\nuntil = "soon"\n', "waiver.0.until"),
        (MINIMAL + '[[dms.task]]\nname = "x"\n', "dms.task.0: give one of 'table_mappings', 'replication' and 'arn'"),
        ("landing = 5\n", "landing"),
        ('[landing]\ndatabase = "A"\na.b = 1\nx = 2', "unknown key"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_the_file_and_the_key(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert why in str(caught.value)
    assert "driftguard.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "driftguard.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(directory=tmp_path, environ={})


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        MINIMAL + '[aurora]\nurl = "postgresql://file/x"\n',
        DRIFTGUARD_AURORA_URL="postgresql://variable/x",
        DRIFTGUARD_AURORA_SCHEMAS="shop,billing",
        DRIFTGUARD_CONTROL_SCHEMA="OPS",
        DRIFTGUARD_LANDING_OVERLAP_MINUTES="5",
        DRIFTGUARD_POLICY_ALLOW_UNKNOWN="DG107",
        UNRELATED="x",
    ).settings
    assert found.aurora.url == "postgresql://variable/x"
    assert found.aurora.schemas == ("shop", "billing")
    assert found.control.schema_name == "OPS"
    assert found.landing.overlap_minutes == 5
    assert found.policy.allow_unknown == ("DG107",)


@pytest.mark.parametrize(
    "variable",
    ["DRIFTGUARD_AURORA_ULR", "DRIFTGUARD_NOPE_X", "DRIFTGUARD_URL", "DRIFTGUARD_WAIVER_CODE", "DRIFTGUARD_DMS_NAME"],
)
def test_a_variable_that_is_no_setting_is_refused(tmp_path: Path, variable: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}: no such setting"):
        read(tmp_path, MINIMAL, **{variable: "x"})


def test_variables_of_tests_and_of_the_file_itself_are_no_settings(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = write(other, MINIMAL.replace("ANALYTICS", "OTHER"))
    environ = {"DRIFTGUARD_CONFIG": str(path), "DRIFTGUARD_LIVE_ACCOUNT": "x", "DRIFTGUARD_TEST_WHEEL": "1"}
    assert load(environ=environ).settings.landing.database == "OTHER"


def test_a_variable_of_a_section_that_is_not_a_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "landing = 5\n", DRIFTGUARD_LANDING_DATABASE="X")
    assert "\n" not in str(caught.value)


def test_flags_win_over_the_variable_and_the_folder(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    write(here, MINIMAL.replace("ANALYTICS", "HERE"))
    file = write(there, MINIMAL.replace("ANALYTICS", "THERE"))
    environ = {"DRIFTGUARD_CONFIG": str(here / "driftguard.toml")}
    assert load(file, environ=environ).settings.landing.database == "THERE"
    assert load(directory=there, environ=environ).settings.landing.database == "THERE"
    assert load(environ=environ).settings.landing.database == "HERE"


def test_pyproject_can_hold_the_settings(tmp_path: Path) -> None:
    text = '[tool.driftguard.landing]\ndatabase = "FROM_PYPROJECT"\n'
    write(tmp_path, text, "pyproject.toml")
    assert load(directory=tmp_path, environ={}).settings.landing.database == "FROM_PYPROJECT"
    assert read(tmp_path).settings.landing.database == "ANALYTICS", "driftguard.toml comes first"


@pytest.mark.parametrize("where", ["file", "folder", "nothing"])
def test_what_is_not_there_is_named(tmp_path: Path, where: str) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(ConfigError) as caught:
        if where == "file":
            load(missing, environ={})
        else:
            load(directory=missing if where == "folder" else tmp_path, environ={})
    assert str(missing if where != "nothing" else tmp_path) in str(caught.value)
    assert "no such" in str(caught.value)


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.path("a/b.json") == tmp_path.resolve() / "a/b.json"
    assert found.path("/abs.json") == Path("/abs.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1]", "JSON object"),
        ("{", "not JSON"),
        (None, "No such file"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "not JSON"),
    ],
)
def test_a_named_json_document_must_be_an_object(tmp_path: Path, text: str | None, why: str) -> None:
    found = read(tmp_path)
    if text is not None:
        write(tmp_path, text, "s3.json")
    with pytest.raises(ConfigError, match=why):
        found.document("s3.json", "s3_settings")
    assert found.document({"a": 1}, "s3_settings") == {"a": 1}


def test_no_section_takes_unknown_keys() -> None:
    assert Settings.model_config["extra"] == "forbid"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_json_file_is_read_as_a_shell_of_windows_writes_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "s3.json").write_text('{"BucketFolder": "é"}', encoding=encoding)
    (tmp_path / "driftguard.toml").write_text('[landing]\ndatabase = "DB"\n', encoding=encoding.replace("16", "8"))
    assert load(directory=tmp_path, environ={}).document("s3.json", "s3_settings") == {"BucketFolder": "é"}


def test_a_file_that_is_nested_beyond_measure_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "driftguard.toml").write_text("x = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(directory=tmp_path, environ={})
