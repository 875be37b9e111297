"""A history of the shapes that break a naive diff: every step planned and applied, the end equal to planning from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import journey
from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.aurora.frameworks import Migration, Plain, Skipped
from driftguard.aurora.shadow import Shadow
from driftguard.drift.context import Context
from driftguard.model.catalog import Catalog
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.plan.planner import Plan, make_plan
from journey import Journey

HISTORY = Path(__file__).parent / "history"
# What no operation can do, by the step that asks for it.
# A table without a key; old rows of a table whose name another one took.
REFUSED = {"01_first_tables.sql": 1, "15_table_renamed_and_its_name_given_on.sql": 1}


class One:
    """A folder of which one migration is known."""

    name = "one"

    def __init__(self, migration: Migration) -> None:
        self.migration = migration

    def read(self, _: Path) -> tuple[tuple[Migration, ...], tuple[Skipped, ...]]:
        return (self.migration,), ()


@pytest.fixture(scope="module")
def catalogs(postgres: EmbeddedPostgres) -> Iterator[list[tuple[str, Catalog]]]:
    found = []
    with Shadow(postgres.url()) as shadow:
        for migration in Plain().read(HISTORY)[0]:
            shadow.run_migrations(HISTORY, framework=One(migration))
            found.append((migration.name, shadow.after))
    yield found


def test_step_by_step_ends_where_planning_from_nothing_does(catalogs: list[tuple[str, Catalog]]) -> None:
    travelled = Journey()
    steps = [travelled.step(name, catalog) for name, catalog in catalogs]
    assert [step.defects for step in steps if step.defects] == []
    assert [step.name for step in steps if not step.changed] == []
    assert {step.name: len(step.refusals) for step in steps if step.refusals} == REFUSED
    differences, refused = travelled.at_once()
    assert differences == []
    assert refused == []


def test_an_operation_that_is_forgotten_once_is_noticed(
    catalogs: list[tuple[str, Catalog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the checks: each plan loses its last operation the first time it is asked for."""
    asked: list[Catalog] = []

    def forgetful(context: Context) -> Plan:
        plan = make_plan(context)
        first = context.catalog is not None and context.catalog not in asked
        if first and context.catalog is not None:
            asked.append(context.catalog)
        return Plan(plan.operations[:-1], plan.notes) if first else plan

    monkeypatch.setattr(journey, "make_plan", forgetful)
    travelled = Journey()
    noticed = travelled.step(*catalogs[0]).defects
    assert any(defect.startswith("planned again") for defect in noticed)
    differences, _ = travelled.at_once()
    assert differences != []


def test_what_is_destroyed_without_a_hazard_is_noticed(
    catalogs: list[tuple[str, Catalog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    travelled = Journey()
    travelled.step(*catalogs[0])
    effect = AddColumns.effect

    def careless(self: AddColumns, estate: Estate) -> Estate:
        after = effect(self, estate)
        return replace(after, tables=tuple(replace(t, columns=t.columns[1:]) for t in after.tables))

    monkeypatch.setattr(AddColumns, "effect", careless)
    assert any("destroys without a hazard" in defect for defect in travelled.step(*catalogs[1]).defects)
