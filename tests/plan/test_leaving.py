"""Columns that a completed change has left behind are dropped when somebody asks for it, and never else."""

from __future__ import annotations

import dataclasses

import pytest

from builders import POLICY, applied, context, landed, numeric, table, varchar
from driftguard.drift.compare import compare
from driftguard.drift.context import Context
from driftguard.model.catalog import Catalog, Column
from driftguard.model.snowflake import Estate
from driftguard.operations.drop_columns import DropColumns
from driftguard.plan.planner import Plan, make_plan

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
CHANGED = table("orders", ("note", varchar(40)), ("total", numeric(12, 4)))
MARKER = table("marker", ("name", varchar(1000)), key=("name",), oid=2000)
MARKED = dataclasses.replace(POLICY, marker_table="shop.marker")
ASKED = dataclasses.replace(MARKED, drop_leftovers=True)


def seen(estate: Estate, **more: object) -> Context:
    return context(CHANGED, MARKER, estate=estate, **{"policy": ASKED, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def change() -> Plan:
    before = Catalog((ORDERS, MARKER))
    return make_plan(seen(landed(ORDERS, MARKER), before=before, policy=MARKED))


@pytest.fixture(scope="module")
def left(change: Plan) -> Estate:
    """After the change of a scale, which leaves a column in both tables."""
    return applied(landed(ORDERS, MARKER), change)


def test_they_are_dropped_behind_a_clone_and_with_a_persons_word(left: Estate) -> None:
    plan = make_plan(seen(left))
    assert [op.summary() for op in plan.operations] == [
        "drop TOTAL__OLD from DB.FINAL.ORDERS", "drop TOTAL__OLD from DB.STAGING.ORDERS_CDC",
    ]  # fmt: skip
    assert {hazard.kind.value for hazard in plan.hazards} == {"LOSES_DATA"}
    for operation in plan.operations:
        clone, drop = operation.statements(left)
        assert "CLONE" in clone.sql
        assert "DROP COLUMN" in drop.sql
    after = applied(left, plan)
    assert make_plan(seen(after)).operations == ()
    assert "DG115" not in {f.code for f in compare(seen(after))}


def test_unless_asked_they_stay_and_are_named(left: Estate) -> None:
    assert make_plan(seen(left, policy=MARKED)) == Plan(())
    assert [f.message for f in compare(seen(left, policy=MARKED)) if f.code == "DG115"] == [
        "DB.FINAL.ORDERS still has TOTAL__OLD",
        "DB.STAGING.ORDERS_CDC still has TOTAL__OLD",
    ]


def test_while_the_change_is_under_way_nothing_is_a_leftover(change: Plan) -> None:
    """The merge reads STAGING's old column until the change is complete."""
    estate = landed(ORDERS, MARKER)
    for operation in change.operations[:-1]:
        estate = operation.effect(estate)
        if operation.phase.value == "expand":
            assert not any(isinstance(op, DropColumns) for op in make_plan(seen(estate)).operations)
            assert "DG115" not in {f.code for f in compare(seen(estate))}


def test_while_the_task_is_suspended_nothing_is_a_leftover(left: Estate) -> None:
    """An apply may have stopped between STAGING's new column and the merge that reads the old one."""
    tasks = tuple(dataclasses.replace(t, state="suspended") for t in left.tasks)
    assert make_plan(seen(dataclasses.replace(left, tasks=tasks))) == Plan(())


def test_what_a_revision_drops_already_is_not_planned_again(left: Estate) -> None:
    summaries = [op.summary() for op in make_plan(seen(left)).operations]
    assert make_plan(seen(left), summaries) == Plan(())


def test_a_column_that_aurora_has_is_none_and_neither_is_one_of_a_merge_by_hand(left: Estate) -> None:
    total = CHANGED.columns[2]
    own = Column("total__old", 9, total.type)
    both = context(dataclasses.replace(CHANGED, columns=(*CHANGED.columns, own)), MARKER, estate=left, policy=ASKED)
    assert not any(isinstance(op, DropColumns) for op in make_plan(both).operations)
    tasks = tuple(dataclasses.replace(t, definition="MERGE INTO …") for t in left.tasks)
    assert make_plan(seen(dataclasses.replace(left, tasks=tasks))).operations == ()


def test_what_others_own_is_not_dropped(left: Estate) -> None:
    policy = dataclasses.replace(ASKED, final_managed_by="dbt")
    assert [op.summary() for op in make_plan(seen(left, policy=policy)).operations] == [
        "drop TOTAL__OLD from DB.STAGING.ORDERS_CDC"
    ]
