"""What was written beside what arrived. Values in, values out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from driftguard.model.emission import EmittedColumn, Role
from driftguard.model.observed import Footer
from driftguard.probe import cases
from driftguard.probe.cases import CHANGES, LATER, Case
from driftguard.probe.files import Arrived, Cell, Watch
from driftguard.probe.source import Probe, Written

SAME = "same"
NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Side:
    """One way of a column, full load or CDC: the Parquet type that was seen (empty: no file, or no such column), and
    what became of each value."""

    parquet: str
    raw: str
    outcomes: tuple[
        tuple[str, str], ...
    ]  # (value as PostgreSQL shows it, same · changed: … · NULL · missing · not seen)
    file: str = ""
    written: str = ""

    @property
    def seen(self) -> bool:
        return any(outcome != NOT_SEEN for _, outcome in self.outcomes)

    @property
    def exact(self) -> bool:
        return bool(self.outcomes) and all(outcome == SAME for _, outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Tried:
    """One column of the probe."""

    table: str
    case: Case
    column: EmittedColumn | None  # as it was predicted; None where the prediction leaves it out
    load: Side
    cdc: Side


@dataclass(frozen=True, slots=True)
class Answer:
    """Something that AWS does not say, and what this pipeline does."""

    question: str
    answer: str


def tried(probe: Probe, watches: Mapping[str, Watch]) -> tuple[Tried, ...]:
    """Every case of every table, in order."""
    found = []
    for table, columns in probe.cases.items():
        watch = watches[table]
        predicted = {c.source: c for c in watch.emission.columns if c.role is Role.DATA}
        for case in columns:
            column = predicted.get(case.column)
            name = column.name if column else case.column
            load, cdc = (_side(probe, watch, table, case, name, load=kind) for kind in (True, False))
            found.append(Tried(table, case, column, load, cdc))
    return tuple(found)


def _side(probe: Probe, watch: Watch, table: str, case: Case, name: str, *, load: bool) -> Side:
    rows: dict[int, Arrived] = {row.number: row for row in watch.rows if row.load is load}
    footer = watch.newest(load=load)
    seen = footer.column(name) if footer else None
    outcomes = []
    for number, value in enumerate(case.values, start=1):
        written = probe.values[(table, number, case.column)]
        row = rows.get(number if load else LATER + number)
        if row is None and not load:
            row = rows.get(number)  # a task that was running takes the first rows for changes too
        outcomes.append((_short(written.text or value), _outcome(row, name, written, case)))
    return Side(
        (seen.parquet_type or f"unknown: {seen.raw}") if seen else "",
        seen.raw if seen else "",
        tuple(outcomes),
        footer.path if footer else "",
        footer.modified if footer else "",
    )


def _outcome(row: Arrived | None, name: str, written: Written, case: Case) -> str:
    if row is None:
        return NOT_SEEN
    if name not in row.cells:
        return "missing"
    cell = row.cells[name]
    if cell is None:
        return "NULL"
    return SAME if same(written, cell, case) else f"changed: {_short(written.text)} → {_short(cell.text)}"


def same(written: Written, cell: Cell, case: Case) -> bool:
    """Is it the same value, whatever its type in the file?"""
    value = cell.value
    try:
        if case.kind == "boolean":
            return (str(value).lower() in ("true", "t")) is (written.canonical == "true")
        if case.kind == "number":
            return Decimal(str(value)) == Decimal(written.canonical)
        if case.kind == "float":
            one, other = float(value), float(written.canonical)
            return (math.isnan(one) and math.isnan(other)) or (
                one == other and math.copysign(1, one) == math.copysign(1, other)
            )
        if case.kind == "bytes":
            return isinstance(value, bytes) and value.hex() == written.canonical
        if case.kind == "time":
            return str(value) == written.canonical if isinstance(value, int) else str(value) == written.text
        if case.kind == "json":
            return bool(_parsed(str(value)) == _parsed(written.canonical))
    except (ValueError, InvalidOperation):
        return False
    return str(value) == written.canonical


def _parsed(text: str) -> Any:
    """JSON with every key, also doubled ones, and numbers as they are written."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=lambda pairs: pairs)


def answers(watches: Mapping[str, Watch], found: Sequence[Tried]) -> tuple[Answer, ...]:
    """The open points that this run has something to say about."""
    by_column = {item.case.column: item for item in found}
    changes = watches[CHANGES]
    footers = [f for watch in watches.values() for f in watch.footers.values()]
    return (
        Answer("written by", ", ".join(sorted({f.created_by for f in footers})) or NOT_SEEN),
        Answer("timestamps marked as adjusted to UTC", _marked(by_column)),
        Answer("boolean in CDC", _boolean(watches["documented"])),
        Answer("unchanged large value in an update", _unchanged(changes)),
        Answer("update of a primary key", _new_key(changes)),
        Answer("deleted row", _deleted(changes)),
        Answer("rows of a full load", _load(watches.values())),
        *(
            Answer(f"{item.case.type} {value}", f"full load: {load}; CDC: {cdc}")
            for item in found
            if item.table == cases.EDGE_TABLE
            for (value, load), (_, cdc) in zip(item.load.outcomes, item.cdc.outcomes, strict=True)
        ),
    )


def _marked(found: Mapping[str, Tried]) -> str:
    said = []
    for name in ("a_timestamp", "a_timestamptz"):
        item = found.get(name)
        for kind, side in (("full load", item.load), ("CDC", item.cdc)) if item else ():
            if side.raw:
                marked = "yes" if side.parquet.startswith("TIMESTAMP_UTC") else "no"
                said.append(f"{item.case.type} in {kind}: {marked} ({side.raw})" if item else "")
    return "; ".join(said) or NOT_SEEN


def _boolean(watch: Watch) -> str:
    name = next((c.name for c in watch.emission.columns if c.source == "a_boolean"), "a_boolean")
    cells = {row.cells.get(name) for row in watch.rows if not row.load}
    values = sorted({repr(cell.value) for cell in cells if cell is not None})
    return " or ".join(values) or NOT_SEEN


def _unchanged(watch: Watch) -> str:
    name = _name(watch, "large")
    rows = [r for r in watch.rows if not r.load and r.number == cases.UNTOUCHED and r.op == "U"]
    if not rows:
        return NOT_SEEN
    if name not in rows[-1].cells:
        return "the column is not in the file"
    cell = rows[-1].cells[name]
    if cell is None:
        return "NULL: an update erases it unless the merge keeps what FINAL has"
    return "looked up: the whole value" if len(str(cell.value)) == cases.LARGE else "cut"


def _new_key(watch: Watch) -> str:
    rows = [r for r in watch.rows if not r.load and r.number in (cases.OLD_KEY, cases.NEW_KEY) and r.op != "I"]
    inserted = [r for r in watch.rows if not r.load and r.number == cases.NEW_KEY and r.op == "I"]
    if not rows and not inserted:
        return "no row at all: it is ignored" if watch.done() else NOT_SEEN
    said = [f"{r.op} with the {'new' if r.number == cases.NEW_KEY else 'old'} key" for r in (*rows, *inserted)]
    before = next((c for c in watch.emission.columns if c.role is Role.BEFORE_IMAGE and c.source == "id"), None)
    if before is not None and rows:
        cell = rows[-1].cells.get(before.name)
        said.append(
            f"{before.name} holds {cell.text if cell else 'NULL'} (old key {cases.OLD_KEY}, new {cases.NEW_KEY})"
        )
    return "; ".join(dict.fromkeys(said))


def _deleted(watch: Watch) -> str:
    rows = [r for r in watch.rows if not r.load and r.number == cases.DELETED and r.op == "D"]
    if not rows:
        return NOT_SEEN
    filled = sorted(n for n in ("small", "large", "flag") if rows[-1].cells.get(_name(watch, n)) is not None)
    return f"D with the key and {', '.join(filled)}" if filled else "D with the key alone"


def _load(watches: Iterable[Watch]) -> str:
    for watch in watches:
        rows = [r for r in watch.rows if r.load]
        if not rows:
            continue
        said = [f"Op {rows[0].op!r}" if rows[0].op is not None else "no Op"]
        for role, word in ((Role.COMMIT_TIME, "commit time"), (Role.CHANGE_SEQ, "change sequence")):
            column = watch.emission.role(role)
            if column is not None:
                cell = rows[0].cells.get(column.name)
                said.append(f"{word} {cell.text if cell else 'NULL'}")
        return ", ".join(said)
    return f"{NOT_SEEN}: the task was running already, so it took the tables for changes"


def _name(watch: Watch, source: str) -> str:
    return next((c.name for c in watch.emission.columns if c.source == source and c.role is Role.DATA), source)


def footers_of(watches: Iterable[Watch]) -> tuple[Footer, ...]:
    """The newest file of each kind of each table."""
    found = (watch.newest(load=kind) for watch in watches for kind in (True, False))
    return tuple(f for f in found if f is not None)


def _short(text: str, most: int = 40) -> str:
    shown = repr(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}… ({len(text)} characters)"
