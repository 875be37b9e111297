"""Who changes what: operations on objects of other owners become work to do elsewhere, which the rest waits for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from driftguard.drift.context import Context, Pair
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import OURS, Policy
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, Operation, find_pipe, find_table
from driftguard.operations.columns import ColumnDef
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.drop_not_null import DropNotNull
from driftguard.operations.manual import Manual
from driftguard.operations.predicate import Predicate, Wanted, names_in, task_text
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.operations.rewrite_merge import RewriteMerge
from driftguard.operations.widen_column import WidenColumn
from driftguard.plan import patches


def hand_over(operations: Sequence[Operation], pair: Pair, context: Context) -> list[Operation]:
    """The operations, with those that are other owners' in the form of what they have to do."""
    work = _Work(pair, context.policy)
    there = (pair.final, pair.staging)
    estate = dataclasses.replace(  # of this landing alone: the effect of each operation is worked out on it
        context.estate,
        tables=tuple(t for t in there if t is not None),
        pipes=(pair.pipe,) if pair.pipe else (),
        tasks=(pair.task,) if pair.task else (),
    )
    found = list[Operation]()
    for operation in operations:
        for item in work.of(operation, estate):
            found.append(item)
            estate = item.effect(estate)
    return found


def all_ours(policy: Policy) -> bool:
    """Does driftguard own every kind of object but the merge, which `merge_work` is about?"""
    owners = (policy.final_managed_by, policy.staging_managed_by, policy.pipe_managed_by, policy.file_format_managed_by)
    return all(owner == OURS for owner in owners)


def merge_work(pair: Pair, context: Context) -> Manual | None:
    """The columns that a merge of another owner does not name. None where nothing tells that it lists any."""
    owner, task = context.policy.merge_managed_by, pair.task
    if owner == OURS or task is None:
        return None
    named = names_in(task_text(task, context.estate))
    wanted = [c for c in pair.landing.final_columns if c.staging is not None]
    missing = tuple(c.name for c in wanted if c.name not in named)
    if not missing or not all(c.name in named for c in wanted if c.key):
        return None
    return Manual(
        patches.merge(owner, pair.landing.task, missing), Predicate(Wanted.MERGE, pair.landing.task, names=missing)
    )


def rebuilds(policy: Policy) -> bool:
    """May driftguard rename and rebuild columns of the landings?"""
    return policy.final_managed_by == OURS and policy.staging_managed_by == OURS


class _Work:
    def __init__(self, pair: Pair, policy: Policy) -> None:
        self._pair = pair
        self._policy = policy

    def _owner(self, table: ObjectName) -> str:
        final = table == self._pair.landing.final
        return self._policy.final_managed_by if final else self._policy.staging_managed_by

    def of(self, operation: Operation, estate: Estate) -> Iterator[Operation]:
        match operation:
            case AddColumns():
                yield self._columns(operation, operation.table, operation.columns, estate)
            case WidenColumn():
                column = ColumnDef(operation.column, operation.type, self._required(operation, estate))
                yield self._columns(operation, operation.table, (column,), estate)
            case DropNotNull():
                table = find_table(estate, operation.table)
                there = table.columns if table is not None else ()
                columns = tuple(ColumnDef(c.name, c.type) for c in there if c.name in operation.columns)
                yield self._columns(operation, operation.table, columns, estate)
            case ReplaceMerge() if operation.add_to_staging and self._policy.staging_managed_by != OURS:
                add = AddColumns(operation.merge.staging, operation.add_to_staging)
                yield self._columns(add, add.table, add.columns, estate, _asleep(operation.task))
                yield dataclasses.replace(operation, add_to_staging=())
            case RewriteMerge() if operation.add_to_staging and self._policy.staging_managed_by != OURS:
                add = AddColumns(operation.staging, operation.add_to_staging)
                yield self._columns(add, add.table, add.columns, estate, _asleep(*operation.roots))
                yield dataclasses.replace(operation, add_to_staging=())
            case CreateLanding():
                yield from self._landing(operation, estate)
            case _:
                yield operation

    def _columns(
        self, operation: Operation, table: ObjectName, columns: tuple[ColumnDef, ...], estate: Estate, more: str = ""
    ) -> Operation:
        owner = self._owner(table)
        if owner == OURS:
            return operation
        text = patches.columns(owner, table, columns, [s.sql for s in operation.statements(estate)])
        for hazard in operation.hazards():
            text += f"\n{hazard.kind}: {hazard.reason}"
        return _manual(owner, f"{text}{more}", Predicate(Wanted.TABLE, table, columns))

    def _required(self, operation: WidenColumn, estate: Estate) -> bool:
        table = find_table(estate, operation.table)
        column = table.column(operation.column) if table is not None else None
        return column is not None and not column.nullable

    def _landing(self, operation: CreateLanding, estate: Estate) -> Iterator[Operation]:
        policy = self._policy
        sql = {s.summary: s.sql for s in dataclasses.replace(operation, with_pipe=True).statements(Estate())}
        before: list[Manual] = []
        if policy.file_format_managed_by != OURS and not _has_format(operation, estate):
            name, owner = operation.file_format, policy.file_format_managed_by
            text = patches.file_format(owner, name, [sql[f"create the file format {name}"]])
            before.append(_manual(owner, text, Predicate(Wanted.FILE_FORMAT, name)))
        for name, columns in (
            (operation.final, operation.final_columns),
            (operation.staging, operation.staging_columns),
        ):
            owner = self._owner(name)
            if owner != OURS and find_table(estate, name) is None:
                text = patches.table(owner, name, columns, [sql[f"create the table {name}"]])
                before.append(_manual(owner, text, Predicate(Wanted.TABLE, name, columns)))
        for item in before:
            yield item
            estate = item.effect(estate)
        if operation.readiness(estate) != DONE:
            yield operation
        if policy.pipe_managed_by != OURS and find_pipe(estate, operation.pipe) is None:
            name = operation.pipe
            text = patches.pipe(policy.pipe_managed_by, name, operation.copy, [sql[f"create the pipe {name}"]])
            yield _manual(policy.pipe_managed_by, text, Predicate(Wanted.PIPE, name))


def _has_format(operation: CreateLanding, estate: Estate) -> bool:
    return any(f.name == operation.file_format for f in estate.file_formats)


def _asleep(*tasks: ObjectName) -> str:
    return (
        f"\nwith the task {' and '.join(map(str, tasks))} suspended until `driftguard apply` has replaced its merge: a "
        "run in between would leave the new columns out, for good"
    )


def _manual(owner: str, text: str, until: Predicate) -> Manual:
    return Manual(f"{owner}: {text}", until)
