"""What is planned for a landing that keeps its name while DMS writes to another folder."""

from __future__ import annotations

import dataclasses

import pytest

from builders import POLICY, RULES, applied, context, landed, numeric, table, task, varchar
from driftguard.drift.compare import compare
from driftguard.drift.context import Context
from driftguard.model.catalog import Catalog, Key, Table
from driftguard.model.plan import Phase
from driftguard.model.policy import Policy
from driftguard.model.snowflake import Estate
from driftguard.operations.add_pipe import AddPipe
from driftguard.operations.await_marker import AwaitMarker
from driftguard.operations.base import DONE
from driftguard.operations.manual import Manual
from driftguard.operations.replace_pipe import ReplacePipe
from driftguard.plan.ancestry import in_step
from driftguard.plan.planner import Plan, make_plan

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
MOVED = dataclasses.replace(ORDERS, schema="archive")
MARKER = table("marker", ("name", varchar(1000)), key=("name",), oid=2000)
EVERYTHING = task(
    {**RULES[0], "rule-id": "3", "rule-name": "3", "object-locator": {"schema-name": "archive", "table-name": "%"}}
)
MARKED = dataclasses.replace(POLICY, marker_table="shop.marker")
LANDED = landed(ORDERS, MARKER, dms=EVERYTHING)


def seen(*tables: Table, estate: Estate = LANDED, before: Table | None = ORDERS, policy: Policy = MARKED) -> Context:
    was = Catalog((before, MARKER)) if before else None
    return context(*tables, MARKER, estate=estate, before=was, dms=EVERYTHING, policy=policy)


def kinds(plan: Plan) -> list[str]:
    return [operation.kind for operation in plan.operations]


def expanded(plan: Plan, estate: Estate = LANDED) -> Estate:
    return applied(estate, Plan(tuple(op for op in plan.operations if op.phase is Phase.EXPAND)))


def codes(of: Context) -> set[str]:
    return {f.code for f in compare(of)} & {"DG309", "DG310", "DG703"}


def test_a_second_pipe_then_the_marker_then_its_own() -> None:
    plan = make_plan(seen(MOVED))
    add, wait, replace = plan.operations
    assert isinstance(add, AddPipe)
    assert isinstance(wait, AwaitMarker)
    assert isinstance(replace, ReplacePipe)
    assert [op.phase for op in plan.operations] == [Phase.EXPAND, Phase.SETTLE, Phase.CONTRACT]
    assert wait.table == ("archive", "orders")
    assert [b.column for b in wait.deployed] == ["id", "note", "total"], "one that has all of them is the table"
    assert plan.notes == ()


def test_while_both_are_there_it_is_a_change_under_way_and_no_error() -> None:
    before = seen(MOVED)
    assert codes(before) == {"DG309", "DG703"}
    after = seen(MOVED, estate=expanded(make_plan(before)))
    assert codes(after) == {"DG310"}
    whole = seen(MOVED, estate=applied(LANDED, make_plan(before)))
    assert codes(whole) == set()


def test_what_a_revision_holds_already_is_not_planned_again() -> None:
    plan = make_plan(seen(MOVED))
    estate = expanded(plan)
    marker = next(op.name for op in plan.operations if isinstance(op, AwaitMarker))
    assert kinds(make_plan(seen(MOVED, estate=estate))) == ["await_marker", "replace_pipe"]
    assert kinds(make_plan(seen(MOVED, estate=estate), [marker])) == []


def test_before_the_deploy_the_second_pipe_is_left_alone() -> None:
    """Aurora still has the old name: both pipes are as they should be."""
    estate = expanded(make_plan(seen(MOVED)))
    assert make_plan(seen(ORDERS, estate=estate, before=None)) == Plan(())


@pytest.mark.parametrize("known", ["no marker", "no lineage"])
def test_without_a_proof_both_folders_are_read_and_the_rest_is_said(known: str) -> None:
    """Nothing is lost; when the old folder may go is for a person to see."""
    blind = {"policy": POLICY} if known == "no marker" else {"before": None}
    plan = make_plan(seen(MOVED, **blind))  # type: ignore[arg-type]
    assert kinds(plan) == ["add_pipe"]
    assert "goes on reading @DB.STAGING.DMS_STAGE/shop/orders/" in plan.notes[0]
    estate = expanded(plan)
    again = make_plan(seen(MOVED, estate=estate, **blind))  # type: ignore[arg-type]
    assert again.operations == ()
    assert again.notes == plan.notes
    dropped = dataclasses.replace(estate, pipes=tuple(p for p in estate.pipes if p.name.name != "ORDERS_PIPE"))
    own = make_plan(seen(MOVED, estate=dropped, **blind))  # type: ignore[arg-type]
    assert kinds(own) == ["create_landing"]
    left = make_plan(seen(MOVED, estate=applied(dropped, own), **blind))  # type: ignore[arg-type]
    assert kinds(left) == ["replace_pipe"], "the second pipe has nothing to do any more"


def test_lineage_is_not_noted_while_the_old_folder_is_still_read() -> None:
    """It is what tells that the table has moved."""
    plan = make_plan(seen(MOVED))
    final = next(op.final for op in plan.operations if isinstance(op, ReplacePipe))
    assert not any(list(in_step(seen(MOVED, estate=e), [final])) for e in (LANDED, expanded(plan)))
    assert list(in_step(seen(MOVED, estate=applied(LANDED, plan)), [final]))


def test_a_key_that_changes_too_is_left_to_people() -> None:
    other = dataclasses.replace(MOVED, primary_key=Key("pk", ("id", "note")))
    plan = make_plan(seen(other))
    assert "add_pipe" not in kinds(plan)
    assert any("make one change after the other" in note for note in plan.notes)


def test_a_folder_that_another_landing_has_now_is_left_alone() -> None:
    """Its files are another table's: the old pipe would go on loading them."""
    plan = make_plan(seen(MOVED, dataclasses.replace(ORDERS, oid=4711)))
    assert plan.operations == ()
    assert any("another table is called shop.orders now" in note for note in plan.notes)


@pytest.mark.parametrize("owner", ["terraform", "sql"])
def test_pipes_of_others_are_work_to_do_elsewhere(owner: str) -> None:
    """Which the apply waits for."""
    policy = dataclasses.replace(MARKED, pipe_managed_by=owner)
    plan = make_plan(seen(MOVED, policy=policy))
    assert kinds(plan) == ["manual", "await_marker", "manual_after"]
    first, _, last = plan.operations
    assert isinstance(first, Manual)
    assert isinstance(last, Manual)
    assert "archive/orders/" in first.text
    assert "DROP PIPE" in last.text
    estate = applied(LANDED, Plan((make_plan(seen(MOVED)).operations[0],)))
    assert first.readiness(estate) == DONE
    assert "reads shop/orders/" in last.readiness(estate).reason
    assert kinds(make_plan(seen(MOVED, estate=first.effect(LANDED), policy=policy))) == ["await_marker", "manual_after"]


def test_a_table_that_no_task_selects_any_more_is_said_with_a_rule() -> None:
    found = context(MOVED, MARKER, estate=LANDED, before=Catalog((ORDERS, MARKER)), policy=MARKED)
    plan = make_plan(found)
    assert plan.operations == ()
    assert '"object-locator": {"schema-name": "archive", "table-name": "orders"}' in plan.notes[0]
    assert '"rule-id": "3"' in plan.notes[0]
