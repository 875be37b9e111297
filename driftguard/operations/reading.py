"""What the operations share that read STAGING once more for rows which are merged already."""

from __future__ import annotations

from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_task
from driftguard.operations.columns import lacking
from driftguard.operations.milestone import reached, with_milestone


class Reading:
    """To be mixed into an operation with these fields; the milestone `name` says that it is done."""

    name: str
    task: ObjectName
    merge: MergeSpec

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

    def effect(self, estate: Estate) -> Estate:
        return with_milestone(estate, self.name)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not
