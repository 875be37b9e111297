"""Give a merge task a new body, and put the task back into the state that it was in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    State,
    blocked,
    find_table,
    find_task,
    with_task,
)
from driftguard.operations.columns import ColumnDef, look_up
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.side_by_side import with_others
from driftguard.sql.snowflake import qualified

STARTED = "started"


@dataclass(frozen=True)
class ReplaceMerge(Operation):
    """SUSPEND → add what STAGING gains → MODIFY AS → RESUME; a task that was suspended stays suspended.

    A standalone task must be suspended before it is modified (docs.snowflake.com "ALTER TASK"). `add_to_staging` are
    columns that STAGING gets while no merge can run: with the old lists a run in between would merge their rows
    without them, and the guard in FINAL would keep the values out for good. `leave_out` are columns that are about to
    be dropped: the merge does without them although both tables still have them.
    """

    kind = "replace_merge"

    task: ObjectName
    merge: MergeSpec
    add_to_staging: tuple[ColumnDef, ...] = ()
    leave_out: tuple[str, ...] = ()

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.task, self.merge.staging, self.merge.final)

    def waits_for(self) -> ObjectName:
        return self.task

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
        gained = {c.name for c in self.add_to_staging}
        for name, wanted in (
            (self.merge.staging, {s for c in self.merge.columns for s in (c.staging, c.before) if s} - gained),
            (self.merge.final, {c.final for c in self.merge.columns}),
        ):
            table = look_up(estate, name)
            if isinstance(table, Readiness):
                return table
            missing = wanted - {c.name for c in table.columns}
            if missing:
                return blocked(f"{name} has no column {sorted(missing)[0]}")
        same = task.definition.strip() == self._body(estate).strip()
        return DONE if same and (added is None or added.readiness(estate) == DONE) else READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task = find_task(estate, self.task)
        name = qualified(self.task)
        change = Statement(f"ALTER TASK {name} MODIFY AS\n{self._body(estate)}", f"replace the merge of {self.task}")
        added = self._add()
        gained = added.statements(estate) if added else ()
        if task is not None and task.state.lower() != STARTED:
            return (*gained, change)
        return (
            Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"),
            *gained,
            change,
            Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}"),
        )

    def effect(self, estate: Estate) -> Estate:
        task = find_task(estate, self.task)
        assert task is not None
        added = self._add()
        if added is not None:
            estate = added.effect(estate)
        return with_task(estate, dataclasses.replace(task, definition=self._body(estate)))

    def summary(self) -> str:
        gained = f"add {', '.join(f'{c.name} {c.type}' for c in self.add_to_staging)} to {self.merge.staging} and "
        return f"{gained if self.add_to_staging else ''}replace the merge of {self.task}"

    def inverse(self, left: Estate) -> tuple[Operation, ...]:
        """The merge of the columns that are left. The text of before is not known; where all are left it stays."""
        final, staging = find_table(left, self.merge.final), find_table(left, self.merge.staging)
        names = {c.name for c in final.columns} if final else set()
        staged = {c.name for c in staging.columns} if staging else set()
        gained = tuple(c.name for c in self.add_to_staging)
        kept = tuple(c for c in self.merge.columns if c.final in names and c.staging in staged - set(gained))
        gone = tuple(c.final for c in self.merge.columns if c not in kept)
        found: list[Operation] = []
        if gone:
            found.append(ReplaceMerge(self.task, dataclasses.replace(self.merge, columns=kept), leave_out=gone))
        if gained:
            found.append(DropColumns(self.merge.staging, gained))
        return tuple(found)

    def _body(self, estate: Estate) -> str:
        """The text, with the columns that other revisions have added since this one was planned."""
        return generate(with_others(self.merge, estate, self.leave_out))

    def _add(self) -> AddColumns | None:
        return AddColumns(self.merge.staging, self.add_to_staging) if self.add_to_staging else None
