"""A second pipe into a landing's STAGING, for the folder that DMS is going to write to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, Pipe
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_pipe, with_pipe
from driftguard.operations.columns import look_up
from driftguard.operations.pipes import PAUSED, Folder, properties, refresh, switch
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class AddPipe(Operation):
    """CREATE PIPE `name`, like `pipe`, which goes on reading the old folder; paused where `pipe` is paused.

    From the DDL on DMS writes to the new folder, and goes on writing to the old one until it has come to the DDL. With
    a pipe for each there is no moment in which a file of either has nobody to load it.
    """

    kind = "add_pipe"

    name: ObjectName
    pipe: ObjectName
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
        return (self.name, self.pipe, self.staging, self.final)

    def readiness(self, estate: Estate) -> Readiness:
        if not estate.saw("pipes", self.name.database, self.name.schema):
            return blocked(f"pipes in {self.name.database}.{self.name.schema} could not be looked at")
        staging = look_up(estate, self.staging)
        if isinstance(staging, Readiness):
            return staging
        for one in (self.pipe, self.name):
            there = find_pipe(estate, one)
            if there is not None and self.folder.read_by(there):
                return DONE
        if find_pipe(estate, self.name) is not None:
            return blocked(f"{self.name} exists already and reads another folder than {self.folder}")
        return READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if self.readiness(estate) == DONE:
            return ()
        like = find_pipe(estate, self.pipe)
        copy = self.folder.copy_like(like)
        sql = f"CREATE PIPE IF NOT EXISTS {qualified(self.name)} {properties(like)} AS\n{copy}"
        found = [Statement(sql, f"create the pipe {self.name}")]
        if like is not None and like.state == PAUSED:
            found.append(switch(self.name, off=True))
        return (*found, refresh(self.name, self.staging))

    def effect(self, estate: Estate) -> Estate:
        if self.readiness(estate) == DONE:
            return estate
        like = find_pipe(estate, self.pipe) or Pipe(self.name, "")
        made = dataclasses.replace(
            like, name=self.name, definition=self.folder.copy_like(find_pipe(estate, self.pipe)), pending=0
        )
        return with_pipe(estate, made)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # of a folder that DMS does not write to it loads nothing

    def summary(self) -> str:
        return f"load {self.folder} too, by a second pipe {self.name}"
