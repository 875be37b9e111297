"""Read columns that were learned of too late out of the staged records: those of rows that are merged already."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.generate import late
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Operation
from driftguard.operations.milestone import reach, reached
from driftguard.operations.reading import Reading


@dataclass(frozen=True)
class ReadRecords(Reading, Operation):
    """One MERGE that sets `columns` in the rows of FINAL whose last change is still in STAGING, of record style.

    Where nothing has come with them yet, it finds no row. It waits until no run of the task is at work: one that began
    with the old lists could write its rows after it.
    """

    kind = "read_records"

    name: str
    task: ObjectName
    merge: MergeSpec
    columns: tuple[str, ...]

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        what = (self.summary(), f"keep the values of {self.merge.final} that did not fit")
        read = tuple(Statement(sql, text) for sql, text in zip(late(self.merge, self.columns), what, strict=False))
        return (*read, reach(self.merge.watermark, self.name))

    def summary(self) -> str:
        return f"read {', '.join(self.columns)} of {self.merge.final} out of the staged records"
