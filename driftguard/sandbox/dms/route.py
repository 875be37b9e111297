"""The way of a row from a source table to a Parquet row: which columns, under which names, with which values."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal

import pyarrow as pa

from driftguard.emission.mappings import transform
from driftguard.model.mappings import SourceColumn, TargetColumn, TargetTable
from driftguard.model.settings import DmsTask
from driftguard.sandbox.dms import writer
from driftguard.sandbox.dms.source import Types
from driftguard.sandbox.dms.switches import Switches
from driftguard.sandbox.dms.values import Conditions, NotRepresentable, ValueRule, overridden, rule_for, typed

Op = Literal["I", "U", "D"]
Cells = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A source table at one moment: its columns as (name, type oid, typmod), and the names of its key."""

    schema: str
    table: str
    columns: tuple[tuple[str, int, int], ...]
    key: frozenset[str]

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a row came about: commit or transfer time as DMS spells it, the 35 digits of the change, the position in the
    WAL."""

    text: str
    sequence: str | None = None
    position: str | None = None


@dataclass(frozen=True, slots=True)
class Images:
    """The cells of one row by source position. `before`: the old values as far as known, None for an insert."""

    cells: Cells
    before: Cells | None = None


Producer = Callable[[Op, Images, Moment], Any]


class Route:
    """Made once for a shape; then `row` turns each row of the source into the values of a Parquet row."""

    def __init__(
        self,
        shape: Shape,
        task: DmsTask,
        switches: Switches,
        types: Types,
        losses: Counter[str],
        *,
        cdc: bool,
        keep: Collection[str] | None = None,
    ) -> None:
        self.shape = shape
        self.notices: list[str] = []
        self._losses = losses
        on = Conditions(task.endpoint, task.settings, switches, cdc, self._note_of(""))
        rules: dict[str, ValueRule] = {}
        for name, type_oid, typmod in shape.columns:
            rule = rule_for(types.resolve(type_oid, typmod), replace(on, note=self._note_of(name)))
            reason = self._left_out(name, rule, task, keep)
            if reason:
                self.notices.append(f"{shape.label}.{name} is not replicated: {reason}")
            else:
                rules[name] = rule
        self.lobs = frozenset(name for name, rule in rules.items() if rule.lob)
        sources = [SourceColumn(name, rule.lob, name in shape.key, rule.dms_type) for name, rule in rules.items()]
        self.target: TargetTable = transform(task.mappings, shape.schema, shape.table, sources)
        lob_key = sorted(self.lobs & shape.key)
        if lob_key:
            self.notices.append(
                f"{shape.label}: its key has the LOB column {', '.join(lob_key)}, which DMS does not support"
            )
        self.notices += [f"{shape.label}: {warning.message}" for warning in self.target.warnings]
        self.folder: PurePosixPath = writer.folder_of(
            task.endpoint, task.settings.target_schema or self.target.schema, self.target.table
        )
        self.fields: list[tuple[str, Any]] = []
        self._producers: list[Producer] = []
        self._build(task, rules, on, cdc)

    def row(self, op: Op, images: Images, moment: Moment) -> list[Any]:
        """The values of one Parquet row, in the order of `fields`."""
        return [produce(op, images, moment) for produce in self._producers]

    # --- columns ----------------------------------------------------------------------------------------------------

    def _left_out(self, name: str, rule: ValueRule, task: DmsTask, keep: Collection[str] | None) -> str | None:
        """Why a column is not written. Sources: "Using a PostgreSQL database as a source", limitations; "Target
        metadata task settings", SupportLobs; "Table and collection settings": LOBs need a primary key."""
        if rule.arrow is None:
            return "DMS does not migrate its type"
        if rule.lob and not task.settings.support_lobs:
            return "it is a LOB, and SupportLobs is false"
        if rule.lob and not self.shape.key:
            return "it is a LOB in a table without a primary key"
        if keep is not None and name not in keep:
            return "it was added while the task does not follow DDL (CaptureDdls, HandleSourceTableAltered)"
        return None

    def _build(self, task: DmsTask, rules: dict[str, ValueRule], on: Conditions, cdc: bool) -> None:
        endpoint = task.endpoint
        if endpoint.op_in_cdc if cdc else endpoint.op_in_full_load:
            self._add("Op", pa.string(), lambda op, _images, _moment: op)
        positions = {name: n for n, (name, _, _) in enumerate(self.shape.columns)}
        for column in self.target.columns:
            if column.source is None:
                self._add_made(column, on)
                continue
            rule = rules[column.source]
            if column.data_type is not None:
                rule = overridden(rule, column.data_type, replace(on, note=self._note_of(column.source)))
            if column.masking:
                self.notices.append(f"{self.shape.label}.{column.source}: {column.masking} is not imitated")
            self._add_value(column, positions[column.source], rule)
        if endpoint.timestamp_column_name:
            # "Using Amazon S3 as a target", TimestampColumnName: a string yyyy-MM-dd HH:mm:ss.SSSSSS
            self._add(endpoint.timestamp_column_name, pa.string(), lambda _op, _images, moment: moment.text)
        doubles = [name for name, count in Counter(name for name, _ in self.fields).items() if count > 1]
        if doubles:
            self.notices.append(f"{self.shape.label} is written with two columns {', '.join(doubles)}")

    def _add(self, name: str, arrow: Any, produce: Producer) -> None:
        self.fields.append((name, arrow))
        self._producers.append(produce)

    def _add_value(self, column: TargetColumn, position: int, rule: ValueRule) -> None:
        convert, label, losses = rule.convert, f"{self.shape.label}.{column.source}", self._losses

        def value(text: str | None) -> Any:
            if text is None:
                return None
            try:
                return convert(text)
            except NotRepresentable as reason:
                losses[f"{label}: {reason} became NULL"] += 1
                return None

        if not column.before_image:
            self._add(column.name, rule.arrow, lambda _op, images, _moment: value(images.cells[position]))
        elif rule.lob:  # "Transformation rules": the before-image of a LOB is void
            self._add(column.name, rule.arrow, lambda _op, _images, _moment: None)
        else:
            self._add(
                column.name,
                rule.arrow,
                lambda _op, images, _moment: None if images.before is None else value(images.before[position]),
            )

    def _add_made(self, column: TargetColumn, on: Conditions) -> None:
        """An add-column rule. "Using transformation rule expressions to define column content": the headers are
        imitated, and literals; other expressions are SQLite's, and give NULL here."""
        expression = (column.expression or "").strip()
        text = _HEADERS.get(expression)
        literal = re.fullmatch(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)", expression)
        if text is None and literal:
            constant = literal[2] if literal[1] is None else literal[1].replace("''", "'")
            text = lambda _op, _moment: constant  # noqa: E731
        if text is None and expression in ("$AR_M_SOURCE_SCHEMA", "$AR_M_SOURCE_TABLE_NAME"):
            name = self.shape.schema if expression.endswith("SCHEMA") else self.shape.table
            text = lambda _op, _moment: name  # noqa: E731
        if text is None:
            self.notices.append(
                f"{self.shape.label}.{column.name}: the expression {expression!r} is not worked out here: NULL"
            )
            text = lambda _op, _moment: None  # noqa: E731
        rule = typed(column.data_type, replace(on, note=self._note_of(column.name))) if column.data_type else None
        arrow, convert, give = (rule.arrow if rule else pa.string()), (rule.convert if rule else str), text

        def produce(op: Op, _images: Images, moment: Moment) -> Any:
            value = give(op, moment)
            if value is None:
                return None
            try:
                return convert(value)
            except (NotRepresentable, ValueError, ArithmeticError):
                self._losses[f"{self.shape.label}.{column.name}: {expression} became NULL"] += 1
                return None

        self._add(column.name, arrow, produce)

    def _note_of(self, column: str) -> Callable[[str], None]:
        label, losses = f"{self.shape.label}.{column}", self._losses

        def note(message: str) -> None:
            losses[f"{label}: {message}"] += 1

        return note


def suspended_at_once(shape: Shape, types: Types) -> str | None:
    """Why DMS does not take a table at all. "Using a PostgreSQL database as a source", limitations: a table with an
    array column must have a primary key."""
    arrays = [name for name, oid, typmod in shape.columns if types.resolve(oid, typmod).kind == "array"]
    if arrays and not shape.key:
        return f"it has the array column {', '.join(arrays)} and no primary key"
    return None


def spelt(moment: dt.datetime) -> str:
    """A time as in the column of TimestampColumnName."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


_OPERATIONS = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}
_HEADERS: dict[str, Callable[[Op, Moment], str | None]] = {
    "$AR_H_CHANGE_SEQ": lambda _op, moment: moment.sequence,
    "$AR_H_STREAM_POSITION": lambda _op, moment: moment.position,
    "$AR_H_TIMESTAMP": lambda _op, moment: moment.text,
    "$AR_H_COMMIT_TIMESTAMP": lambda _op, moment: moment.text,
    "$AR_H_OPERATION": lambda op, _moment: _OPERATIONS[op],
}


def change_sequence(clock: str, number: int) -> str:
    """$AR_H_CHANGE_SEQ: 35 digits, a time of 16 and a number of 19."""
    return f"{clock}{number:019d}"


def sequence_clock(moment: dt.datetime) -> str:
    """The first 16 digits of a change sequence: a time to the hundredth of a second."""
    return f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 10000:02d}"
