"""Read the rows since a change's epoch once more: those that were merged before the epoch was known."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.generate import again
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Operation
from driftguard.operations.milestone import reach, reached
from driftguard.operations.reading import Reading


@dataclass(frozen=True)
class ReadAgain(Reading, Operation):
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

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        what = f"read {', '.join(self.columns)} of {self.merge.final} again since the change"
        return (Statement(again(self.merge, self.marker, self.columns), what), reach(self.merge.watermark, self.name))

    def summary(self) -> str:
        return f"read {', '.join(self.columns)} of {self.merge.final} again since the change"
