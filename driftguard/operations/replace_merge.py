"""Give a merge task a new body, with what STAGING needs for it, and put the task back into the state it was in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.errors import PlanError
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, SfColumn, SfTable
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    State,
    blocked,
    find_pipe,
    find_table,
    find_task,
    with_table,
    with_task,
)
from driftguard.operations.bodies import replaced
from driftguard.operations.columns import ColumnDef, look_up
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.pipes import PAUSED, all_of, switch
from driftguard.operations.rename import rename, renamed
from driftguard.operations.side_by_side import with_others
from driftguard.sql.snowflake import qualified

STARTED = "started"


@dataclass(frozen=True)
class Anew:
    """A STAGING column that gets another type: what is there is renamed to `old`, and `column` is added."""

    column: ColumnDef
    old: str


@dataclass(frozen=True)
class ReplaceMerge(Operation):
    """SUSPEND → add what STAGING gains → MODIFY AS → RESUME; a task that was suspended stays suspended.

    A standalone task must be suspended before it is modified (docs.snowflake.com "ALTER TASK"). `add_to_staging` are
    columns that STAGING gets while no merge can run: with the old lists a run in between would merge their rows
    without them, and the guard in FINAL would keep the values out for good. For a column in `anew`, `pipe` is paused
    and no file on its way meanwhile: a file that is loaded while STAGING has no column of its name loses the values
    without an error. A pipe that was paused stays paused. `leave_out` are columns that are about to be dropped: the
    merge does without them although both tables still have them.
    """

    kind = "replace_merge"

    task: ObjectName
    merge: MergeSpec
    add_to_staging: tuple[ColumnDef, ...] = ()
    anew: tuple[Anew, ...] = ()
    pipe: ObjectName | None = None
    leave_out: tuple[str, ...] = ()

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.task, self.merge.staging, self.merge.final, *([self.pipe] if self.pipe else []))

    def waits_for(self) -> ObjectName:
        return self.task

    def drains(self) -> ObjectName | None:
        return self.merge.staging if self.pipe else None

    def readiness(self, estate: Estate) -> Readiness:
        task = find_task(estate, self.task)
        if task is None:
            seen = estate.saw("tasks", self.task.database, self.task.schema)
            return blocked(f"{self.task} {'does not exist' if seen else 'could not be looked at'}")
        if task.predecessors:
            return blocked(
                f"{self.task} runs after {', '.join(task.predecessors)}; driftguard changes single tasks only"
            )
        added = self._add()
        if added is not None and (first := added.readiness(estate)).state is State.BLOCKED:
            return first
        if self.pipe is not None and find_pipe(estate, self.pipe) is None:
            seen = estate.saw("pipes", self.pipe.database, self.pipe.schema)
            return blocked(f"{self.pipe} {'does not exist' if seen else 'could not be looked at'}")
        gained = {c.name for c in self.add_to_staging} | {item.old for item in self.anew}
        for name, wanted in (
            (self.merge.staging, {s for c in self.merge.columns for s in (c.staging, c.before) if s} - gained),
            (self.merge.final, {c.final for c in self.merge.columns} | set(self.merge.own_columns)),
        ):
            table = look_up(estate, name)
            if isinstance(table, Readiness):
                return table
            missing = wanted - {c.name for c in table.columns}
            if missing:
                return blocked(f"{name} has no column {sorted(missing)[0]}")
        same = task.definition.strip() == self._body(estate).strip()
        return DONE if same and not self._stage(estate) else READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task = find_task(estate, self.task)
        name = qualified(self.task)
        change = replaced(task, self.task, self.merge.watermark, self._body(estate))
        staged = self._stage(estate)
        if task is not None and task.text_of is not None and not staged:
            return (change,)
        running = [p.name for p in all_of(estate, self.pipe) if p.state != PAUSED] if self.pipe else []
        if task is not None and task.state.lower() != STARTED:
            found = (*staged, change)
        else:
            found = (
                Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"),
                *staged,
                change,
                Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}"),
            )
        if not staged:
            return found
        return (*(switch(p, off=True) for p in running), *found, *(switch(p, off=False) for p in running))

    def effect(self, estate: Estate) -> Estate:
        task = find_task(estate, self.task)
        assert task is not None
        added = self._add()
        if added is not None:
            estate = added.effect(estate)
        for item in self.anew:
            table = find_table(estate, self.merge.staging)
            assert table is not None
            if table.column(item.old) is None:
                table = renamed(table, item.column.name, item.old)
                table = dataclasses.replace(
                    table, columns=(*table.columns, SfColumn(item.column.name, item.column.type))
                )
                estate = with_table(estate, table)
        return with_task(estate, dataclasses.replace(task, definition=self._body(estate)))

    def summary(self) -> str:
        parts = []
        if self.add_to_staging:
            parts.append(f"add {', '.join(f'{c.name} {c.type}' for c in self.add_to_staging)} to {self.merge.staging}")
        for item in self.anew:
            parts.append(
                f"make {self.merge.staging}.{item.column.name} anew as {item.column.type} beside the old {item.old}"
            )
        return " and ".join([*parts, f"replace the merge of {self.task}"])

    def inverse(self, left: Estate) -> tuple[Operation, ...]:
        """The merge of the columns that are left. The text of before is not known; where all are left it stays."""
        final, staging = find_table(left, self.merge.final), find_table(left, self.merge.staging)
        names = {c.name for c in final.columns} if final else set()
        staged = {c.name for c in staging.columns} if staging else set()
        gained = tuple(c.name for c in self.add_to_staging)
        kept = tuple(c for c in self.merge.columns if c.final in names and c.staging in staged)
        gone = tuple(c for c in self.merge.columns if c not in kept)
        if self.anew or any(c.marker for c in kept) or any(c.earlier or c.becomes for c in gone):
            raise PlanError(
                f"{self.summary()}: not undone while the change is under way",
                hint="let it be completed (`driftguard apply --phase settle`, then contract), and plan the way back",
            )
        found: list[Operation] = []
        if gone:
            names_gone = tuple(c.final for c in gone)
            found.append(ReplaceMerge(self.task, dataclasses.replace(self.merge, columns=kept), leave_out=names_gone))
        if gained:
            found.append(DropColumns(self.merge.staging, gained))
        return tuple(found)

    def _body(self, estate: Estate) -> str:
        """The text, with the columns that other revisions have added since this one was planned."""
        task = find_task(estate, self.task)
        definition = task.definition if task else ""
        return generate(with_others(self.merge, estate, definition, self.leave_out, self.leave_out))

    def _stage(self, estate: Estate) -> tuple[Statement, ...]:
        """What is still to be done to STAGING."""
        added = self._add()
        found = list(added.statements(estate)) if added else []
        table = find_table(estate, self.merge.staging)
        for item in self.anew if isinstance(table, SfTable) else ():
            assert table is not None
            if table.column(item.old) is None:
                found.append(rename(self.merge.staging, item.column.name, item.old))
            if table.column(item.old) is None or table.column(item.column.name) is None:
                found += AddColumns(self.merge.staging, (item.column,)).statements(_without(estate, table, item))
        return tuple(found)

    def _add(self) -> AddColumns | None:
        return AddColumns(self.merge.staging, self.add_to_staging) if self.add_to_staging else None


def _without(estate: Estate, table: SfTable, item: Anew) -> Estate:
    """The estate once the column has given up its name."""
    left = tuple(c for c in table.columns if c.name != item.column.name)
    return with_table(estate, dataclasses.replace(table, columns=left))
