"""Read columns that were learned of too late out of the staged records: those of rows that are merged already."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.generate import late
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_task
from driftguard.operations.columns import lacking
from driftguard.operations.milestone import reach, reached, with_milestone


@dataclass(frozen=True)
class ReadRecords(Operation):
    """One MERGE that sets `columns` in the rows of FINAL whose last change is still in STAGING, of record style.

    Where nothing has come with them yet, it finds no row. It waits until no run of the task is at work: one that began
    with the old lists could write its rows after it.
    """

    kind = "read_records"

    name: str
    task: ObjectName
    merge: MergeSpec
    columns: tuple[str, ...]

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.task, self.merge.staging, self.merge.final)

    def waits_for(self) -> ObjectName:
        return self.task

    def rewrites(self) -> tuple[ObjectName, ...]:
        return (self.merge.final,)

    def readiness(self, estate: Estate) -> Readiness:
        if reached(estate, self.name):
            return DONE
        if find_task(estate, self.task) is None and not estate.saw("tasks", self.task.database, self.task.schema):
            return blocked(f"{self.task} could not be looked at")
        problem = lacking(
            estate,
            (self.merge.staging, self.merge.stored),
            (self.merge.final, {c.final for c in self.merge.columns}),
        )
        return problem or READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        what = (self.summary(), f"keep the values of {self.merge.final} that did not fit")
        read = tuple(Statement(sql, text) for sql, text in zip(late(self.merge, self.columns), what, strict=False))
        return (*read, reach(self.merge.watermark, self.name))

    def effect(self, estate: Estate) -> Estate:
        return with_milestone(estate, self.name)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not

    def summary(self) -> str:
        return f"read {', '.join(self.columns)} of {self.merge.final} out of the staged records"
