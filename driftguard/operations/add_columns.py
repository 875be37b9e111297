"""Add nullable columns to a table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.drift.fit import Fit, fit
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard, HazardKind, Statement
from driftguard.model.snowflake import Estate, SfColumn, SfTable
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, with_table
from driftguard.operations.columns import ColumnDef, definition, look_up
from driftguard.operations.drop_columns import DropColumns
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class AddColumns(Operation):
    """ALTER TABLE … ADD COLUMN IF NOT EXISTS, all in one statement, but for those with a masking policy or tags.

    `exposes` are columns that get none on a table where others have one: a person must say yes.

    IF NOT EXISTS does nothing when a column of that name exists, whatever its type (docs.snowflake.com "ALTER TABLE"),
    so a column that is there must take the values, or the operation is blocked.
    """

    kind = "add_columns"

    table: ObjectName
    columns: tuple[ColumnDef, ...]
    exposes: tuple[str, ...] = ()

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def readiness(self, estate: Estate) -> Readiness:
        table = look_up(estate, self.table)
        if isinstance(table, Readiness):
            return table
        for column in self.columns:
            found = table.column(column.name)
            if found is not None and fit(found.type, column.type) is Fit.REBUILD:
                return blocked(f"{self.table} already has {column.name} as {found.type}, not {column.type}")
        return READY if self._missing(table) else DONE

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        table = look_up(estate, self.table)
        missing = self.columns if isinstance(table, Readiness) else self._missing(table)
        if not missing:
            return ()
        plain = tuple(c for c in missing if not c.governed)
        return tuple(self._add(columns) for columns in (plain, *((c,) for c in missing if c.governed)) if columns)

    def _add(self, columns: tuple[ColumnDef, ...]) -> Statement:
        # Without the word COLUMN and with IF NOT EXISTS before each: the one form that adds several at once
        added = ", ".join(f"IF NOT EXISTS {definition(c)}" for c in columns)
        sql = f"ALTER TABLE {qualified(self.table)} ADD {added}"
        return Statement(sql, f"add {', '.join(c.name for c in columns)} to {self.table}")

    def effect(self, estate: Estate) -> Estate:
        table = look_up(estate, self.table)
        assert isinstance(table, SfTable)
        added = tuple(
            SfColumn(c.name, c.type, nullable=not c.required, masking_policy=c.masking_policy, tags=c.tags)
            for c in self._missing(table)
        )
        return with_table(estate, dataclasses.replace(table, columns=table.columns + added))

    def hazards(self) -> tuple[Hazard, ...]:
        if not self.exposes:
            return ()
        what = f"{', '.join(self.exposes)} in {self.table}, where other columns are governed"
        return (Hazard(HazardKind.EXPOSES_COLUMN, f"everybody who reads the table reads {what}"),)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return (DropColumns(self.table, tuple(c.name for c in self.columns)),)

    def summary(self) -> str:
        masks = (f" masked by {c.masking_policy}" if c.masking_policy else "" for c in self.columns)
        columns = (f"{c.name} {c.type}{mask}" for c, mask in zip(self.columns, masks, strict=True))
        return f"add {', '.join(columns)} to {self.table}"

    def _missing(self, table: SfTable) -> tuple[ColumnDef, ...]:
        there = {c.name for c in table.columns}
        return tuple(c for c in self.columns if c.name not in there)
