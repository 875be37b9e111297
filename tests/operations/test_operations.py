"""Every kind of operation keeps the same promises."""

from __future__ import annotations

import dataclasses

import pytest

from driftguard.model.catalog import Unseen
from driftguard.model.plan import HazardKind
from driftguard.model.snowflake import Estate, SfColumn, SfTable, SfType, Task
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, State, build
from driftguard.operations.catalogue import KINDS
from driftguard.operations.columns import ColumnDef
from driftguard.operations.manual import Manual
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.widen_column import WidenColumn
from operation_cases import CASES, ESTATE, FINAL, NUMBER, SPEC, STAGING, TABLES, TASK, TEXT, WITH_NEW


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_it_runs_once_and_is_done_afterwards(kind: str) -> None:
    """Ready before, done after its own effect, and then there is nothing left to run."""
    operation, estate = CASES[kind]
    if isinstance(operation, Manual):
        assert operation.readiness(estate).state is State.WAITING
        assert operation.statements(estate) == ()
    else:
        assert operation.readiness(estate).state is State.READY
        assert operation.statements(estate)
    after = operation.effect(estate)
    assert operation.readiness(after) == DONE
    assert operation.effect(after) == after


@pytest.mark.parametrize("kind", CASES)
def test_a_revision_can_hold_it(kind: str) -> None:
    """Its arguments are literals, and building it from them gives the same operation."""
    operation, _ = CASES[kind]
    assert build(kind, operation.arguments()) == operation


@pytest.mark.parametrize("kind", CASES)
def test_what_cannot_be_looked_at_blocks_it(kind: str) -> None:
    """Unknown is not absent: with the schemas out of sight nothing is ready."""
    operation, _ = CASES[kind]
    blind = Estate(unseen=(Unseen("schema DB.STAGING", "no USAGE"), Unseen("schema DB.FINAL", "no USAGE")))
    readiness = operation.readiness(blind)
    assert readiness.state is State.BLOCKED
    assert "could not be looked at" in readiness.reason


@pytest.mark.parametrize("kind", CASES)
def test_it_names_what_it_touches_and_says_what_it_does(kind: str) -> None:
    operation, _ = CASES[kind]
    assert operation.touches()
    assert operation.summary()


@pytest.mark.parametrize("kind", CASES)
def test_what_cannot_be_brought_back_is_kept_first(kind: str) -> None:
    """Once nothing is at work, the first statement is the clone: it is there however far an apply gets after it."""
    operation, estate = CASES[kind]
    dangerous = {h.kind for h in operation.hazards()} & {HazardKind.LOSES_DATA, HazardKind.REBUILDS_TABLE}
    kept = operation.undo()
    assert (kept is not None) == bool(dangerous)
    if kept is not None:
        first = next(s for s in operation.statements(estate) if not s.sql.endswith(" SUSPEND"))
        assert first == kept.keep


def test_a_column_of_another_type_under_the_same_name_blocks_the_addition() -> None:
    """IF NOT EXISTS would pass over it in silence."""
    operation = AddColumns(FINAL, (ColumnDef("C", NUMBER),))
    assert operation.readiness(ESTATE).state is State.BLOCKED


def test_several_columns_are_added_in_one_statement() -> None:
    (statement,) = CASES["add_columns"][0].statements(ESTATE)
    assert statement.sql == (
        'ALTER TABLE "DB"."FINAL"."T" ADD IF NOT EXISTS "NEW" VARCHAR(134217728), IF NOT EXISTS "MORE" NUMBER(38,0)'
    )


def test_a_column_is_never_widened_to_another_scale() -> None:
    """Snowflake refuses a change of scale (040052)."""
    table = SfTable(FINAL, (SfColumn("N", SfType("NUMBER", precision=10, scale=4)),))
    operation = WidenColumn(FINAL, "N", SfType("NUMBER", precision=38, scale=2))
    assert operation.readiness(Estate(tables=(table,))).state is State.BLOCKED


def test_a_view_is_not_a_table_to_change() -> None:
    view = dataclasses.replace(TABLES[0], kind="VIEW")
    readiness = CASES["add_columns"][0].readiness(Estate(tables=(view,)))
    assert readiness.state is State.BLOCKED
    assert "view" in readiness.reason


def test_a_running_task_is_suspended_and_resumed_and_a_suspended_one_stays_so() -> None:
    operation, estate = CASES["replace_merge"]
    assert [s.summary.split()[0] for s in operation.statements(estate)] == ["suspend", "replace", "resume"]
    asleep = dataclasses.replace(estate, tasks=(Task(TASK, "old body", "suspended"),))
    assert [s.summary.split()[0] for s in operation.statements(asleep)] == ["replace"]


def test_staging_gains_its_columns_while_the_task_is_suspended() -> None:
    """With the old lists a run in between would merge rows without the new values, and the guard would keep them out."""
    operation = ReplaceMerge(TASK, SPEC, (ColumnDef("EXTRA", TEXT),))
    assert [s.summary.split()[0] for s in operation.statements(WITH_NEW)] == ["suspend", "add", "replace", "resume"]


def test_a_merge_that_lists_a_column_the_table_lacks_is_blocked() -> None:
    readiness = ReplaceMerge(TASK, SPEC).readiness(ESTATE)
    assert readiness.state is State.BLOCKED
    assert "has no column NEW" in readiness.reason


def test_a_task_of_a_graph_is_left_alone() -> None:
    child = dataclasses.replace(WITH_NEW, tasks=(Task(TASK, "old", "started", predecessors=("DB.STAGING.ROOT",)),))
    assert ReplaceMerge(TASK, SPEC).readiness(child).state is State.BLOCKED


def test_a_landing_is_completed_and_never_made_again() -> None:
    """With the tables there, only what is missing is created."""
    operation, _ = CASES["create_landing"]
    whole = operation.effect(Estate())
    without_task = dataclasses.replace(whole, tasks=())
    assert [s.summary.split()[0] for s in operation.statements(without_task)] == ["create", "resume"]


def test_an_existing_table_without_a_column_blocks_the_landing() -> None:
    operation, _ = CASES["create_landing"]
    other = Estate(tables=(SfTable(STAGING, (SfColumn("ID", NUMBER),)),))
    assert operation.readiness(other).state is State.BLOCKED


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"table": ("DB", "FINAL"), "columns": []}, "table"),
        ({"table": ("DB", "FINAL", "T"), "columns": [{"name": "C", "type": "NO TYPE!"}]}, "columns"),
        ({"table": ("DB", "FINAL", "T")}, "columns"),
        ({"table": ("DB", "FINAL", "T"), "columns": [], "sql": "DROP TABLE T"}, "sql"),
        ({"table": ("DB", "FINAL", "T"), "columns": [{"name": 1, "type": "DATE"}]}, "columns"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        build("add_columns", arguments)
