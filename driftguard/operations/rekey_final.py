"""Fill FINAL anew from a reload, by another key."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.merge.anew import guard, refill
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Hazard, HazardKind, Phase, Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    blocked,
    find_task,
    waiting,
    with_table,
    with_task,
)
from driftguard.operations.bodies import replaced
from driftguard.operations.columns import look_up
from driftguard.operations.pipes import all_of
from driftguard.operations.replace_merge import STARTED
from driftguard.operations.side_by_side import with_others
from driftguard.operations.undo import Undo, undo
from driftguard.sql.snowflake import names, qualified, quote


@dataclass(frozen=True)
class RekeyFinal(Operation):
    """SUSPEND → clones → the rows of before leave FINAL and STAGING, those of the reload come in → key, merge → RESUME.

    AWS DMS does not go on with a table whose primary key is changed while the task runs; only a reload says which row
    is which by the new key ("Using a PostgreSQL database as an AWS DMS source", limitations). It reads what was loaded
    in full after the marker, and changes committed since; readers see the old rows or the new ones, never none. What
    is in STAGING from before has to go: the merge looks back, and would bring rows of the old key to life again.
    """

    kind = "rekey_final"
    phase = Phase.CONTRACT

    marker: str
    task: ObjectName
    pipe: ObjectName
    merge: MergeSpec
    table: str  # on Aurora, for a person

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.task, self.pipe, self.merge.staging, self.merge.final)

    def waits_for(self) -> ObjectName:
        return self.task

    def hazards(self) -> tuple[Hazard, ...]:
        key = ", ".join(self._key)
        return (
            Hazard(HazardKind.CHANGES_KEY, f"{self.merge.final} is filled anew by the key ({key})"),
            Hazard(
                HazardKind.RELOADS_FILES,
                f"reload {self.table} in DMS after the migration, and wait until its state is `Table completed`",
            ),
            Hazard(HazardKind.REBUILDS_TABLE, f"all rows of {self.merge.final} are written again"),
        )

    def undos(self) -> tuple[Undo, Undo]:
        """The clones of FINAL and of STAGING as they were."""
        work, control = f"rekey {self.marker}", self.merge.watermark
        return undo(self.merge.final, control, work), undo(self.merge.staging, control, work, replaceable=False)

    def undo(self) -> Undo:
        return self.undos()[0]

    def rewrites(self) -> tuple[ObjectName, ...]:
        return (self.merge.final, self.merge.staging)

    def readiness(self, estate: Estate) -> Readiness:
        task = find_task(estate, self.task)
        if task is None:
            seen = estate.saw("tasks", self.task.database, self.task.schema)
            return blocked(f"{self.task} {'does not exist' if seen else 'could not be looked at'}")
        final, staging = look_up(estate, self.merge.final), look_up(estate, self.merge.staging)
        for table in (final, staging):
            if isinstance(table, Readiness):
                return table
        assert isinstance(final, SfTable)
        assert isinstance(staging, SfTable)
        for column in self.merge.columns:
            if final.column(column.final) is None or staging.column(column.staging) is None:
                missing = self.merge.final if final.column(column.final) is None else self.merge.staging
                return blocked(f"{missing} has no column {column.final}")
        if set(final.primary_key) == set(self._key) and task.definition.strip() == self._body(estate).strip():
            return DONE
        busy = next((p for p in all_of(estate, self.pipe) if p.pending), None)
        return waiting(f"{busy.name} has {busy.pending} files waiting") if busy else READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task, final = find_task(estate, self.task), look_up(estate, self.merge.final)
        if not isinstance(final, SfTable) or task is None:
            return ()
        name, table = qualified(self.task), qualified(self.merge.final)
        same_key = set(final.primary_key) == set(self._key)
        found = [kept.keep for kept in self.undos()]
        found.append(Statement(guard(self.merge, self.marker), f"see that {self.table} was reloaded"))
        if final.primary_key and not same_key:
            found.append(Statement(f"ALTER TABLE {table} DROP PRIMARY KEY", f"drop the old key of {self.merge.final}"))
            old = [n for n in final.primary_key if n not in self._key and not final.column(n).nullable]  # type: ignore[union-attr]
            for column in old:
                sql = f"ALTER TABLE {table} ALTER COLUMN {quote(column)} DROP NOT NULL"
                found.append(Statement(sql, f"allow NULL in {self.merge.final}.{column}"))
        found.append(
            Statement(";\n".join(refill(self.merge, self.marker)), f"fill {self.merge.final} anew from the reload")
        )
        if not same_key:
            sql = f"ALTER TABLE {table} ADD PRIMARY KEY ({names(self._key)})"
            found.append(Statement(sql, f"make ({', '.join(self._key)}) the key of {self.merge.final}"))
        found.append(replaced(task, self.task, self.merge.watermark, self._body(estate)))
        if task.state.lower() != STARTED:
            return tuple(found)
        return (
            Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"),
            *found,
            Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}"),
        )

    def effect(self, estate: Estate) -> Estate:
        task, final = find_task(estate, self.task), look_up(estate, self.merge.final)
        assert task is not None
        assert isinstance(final, SfTable)
        columns = tuple(
            dataclasses.replace(c, nullable=c.name not in self._key)
            if c.name in (*final.primary_key, *self._key)
            else c
            for c in final.columns
        )
        body = self._body(estate)
        estate = with_table(estate, dataclasses.replace(final, columns=columns, primary_key=self._key))
        return with_task(estate, dataclasses.replace(task, definition=body))

    def summary(self) -> str:
        return f"fill {self.merge.final} anew by the key ({', '.join(self._key)}) from a reload of {self.table}"

    @property
    def _key(self) -> tuple[str, ...]:
        return tuple(c.final for c in self.merge.columns if c.key)

    def _body(self, estate: Estate) -> str:
        task = find_task(estate, self.task)
        return generate(with_others(self.merge, estate, task.definition if task else ""))
