"""What of which revision may run in which phase, on a model of the landing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from driftguard.control.journal import OperationRecord, RevisionRecord
from driftguard.errors import HazardError, PlanError, RevisionError
from driftguard.migrate.history import read_all
from driftguard.migrate.progress import ALL_PHASES, Progress
from driftguard.migrate.rehearsal import Outcome, check_done, check_hazards, rehearse
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate, SfColumn
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation, find_table, with_table
from driftguard.operations.columns import ColumnDef
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.replace_merge import ReplaceMerge
from operation_cases import ESTATE, FINAL, SPEC, STAGING, TASK, TEXT, WITH_NEW

EXPAND, SETTLE, CONTRACT = ALL_PHASES


def add(name: str, table: object = FINAL) -> AddColumns:
    return AddColumns(table, (ColumnDef(name, TEXT),))  # type: ignore[arg-type]


def drop(name: str, table: object = FINAL) -> DropColumns:
    return DropColumns(table, (name,))  # type: ignore[arg-type]


def plans(folder: Path, *several: tuple[Operation, ...]) -> tuple[Revision, ...]:
    for minute, operations in enumerate(several):
        write(folder, f"plan {minute}", operations, now=datetime(2026, 1, 1, 12, minute, tzinfo=UTC))
    return read_all(folder)


def record(revision: Revision, *done: int, applied: bool = False) -> RevisionRecord:
    found = RevisionRecord(revision.digest, applied=applied)
    for index in done:
        found.operations[index] = OperationRecord({0: Statement("SELECT 1", "it")}, {0})
    return found


def with_column(estate: Estate, name: str, table: object = FINAL) -> Estate:
    found = find_table(estate, table)  # type: ignore[arg-type]
    assert found is not None
    return with_table(estate, dataclasses.replace(found, columns=(*found.columns, SfColumn(name, TEXT))))


def ran(outcome: Outcome) -> list[str]:
    return [step.operation for step in outcome.steps]


def test_a_phase_runs_its_own_operations_and_says_what_is_due(tmp_path: Path, later: SimpleNamespace) -> None:
    fill = later.Fill(FINAL, (ColumnDef("F", TEXT),))
    expand, contract = plans(tmp_path, (add("NEW"), fill, drop("C")))
    outcome = rehearse((expand, contract), {}, ESTATE)
    assert ran(outcome) == [add("NEW").summary()]
    assert outcome.revisions == (expand.id,)
    assert [(due.revision, due.phase, due.operations) for due in outcome.due] == [
        (contract.id, SETTLE, 1),
        (contract.id, CONTRACT, 1),
    ]
    assert outcome.waiting == ()


def test_all_phases_go_one_after_the_other(tmp_path: Path, later: SimpleNamespace) -> None:
    fill = later.Fill(FINAL, (ColumnDef("F", TEXT),))
    revisions = plans(tmp_path, (add("NEW"), fill, drop("C")), (add("MORE"),))
    outcome = rehearse(revisions, {}, ESTATE, ALL_PHASES)
    assert ran(outcome) == [op.summary() for op in (add("NEW"), add("MORE"), fill, drop("C"))]
    assert (outcome.waiting, outcome.due) == ((), ())


@pytest.mark.parametrize("phase", [SETTLE, CONTRACT])
def test_nothing_later_runs_before_the_plan_is_expanded(tmp_path: Path, later: SimpleNamespace, phase: Phase) -> None:
    fill = later.Fill(FINAL, (ColumnDef("F", TEXT),))
    expand, contract = plans(tmp_path, (add("NEW"), fill, drop("C")))
    outcome = rehearse((expand, contract), {}, ESTATE, (phase,))
    assert (outcome.steps, outcome.revisions) == ((), ())
    (why,) = outcome.waiting
    assert why == f"revision {contract.id} ({phase}): revision {expand.id}, which it depends on, is not applied"


def test_contract_waits_for_the_settle_part_of_its_own_revision(tmp_path: Path, later: SimpleNamespace) -> None:
    fill = later.Fill(FINAL, (ColumnDef("F", TEXT),))
    expand, contract = plans(tmp_path, (add("NEW"), fill, drop("C")))
    records = {expand.id: record(expand, 0, applied=True)}
    estate = with_column(ESTATE, "NEW")
    (why,) = rehearse((expand, contract), records, estate, (CONTRACT,)).waiting
    assert why.endswith("its settle part is not done")
    records[contract.id] = record(contract, 0)
    outcome = rehearse((expand, contract), records, with_column(estate, "F"), (CONTRACT,))
    assert ran(outcome) == [drop("C").summary()]
    assert outcome.revisions == (contract.id,)


def test_an_operation_that_is_blocked_after_the_deploy_is_waited_for_with_all_behind_it(
    tmp_path: Path, later: SimpleNamespace
) -> None:
    first, waits = later.Fill(FINAL, (ColumnDef("F", TEXT),)), later.Await(FINAL, "MARKER")
    behind = later.Fill(FINAL, (ColumnDef("G", TEXT),))
    expand, contract = plans(tmp_path, (add("NEW"), first, waits, behind, drop("C")))
    records = {expand.id: record(expand, 0, applied=True)}
    estate = with_column(ESTATE, "NEW")
    outcome = rehearse((expand, contract), records, estate, (SETTLE, CONTRACT))
    assert ran(outcome) == [first.summary()]
    assert outcome.waiting == (
        f"revision {contract.id} (settle): await MARKER: MARKER has not arrived",
        f"revision {contract.id} (contract): its settle part is not done",
    )
    arrived = rehearse((expand, contract), records, with_column(estate, "MARKER"), (SETTLE, CONTRACT))
    assert ran(arrived) == [op.summary() for op in (first, behind, drop("C"))]
    assert arrived.waiting == ()


def test_an_operation_that_is_blocked_before_the_deploy_is_an_error_of_the_plan(tmp_path: Path) -> None:
    revisions = plans(
        tmp_path, (AddColumns(FINAL, (ColumnDef("C", dataclasses.replace(TEXT, base="DATE", length=None)),)),)
    )
    with pytest.raises(PlanError, match="already has C"):
        rehearse(revisions, {}, ESTATE)


def test_later_work_on_one_object_keeps_its_order_and_other_work_goes_on(
    tmp_path: Path, later: SimpleNamespace
) -> None:
    """A deploy that is put off does not hold up the back-fills of other tables."""
    waits = later.Await(FINAL, "MARKER")
    same, other = later.Fill(FINAL, (ColumnDef("F", TEXT),)), later.Fill(STAGING, (ColumnDef("F", TEXT),))
    revisions = plans(tmp_path, (waits,), (same,), (other,))
    outcome = rehearse(revisions, {}, ESTATE, (SETTLE,))
    assert ran(outcome) == [other.summary()]
    assert (
        outcome.waiting[1]
        == f"revision {revisions[1].id} (settle): revision {revisions[0].id} has work left on {FINAL}"
    )


def test_a_revision_counts_as_applied_only_after_those_that_it_follows(tmp_path: Path, later: SimpleNamespace) -> None:
    waits, other = later.Await(FINAL, "MARKER"), later.Fill(STAGING, (ColumnDef("F", TEXT),))
    first, second = plans(tmp_path, (waits,), (other,))
    assert second.down == (first.id,)
    progress = Progress((first, second), {second.id: record(second, 0)})
    assert not progress.whole(second)
    progress.done(first.id, [0])
    assert progress.whole(first)
    progress.apply(first.id)
    assert progress.whole(second)


def test_a_revision_without_operations_is_applied_with_its_parents(tmp_path: Path) -> None:
    from driftguard.migrate.writing import write_merges

    (one,) = plans(tmp_path, (add("NEW"),))
    text = one.path.read_text().replace(one.id, "feedfeedfeed").replace("'NEW'", "'MORE'")
    one.path.with_name("other.py").write_text(text)
    (merge,) = write_merges(tmp_path, now=datetime(2026, 1, 2, tzinfo=UTC))
    outcome = rehearse(read_all(tmp_path), {}, ESTATE)
    assert set(outcome.revisions) == {one.id, "feedfeedfeed", merge.id}


def test_a_revision_whose_parent_is_not_chosen_waits(tmp_path: Path) -> None:
    one, two = plans(tmp_path, (add("A"),), (add("B"),))
    (why,) = rehearse((two,), {}, ESTATE).waiting
    assert why.endswith(f"revision {one.id}, which it follows, is not applied")


def test_a_hazard_is_named_with_its_flag_only_in_the_phase_that_has_it(tmp_path: Path) -> None:
    expand, contract = plans(tmp_path, (add("NEW"), drop("C")))
    progress = Progress((expand, contract), {})
    check_hazards((op for r in (expand, contract) for _, op in progress.open(r, EXPAND)), ())
    with pytest.raises(HazardError, match=r"drop C from .*LOSES_DATA.*--allow LOSES_DATA"):
        check_hazards((op for r in (expand, contract) for _, op in progress.open(r, CONTRACT)), ())
    many = [drop(f"C{n}") for n in range(7)]
    with pytest.raises(HazardError, match="and 2 more"):
        check_hazards(many, ())


def test_an_edited_revision_is_refused_in_every_phase(tmp_path: Path) -> None:
    expand, contract = plans(tmp_path, (add("NEW"), drop("C")))
    records = {contract.id: dataclasses.replace(record(contract, 0), digest="another")}
    for phase in ALL_PHASES:
        with pytest.raises(RevisionError, match="edited after it was begun"):
            rehearse((expand, contract), records, ESTATE, (phase,))


def test_a_stamp_wants_everything_done_or_superseded(tmp_path: Path) -> None:
    first = ReplaceMerge(TASK, dataclasses.replace(SPEC, columns=SPEC.columns[:1]), leave_out=("NEW",))
    last = ReplaceMerge(TASK, SPEC)
    revisions = plans(tmp_path, (add("GONE"), first), (last, drop("GONE")))
    done = last.effect(WITH_NEW)
    check_done(revisions, done)
    with pytest.raises(PlanError, match=r"revision \w+: replace the merge"):
        check_done(revisions, WITH_NEW)
    with pytest.raises(PlanError, match=r"add GONE .*: it is not done"):
        check_done(revisions[:1], first.effect(WITH_NEW))
