"""Read the rows since a change's epoch once more: those that were merged before the epoch was known."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.generate import again
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_task
from driftguard.operations.columns import lacking
from driftguard.operations.milestone import reach, reached, with_milestone


@dataclass(frozen=True)
class ReadAgain(Operation):
    """One MERGE that updates `columns` of the rows that FINAL has from a commit at or after the epoch of `marker`.

    It waits until no run of the task is at work: a run that began before the epoch was known does not use it.
    """

    kind = "read_again"
    phase = Phase.SETTLE

    name: str
    marker: str
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
        what = f"read {', '.join(self.columns)} of {self.merge.final} again since the change"
        return (Statement(again(self.merge, self.marker, self.columns), what), reach(self.merge.watermark, self.name))

    def effect(self, estate: Estate) -> Estate:
        return with_milestone(estate, self.name)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not

    def summary(self) -> str:
        return f"read {', '.join(self.columns)} of {self.merge.final} again since the change"
