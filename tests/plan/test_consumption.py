"""How a merge learns of new files: what is planned for one that does it in another way than the setting says."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builders import POLICY, applied, context, landed, plain, table
from driftguard.drift.compare import compare
from driftguard.model.catalog import Unseen
from driftguard.model.finding import Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate
from driftguard.operations.change_consumption import ChangeConsumption
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.plan.planner import make_plan

ORDERS = table("orders", ("note", plain("text")))
MORE = table("orders", ("note", plain("text")), ("tier", plain("text")))
BY_FILES = dataclasses.replace(POLICY, consumption="files")
BY_STREAM, SEARCHING = landed(ORDERS), landed(ORDERS, policy=BY_FILES)
STREAM = ObjectName("DB", "STAGING", "ORDERS_STREAM")
WHEN = """SYSTEM$STREAM_HAS_DATA('"DB"."STAGING"."ORDERS_STREAM"')"""


def steps(estate: Estate, policy: Any = POLICY) -> list[str]:
    found = []
    for operation in make_plan(context(ORDERS, estate=estate, policy=policy)).operations:
        found += [statement.summary for statement in operation.statements(estate)]
        estate = operation.effect(estate)
    return found


def changed(estate: Estate = BY_STREAM, **stream: Any) -> Estate:
    return dataclasses.replace(estate, streams=tuple(dataclasses.replace(s, **stream) for s in estate.streams))


def test_a_new_landing_gets_a_stream_before_its_task_and_the_task_waits_for_it() -> None:
    (create,) = make_plan(context(ORDERS)).operations
    made, task, _ = create.statements(Estate())[-3:]
    assert made.sql == (
        'CREATE STREAM IF NOT EXISTS "DB"."STAGING"."ORDERS_STREAM" ON TABLE "DB"."STAGING"."ORDERS_CDC" '
        "APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE"
    )
    assert f"WHEN {WHEN} AS\n" in task.sql
    assert [t.condition for t in BY_STREAM.tasks] == [WHEN]
    assert make_plan(context(ORDERS, estate=BY_STREAM)).operations == ()


def test_with_files_there_is_no_stream_and_no_condition() -> None:
    assert (SEARCHING.streams, [t.condition for t in SEARCHING.tasks]) == ((), [None])
    assert "STREAM" not in SEARCHING.tasks[0].definition
    assert steps(SEARCHING, BY_FILES) == []


def test_a_merge_that_looks_for_its_files_gets_a_stream() -> None:
    task = "DB.STAGING.ORDERS_MERGE"
    assert steps(SEARCHING) == [
        f"make the stream {STREAM}",
        f"suspend {task}",
        f"replace the merge of {task}",
        f"let {task} run only while the stream has rows",
        f"resume {task}",
    ]
    after = applied(SEARCHING, make_plan(context(ORDERS, estate=SEARCHING)))
    assert after == BY_STREAM


def test_and_a_merge_with_a_stream_goes_without_one() -> None:
    assert steps(BY_STREAM, BY_FILES)[-1] == f"drop the stream {STREAM}"
    after = applied(BY_STREAM, make_plan(context(ORDERS, estate=BY_STREAM, policy=BY_FILES)))
    assert after == SEARCHING


def test_a_suspended_task_stays_suspended() -> None:
    asleep = dataclasses.replace(SEARCHING, tasks=(dataclasses.replace(SEARCHING.tasks[0], state="suspended"),))
    assert not any("suspend" in step or "resume" in step for step in steps(asleep))


def test_a_revision_that_knows_of_no_stream_leaves_the_merge_its_stream() -> None:
    """One that was planned before the stream came: its text is worked out when it is applied."""
    plan = make_plan(context(MORE, estate=SEARCHING, policy=BY_FILES))
    assert any(isinstance(op, ReplaceMerge) and op.merge.stream is None for op in plan.operations)
    after = applied(BY_STREAM, plan)
    assert after.tasks[0].condition == WHEN
    assert make_plan(context(MORE, estate=after)).operations == ()


def test_columns_and_the_stream_come_in_one_plan() -> None:
    plan = make_plan(context(MORE, estate=SEARCHING))
    assert isinstance(plan.operations[-1], ChangeConsumption)
    assert applied(SEARCHING, plan) == applied(BY_STREAM, make_plan(context(MORE, estate=BY_STREAM)))


@pytest.mark.parametrize(
    ("estate", "said"),
    [
        (changed(stale=True), "is stale"),
        (changed(mode="DEFAULT"), "is not append-only"),
        (changed(table=ObjectName("DB", "STAGING", "OTHER")), "is on another table"),
        (dataclasses.replace(BY_STREAM, streams=()), "is not there, or the role does not see it"),
    ],
)
def test_a_stream_that_cannot_be_read_is_found_and_made_again(estate: Estate, said: str) -> None:
    (finding,) = (f for f in compare(context(ORDERS, estate=estate)) if f.code == "DG321")
    assert said in finding.message
    assert finding.severity is (Severity.UNKNOWN if "not there" in said else Severity.ERROR)
    again = "" if "not there" in said else " again"
    assert steps(estate) == [f"make the stream {STREAM}{again}"]
    assert applied(estate, make_plan(context(ORDERS, estate=estate))) == BY_STREAM


def test_streams_that_could_not_be_listed_are_not_absent() -> None:
    estate = dataclasses.replace(BY_STREAM, streams=(), unseen=(Unseen("streams in DB.STAGING", "no privilege"),))
    plan = make_plan(context(ORDERS, estate=estate))
    assert plan.operations == ()
    assert "streams could not be looked at" in plan.notes[0]
    assert not [f for f in compare(context(ORDERS, estate=estate)) if f.code in ("DG321", "DG322", "DG323")]


def test_a_condition_that_somebody_took_away_is_put_back() -> None:
    estate = dataclasses.replace(BY_STREAM, tasks=(dataclasses.replace(BY_STREAM.tasks[0], condition=None),))
    assert [f.code for f in compare(context(ORDERS, estate=estate)) if f.code.startswith("DG3")] == ["DG323"]
    assert f"let {estate.tasks[0].name} run only while the stream has rows" in steps(estate)
