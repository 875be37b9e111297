"""The way back: what takes a revision back, what stays, and what has no way back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from driftguard.control.journal import OperationRecord, RevisionRecord
from driftguard.errors import PlanError
from driftguard.merge.generate import generate
from driftguard.migrate.downgrade import begun_on_top, invert, read_back, written
from driftguard.migrate.rehearsal import rehearse_undo
from driftguard.migrate.revision import Revision
from driftguard.model.merge import Default, Earlier, MergeColumn
from driftguard.model.plan import HazardKind, Statement
from driftguard.model.snowflake import Estate, Task
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, Operation, find_table, find_task
from driftguard.operations.columns import ColumnDef
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.replace_merge import ReplaceMerge
from operation_cases import CASES, ESTATE, FINAL, SPEC, STAGING, TASK, TEXT

MORE = (ColumnDef("MORE", TEXT),)
WITH_MORE = dataclasses.replace(SPEC, columns=(*SPEC.columns, MergeColumn("MORE", "MORE")))
PLAN = (AddColumns(FINAL, MORE), ReplaceMerge(TASK, WITH_MORE, MORE))
BEFORE = ReplaceMerge(TASK, SPEC).effect(AddColumns(FINAL, (ColumnDef("NEW", TEXT),)).effect(ESTATE))


def revision(*operations: Operation, name: str = "r1", down: tuple[str, ...] = ()) -> Revision:
    return Revision(name, down, "", operations, Path(f"{name}.py"))


def record(one: Revision, *left_out: int, applied: bool = True) -> RevisionRecord:
    """Apply ran everything but `left_out`, for which there was nothing to do."""
    found = RevisionRecord(one.digest, applied=applied)
    for index in range(len(one.operations)):
        planned = {} if index in left_out else dict(enumerate(one.operations[index].statements(Estate())))
        if index not in left_out and not planned:
            planned = {0: Statement("SELECT 1", "it")}
        found.operations[index] = OperationRecord(planned, set(planned), skipped=index in left_out)
    return found


def after(estate: Estate, operations: tuple[Operation, ...]) -> Estate:
    for operation in operations:
        estate = operation.effect(estate)
    return estate


def test_the_way_back_of_an_added_column_leaves_the_landing_as_it_was() -> None:
    one, changed = revision(*PLAN), after(BEFORE, PLAN)
    assert '"MORE"' in changed.tasks[0].definition
    inverse = invert(one, record(one), changed)
    assert [op.kind for op in inverse.operations] == ["replace_merge", "drop_columns", "drop_columns"]
    back = after(changed, inverse.operations)
    assert back == BEFORE
    assert all(op.readiness(back) == DONE for op in inverse.operations)
    assert {h.kind for op in inverse.operations for h in op.hazards()} == {HazardKind.LOSES_DATA}


def test_a_column_that_a_later_revision_added_stays_in_the_merge() -> None:
    later = (ColumnDef("LATER", TEXT),)
    estate = after(after(BEFORE, PLAN), (AddColumns(FINAL, later),))
    spec = dataclasses.replace(WITH_MORE, columns=(*WITH_MORE.columns, MergeColumn("LATER", "LATER")))
    estate = after(estate, (ReplaceMerge(TASK, spec, later),))
    one = revision(*PLAN)
    back = after(estate, invert(one, record(one), estate).operations)
    task = find_task(back, TASK)
    assert task is not None
    assert '"LATER"' in task.definition
    assert '"MORE"' not in task.definition


def test_what_apply_found_done_is_not_taken_back() -> None:
    """A column that somebody had added by hand is not driftguard's to drop."""
    one = revision(AddColumns(FINAL, MORE))
    inverse = invert(one, record(one, 0), after(ESTATE, one.operations))
    assert inverse.operations == ()
    assert "apply had nothing to do for it" in inverse.notes[0]


def test_of_several_columns_only_those_that_apply_added_are_dropped() -> None:
    """The journal has the statement, and what was there before is not in it."""
    one = revision(AddColumns(FINAL, (ColumnDef("C", TEXT), *MORE)))
    known = record(one)
    known.operations[0].planned = dict(enumerate(one.operations[0].statements(ESTATE)))
    inverse = invert(one, known, after(ESTATE, one.operations))
    assert inverse.operations == (DropColumns(FINAL, ("MORE",)),)


def test_of_a_stamped_revision_nothing_is_taken_back() -> None:
    one = revision(AddColumns(FINAL, MORE))
    assert invert(one, RevisionRecord(one.digest, applied=True), after(ESTATE, one.operations)).operations == ()


@pytest.mark.parametrize("kind", ["widen_column", "drop_not_null"])
def test_what_does_no_harm_stays_and_is_said(kind: str) -> None:
    operation, estate = CASES[kind]
    one = revision(operation)
    inverse = invert(one, record(one), operation.effect(estate))
    assert inverse.operations == ()
    assert inverse.notes == (f"{operation.summary()}: stays, it does no harm",)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("create_landing", "hold data: where nobody needs it, suspend and drop by hand"),
        ("drop_columns", "cannot be undone"),
    ],
)
def test_what_has_no_way_back_is_refused_with_what_to_do(kind: str, why: str) -> None:
    operation, estate = CASES[kind]
    one = revision(operation)
    with pytest.raises(PlanError, match=why) as caught:
        invert(one, record(one), operation.effect(estate))
    assert "\n" not in str(caught.value)


def under_way(**more: object) -> tuple[Operation, ...]:
    """The plan of a column whose change passes through the pipe."""
    column = dataclasses.replace(WITH_MORE.columns[-1], marker="m", since=True, **more)  # type: ignore[arg-type]
    spec = dataclasses.replace(WITH_MORE, columns=(*WITH_MORE.columns[:-1], column))
    return (PLAN[0], ReplaceMerge(TASK, spec, MORE))


def test_a_column_with_a_default_comes_off_with_all_that_its_merge_had_under_way() -> None:
    operations = under_way(default=Default("x", TEXT))
    one, changed = revision(*operations), after(BEFORE, operations)
    assert "under way" in changed.tasks[0].definition
    assert after(changed, invert(one, record(one), changed).operations) == BEFORE


def test_a_rename_under_way_is_not_undone() -> None:
    """What was emitted under the new name would be taken for NULL under the old one."""
    operations = (under_way(final="NEW", earlier=Earlier("NEW"), becomes="MORE")[1],)
    spec = operations[0].merge  # type: ignore[attr-defined]
    renamed = dataclasses.replace(
        operations[0], merge=dataclasses.replace(spec, columns=(spec.columns[0], spec.columns[-1]))
    )  # type: ignore[type-var]
    one = revision(renamed)
    with pytest.raises(PlanError, match="not undone while the change is under way"):
        invert(one, record(one), renamed.effect(BEFORE))


def test_a_merge_of_the_same_columns_stays() -> None:
    one = revision(ReplaceMerge(TASK, SPEC))
    assert invert(one, record(one), BEFORE).operations == ()


def test_a_column_that_a_handwritten_merge_reads_is_not_dropped() -> None:
    one = revision(AddColumns(STAGING, MORE))
    estate = after(ESTATE, one.operations)
    reads = f"MERGE INTO T USING (SELECT id, more FROM {STAGING.name}) …"
    with pytest.raises(PlanError, match="T_MERGE reads MORE"):
        invert(one, record(one), dataclasses.replace(estate, tasks=(Task(TASK, reads, "started"),)))
    other = dataclasses.replace(estate, tasks=(Task(TASK, reads.replace("more", "moreover"), "started"),))
    assert invert(one, record(one), other).operations == (DropColumns(STAGING, ("MORE",)),)


def test_several_revisions_come_off_newest_first_each_on_what_the_other_left() -> None:
    first, second = revision(*PLAN), revision(AddColumns(FINAL, (ColumnDef("X", TEXT),)), name="r2", down=("r1",))
    estate = after(after(BEFORE, first.operations), second.operations)
    records = {one.id: record(one) for one in (first, second)}
    found = rehearse_undo((first, second), (second, first), records, estate)
    assert [one.id for one, _ in found] == ["r2", "r1"]
    for _, inverse in found:
        estate = after(estate, inverse.operations)
    assert estate == BEFORE


def test_a_revision_that_somebody_else_has_begun_to_build_on_is_not_taken_back() -> None:
    first = revision(*PLAN)
    second = dataclasses.replace(revision(DropColumns(FINAL, ("C",)), name="c1"), depends=("r1",))
    records = {"r1": record(first), "c1": record(second, applied=False)}
    assert begun_on_top((first, second), (first,), records) is second
    with pytest.raises(PlanError, match="revision c1 has begun"):
        rehearse_undo((first, second), (first,), records, after(BEFORE, PLAN))


def test_a_way_back_that_is_no_longer_open_is_refused_before_it_begins() -> None:
    one = revision(AddColumns(FINAL, MORE))
    with pytest.raises(PlanError, match="does not exist: mend that by hand first"):
        rehearse_undo((one,), (one,), {"r1": record(one)}, Estate())


def test_a_downgrade_that_has_begun_goes_on_with_its_own_operations() -> None:
    one, changed = revision(*PLAN), after(BEFORE, PLAN)
    operations = invert(one, record(one), changed).operations
    assert read_back(written(operations)) == operations
    half = operations[0].effect(changed)
    begun = dataclasses.replace(record(one), undo=written(operations))
    ((_, inverse),) = rehearse_undo((one,), (one,), {"r1": begun}, half)
    assert inverse.operations == operations


def test_the_merge_that_leaves_a_column_out_is_the_merge_without_it() -> None:
    changed = after(BEFORE, PLAN)
    final, staging = find_table(changed, FINAL), find_table(changed, STAGING)
    assert final is not None and final.column("MORE")
    assert staging is not None and staging.column("MORE")
    without = ReplaceMerge(TASK, SPEC, leave_out=("MORE",)).effect(changed)
    assert without.tasks[0].definition == generate(SPEC)
