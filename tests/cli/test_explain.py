"""`driftguard explain`: for a table, a column, a bare type; as text, JSON and Markdown; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from driftguard.cli import main

from .conftest import S3, Project

SHOP = (
    "CREATE SCHEMA shop",
    'CREATE TABLE shop.orders (id bigint PRIMARY KEY, weight numeric, note text, doc jsonb, "Mixed Case" timestamptz)',
    "CREATE TABLE shop.places (id bigint PRIMARY KEY, place int4multirange)",
    "CREATE UNLOGGED TABLE shop.scratch (id bigint PRIMARY KEY)",
    "CREATE SCHEMA other",
    "CREATE TABLE other.orders (id bigint PRIMARY KEY)",
    "CREATE TABLE other.alone (id bigint PRIMARY KEY)",
)
STEPS = ["postgres_to_dms", "dms_to_parquet", "parquet_to_staging", "postgres_to_final"]


@pytest.fixture
def orders(project: Project) -> Project:
    project.aurora(*SHOP)
    return project


def explained(project: Project, name: str) -> dict[str, Any]:
    result = project.run("explain", name, "--format", "json")
    assert result.exit_code == 0, result.output
    (only,) = json.loads(result.stdout)["explanations"]
    return dict(only)


def alone(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", "--dir", str(folder), *arguments])


def test_a_table_has_every_column_with_every_hop(orders: Project) -> None:
    found = explained(orders, "shop.orders")
    assert found["lands_in"] == ["DB.STAGING.ORDERS_CDC", "DB.FINAL.ORDERS"]
    names = [c["name"] for c in found["columns"]]
    assert names == ["Op", "id", "weight", "note", "doc", "Mixed Case", "seq", "commit_ts"]
    for column in found["columns"]:
        if column["role"] == "data":
            assert [hop["step"] for hop in column["hops"]] == STEPS
            assert all(hop["source"] and hop["proven_by"] for hop in column["hops"])
    by_name = {c["name"]: c for c in found["columns"]}
    assert by_name["Op"]["files"] == ["CDC"]
    assert by_name["id"]["key"]
    assert (by_name["doc"]["final"], by_name["doc"]["cast"]) == ("DOC VARIANT", "json")
    assert by_name["Mixed Case"]["staging"] == "Mixed Case TIMESTAMP_NTZ(9)"


@pytest.mark.parametrize("name", ["shop.orders.weight", 'shop."orders".weight', "SHOP.Orders.WEIGHT"])
def test_a_column_says_what_is_lost_and_what_avoids_it(orders: Project, name: str) -> None:
    result = orders.run("explain", name, COLUMNS="120")
    assert result.exit_code == 0, result.output
    assert "numeric → NUMERIC(28,6)  lossy" in result.stdout
    assert "more than 6 decimals: rounded to 6 decimals" in result.stdout
    assert "do: give the column a precision and a scale" in result.stdout
    assert "AWS DMS User Guide, PostgreSQL as a source (AWS text)" in result.stdout
    assert "jsonb" not in result.stdout


def test_two_parts_are_a_schema_and_a_table_or_a_table_and_a_column(orders: Project) -> None:
    assert explained(orders, "places.place")["subject"] == "shop.places.place"
    assert [c["name"] for c in explained(orders, "places")["columns"]][1:3] == ["id", "place"]


def test_a_column_that_a_migration_adds_is_explained_before_it_is_there(orders: Project, tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "001.sql").write_text("ALTER TABLE shop.orders ADD COLUMN gift boolean;")
    base = tmp_path / "aurora.json"
    assert orders.run("snapshot", "--aurora", str(base)).exit_code == 0
    result = orders.run("explain", "shop.orders.gift", "--migrations", str(folder), "--base", str(base))
    assert "boolean → STRING(5)" in result.stdout, result.output


def test_markdown_is_fit_for_a_pull_request(orders: Project) -> None:
    result = orders.run("explain", "shop.orders.weight", "--format", "markdown")
    assert result.stdout.startswith("### shop.orders.weight\n")
    assert "| Aurora → DMS | numeric | NUMERIC(28,6) | lossy |" in result.stdout
    assert result.stdout.endswith("|\n")


@pytest.mark.parametrize("width", ["40", "120"])
def test_it_fits_the_terminal(orders: Project, width: str) -> None:
    result = orders.run("explain", "shop.orders", COLUMNS=width)
    for line in result.stdout.splitlines():
        assert len(line) <= int(width) or " " not in line.strip()[: int(width) - 25], line
        assert line == line.rstrip()


def test_a_bare_type_needs_neither_a_database_nor_a_configuration(tmp_path: Path) -> None:
    result = alone(tmp_path, "--type", "numeric(40,2)")
    assert result.exit_code == 0, result.output
    assert "numeric(40,2) → STRING  as text" in result.stdout
    assert "DMS's defaults" in result.stdout


def test_a_bare_type_is_explained_for_each_task_that_carries_it_otherwise(project: Project) -> None:
    second = '[[dms.task]]\nname = "{}"\ntable_mappings = "dms/table-mappings.json"\ns3_settings = {{ {} }}\n{}\n'
    flags = "postgresql_settings = { MapBooleanAsBoolean = true }"
    project.write(second.format("crm", 'DataFormat = "parquet"', flags), second.format("old", S3, ""))
    said = project.run("explain", "--type", "bool").stdout
    assert "DMS task shop, old" in said
    assert "DMS task crm" in said
    assert ("boolean → STRING(5)" in said, "boolean → BOOLEAN" in said) == (True, True)
    assert project.run("explain", "--type", "int").stdout.count("a bare type") == 1


def test_a_bare_type_is_explained_under_the_projects_settings_and_overrides(project: Project) -> None:
    project.write("[dms.task.postgresql_settings]\nMapBooleanAsBoolean = true\n")
    assert "boolean → BOOLEAN  assumed exact" in project.run("explain", "--type", "bool").stdout
    overrides = project.folder / "typemaps" / "overrides.toml"
    overrides.parent.mkdir(exist_ok=True)
    overrides.write_text(
        '[[override]]\ntype = "jsonb"\nfinal = "VARCHAR(134217728)"\ncast = "none"\nreason = "as it is"\n'
    )
    assert "VARCHAR(134217728) → VARIANT" not in project.run("explain", "--type", "jsonb").stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name either a table"),
        (("shop.orders", "--type", "text"), "name either a table"),
        (("--type", "mood"), "explain the column"),
        (("nothing",), "there is no table or column 'nothing'"),
        (("shop.orders.nothing",), "there is other.orders, shop.orders"),
        (("orders",), "can be other.orders, shop.orders"),
        (("a.b.c.d",), "at most schema.table.column"),
        (('"open',), 'a " is not closed'),
        (("shop.scratch",), "unlogged"),
        (("other.alone",), "no DMS task selects it"),
    ],
)
def test_what_it_cannot_explain_is_one_line(orders: Project, arguments: tuple[str, ...], why: str) -> None:
    assert why in orders.refused(2, "explain", *arguments)


def test_a_broken_configuration_is_told_and_not_passed_over(project: Project) -> None:
    (project.folder / "driftguard.toml").write_text("nonsense = [")
    assert "not valid TOML" in project.refused(2, "explain", "--type", "text")
