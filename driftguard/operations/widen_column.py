"""Widen a column as far as ALTER allows: a longer VARCHAR, more digits in a NUMBER."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.drift.fit import Fit, fit
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, SfTable, SfType
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, with_table
from driftguard.operations.columns import look_up
from driftguard.sql.snowflake import qualified, quote, type_text


@dataclass(frozen=True)
class WidenColumn(Operation):
    """ALTER TABLE … ALTER COLUMN … SET DATA TYPE. Source: docs.snowflake.com "ALTER TABLE … ALTER COLUMN"."""

    kind = "widen_column"

    table: ObjectName
    column: str
    type: SfType

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def readiness(self, estate: Estate) -> Readiness:
        table = look_up(estate, self.table)
        if isinstance(table, Readiness):
            return table
        found = table.column(self.column)
        if found is None:
            return blocked(f"{self.table} has no column {self.column}")
        match fit(found.type, self.type):
            case Fit.FITS:
                return DONE
            case Fit.WIDEN if found.type.scale == self.type.scale:
                return READY
            case _:
                return blocked(f"Snowflake cannot change {self.table}.{self.column} from {found.type} to {self.type}")

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        table = look_up(estate, self.table)
        if isinstance(table, SfTable) and self.readiness(estate) == DONE:
            return ()
        change = f"ALTER COLUMN {quote(self.column)} SET DATA TYPE {type_text(self.type)}"
        sql = f"ALTER TABLE {qualified(self.table)} {change}"
        return (Statement(sql, f"widen {self.table}.{self.column} to {self.type}"),)

    def effect(self, estate: Estate) -> Estate:
        table = look_up(estate, self.table)
        assert isinstance(table, SfTable)
        columns = tuple(dataclasses.replace(c, type=self.type) if c.name == self.column else c for c in table.columns)
        return with_table(estate, dataclasses.replace(table, columns=columns))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # a wider column takes all that the narrow one took; Snowflake cannot shorten a VARCHAR

    def summary(self) -> str:
        return f"widen {self.table}.{self.column} to {self.type}"
