"""What work outside driftguard has to bring about: a literal condition that an estate meets or does not meet."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Callable
from dataclasses import dataclass

from driftguard.drift.copying import Unreadable, read
from driftguard.drift.fit import Fit, fit
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, FileFormat, Pipe, SfColumn, SfTable, Task
from driftguard.operations.base import (
    DONE,
    Readiness,
    blocked,
    find_pipe,
    find_table,
    find_task,
    waiting,
    with_pipe,
    with_table,
    with_task,
)
from driftguard.operations.calls import below
from driftguard.operations.columns import ColumnDef
from driftguard.sql.snowflake import qualified, quote, stage_location


class Wanted(enum.StrEnum):
    """The closed set of things that can be waited for."""

    TABLE = "table"  # there, with `columns`: each takes every value of its type, and NULL unless it is required
    WITHOUT = "without"  # a table that is there and has none of `names`
    PIPE = "pipe"  # there
    FOLDER = "folder"  # a pipe that loads the folder `names` of its stage
    FILE_FORMAT = "file_format"  # there
    MERGE = "merge"  # a task, or a procedure that it calls, whose text names all of `names`


_KIND = {
    Wanted.TABLE: "tables",
    Wanted.WITHOUT: "tables",
    Wanted.PIPE: "pipes",
    Wanted.FOLDER: "pipes",
    Wanted.FILE_FORMAT: "file formats",
    Wanted.MERGE: "tasks",
}
_NOT_CODE = re.compile(r"--[^\n]*|//[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_][\w$]*)')


@dataclass(frozen=True)
class Predicate:
    """`names` are columns, as Snowflake stores them."""

    what: Wanted
    object: ObjectName
    columns: tuple[ColumnDef, ...] = ()
    names: tuple[str, ...] = ()

    def judge(self, estate: Estate) -> Readiness:
        """DONE, or waiting with what is missing. What could not be looked at blocks: it is not taken as absent."""
        if not estate.saw(_KIND[self.what], self.object.database, self.object.schema):
            return blocked(f"{self.object} could not be looked at")
        missing = _JUDGES[self.what](self, estate)
        return waiting(missing) if missing else DONE

    def met(self, estate: Estate) -> Estate:
        """The estate once it holds: what the later operations of a plan are judged on."""
        return estate if self.judge(estate) == DONE else _EFFECTS[self.what](self, estate)


def names_in(text: str) -> frozenset[str]:
    """The identifiers of an SQL text, as Snowflake stores them; strings and comments are left out."""
    found = _IDENTIFIER.findall(_NOT_CODE.sub(" ", text))
    return frozenset(quoted.replace('""', '"') if quoted else plain.upper() for quoted, plain in found)


def _table(wanted: Predicate, estate: Estate) -> str:
    table = find_table(estate, wanted.object)
    if table is None:
        return f"{wanted.object} does not exist"
    for column in wanted.columns:
        found = table.column(column.name)
        if found is None:
            return f"{wanted.object} has no column {column.name}"
        if fit(found.type, column.type) is not Fit.FITS:
            return f"{wanted.object}.{column.name} is {found.type}, not {column.type}"
        if not found.nullable and not column.required:
            return f"{wanted.object}.{column.name} is NOT NULL"
    return ""


def _without(wanted: Predicate, estate: Estate) -> str:
    table = find_table(estate, wanted.object)
    if table is None:
        return f"{wanted.object} does not exist"
    left = [name for name in wanted.names if table.column(name) is not None]
    return f"{wanted.object} still has {', '.join(left)}" if left else ""


def _pipe(wanted: Predicate, estate: Estate) -> str:
    return "" if find_pipe(estate, wanted.object) else f"{wanted.object} does not exist"


def _folder(wanted: Predicate, estate: Estate) -> str:
    pipe = find_pipe(estate, wanted.object)
    if pipe is None:
        return f"{wanted.object} does not exist"
    try:
        path = read(pipe).path.strip("/")
    except Unreadable as error:
        return f"{wanted.object} cannot be followed: {error}"
    return "" if (path,) == tuple(n.strip("/") for n in wanted.names) else f"{wanted.object} reads {path}/"


def _file_format(wanted: Predicate, estate: Estate) -> str:
    there = any(f.name == wanted.object for f in estate.file_formats)
    return "" if there else f"{wanted.object} does not exist"


def _merge(wanted: Predicate, estate: Estate) -> str:
    task = find_task(estate, wanted.object)
    if task is None:
        return f"{wanted.object} does not exist"
    named = names_in(task_text(task, estate))
    missing = [name for name in wanted.names if name not in named]
    return f"the merge of {wanted.object} does not name {', '.join(missing)}" if missing else ""


def task_text(task: Task, estate: Estate) -> str:
    """The task's text, and those of the procedures that run below it."""
    return "\n".join([task.definition, *(p.definition or "" for p in below(task, estate.procedures))])


def _with_columns(wanted: Predicate, estate: Estate) -> Estate:
    table = find_table(estate, wanted.object) or SfTable(wanted.object, ())
    columns = {c.name: c for c in table.columns}
    for c in wanted.columns:
        old = columns.get(c.name, SfColumn(c.name, c.type))
        kept = old.type if fit(old.type, c.type) is Fit.FITS else c.type
        columns[c.name] = dataclasses.replace(old, type=kept, nullable=old.nullable or not c.required)
    return with_table(estate, dataclasses.replace(table, columns=tuple(columns.values())))


def _without_columns(wanted: Predicate, estate: Estate) -> Estate:
    table = find_table(estate, wanted.object) or SfTable(wanted.object, ())
    kept = tuple(c for c in table.columns if c.name not in wanted.names)
    return with_table(estate, dataclasses.replace(table, columns=kept))


def _with_names(wanted: Predicate, estate: Estate) -> Estate:
    """What somebody will write is not known; the model has the names at the end of the text."""
    task = find_task(estate, wanted.object) or Task(wanted.object, "", "started")
    text = "\n".join([task.definition, *map(quote, wanted.names)])
    return with_task(estate, dataclasses.replace(task, definition=text))


def _with_folder(wanted: Predicate, estate: Estate) -> Estate:
    """What somebody will write is not known; the model has the shortest COPY from there."""
    table, place = qualified(wanted.object), stage_location(wanted.object, *wanted.names)
    return with_pipe(estate, Pipe(wanted.object, f"COPY INTO {table}\nFROM {place}"))


def _with_format(wanted: Predicate, estate: Estate) -> Estate:
    made = FileFormat(wanted.object, "PARQUET")
    return dataclasses.replace(estate, file_formats=(*estate.file_formats, made))


_JUDGES: dict[Wanted, Callable[[Predicate, Estate], str]] = {
    Wanted.TABLE: _table,
    Wanted.WITHOUT: _without,
    Wanted.PIPE: _pipe,
    Wanted.FOLDER: _folder,
    Wanted.FILE_FORMAT: _file_format,
    Wanted.MERGE: _merge,
}
_EFFECTS: dict[Wanted, Callable[[Predicate, Estate], Estate]] = {
    Wanted.TABLE: _with_columns,
    Wanted.WITHOUT: _without_columns,
    Wanted.PIPE: lambda wanted, estate: with_pipe(estate, Pipe(wanted.object, "")),
    Wanted.FOLDER: _with_folder,
    Wanted.FILE_FORMAT: _with_format,
    Wanted.MERGE: _with_names,
}
