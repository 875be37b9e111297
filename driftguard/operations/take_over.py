"""Let driftguard's pipe and merge take a landing over from those that people made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.errors import PlanError
from driftguard.merge.generate import is_generated
from driftguard.merge.takeover import files_taken, order_known
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import STAGING_SERVICE
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Hazard, HazardKind, Statement
from driftguard.model.snowflake import Estate, Pipe
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    State,
    blocked,
    find_pipe,
    find_table,
    find_task,
    with_pipe,
    with_task,
)
from driftguard.operations.change_consumption import ChangeConsumption
from driftguard.operations.columns import ColumnDef, lacking
from driftguard.operations.create_landing import create_file_format, with_file_format
from driftguard.operations.pipes import PAUSED, Folder, properties, refresh, switch
from driftguard.operations.replace_merge import STARTED
from driftguard.operations.rewrite_merge import digest, unified
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class TakeOver(Operation):
    """Pause → SUSPEND → the old merge once more → what STAGING gains → pipe and merge anew → RESUME → REFRESH.

    Nothing is on its way when the old merge runs for the last time: it has merged all that was loaded, and its rows
    stay as they are. FINAL learns the commit of the newest change that STAGING has of each row, files that STAGING has
    by name count as taken, and from there on the generated merge works. REFRESH loads the files of the last 7 days once
    more, and what was written in between: the queue of a pipe is lost when it is made anew ("Managing Snowpipe",
    docs.snowflake.com). A pipe that loads what is needed stays, and is resumed. `before` is the digest of the old text;
    one that somebody has changed since is left alone. `only_theirs` are columns of FINAL that only the old merge fills.
    """

    kind = "take_over"

    task: ObjectName
    before: str
    merge: MergeSpec
    pipe: ObjectName
    stage: ObjectName
    path: str
    file_format: ObjectName
    add_to_staging: tuple[ColumnDef, ...] = ()
    replace_pipe: bool = False
    only_theirs: tuple[str, ...] = ()

    @property
    def folder(self) -> Folder:
        return Folder(self.merge.staging, self.stage, self.path, self.file_format)

    def touches(self) -> tuple[ObjectName, ...]:
        stream = [self.merge.stream] if self.merge.stream is not None else []
        return (self.task, self.pipe, self.merge.staging, self.merge.final, *stream)

    def waits_for(self) -> ObjectName:
        return self.task

    def drains(self) -> ObjectName:
        return self.merge.staging

    def hazards(self) -> tuple[Hazard, ...]:
        what = f"the merge of {self.task} was written by hand, and driftguard's takes its place"
        if self.only_theirs:
            what += f"; nothing fills {', '.join(self.only_theirs)} of {self.merge.final} from then on"
        found = [Hazard(HazardKind.REPLACES_HANDWRITTEN, what)]
        if self.replace_pipe:
            pipe = f"grants on {self.pipe} are gone, and files of the last 7 days in {self.path} are loaded twice"
            found.append(Hazard(HazardKind.REPLACES_PIPE, pipe))
        return tuple(found)

    def readiness(self, estate: Estate) -> Readiness:
        for kind, name in (
            ("tasks", self.task),
            ("pipes", self.pipe),
            ("streams", self.merge.stream),
            ("file formats", self.file_format),
        ):
            if name is not None and not estate.saw(kind, name.database, name.schema):
                return blocked(f"{kind} in {name.database}.{name.schema} could not be looked at")
        task, pipe = find_task(estate, self.task), find_pipe(estate, self.pipe)
        if task is None or pipe is None:
            return blocked(f"{self.task if task is None else self.pipe} does not exist")
        if task.predecessors:
            return blocked(f"{self.task} runs after {', '.join(task.predecessors)}; driftguard's merges stand alone")
        ours = is_generated(task.definition)
        if not ours and digest(task.definition) != self.before:
            return blocked(f"the text of {self.task} has been changed since this was planned")
        added = self._add()
        if added is not None and (first := added.readiness(estate)).state is State.BLOCKED:
            return first
        gained = {c.name for c in self.add_to_staging}
        missing = lacking(
            estate,
            (self.merge.staging, set(self.merge.stored) - gained),
            (self.merge.final, {c.final for c in self.merge.columns} | set(self.merge.own_columns)),
        )
        return missing or (READY if self.statements(estate) else DONE)

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task, pipe = find_task(estate, self.task), find_pipe(estate, self.pipe)
        if task is None:
            return ()
        name = qualified(self.task)
        first: list[Statement] = []
        if not is_generated(task.definition):
            first = self._last_run(estate)
        renewed = self._renewed(pipe, estate)
        asleep = with_task(estate, dataclasses.replace(task, state="suspended"))
        work = [*first, *renewed, *self._consuming.statements(asleep)]
        if not work:
            return ()
        running = pipe is not None and pipe.state != PAUSED
        started = task.state.lower() == STARTED
        found = [switch(self.pipe, off=True)] if running else []
        if started:
            found.append(Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"))
        found += work
        if renewed and not running:
            found.append(switch(self.pipe, off=True))
        if renewed:
            found.append(refresh(self.pipe, self.merge.staging))
        elif running:
            found.append(switch(self.pipe, off=False))
        if started:
            found.append(Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}"))
        return tuple(found)

    def _last_run(self, estate: Estate) -> list[Statement]:
        """The old merge once more, and what the new one has to know of it."""
        staging = find_table(estate, self.merge.staging)
        there = {c.name for c in staging.columns} if staging is not None else set()
        added = self._add()
        found = [Statement(f"EXECUTE TASK {qualified(self.task)}", f"let the old merge of {self.task} run once more")]
        found += added.statements(estate) if added is not None else ()
        if set(STAGING_SERVICE) <= there:
            found.append(Statement(files_taken(self.merge), f"note the files that {self.merge.staging} has as taken"))
        if self.merge.commit_time in there:
            what = f"note in {self.merge.final} from when its rows are"
            found.append(Statement(order_known(self.merge), what))
        return found

    def _renewed(self, pipe: Pipe | None, estate: Estate) -> list[Statement]:
        if pipe is None or not self.replace_pipe or self._copies(pipe):
            return []
        sql = f"CREATE OR REPLACE PIPE {qualified(self.pipe)} {properties(pipe)} AS\n{self.folder.copy}"
        made = Statement(sql, f"let {self.pipe} load all columns of {self.folder} by their names")
        return [*create_file_format(self.file_format, estate), made]

    def _copies(self, pipe: Pipe) -> bool:
        return pipe.definition.strip() == self.folder.copy.strip()

    def effect(self, estate: Estate) -> Estate:
        task, pipe = find_task(estate, self.task), find_pipe(estate, self.pipe)
        added = self._add()
        if added is not None:
            estate = added.effect(estate)
        if pipe is not None and self.replace_pipe:
            estate = with_file_format(estate, self.file_format)
            estate = with_pipe(estate, dataclasses.replace(pipe, definition=self.folder.copy, pending=0))
        elif pipe is not None:
            estate = with_pipe(estate, dataclasses.replace(pipe))  # it is paused meanwhile
        return self._consuming.effect(estate) if task is not None else estate

    def summary(self) -> str:
        return f"take over {self.merge.final}: driftguard's merge in {self.task} in place of the one written by hand"

    def diff(self, estate: Estate) -> str:
        """The old text, so that it can be found again: the new one has nothing of it."""
        task = find_task(estate, self.task)
        if task is None or is_generated(task.definition):
            return ""
        return unified(str(self.task), task.definition.strip(), "")

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        raise PlanError(
            f"{self.summary()}: not undone, because the old merge does not know what this one has merged",
            hint="put the old text back (`driftguard adopt` printed it), and let DMS reload the table",
        )

    @property
    def _consuming(self) -> ChangeConsumption:
        return ChangeConsumption(self.task, self.merge)

    def _add(self) -> AddColumns | None:
        return AddColumns(self.merge.staging, self.add_to_staging) if self.add_to_staging else None
