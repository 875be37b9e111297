"""Let a merge learn of new files in another way: by a stream on STAGING, or without one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.merge.consumption import condition
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Statement
from driftguard.model.snowflake import APPEND_ONLY, Estate, Stream, Task
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    State,
    blocked,
    find_stream,
    find_task,
    with_stream,
    with_task,
)
from driftguard.operations.bodies import replaced
from driftguard.operations.replace_merge import STARTED, ReplaceMerge
from driftguard.operations.side_by_side import with_others
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class ChangeConsumption(Operation):
    """CREATE STREAM → SUSPEND → MODIFY AS → MODIFY WHEN → RESUME; a task that was suspended stays suspended.

    Without a stream in `merge`: MODIFY AS and REMOVE WHEN, then `gone`, the stream of before, is dropped. A stream that
    cannot be read is made again. It is made with what STAGING has, so that the next run starts whatever was missed;
    what is merged already is not taken again, for each merge notes its files.
    """

    kind = "change_consumption"

    task: ObjectName
    merge: MergeSpec
    gone: ObjectName | None = None

    def touches(self) -> tuple[ObjectName, ...]:
        streams = [name for name in (self.merge.stream, self.gone) if name is not None]
        return (self.task, self.merge.staging, self.merge.final, *streams)

    def waits_for(self) -> ObjectName:
        return self.task

    def readiness(self, estate: Estate) -> Readiness:
        for stream in (self.merge.stream, self.gone):
            if stream is not None and not estate.saw("streams", stream.database, stream.schema):
                return blocked(f"streams in {stream.database}.{stream.schema} could not be looked at")
        first = ReplaceMerge(self.task, self.merge).readiness(estate)
        if first.state is State.BLOCKED:
            return first
        return READY if self.statements(estate) else DONE

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task = find_task(estate, self.task)
        found = []
        if self.merge.stream is not None and not reads(find_stream(estate, self.merge.stream), self.merge.staging):
            again = find_stream(estate, self.merge.stream) is not None
            found.append(create_stream(self.merge.stream, self.merge.staging, again=again))
        if task is not None:
            change = self._change(task, estate)
            name = qualified(self.task)
            if change and task.state.lower() == STARTED:
                found.append(Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"))
                found += [*change, Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}")]
            else:
                found += change
        if self.gone is not None and find_stream(estate, self.gone) is not None:
            found.append(Statement(f"DROP STREAM IF EXISTS {qualified(self.gone)}", f"drop the stream {self.gone}"))
        return tuple(found)

    def effect(self, estate: Estate) -> Estate:
        task = find_task(estate, self.task)
        assert task is not None
        after = dataclasses.replace(task, definition=self._body(estate), condition=self._condition)
        estate = with_task(estate, after)
        if self.gone is not None:
            kept = tuple(s for s in estate.streams if s.name != self.gone)
            estate = dataclasses.replace(estate, streams=kept)
        if self.merge.stream is None or reads(find_stream(estate, self.merge.stream), self.merge.staging):
            return estate
        return with_stream(estate, new_stream(self.merge.stream, self.merge.staging))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        """Nothing: both ways are right for the schema of before too."""
        return ()

    def summary(self) -> str:
        if self.merge.stream is None:
            return f"let {self.task} look for new files without a stream"
        return f"let {self.task} learn of new files by the stream {self.merge.stream}"

    @property
    def _condition(self) -> str | None:
        return condition(self.merge.stream) if self.merge.stream is not None else None

    def _change(self, task: Task, estate: Estate) -> list[Statement]:
        name, found = qualified(self.task), []
        body = self._body(estate)
        if task.definition.strip() != body.strip():
            found.append(replaced(task, self.task, self.merge.watermark, body))
        if self._condition is None and task.condition:
            found.append(Statement(f"ALTER TASK {name} REMOVE WHEN", f"let {self.task} run by its schedule alone"))
        if self._condition is not None and task.condition != self._condition:
            sql = f"ALTER TASK {name} MODIFY WHEN {self._condition}"
            found.append(Statement(sql, f"let {self.task} run only while the stream has rows"))
        return found

    def _body(self, estate: Estate) -> str:
        """The text, with what other revisions have added or begun since this one was planned."""
        task = find_task(estate, self.task)
        spec = with_others(self.merge, estate, task.definition if task else "")
        return generate(dataclasses.replace(spec, stream=self.merge.stream))


def reads(stream: Stream | None, table: ObjectName) -> bool:
    """Is the stream there, and of use to a merge? One whose table was not understood is taken as it is."""
    return stream is not None and not stream.stale and stream.mode == APPEND_ONLY and stream.table in (table, None)


def new_stream(stream: ObjectName, table: ObjectName) -> Stream:
    """The stream as `create_stream` makes it."""
    return Stream(stream, table, APPEND_ONLY)


def create_stream(stream: ObjectName, table: ObjectName, *, again: bool = False) -> Statement:
    """What the table has is in it from the start: the first run finds it."""
    head = "CREATE OR REPLACE STREAM" if again else "CREATE STREAM IF NOT EXISTS"
    grants = " COPY GRANTS" if again else ""
    sql = f"{head} {qualified(stream)}{grants} ON TABLE {qualified(table)} APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE"
    return Statement(sql, f"make the stream {stream}{' again' if again else ''}")
