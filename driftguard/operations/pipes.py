"""A second pipe beside a landing's own: what it is called, and the text of a pipe that reads another folder."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from driftguard.drift.copying import METADATA, RECORD, Unreadable, option_faults, portable, read, reads
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import NEW, beside
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, Pipe
from driftguard.sql.snowflake import literal, names, qualified, quote, stage_location

PAUSED = "PAUSED"  # executionState of SYSTEM$PIPE_STATUS
RUNNING = "RUNNING"
_SECOND = re.compile(rf"(.+){NEW}\d*", re.DOTALL)


@dataclass(frozen=True)
class Folder:
    """What a landing's pipe has to read, and where it has to put it."""

    staging: ObjectName
    stage: ObjectName
    path: str
    file_format: ObjectName
    record: bool = False

    def __str__(self) -> str:
        return f"@{self.stage}/{self.path}"

    def read_by(self, pipe: Pipe) -> bool:
        return reads(pipe, self.stage, self.path)

    @property
    def copy(self) -> str:
        """The COPY statement as driftguard writes it."""
        file_format = f"FILE_FORMAT = (FORMAT_NAME = {literal(qualified(self.file_format))})"
        if self.record:
            return f"{self._head}\n{file_format}"
        metadata = ", ".join(f"{quote(column)} = {source}" for column, source in METADATA.items())
        return f"{self._head}\n{file_format}\nMATCH_BY_COLUMN_NAME = CASE_INSENSITIVE\nINCLUDE_METADATA = ({metadata})"

    def copy_like(self, pipe: Pipe | None) -> str:
        """The same with the options of `pipe`, where they load what the landing needs and name nothing by half."""
        try:
            found = read(pipe) if pipe is not None else None
        except Unreadable:
            found = None
        options = found.options if found is not None and (found.record is not None) == self.record else ""
        if not options or option_faults(options, record=self.record) or not portable(options):
            return self.copy
        return f"{self._head}\n{options}"

    @property
    def _head(self) -> str:
        place = stage_location(self.stage, self.path)
        if not self.record:
            return f"COPY INTO {qualified(self.staging)}\nFROM {place}"
        return (
            f"COPY INTO {qualified(self.staging)} ({names(RECORD)})\n"
            f"FROM (SELECT {', '.join(RECORD.values())} FROM {place})"
        )


def properties(like: Pipe | None) -> str:
    """What stands before AS in CREATE PIPE: driven by notifications, and what `like` has besides."""
    found = ["AUTO_INGEST = TRUE"]
    if like is not None and like.error_integration:
        found.append(f"ERROR_INTEGRATION = {quote(like.error_integration)}")
    if like is not None and like.comment:
        found.append(f"COMMENT = {literal(like.comment)}")
    return " ".join(found)


def second(pipe: ObjectName, taken: Collection[ObjectName]) -> ObjectName:
    """A name for a pipe beside `pipe`."""
    return ObjectName(pipe.database, pipe.schema, beside(pipe.name, NEW, [name.name for name in taken]))


def all_of(estate: Estate, pipe: ObjectName) -> tuple[Pipe, ...]:
    """The landing's pipe, and those that stand beside it while its folder changes."""
    return tuple(p for p in estate.pipes if pipe in (p.name, first(p.name)))


def first(name: ObjectName) -> ObjectName | None:
    """The pipe that one of this name would stand beside; None for every other name."""
    match = _SECOND.fullmatch(name.name)
    return ObjectName(name.database, name.schema, match[1]) if match else None


def switch(pipe: ObjectName, *, off: bool) -> Statement:
    """Pause or resume a pipe."""
    sql = f"ALTER PIPE {qualified(pipe)} SET PIPE_EXECUTION_PAUSED = {'TRUE' if off else 'FALSE'}"
    return Statement(sql, f"{'pause' if off else 'resume'} {pipe}")


def refresh(pipe: ObjectName, staging: ObjectName) -> Statement:
    """Load what is there already: a new pipe sees only files that are written from now on; those of the last 7 days."""
    return Statement(f"ALTER PIPE {qualified(pipe)} REFRESH", f"load the files that are already there into {staging}")
