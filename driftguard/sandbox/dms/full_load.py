"""The full load: the rows of a table as they are now, in files LOAD00000001.parquet and on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from psycopg import sql

from driftguard.model.settings import DmsTask
from driftguard.sandbox.dms import writer
from driftguard.sandbox.dms.route import Images, Moment, Route, Shape, change_sequence, sequence_clock, spelt
from driftguard.sandbox.dms.source import Connection, Table, Types
from driftguard.sandbox.dms.switches import Switches

ROWS_IN_A_FILE = 200_000


def shape_of(table: Table) -> Shape:
    """A table of the catalog as a route takes it."""
    columns = tuple((column.name, column.type_oid, column.typmod) for column in table.columns)
    return Shape(table.schema, table.name, columns, frozenset(table.key))


def load_table(
    connection: Connection,
    table: Table,
    task: DmsTask,
    switches: Switches,
    types: Types,
    lake: Path,
    clock: Callable[[], dt.datetime],
    losses: Counter[str],
    prepare: Callable[[Path], None],
) -> tuple[int, list[str], list[str]]:
    """Writes all rows of a table; the number of rows, the files relative to the lake, the notices.

    `clock` gives the time of the rows: of their transfer, or of the task's start. `prepare` is given the folder first.
    No file is seen before all of them are written. "Using a PostgreSQL database as a source", limitations: a parent
    table is read without ONLY, so that the rows of its inheriting tables are in its files too.
    """
    route = Route(shape_of(table), task, switches, types, losses, cdc=False)
    folder = lake / route.folder
    prepare(folder)
    number = writer.next_load_number(folder)
    staged: list[tuple[Path, Path]] = []
    total = 0
    try:
        for rows in _chunks(connection, table):
            now = clock()
            sequence = None if switches.full_load_sequence == "null" else change_sequence(sequence_clock(now), 0)
            moment = Moment(spelt(now), sequence)
            written = [route.row("I", Images(row), moment) for row in rows]
            path = folder / writer.load_name(number + len(staged))
            columns = list(zip(*written, strict=True)) or [()] * len(route.fields)
            staged.append((writer.stage(path, route.fields, columns, task.endpoint), path))
            total += len(rows)
        for temporary, path in staged:
            temporary.replace(path)
    except BaseException:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        raise
    return total, [path.relative_to(lake).as_posix() for _, path in staged], route.notices


def _chunks(connection: Connection, table: Table) -> Iterator[list[tuple[str | None, ...]]]:
    """The rows as text, from one snapshot; the same text that the WAL gives. Nothing for an empty table."""
    query = sql.SQL("COPY (SELECT {} FROM {}{}.{}) TO STDOUT").format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
        sql.SQL("ONLY " if table.kind == "partition" else ""),
        sql.Identifier(table.schema),
        sql.Identifier(table.name),
    )
    rows: list[tuple[str | None, ...]] = []
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy.rows():
            rows.append(row)
            if len(rows) == ROWS_IN_A_FILE:
                yield rows
                rows = []
    if rows:
        yield rows
