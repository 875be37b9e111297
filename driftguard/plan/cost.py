"""What an operation costs: rows that it writes, who reads what it changes, and the way back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from driftguard.errors import PlanError
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard
from driftguard.model.snowflake import CONSUMERS, Consumer, Estate, SfTable
from driftguard.operations.add_pipe import AddPipe
from driftguard.operations.base import Operation, find_table
from driftguard.operations.create_landing import CreateLanding
from driftguard.operations.manual import Manual
from driftguard.operations.replace_pipe import ReplacePipe
from driftguard.operations.take_over import TakeOver

BEHIND = "readers as of OBJECT_DEPENDENCIES, which is up to three hours behind"
_NAMED = 3
_LOADS = "loads the files of the last 7 days in"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A table whose rows are written: at most this many. None where that could not be seen."""

    table: ObjectName
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operation, on the estate that it meets."""

    work: str
    rewrites: tuple[Rewrite, ...]
    readers: tuple[Consumer, ...] | None  # of the tables that it changes, directly; None where nobody could look
    undo: str
    hazards: tuple[Hazard, ...] = ()

    @property
    def line(self) -> str:
        """For a person."""
        parts = [self.work]
        if self.readers is None:
            parts.append("who reads it could not be looked at")
        elif self.readers:
            named = ", ".join(f"{c.name} ({c.domain.lower()})" for c in self.readers[:_NAMED])
            more = len(self.readers) - _NAMED
            parts.append(f"read by {named}{f' and {more} more' if more > 0 else ''}")
        return "; ".join([*parts, f"undo: {self.undo}"])

    @property
    def lines(self) -> tuple[str, ...]:
        """The same, and below it what a person has to say yes to."""
        return (self.line, *(f"needs --allow {hazard.kind}: {hazard.reason}" for hazard in self.hazards))

    def document(self) -> dict[str, Any]:
        """For programs. `readers` is null where nobody could look."""
        return {
            "work": self.work,
            "rewrites": [{"table": str(r.table), "rows": r.rows, "bytes": r.bytes} for r in self.rewrites],
            "readers": None
            if self.readers is None
            else [{"name": str(c.name), "domain": c.domain, "reads": str(c.reads)} for c in self.readers],
            "undo": self.undo,
            "hazards": [{"kind": str(hazard.kind), "reason": hazard.reason} for hazard in self.hazards],
        }


def cost(operation: Operation, estate: Estate, after: Estate, start: Estate) -> Cost:
    """What it costs to run `operation` on this estate, which is `after` it; `start` is the estate before the plan."""
    rewrites = tuple(_rewrite(name, estate) for name in operation.rewrites())
    changed = [name for name in operation.touches() if find_table(estate, name) != find_table(after, name)]
    tables = dict.fromkeys([*changed, *operation.rewrites()])
    readers: tuple[Consumer, ...] | None = ()
    if any(find_table(estate, name) is not None for name in tables):
        readers = None
        if CONSUMERS in estate.looked:
            readers = tuple(c for c in estate.consumers if c.reads in tables)
    work = _work(operation, rewrites, changed=bool(changed))
    return Cost(work, rewrites, readers, _undo(operation, start), operation.hazards())


def _rewrite(name: ObjectName, estate: Estate) -> Rewrite:
    table = find_table(estate, name) or SfTable(name, ())
    return Rewrite(name, table.row_count, table.bytes)


def _work(operation: Operation, rewrites: tuple[Rewrite, ...], *, changed: bool) -> str:
    if isinstance(operation, Manual):
        return "done by somebody else"
    if isinstance(operation, CreateLanding):
        return "new objects" + ("; the pipe loads the files of the last 7 days" if operation.with_pipe else "")
    if isinstance(operation, TakeOver):
        return "the merge runs once more" + (f"; {_LOADS} {operation.folder}" if operation.replace_pipe else "")
    if isinstance(operation, AddPipe | ReplacePipe):
        return f"{_LOADS} {operation.folder}"
    if rewrites:
        return "; ".join(f"writes {_size(item)} of {item.table}" for item in rewrites)
    return "metadata only" if changed else "changes no table"


def _size(item: Rewrite) -> str:
    rows = "an unknown number of rows" if item.rows is None else f"up to {item.rows:,} rows"
    return rows if item.bytes is None else f"{rows} ({_bytes(item.bytes)} in all)"


def _bytes(number: int) -> str:
    size = float(number)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _undo(operation: Operation, start: Estate) -> str:
    kept = operation.undo()
    if kept is not None:
        return kept.restore
    if isinstance(operation, Manual):
        return "where it was done"
    try:
        inverse = operation.inverse(start)
    except PlanError as error:
        return str(error.args[0]).removeprefix(f"{operation.summary()}: ")
    return ", ".join(item.summary() for item in inverse) or "left as it is, it does no harm"
