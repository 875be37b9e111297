"""Operations of the later phases that need no history: registered while a test runs, and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, Operation, Readiness, blocked
from driftguard.operations.columns import look_up


@contextmanager
def later_kinds() -> Iterator[SimpleNamespace]:
    """`Await(table, column)` is blocked until somebody adds the column; `Fill(table, columns)` adds columns itself."""

    @dataclass(frozen=True)
    class Await(Operation):
        kind = "await_column"
        phase = Phase.SETTLE

        table: ObjectName
        column: str

        def touches(self) -> tuple[ObjectName, ...]:
            return (self.table,)

        def readiness(self, estate: Estate) -> Readiness:
            table = look_up(estate, self.table)
            if isinstance(table, SfTable) and table.column(self.column):
                return DONE
            return blocked(f"{self.column} has not arrived")

        def statements(self, estate: Estate) -> tuple[Statement, ...]:
            return ()

        def effect(self, estate: Estate) -> Estate:
            return estate

        def summary(self) -> str:
            return f"await {self.column}"

    @dataclass(frozen=True)
    class Fill(AddColumns):
        kind = "fill_columns"
        phase = Phase.SETTLE

    try:
        yield SimpleNamespace(Await=Await, Fill=Fill)
    finally:
        del Operation.registry["await_column"], Operation.registry["fill_columns"]
