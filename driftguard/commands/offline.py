"""`alembic upgrade … --sql` and `alembic downgrade … --sql`: the statements, without a connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from driftguard.commands.world import read_estate
from driftguard.control.journal import OperationRecord, RevisionRecord
from driftguard.errors import PlanError
from driftguard.migrate.progress import ALL_PHASES
from driftguard.migrate.rehearsal import rehearse, rehearse_undo
from driftguard.migrate.revision import Revision
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Operation, State


def upgrade_sql(
    revisions: Sequence[Revision], chosen: Collection[str], applied: Collection[str], snapshot: Path | None = None
) -> list[str]:
    """Lines of SQL that run `chosen` on the estate of `snapshot`, or on what `applied` make of an empty one.

    Raises `PlanError` where a revision needs what the model does not have.
    """
    estate = read_estate(snapshot) if snapshot is not None else Estate()
    applied = {*applied, *estate.revisions}
    records = {r.id: RevisionRecord(r.digest, applied=True) for r in revisions if r.id in applied}
    estate = _played([r for r in revisions if r.id in applied], estate)
    try:
        outcome = rehearse([r for r in revisions if r.id in {*chosen, *applied}], records, estate, ALL_PHASES)
    except PlanError as error:
        raise PlanError(str(error.args[0]), hint="give a snapshot of Snowflake: -x snapshot=FILE") from None
    lines = [f"-- {step.revision}: {step.statement.summary}\n{step.statement.sql};\n" for step in outcome.steps]
    lines += [f"-- not here: {why}".replace("\n", "\n-- ") for why in outcome.waiting]
    return [*lines, f"-- afterwards, because the journal knows nothing of this: driftguard stamp {' '.join(chosen)}"]


def downgrade_sql(
    revisions: Sequence[Revision],
    gone: Sequence[str],
    applied: Collection[str],
    snapshot: Path | None = None,
    control: ObjectName | None = None,
) -> list[str]:
    """Lines of SQL that take `gone` back, newest first, as if apply had run all of their operations.

    `control` is any table of the control schema: what is dropped is cloned there first.
    """
    estate = read_estate(snapshot) if snapshot is not None else Estate()
    estate = _played([r for r in revisions if r.id in applied], estate)
    records = {r.id: RevisionRecord(r.digest, applied=True) for r in revisions if r.id in applied}
    for revision in revisions:
        if revision.id in gone:
            records[revision.id].operations.update(enumerate(_ran(op) for op in revision.operations))
    by_id = {revision.id: revision for revision in revisions}
    lines = []
    for revision, inverse in rehearse_undo(revisions, [by_id[name] for name in gone], records, estate, control):
        lines += [f"-- {revision.id}: {note}" for note in inverse.notes]
        for operation in inverse.operations:
            lines += [f"-- {revision.id}: {s.summary}\n{s.sql};\n" for s in operation.statements(estate)]
            if operation.readiness(estate).state is State.READY:
                estate = operation.effect(estate)
    return lines


def _ran(operation: Operation) -> OperationRecord:
    """As if apply had run all of it: what it sends where nothing of it is there."""
    statements = operation.statements(Estate()) or (Statement("", operation.summary()),)
    return OperationRecord(dict(enumerate(statements)), set(range(len(statements))))


def _played(revisions: Sequence[Revision], estate: Estate) -> Estate:
    """The estate with what is not done yet of these revisions."""
    for revision in revisions:
        for operation in revision.operations:
            if operation.readiness(estate).state is State.READY:
                estate = operation.effect(estate)
    return estate
