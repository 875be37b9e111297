"""Let a landing's own pipe read the new folder, once nothing comes from the old one, and drop the second pipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.errors import PlanError
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard, HazardKind, Phase, Statement
from driftguard.model.snowflake import Estate, Pipe
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_pipe, waiting, with_pipe
from driftguard.operations.columns import look_up
from driftguard.operations.pipes import PAUSED, RUNNING, Folder, properties, refresh, switch
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class ReplacePipe(Operation):
    """Pause → nothing on its way → CREATE OR REPLACE → REFRESH → DROP of the second pipe. What was paused stays so.

    The COPY of a pipe cannot be altered ("Managing Snowpipe", docs.snowflake.com: pause, pendingFileCount 0, CREATE OR
    REPLACE). The second pipe, `name`, reads the new folder all the while. REFRESH loads once more what it has loaded in
    the last 7 days: no file falls between the two, and rows that come twice change nothing in FINAL where driftguard
    writes the merge.
    """

    kind = "replace_pipe"
    phase = Phase.CONTRACT

    pipe: ObjectName
    name: ObjectName
    final: ObjectName
    staging: ObjectName
    stage: ObjectName
    path: str
    file_format: ObjectName
    record: bool = False

    @property
    def folder(self) -> Folder:
        return Folder(self.staging, self.stage, self.path, self.file_format, self.record)

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.pipe, self.name, self.staging, self.final)

    def drains(self) -> ObjectName:
        return self.staging

    def hazards(self) -> tuple[Hazard, ...]:
        return (
            Hazard(
                HazardKind.REPLACES_PIPE,
                f"grants on {self.pipe} are gone, and files of the last 7 days in {self.path} are loaded twice",
            ),
        )

    def readiness(self, estate: Estate) -> Readiness:
        if not estate.saw("pipes", self.pipe.database, self.pipe.schema):
            return blocked(f"pipes in {self.pipe.database}.{self.pipe.schema} could not be looked at")
        staging = look_up(estate, self.staging)
        if isinstance(staging, Readiness):
            return staging
        old, new = find_pipe(estate, self.pipe), find_pipe(estate, self.name)
        if self._done(old):
            if new is None:
                return DONE
        elif new is None:
            return blocked(f"{self.name} does not exist: nothing reads {self.folder} yet")
        if new is not None and not self.folder.read_by(new):
            return blocked(f"{self.name} does not read {self.folder}")
        for pipe in (old, new):
            if pipe is None:
                continue
            if pipe.pending is None:
                return blocked(f"{pipe.name}: how many files wait could not be looked at")
            if pipe.pending:
                return waiting(f"{pipe.name} has {pipe.pending} files waiting")
        if new is not None and new.state not in (RUNNING, PAUSED):
            return blocked(f"{new.name} does not load: {new.state}")
        return READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        old = find_pipe(estate, self.pipe)
        found: list[Statement] = []
        if not self._done(old):
            paused = old is not None and old.state == PAUSED
            if old is not None and not paused:
                found.append(switch(self.pipe, off=True))
            copy = self.folder.copy_like(old)
            sql = f"CREATE OR REPLACE PIPE {qualified(self.pipe)} {properties(old)} AS\n{copy}"
            found.append(Statement(sql, f"let {self.pipe} read {self.folder}"))
            if paused:
                found.append(switch(self.pipe, off=True))
            found.append(refresh(self.pipe, self.staging))
        if find_pipe(estate, self.name) is not None:
            found.append(Statement(f"DROP PIPE IF EXISTS {qualified(self.name)}", f"drop the pipe {self.name}"))
        return tuple(found)

    def effect(self, estate: Estate) -> Estate:
        old = find_pipe(estate, self.pipe)
        if not self._done(old):
            like = old or Pipe(self.pipe, "")
            estate = with_pipe(estate, dataclasses.replace(like, definition=self.folder.copy_like(old), pending=0))
        return dataclasses.replace(estate, pipes=tuple(p for p in estate.pipes if p.name != self.name))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        raise PlanError(
            f"{self.summary()}: not undone, because DMS writes there",
            hint="move the table back on Aurora, and plan for that",
        )

    def summary(self) -> str:
        return f"let {self.pipe} read {self.folder} alone, and drop {self.name}"

    def _done(self, pipe: Pipe | None) -> bool:
        return pipe is not None and self.folder.read_by(pipe)
