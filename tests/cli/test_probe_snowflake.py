"""`driftguard probe --snowflake`, the file it writes, and what `plan` does with it."""

from __future__ import annotations

import json
import tomllib

import pytest

from .conftest import Project


def schemas(project: Project) -> set[str]:
    return {str(row[1]) for row in project.snowflake("SHOW SCHEMAS IN DATABASE DB")}


def test_each_answer_has_its_statement_and_error_number(shop: Project) -> None:
    shown = shop.run("probe", "--snowflake")
    assert shown.exit_code == 0, shown.output
    assert "no         ADD COLUMN … NOT NULL works on a table with rows [002108]" in shown.stdout
    assert "DRIFTGUARD_PROBE" not in schemas(shop)
    file = tomllib.loads((shop.folder / "snowflake-capabilities.toml").read_text())
    found = {key: item["answer"] for key, item in file["capability"].items()}
    assert found["update_counts_rows"] == "yes"
    assert found["ddl_commits"] == "yes"
    assert found["add_if_not_exists_ignores_type"] == "yes"
    assert found["load_keeps_backslash_n"] == "not tried"
    assert file["capability"]["add_not_null_on_rows"]["error"] == 2108
    assert file["capability"]["add_not_null_on_rows"]["statement"].startswith("ALTER TABLE")

    planned = shop.run("plan", "--format", "json")
    assert json.loads(planned.stdout)["capabilities"]["answers"] == found
    assert "0 days ago: 6 answers known, 4 not tried" in shop.run("plan").stderr


def test_a_plan_without_the_file_says_nothing_of_it(shop: Project) -> None:
    assert json.loads(shop.run("plan", "--format", "json").stdout)["capabilities"] is None


def test_a_dry_run_writes_nothing(shop: Project) -> None:
    assert json.loads(shop.run("probe", "--snowflake", "--dry-run", "--format", "json").stdout)["answers"]
    assert not (shop.folder / "snowflake-capabilities.toml").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("account = [\n", "Invalid"),
        ('account = "X"\n', "probed_at"),
        ('account = "X"\nprobed_at = 2026-01-01T00:00:00Z\n[capability.x]\nwhat = "y"\nanswer = "perhaps"\n', "answer"),
        ('account = "X"\nprobed_at = 2026-01-01T00:00:00Z\nmore = 1\n[capability]\n', "more"),
    ],
)
def test_a_malformed_file_is_refused(shop: Project, text: str, why: str) -> None:
    (shop.folder / "snowflake-capabilities.toml").write_text(text)
    line = shop.refused(2, "plan")
    assert why in line
    assert "probe --snowflake" in line


def test_a_schema_of_that_name_is_left_alone(shop: Project) -> None:
    shop.snowflake("CREATE SCHEMA DB.DRIFTGUARD_PROBE")
    assert '"DB"."DRIFTGUARD_PROBE" exists' in shop.refused(2, "probe", "--snowflake")
    assert "DRIFTGUARD_PROBE" in schemas(shop)


def test_without_the_right_to_make_a_schema(shop: Project) -> None:
    shop.connections(role="PUBLIC")
    assert "docs/grants.md" in shop.refused(3, "probe", "--snowflake")
    assert not (shop.folder / "snowflake-capabilities.toml").exists()
