"""What every operation can do, and the registry that revisions are read with."""

from __future__ import annotations

import dataclasses
import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from driftguard.errors import PlanError
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard, Phase, Statement
from driftguard.model.snowflake import Estate, Pipe, SfTable, Stream, Task
from driftguard.operations.codec import decode_fields, encode_fields
from driftguard.operations.undo import Undo


class State(enum.Enum):
    """`READY` to run · `DONE` already, in full · `WAITING` for somebody · `BLOCKED`: running it would be wrong."""

    READY = "ready"
    DONE = "done"
    WAITING = "waiting"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Readiness:
    """An operation's precondition, judged on an estate."""

    state: State
    reason: str = ""


READY = Readiness(State.READY)
DONE = Readiness(State.DONE)


def blocked(reason: str) -> Readiness:
    return Readiness(State.BLOCKED, reason)


def waiting(reason: str) -> Readiness:
    """Somebody else has to do something first; `reason` says what is still missing."""
    return Readiness(State.WAITING, reason)


@dataclass(frozen=True)
class Operation(ABC):
    """A frozen value. Subclasses are dataclasses whose fields are literals once encoded."""

    kind: ClassVar[str]
    phase: ClassVar[Phase] = Phase.EXPAND
    registry: ClassVar[dict[str, type[Operation]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.kind in Operation.registry:
            raise TypeError(f"two operations are called {cls.kind}")
        Operation.registry[cls.kind] = cls

    @abstractmethod
    def touches(self) -> tuple[ObjectName, ...]:
        """The Snowflake objects that it reads or changes."""

    @abstractmethod
    def readiness(self, estate: Estate) -> Readiness:
        """May it run on this estate? A thing that could not be looked at blocks; it is never taken as absent."""

    @abstractmethod
    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        """The SQL still to run on this estate, in order. Every statement can be run a second time."""

    @abstractmethod
    def effect(self, estate: Estate) -> Estate:
        """The estate as it is afterwards."""

    @abstractmethod
    def summary(self) -> str:
        """One line for a person."""

    def waits_for(self) -> ObjectName | None:
        """A task of which no run may be at work while anything but its suspension is done."""
        return None

    def graphs(self) -> tuple[ObjectName, ...]:
        """Roots of task graphs of which no run may be at work, likewise."""
        return ()

    def diff(self, estate: Estate) -> str:  # noqa: ARG002
        """What it changes in a text that people wrote, as a unified diff; empty where it is no such text."""
        return ""

    def drains(self) -> ObjectName | None:
        """A table into which no file may be on its way while anything but the pause of its pipe is done."""
        return None

    def hazards(self) -> tuple[Hazard, ...]:
        return ()

    def undo(self) -> Undo | None:
        """The clone that its first statement makes; every operation that loses data or rebuilds a table has one."""
        return None

    def undos(self) -> tuple[Undo, ...]:
        """All clones that it makes before anything else is done."""
        kept = self.undo()
        return (kept,) if kept is not None else ()

    def rewrites(self) -> tuple[ObjectName, ...]:
        """Tables whose rows it writes anew; empty where it changes metadata alone."""
        return ()

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        """What takes it back; nothing where it does no harm to leave it as it is.

        `left` is the estate without the columns that its revision added. Raises `PlanError` where there is no way back.
        """
        raise PlanError(f"{self.summary()}: cannot be undone", hint="plan a change that leads on from here")

    def arguments(self) -> dict[str, Any]:
        """The fields as literals, defaults left out: what a revision file holds."""
        return encode_fields(self)


def build(kind: str, arguments: dict[str, Any]) -> Operation:
    """The operation of a revision's call. Raises `KeyError` for an unknown kind, `ValueError` for wrong arguments."""
    cls = Operation.registry[kind]
    return decode_fields(cls, arguments)


def find_table(estate: Estate, name: ObjectName) -> SfTable | None:
    return next((t for t in estate.tables if t.name == name), None)


def find_task(estate: Estate, name: ObjectName) -> Task | None:
    return next((t for t in estate.tasks if t.name == name), None)


def find_pipe(estate: Estate, name: ObjectName) -> Pipe | None:
    return next((p for p in estate.pipes if p.name == name), None)


def with_table(estate: Estate, table: SfTable) -> Estate:
    """The estate with `table` in place of the one of its name, or added."""
    kept = tuple(t for t in estate.tables if t.name != table.name)
    return dataclasses.replace(estate, tables=tuple(sorted((*kept, table), key=lambda t: t.name)))


def with_task(estate: Estate, task: Task) -> Estate:
    kept = tuple(t for t in estate.tasks if t.name != task.name)
    return dataclasses.replace(estate, tasks=tuple(sorted((*kept, task), key=lambda t: t.name)))


def with_pipe(estate: Estate, pipe: Pipe) -> Estate:
    kept = tuple(p for p in estate.pipes if p.name != pipe.name)
    return dataclasses.replace(estate, pipes=tuple(sorted((*kept, pipe), key=lambda p: p.name)))


def find_stream(estate: Estate, name: ObjectName) -> Stream | None:
    return next((s for s in estate.streams if s.name == name), None)


def with_stream(estate: Estate, stream: Stream) -> Estate:
    kept = tuple(s for s in estate.streams if s.name != stream.name)
    return dataclasses.replace(estate, streams=tuple(sorted((*kept, stream), key=lambda s: s.name)))
