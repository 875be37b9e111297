"""Wait until everything that was committed before a change on Aurora has passed through, and learn when that was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_COMMIT_TS
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import DONE, READY, Operation, Readiness, blocked, waiting
from driftguard.operations.milestone import reach, reached, with_milestone
from driftguard.operations.pipes import all_of
from driftguard.sql.snowflake import literal, qualified, quote


@dataclass(frozen=True)
class Becomes:
    """A column as Aurora has it once the migration is deployed; `labels` are those of an enum."""

    column: str
    type: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class AwaitMarker(Operation):
    """The marker is a row that is written on Aurora in the migration's own transaction, or at any time after it.

    It has passed when it is in FINAL, the longest time has gone by for which DMS holds changes back, and the pipe of
    the table has nothing waiting: files of different tables travel independently of each other. Its commit time is the
    epoch of the change. `deployed` is what must be true on Aurora before driftguard writes the marker itself.
    """

    kind = "await_marker"
    phase = Phase.SETTLE

    name: str
    marker: ObjectName  # FINAL's table of markers
    column: str  # its column with the marker's name
    control: ObjectName
    final: ObjectName
    staging: ObjectName
    pipe: ObjectName
    table: tuple[str, str]  # schema and name on Aurora
    deployed: tuple[Becomes, ...]
    hold_seconds: int = 60
    key: tuple[str, ...] = ()  # the primary key, where that is what changes

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.final, self.staging, self.pipe)

    def readiness(self, estate: Estate) -> Readiness:
        if reached(estate, self.name):
            return DONE
        for kind, name in (("tables", self.final), ("pipes", self.pipe)):
            if not estate.saw(kind, name.database, name.schema):
                return blocked(f"{kind} in {name.database}.{name.schema} could not be looked at")
        arrived = next((m for m in estate.markers if m.name == self.name), None)
        if arrived is None:
            return waiting(f"the marker {self.name!r} is not in {self.marker} yet")
        age = _seconds_between(arrived.at, estate.captured_at)
        if age is not None and age < self.hold_seconds:
            return waiting(
                f"the marker was committed {age:.0f} s ago, and DMS may hold changes back for {self.hold_seconds} s"
            )
        pipes = all_of(estate, self.pipe)
        if self.pipe not in {p.name for p in pipes} or any(p.pending is None for p in pipes):
            return blocked(f"{self.pipe}: how many files wait could not be looked at")
        busy = next((p for p in pipes if p.pending), None)
        return waiting(f"{busy.name} has {busy.pending} files waiting") if busy else READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        source = f"\nFROM {qualified(self.marker)} AS m\nWHERE m.{quote(self.column)} = {literal(self.name)}"
        return (reach(self.control, self.name, f"m.{quote(DG_COMMIT_TS)}", source),)

    def effect(self, estate: Estate) -> Estate:
        arrived = next((m for m in estate.markers if m.name == self.name), None)
        return with_milestone(estate, self.name, arrived.at if arrived else "")

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not

    def summary(self) -> str:
        return f"wait until the marker {self.name} has passed {self.final}"


def _seconds_between(then: str, now: str) -> float | None:
    """Both ISO 8601 and UTC, with or without an offset; None where one is not a time."""
    try:
        ends = [datetime.fromisoformat(text).replace(tzinfo=None) for text in (then, now)]
    except ValueError:
        return None
    return (ends[1] - ends[0]).total_seconds()
