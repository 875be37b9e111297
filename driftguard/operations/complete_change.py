"""Give FINAL's columns their names, and the merge the lists that it has without the change: the end of a change."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.errors import PlanError
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Hazard, HazardKind, Phase, Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, find_task, with_table, with_task
from driftguard.operations.bodies import replaced
from driftguard.operations.columns import look_up
from driftguard.operations.rename import Rename, progress, rename, renamed
from driftguard.operations.replace_merge import STARTED
from driftguard.operations.side_by_side import with_others
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True)
class CompleteChange(Operation):
    """SUSPEND → the renames, one after the other → MODIFY AS → RESUME; a task that was suspended stays suspended.

    Readers see a gap between two renames: Snowflake has no statement for both. `reload` says why FINAL has no value for
    old rows, where that is so; `ended` are the columns whose change is over.
    """

    kind = "complete_change"
    phase = Phase.CONTRACT

    task: ObjectName
    merge: MergeSpec
    renames: tuple[Rename, ...] = ()
    ended: tuple[str, ...] = ()
    reload: str = ""

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.task, self.merge.staging, self.merge.final)

    def waits_for(self) -> ObjectName:
        return self.task

    def hazards(self) -> tuple[Hazard, ...]:
        return (Hazard(HazardKind.RELOADS_FILES, self.reload),) if self.reload else ()

    def readiness(self, estate: Estate) -> Readiness:
        task = find_task(estate, self.task)
        if task is None:
            seen = estate.saw("tasks", self.task.database, self.task.schema)
            return blocked(f"{self.task} {'does not exist' if seen else 'could not be looked at'}")
        final, staging = look_up(estate, self.merge.final), look_up(estate, self.merge.staging)
        if isinstance(final, Readiness):
            return final
        if isinstance(staging, Readiness):
            return staging
        if progress(final, self.renames) is None:
            names = ", ".join(step.old for step in self.renames)
            return blocked(f"{self.merge.final} has not the columns to rename ({names})")
        after = self._after(final)
        for column in self.merge.columns:
            if after.column(column.final) is None or staging.column(column.staging) is None:
                missing = self.merge.final if after.column(column.final) is None else self.merge.staging
                return blocked(f"{missing} has no column {column.final}")
        same = task.definition.strip() == self._body(estate, final).strip()
        return DONE if same and after == final else READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        task, final = find_task(estate, self.task), look_up(estate, self.merge.final)
        if not isinstance(final, SfTable):
            return ()
        name = qualified(self.task)
        change = replaced(task, self.task, self.merge.watermark, self._body(estate, final))
        left = self.renames[progress(final, self.renames) or 0 :]
        renames = tuple(rename(self.merge.final, step.old, step.new) for step in left)
        if task is not None and task.state.lower() != STARTED:
            return (*renames, change)
        return (
            Statement(f"ALTER TASK {name} SUSPEND", f"suspend {self.task}"),
            *renames,
            change,
            Statement(f"ALTER TASK {name} RESUME", f"resume {self.task}"),
        )

    def effect(self, estate: Estate) -> Estate:
        task, final = find_task(estate, self.task), look_up(estate, self.merge.final)
        assert task is not None
        assert isinstance(final, SfTable)
        body = self._body(estate, final)
        estate = with_table(estate, self._after(final))
        return with_task(estate, dataclasses.replace(task, definition=body))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        back = ", ".join(f"{step.new} to {step.old}" for step in reversed(self.renames))
        how = f"rename {back} in {self.merge.final} by hand, and " if back else ""
        raise PlanError(
            f"{self.summary()}: not undone, because Aurora has the change", hint=f"{how}plan a change that leads on"
        )

    def summary(self) -> str:
        renames = ", ".join(f"{step.old} to {step.new}" for step in self.renames)
        return f"rename {renames} in {self.merge.final} and complete" if renames else f"complete {self.task}"

    def _after(self, final: SfTable) -> SfTable:
        for step in self.renames[progress(final, self.renames) or 0 :]:
            final = renamed(final, step.old, step.new)
        return final

    def _body(self, estate: Estate, final: SfTable) -> str:
        """The text, with what other revisions have added or begun since this one was planned."""
        task = find_task(estate, self.task)
        after = with_table(estate, self._after(final))
        return generate(with_others(self.merge, after, task.definition if task else "", self.ended))
