"""The way back from a revision: the inverses of its operations, last one first. Pure."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from driftguard.control.journal import OperationRecord, RevisionRecord
from driftguard.errors import PlanError
from driftguard.migrate.revision import Revision
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation, State, build
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.rewrite_merge import RewriteMerge
from driftguard.sql.snowflake import quote


@dataclass(frozen=True, slots=True)
class Inverse:
    """Operations in order, and what stays as it is."""

    operations: tuple[Operation, ...]
    notes: tuple[str, ...] = ()


def invert(revision: Revision, record: RevisionRecord, estate: Estate, control: ObjectName | None = None) -> Inverse:
    """What takes back what apply did for the revision; what was there before it, or was only stamped, stays.

    Raises `PlanError` for an operation that has no way back, and where a merge still reads a column that is to go.
    """
    mine = [
        (operation, known.planned.values())
        for index, operation in enumerate(revision.operations)
        if (known := record.operations.get(index, OperationRecord())).planned
    ]
    ran = [operation for operation, _ in mine]
    left = estate
    for operation, sent in mine:
        for drop in _own(_without(operation), sent):
            if drop.readiness(left).state is State.READY:
                left = drop.effect(left)
    found: list[Operation] = []
    notes = [f"{op.summary()}: apply had nothing to do for it" for op in revision.operations if op not in ran]
    for operation, sent in reversed(mine):
        inverses = _own(operation.inverse(left), sent)
        found += inverses
        if not inverses:
            notes.append(f"{operation.summary()}: stays, it does no harm")
    _check_readers(found, estate)
    if control is not None:
        found = [dataclasses.replace(op, control=control) if isinstance(op, DropColumns) else op for op in found]
    return Inverse(tuple(found), tuple(notes))


def _without(operation: Operation) -> tuple[Operation, ...]:
    """Whatever else the operation does: what drops the columns that it adds."""
    match operation:
        case AddColumns():
            return (DropColumns(operation.table, tuple(c.name for c in operation.columns)),)
        case ReplaceMerge():
            return (DropColumns(operation.merge.staging, tuple(c.name for c in operation.add_to_staging)),)
        case RewriteMerge():
            return (DropColumns(operation.staging, tuple(c.name for c in operation.add_to_staging)),)
    return ()


def _own(inverses: Iterable[Operation], sent: Collection[Statement]) -> tuple[Operation, ...]:
    """Only the columns that apply itself added are dropped; one that was there before is somebody else's."""
    found = []
    for inverse in inverses:
        if isinstance(inverse, DropColumns):
            added = [name for name in inverse.columns if any(f"EXISTS {quote(name)} " in one.sql for one in sent)]
            inverse = dataclasses.replace(inverse, columns=tuple(added))
        if not isinstance(inverse, DropColumns) or inverse.columns:
            found.append(inverse)
    return tuple(found)


def _check_readers(operations: Sequence[Operation], estate: Estate) -> None:
    """A task that reads a column that is gone fails from then on."""
    for operation in operations:
        if operation.readiness(estate).state is State.BLOCKED:
            continue  # whoever runs it says why
        if isinstance(operation, DropColumns):
            for task in estate.tasks:
                for name in operation.columns:
                    word = rf"{re.escape(quote(name))}|(?<!\w){re.escape(name)}(?!\w)"
                    if operation.table.name in task.definition and re.search(word, task.definition, re.IGNORECASE):
                        raise PlanError(
                            f"{operation.summary()}: {task.name} reads {name}",
                            hint="take it out of that merge first",
                        )
        estate = operation.effect(estate)


def begun_on_top(
    revisions: Iterable[Revision], gone: Iterable[Revision], records: Mapping[str, RevisionRecord]
) -> Revision | None:
    """A revision that has begun, is not applied, and needs one of those that are to go."""
    needed = {revision.id for revision in gone}
    for revision in revisions:
        if needed & {*revision.down, *revision.depends}:
            record = records.get(revision.id)
            if record is not None and not record.applied and record.operations:
                return revision
    return None


def written(operations: Sequence[Operation]) -> str:
    """For the journal, so that a downgrade that is run again goes on with the same operations."""
    return repr([(operation.kind, operation.arguments()) for operation in operations])


def read_back(text: str) -> tuple[Operation, ...]:
    return tuple(build(kind, arguments) for kind, arguments in ast.literal_eval(text))
