"""Change data capture: what was committed since the last run, out of the WAL, into files.

A run reads a batch of whole transactions without consuming them, writes down which files they will make, writes the
files, writes down that they are done, and only then lets the slot move on. A crash between any two of these steps
repeats the rest with the same names, so nothing is lost and nothing is written twice.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from driftguard.errors import UnreachableError
from driftguard.model.settings import DmsTask
from driftguard.sandbox.dms import pgoutput, writer
from driftguard.sandbox.dms.pgoutput import Begin, Commit, Delete, Insert, Relation, Row, Truncate, Unchanged, Update
from driftguard.sandbox.dms.reports import Counts
from driftguard.sandbox.dms.route import (
    Cells,
    Images,
    Moment,
    Op,
    Route,
    Shape,
    change_sequence,
    sequence_clock,
    spelt,
    suspended_at_once,
)
from driftguard.sandbox.dms.source import Connection, Objects, Types, tables
from driftguard.sandbox.dms.state import Key, Pending, State
from driftguard.sandbox.dms.switches import Switches

CHANGES_IN_A_BATCH = 100_000


@dataclass(slots=True)
class File:
    """A file in the making: rows of one source table, in commit order, all of one shape."""

    folder: str
    source: int
    fields: list[tuple[str, Any]]
    first: dt.datetime
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    """A table in the stream. `route` is None for a table whose changes are not written."""

    relation: Relation
    label: str
    route: Route | None
    why_not: str = ""


@dataclass(slots=True)
class Outcome:
    """What has been written so far."""

    files: list[str] = field(default_factory=list)
    tables: dict[str, Counts] = field(default_factory=dict)
    last_commit: int | None = None
    notices: dict[str, None] = field(default_factory=dict)


class ChangeReader:
    """One run over the WAL. `save` makes a state durable; `step` is called at each point where a crash may be."""

    def __init__(
        self,
        connection: Connection,
        objects: Objects,
        task: DmsTask,
        switches: Switches,
        lake: Path,
        state: State,
        *,
        chosen: Callable[[str, str], bool],
        save: Callable[[State], None],
        step: Callable[[str], None],
        losses: Counter[str],
    ) -> None:
        self._connection = connection
        self._objects = objects
        self._task = task
        self._switches = switches
        self._lake = lake
        self._state = state
        self._chosen = chosen
        self._save = save
        self._step = step
        self._losses = losses
        self._types = Types(connection)
        self._sources: dict[int, _Source] = {}
        self._files: list[File] = []
        self._open: dict[tuple[str, int], File] = {}
        self._now = Moment("")
        self._partition = ""
        self.outcome = Outcome()

    def drain(self) -> Outcome:
        """Writes everything that was committed before this was called."""
        target = self._lsn("SELECT pg_current_wal_lsn()::text")
        if self._state.pending is not None:
            self._batch(self._state.pending.upto, None)
        while self._batch(target, CHANGES_IN_A_BATCH):
            pass
        self._advance(max(target, self._state.confirmed))
        return self.outcome

    # --- a batch ----------------------------------------------------------------------------------------------------

    def _batch(self, upto: int, limit: int | None) -> bool:
        """Writes one batch; False when there was nothing to read."""
        self._files, self._open, self._sources = [], {}, {}
        before = copy.deepcopy(self._state)
        pending = self._state.pending
        end = self._read(pending.upto if pending else None, self._peek(upto, limit))
        if pending is None:
            if end is None:
                return False
            # What was known before the batch is kept until it is written: reading it again must give the same.
            pending = before.pending = Pending(end, [self._name(file) for file in self._files])
            before.last_names = self._state.last_names
            self._save(before)
        self._step("planned")
        names = iter(pending.names)
        for file in self._files:
            name = next(names, None) or self._name(file)
            self._write(file, name)
            self.outcome.files.append(name)
        self._state.confirmed = pending.upto
        self._state.pending = None
        self._save(self._state)
        self._step("confirmed")
        self._advance(pending.upto)
        self._step("advanced")
        self.outcome.last_commit = pending.upto
        return True

    def _peek(self, upto: int, limit: int | None) -> Iterable[bytes]:
        try:
            rows = self._connection.execute(
                "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, %s::pg_lsn, %s, 'proto_version', '1', "
                "'publication_names', %s)",
                (
                    self._objects.slot,
                    pgoutput.format_lsn(upto),
                    limit,
                    f"{self._objects.rows},{self._objects.keyed}",
                ),
            )
        except (psycopg.errors.UndefinedObject, psycopg.errors.ObjectNotInPrerequisiteState) as error:
            raise UnreachableError(
                f"the replication slot cannot be read: {str(error).splitlines()[0]}",
                hint="changes may be lost; set the sandbox up again",
            ) from None
        return (row[0] for row in rows)

    def _read(self, bound: int | None, messages: Iterable[bytes]) -> int | None:
        """Turns messages into rows of files; the end of the last transaction, None if there was none."""
        end: int | None = None
        skip = True
        begin: Begin | None = None
        for data in messages:
            match pgoutput.decode(data):
                case Begin() as begin:
                    # A crash may have come between the confirmation and the slot's move.
                    skip = begin.commit_lsn < self._state.confirmed or (bound is not None and begin.commit_lsn >= bound)
                    if not skip:
                        self._begin(begin)
                case Commit(end_lsn=lsn) if not skip:
                    end = lsn
                case Relation() as relation:
                    self._relation(relation)
                case Insert() | Update() | Delete() as change if not skip and begin is not None:
                    self._change(change, begin)
                case Truncate(oids=oids) if not skip:
                    for truncated in (self._sources[oid] for oid in oids):
                        if truncated.route is not None:
                            self._notice(f"{truncated.label}: DMS does not capture TRUNCATE; its rows stay")
        return end

    def _begin(self, begin: Begin) -> None:
        # The clock of the sequence never goes back, though commit times may: it orders as the WAL does.
        self._state.clock = max(self._state.clock, sequence_clock(begin.commit_time))
        self._now = Moment(spelt(begin.commit_time), None, pgoutput.format_lsn(begin.commit_lsn))
        partition = writer.date_partition(self._task.endpoint, begin.commit_time)
        self._partition = f"/{partition}" if partition.parts else ""

    def _lsn(self, query: LiteralString) -> int:
        row = self._connection.execute(query).fetchone()
        return pgoutput.parse_lsn(row[0]) if row else 0

    def _advance(self, lsn: int) -> None:
        self._connection.execute(
            "SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (self._objects.slot, pgoutput.format_lsn(lsn))
        )

    def _notice(self, text: str) -> None:
        self.outcome.notices[text] = None

    # --- tables -----------------------------------------------------------------------------------------------------

    def _relation(self, relation: Relation) -> None:
        known = self._sources.get(relation.oid)
        if known is not None and known.relation == relation:
            return
        self._types.forget()
        label = f"{relation.schema}.{relation.table}"
        source = _Source(relation, label, None)
        self._sources[relation.oid] = source
        if relation.table.startswith("awsdms_"):
            source.why_not = "it belongs to DMS"
            return
        if not self._chosen(relation.schema, relation.table):
            source.why_not = "no rule selects it"
            return
        self._watch_key(relation, label)
        if label in self._state.suspended:
            source.why_not = self._state.suspended[label]
            return
        key = {column.name for column in relation.columns if column.key}
        if relation.identity != "d":
            present = next(iter(tables(self._connection, [relation.oid])), None)
            key = set(present.key) if present else key
        columns = tuple((column.name, column.type_oid, column.typmod) for column in relation.columns)
        shape = Shape(relation.schema, relation.table, columns, frozenset(key))
        reason = suspended_at_once(shape, self._types)
        if reason:
            self._state.suspended[label] = source.why_not = reason
            self._notice(f"{label} is not replicated: {reason}")
            return
        if label not in self._state.loaded:
            self._notice(f"{label} was created after the full load; its changes are replicated from its creation on")
        if not key and relation.identity != "f":
            self._notice(f"{label} has no primary key: DMS replicates its inserts, and ignores updates and deletes")
        first = self._state.shapes.setdefault(label, [name for name, _, _ in columns])
        follows = self._task.endpoint.capture_ddls and self._task.settings.handle_source_table_altered
        source.route = Route(
            shape, self._task, self._switches, self._types, self._losses, cdc=True, keep=None if follows else first
        )
        for notice in source.route.notices:
            self._notice(notice)

    def _watch_key(self, relation: Relation, label: str) -> None:
        """In "Using a PostgreSQL database as a source", limitations: after a change of the primary key's definition,
        changes of the table are not replicated. A renamed key column is no such change: its old name is gone from the
        table, and its new one was not there before."""
        if relation.identity != "d":
            return
        names = [column.name for column in relation.columns if column.key]
        columns = [column.name for column in relation.columns]
        known = self._state.keys.get(str(relation.oid))
        renamed = (
            known is not None
            and len(known.names) == len(names)
            and all(
                old == new or (old not in columns and new not in known.columns)
                for old, new in zip(known.names, names, strict=True)
            )
        )
        if known is None or not known.names or renamed or self._switches.primary_key_change == "followed":
            self._state.keys[str(relation.oid)] = Key(names, columns)
            return
        self._state.suspended[label] = "its primary key was redefined while the task ran"
        self._notice(f"{label} is no longer replicated: {self._state.suspended[label]}; reload it")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _change(self, change: Insert | Update | Delete, begin: Begin) -> None:
        source = self._sources[change.oid]
        route = source.route
        if route is None:
            if source.why_not in self._state.suspended.values():
                self._counts(source).ignored += 1
            return
        endpoint = self._task.endpoint
        if isinstance(change, Insert):
            self._put(source, route, "I", Images(_cells(change.new)), begin)
            self._counts(source).inserts += 1
        elif endpoint.cdc_inserts_only or (endpoint.cdc_inserts_and_updates and isinstance(change, Delete)):
            self._counts(source).ignored += 1
        elif isinstance(change, Update):
            self._update(source, route, change, begin)
        else:
            cells = _cells(change.old)
            if self._switches.delete_row == "key_only":
                cells = _only(route.shape, cells)
            self._put(source, route, "D", Images(cells, cells), begin)
            self._counts(source).deletes += 1

    def _update(self, source: _Source, route: Route, change: Update, begin: Begin) -> None:
        key = route.shape.key
        columns = source.relation.columns
        before: list[str | None] = [None] * len(columns)
        new_key = False
        for n, column in enumerate(columns):
            known = change.old is not None and (change.old_kind == "row" or column.key)
            old = change.old[n] if change.old is not None and known else None
            if column.name in key:
                new = change.new[n]
                moved = known and not isinstance(new, Unchanged) and old != new
                new_key = new_key or moved
                hidden = moved and self._switches.key_update == "update_with_new_key"
                before[n] = _cell(new) if hidden or not known else _cell(old)
            elif known:
                before[n] = _cell(old)
        if new_key and self._switches.key_update == "ignored":
            self._counts(source).ignored += 1
            return
        self._put(source, route, "U", Images(self._filled(source, route, change), before), begin)
        self._counts(source).updates += 1

    def _filled(self, source: _Source, route: Route, change: Update) -> Cells:
        """The new row, its unchanged large values as far as they can be had."""
        cells: list[str | None] = list(_cells(change.new))
        missing = [n for n, cell in enumerate(change.new) if isinstance(cell, Unchanged)]
        if missing and change.old is not None:
            for n in missing:
                if change.old_kind == "row" or source.relation.columns[n].key:
                    cells[n] = _cell(change.old[n])
        elif missing and self._switches.unchanged_toast == "looked_up":
            self._look_up(source, route, cells, missing)
        return cells

    def _look_up(self, source: _Source, route: Route, cells: list[str | None], missing: list[int]) -> None:
        columns = source.relation.columns
        wanted = [n for n in missing if columns[n].name in route.lobs]
        key = [n for n, column in enumerate(columns) if column.name in route.shape.key]
        if not wanted or not key:
            return
        query = sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(columns[n].name)) for n in wanted),
            sql.Identifier(source.relation.schema, source.relation.table),
            sql.SQL(" AND ").join(sql.SQL("{}::text = %s").format(sql.Identifier(columns[n].name)) for n in key),
        )
        try:
            row = self._connection.execute(query, [cells[n] for n in key]).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            row = None  # altered since
        for n, value in zip(wanted, row or (), strict=False):
            cells[n] = value

    def _counts(self, source: _Source) -> Counts:
        return self.outcome.tables.setdefault(source.label, Counts())

    def _put(self, source: _Source, route: Route, op: Op, images: Images, begin: Begin) -> None:
        self._state.changes += 1
        values = route.row(
            op, images, replace(self._now, sequence=change_sequence(self._state.clock, self._state.changes))
        )
        folder = f"{route.folder}{self._partition}"
        file = self._open.get((folder, source.relation.oid))
        if file is None or (file.fields != route.fields and not self._widened(file, route)):
            file = File(folder, source.relation.oid, list(route.fields), begin.commit_time)
            self._open[folder, source.relation.oid] = file
            self._files.append(file)
        if file.fields != route.fields:
            by_name = dict(zip((name for name, _ in route.fields), values, strict=True))
            values = [by_name.get(name) for name, _ in file.fields]
        file.rows.append(values)

    def _widened(self, file: File, route: Route) -> bool:
        """Makes room in an open file for the columns of a new shape, if the switch says so and no type changes."""
        present = dict(file.fields)
        if self._switches.cut_file_at_ddl or any(present.get(name, kind) != kind for name, kind in route.fields):
            return False
        new = [(name, kind) for name, kind in route.fields if name not in present]
        file.fields += new
        for row in file.rows:
            row.extend([None] * len(new))
        return True

    # --- files ------------------------------------------------------------------------------------------------------

    def _name(self, file: File) -> str:
        """A name of its own: after the last one of the folder, whatever task or partition wrote that."""
        moment = file.first.replace(microsecond=file.first.microsecond // 1000 * 1000)
        while True:
            name = writer.cdc_name(moment)
            if name > self._state.last_names.get(file.folder, "") and not (self._lake / file.folder / name).exists():
                self._state.last_names[file.folder] = name
                return f"{file.folder}/{name}"
            moment += dt.timedelta(milliseconds=1)

    def _write(self, file: File, name: str) -> None:
        path = self._lake / name
        if path.exists():  # written before a crash
            return
        columns = list(zip(*file.rows, strict=True))
        temporary = writer.stage(path, file.fields, columns, self._task.endpoint)
        self._step("staged")
        temporary.replace(path)
        self._step("written")


def _cell(cell: str | Unchanged | None) -> str | None:
    return None if isinstance(cell, Unchanged) else cell


def _cells(row: Row) -> Cells:
    return [None if isinstance(cell, Unchanged) else cell for cell in row]


def _only(shape: Shape, cells: Cells) -> Cells:
    key: Collection[str] = shape.key
    return [cell if name in key else None for (name, _, _), cell in zip(shape.columns, cells, strict=True)]
