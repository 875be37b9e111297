"""Let columns be NULL."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, with_table
from driftguard.operations.columns import look_up
from driftguard.sql.snowflake import qualified, quote


@dataclass(frozen=True)
class DropNotNull(Operation):
    """ALTER TABLE … ALTER COLUMN … DROP NOT NULL, one statement a column."""

    kind = "drop_not_null"

    table: ObjectName
    columns: tuple[str, ...]

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def readiness(self, estate: Estate) -> Readiness:
        table = look_up(estate, self.table)
        if isinstance(table, Readiness):
            return table
        for name in self.columns:
            if table.column(name) is None:
                return blocked(f"{self.table} has no column {name}")
        return READY if self._required(table) else DONE

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        table = look_up(estate, self.table)
        columns = self.columns if isinstance(table, Readiness) else self._required(table)
        return tuple(
            Statement(
                f"ALTER TABLE {qualified(self.table)} ALTER COLUMN {quote(name)} DROP NOT NULL",
                f"allow NULL in {self.table}.{name}",
            )
            for name in columns
        )

    def effect(self, estate: Estate) -> Estate:
        table = look_up(estate, self.table)
        assert isinstance(table, SfTable)
        columns = tuple(dataclasses.replace(c, nullable=True) if c.name in self.columns else c for c in table.columns)
        return with_table(estate, dataclasses.replace(table, columns=columns))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # rows that came in since may have a NULL, and NOT NULL would make their merges fail

    def summary(self) -> str:
        return f"allow NULL in {', '.join(self.columns)} of {self.table}"

    def _required(self, table: SfTable) -> tuple[str, ...]:
        return tuple(n for n in self.columns if (c := table.column(n)) is not None and not c.nullable)
