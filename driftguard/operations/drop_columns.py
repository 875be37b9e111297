"""Drop columns, with their values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard, HazardKind, Phase, Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import DONE, READY, Operation, Readiness, with_table
from driftguard.operations.columns import look_up
from driftguard.operations.undo import Undo, undo
from driftguard.sql.snowflake import qualified, quote


@dataclass(frozen=True)
class DropColumns(Operation):
    """ALTER TABLE … DROP COLUMN IF EXISTS, all in one statement. Source: docs.snowflake.com "ALTER TABLE".

    `control` is any table of the control schema, where the table is cloned first; the inverse of an addition has none
    until it is run.
    """

    kind = "drop_columns"
    phase = Phase.CONTRACT

    table: ObjectName
    columns: tuple[str, ...]
    control: ObjectName | None = None

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def readiness(self, estate: Estate) -> Readiness:
        table = look_up(estate, self.table)
        if isinstance(table, Readiness):
            return table
        return READY if self._there(table) else DONE

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        table = look_up(estate, self.table)
        there = self.columns if isinstance(table, Readiness) else self._there(table)
        if not there:
            return ()
        sql = f"ALTER TABLE {qualified(self.table)} DROP COLUMN IF EXISTS {', '.join(quote(name) for name in there)}"
        drop = Statement(sql, f"drop {', '.join(there)} from {self.table}")
        kept = self.undo()
        return (kept.keep, drop) if kept else (drop,)

    def undo(self) -> Undo | None:
        if self.control is None:
            return None
        return undo(self.table, self.control, f"drop {self.columns}", replaceable=False)

    def effect(self, estate: Estate) -> Estate:
        table = look_up(estate, self.table)
        assert isinstance(table, SfTable)
        kept = tuple(c for c in table.columns if c.name not in self.columns)
        return with_table(estate, dataclasses.replace(table, columns=kept))

    def hazards(self) -> tuple[Hazard, ...]:
        return (Hazard(HazardKind.LOSES_DATA, f"the values of {', '.join(self.columns)} in {self.table}"),)

    def summary(self) -> str:
        return f"drop {', '.join(self.columns)} from {self.table}"

    def _there(self, table: SfTable) -> tuple[str, ...]:
        return tuple(name for name in self.columns if table.column(name) is not None)
