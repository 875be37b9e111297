"""Which operations go side by side, what a failure stops, and in which order a person reads it."""

from __future__ import annotations

import threading

import pytest

from driftguard.control.journal import Place
from driftguard.migrate.schedule import Job, Narrator, Step, changed, predecessors, run_side_by_side
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, SfType
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import CreateLanding
from driftguard.plan.planner import make_plan
from landings import contexts

TEXT = SfType("VARCHAR", length=10)


def job(table: str, number: int = 0) -> Job:
    name = ObjectName("DB", "FINAL", table)
    operation = AddColumns(name, (ColumnDef("C", TEXT),))
    return Job(Place("r", "d", number), operation, (), frozenset({name}))


def test_operations_on_one_table_keep_their_order_and_others_wait_for_nobody() -> None:
    assert predecessors([job("A"), job("B"), job("A"), job("C"), job("A")]) == [set(), set(), {0}, set(), {0, 2}]


def test_landings_that_share_a_file_format_wait_only_for_the_one_that_makes_it() -> None:
    context, estate = contexts()[0]
    jobs = []
    for index, operation in enumerate(make_plan(context).operations):
        assert isinstance(operation, CreateLanding)
        after = operation.effect(estate)
        jobs.append(Job(Place("r", "d", index), operation, (), changed(operation, estate, after)))
        estate = after
    assert estate != Estate()
    first, *others = predecessors(jobs)
    assert first == set()
    assert others == [{0}] * (len(jobs) - 1)


def test_jobs_run_side_by_side_and_dependent_ones_after_each_other() -> None:
    jobs = [job("A"), job("B"), job("A")]
    together = threading.Barrier(2, timeout=10)
    ran: list[int] = []

    def run(worker: str, number: int) -> None:
        if number < 2:
            together.wait()  # both at once, or the barrier breaks
        else:
            assert 0 in ran
        ran.append(number)

    run_side_by_side(jobs, ["x", "y"], run)
    assert sorted(ran) == [0, 1, 2]


def test_after_a_failure_nothing_begins_and_what_is_at_work_ends() -> None:
    jobs = [job(name) for name in "ABCDEF"]
    both, failed = threading.Barrier(2, timeout=10), threading.Event()
    ended: list[int] = []

    def run(worker: str, number: int) -> None:
        both.wait()
        if number == 1:
            failed.set()
            raise ValueError("the second")
        assert failed.wait(10)
        ended.append(number)

    with pytest.raises(ValueError, match="the second"):
        run_side_by_side(jobs, ["x", "y"], run)
    assert ended == [0]


def test_lines_come_in_the_order_of_the_plan() -> None:
    told: list[str] = []
    narrator = Narrator(lambda step: told.append(step.statement.summary))

    def step(number: int, summary: str) -> None:
        narrator.step(number, Step("r", "o", Statement("", summary)))

    step(1, "b1")
    step(0, "a1")
    assert told == ["a1"]
    step(1, "b2")
    narrator.ended(1)
    step(0, "a2")
    narrator.ended(0)
    step(2, "c1")
    assert told == ["a1", "a2", "b1", "b2", "c1"]
    step(4, "e1")
    narrator.close()
    assert told[-1] == "e1"
