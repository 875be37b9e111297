"""Bring the rows of a table that was renamed on Aurora from its old FINAL to its new one."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.record import relation
from driftguard.merge.source import keys, value
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_COMMIT_TS, DG_LOADED_AT, DG_SEQ, FINAL_OPTIONAL
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, READY, Operation, Readiness, find_table
from driftguard.operations.columns import lacking
from driftguard.operations.milestone import reach, reached, with_milestone
from driftguard.operations.rename import Rename
from driftguard.sql.snowflake import literal, names, qualified, quote


@dataclass(frozen=True)
class CopyRows(Operation):
    """INSERT of what the new FINAL does not have, and what no staged row of the new table says anything about.

    A row that was deleted since the rename has a staged row: it does not come back. `merge` is the new landing's;
    `columns` are the old and the new names of the columns that both have. Before it, a check that the old merge has
    taken all of the old STAGING.
    """

    kind = "copy_rows"
    phase = Phase.SETTLE

    name: str
    old: ObjectName
    old_staging: ObjectName
    old_task: ObjectName
    merge: MergeSpec
    columns: tuple[Rename, ...]

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.old, self.old_staging, self.old_task, self.merge.final, self.merge.staging)

    def waits_for(self) -> ObjectName:
        return self.old_task

    def rewrites(self) -> tuple[ObjectName, ...]:
        return (self.merge.final,)

    def readiness(self, estate: Estate) -> Readiness:
        if reached(estate, self.name):
            return DONE
        problem = lacking(
            estate,
            (self.old, {c.old for c in self.columns}),
            (self.merge.final, {c.new for c in self.columns}),
            (self.merge.staging, self.merge.stored if self.merge.record else {c.staging for c in keys(self.merge)}),
            (self.old_staging, ()),
        )
        return problem or READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        return (
            Statement(self._drained(), f"see that all of {self.old_staging} is merged"),
            Statement(self._insert(estate), f"copy the rows of {self.old} to {self.merge.final}"),
            reach(self.merge.watermark, self.name),
        )

    def effect(self, estate: Estate) -> Estate:
        return with_milestone(estate, self.name)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not

    def summary(self) -> str:
        return f"copy the rows of {self.old} to {self.merge.final}"

    def _drained(self) -> str:
        loaded = f"(SELECT MAX({quote(DG_LOADED_AT)}) FROM {qualified(self.old_staging)})"
        merged = (
            f"(SELECT MAX({quote('UPTO')}) FROM {qualified(self.merge.watermark)} "
            f"WHERE {quote('LANDING')} = {literal(str(self.old))})"
        )
        message = literal(f"the merge has not taken all of {self.old_staging} yet")
        return (
            f"SELECT IFF({loaded} IS NULL OR COALESCE({loaded} <= {merged}, FALSE), 1, TO_NUMBER({message})) AS MERGED"
        )

    def _insert(self, estate: Estate) -> str:
        tables = [find_table(estate, name) for name in (self.old, self.merge.final)]
        own = [name for name in FINAL_OPTIONAL if all(table and table.column(name) for table in tables)]
        pairs = [(c.old, c.new) for c in self.columns] + [(name, name) for name in (DG_COMMIT_TS, DG_SEQ, *own)]
        old_names = {c.new: c.old for c in self.columns}
        there = " AND ".join(f"n.{quote(k.final)} = o.{quote(old_names[k.final])}" for k in keys(self.merge))
        said = " AND ".join(
            f"{value(k, f's.{quote(k.staging)}')} = o.{quote(old_names[k.final])}" for k in keys(self.merge)
        )
        staged = relation(self.merge, *(k.staging for k in keys(self.merge)))
        return (
            f"INSERT INTO {qualified(self.merge.final)} ({names(new for _, new in pairs)})\n"
            f"SELECT {', '.join(f'o.{quote(old)}' for old, _ in pairs)}\nFROM {qualified(self.old)} AS o\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {qualified(self.merge.final)} AS n WHERE {there})\n"
            f"  AND NOT EXISTS (SELECT 1 FROM {staged} AS s WHERE {said})"
        )
