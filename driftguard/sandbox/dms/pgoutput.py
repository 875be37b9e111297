"""Decodes the messages of PostgreSQL's logical decoding plug-in pgoutput, protocol version 1.

Source: PostgreSQL documentation, "Logical Replication Message Formats". Values are in text format.
"""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from typing import Literal

from driftguard.errors import DriftguardError

_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Unchanged:
    """The one value that stands for a large value that an UPDATE left alone: it is not in the WAL."""

    _only: Unchanged | None = None

    def __new__(cls) -> Unchanged:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED = Unchanged()
Cell = str | None | Unchanged
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins. `commit_lsn` is where its commit record starts."""

    commit_lsn: int
    commit_time: dt.datetime
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction ends. `end_lsn` is the position after its commit record."""

    commit_lsn: int
    end_lsn: int
    commit_time: dt.datetime


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """A column as of the moment of the change. `key`: part of the replica identity."""

    name: str
    type_oid: int
    typmod: int
    key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """The shape of a table, sent before its first change and again after it was altered."""

    oid: int
    schema: str
    table: str
    identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    oid: int
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """A changed row. `old` is None, the old key ("key") or the whole old row ("row")."""

    oid: int
    new: Row
    old: Row | None
    old_kind: Literal["key", "row"] | None


@dataclass(frozen=True, slots=True)
class Delete:
    """A deleted row: its key, or the whole of it."""

    oid: int
    old: Row
    old_kind: Literal["key", "row"]


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables were truncated."""

    oids: tuple[int, ...]


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate


class _Cursor:
    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 1

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        values = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return values

    def text(self) -> str:
        end = self._data.index(0, self._at)
        value = self._data[self._at : end].decode()
        self._at = end + 1
        return value

    def byte(self) -> str:
        value = chr(self._data[self._at])
        self._at += 1
        return value

    def row(self) -> Row:
        data = self._data
        (count,) = _INT16.unpack_from(data, self._at)
        at = self._at + 2
        cells: list[Cell] = []
        for _ in range(count):
            kind = data[at]
            at += 1
            if kind == _TEXT:
                (length,) = _INT32.unpack_from(data, at)
                at += 4 + length
                cells.append(data[at - length : at].decode())
            elif kind == _NULL:
                cells.append(None)
            elif kind == _UNCHANGED:
                cells.append(UNCHANGED)
            else:
                raise DriftguardError(f"the WAL holds a value of the unknown kind {chr(kind)!r}")
        self._at = at
        return tuple(cells)


_TEXT, _NULL, _UNCHANGED = b"tnu"
_INT16 = struct.Struct(">h")
_INT32 = struct.Struct(">i")
_OID = struct.Struct(">I")
_BEGIN = struct.Struct(">QqI")
_COMMIT = struct.Struct(">bQQq")
_COLUMN_TYPE = struct.Struct(">Ii")
_TRUNCATE = struct.Struct(">ib")


def decode(data: bytes) -> Message | None:
    """One message; None for those that carry nothing for us (Type, Origin, logical messages)."""
    cursor = _Cursor(data)
    kind = chr(data[0])
    if kind == "I":
        (oid,) = cursor.unpack(_OID)
        cursor.byte()
        return Insert(oid, cursor.row())
    if kind == "U":
        (oid,) = cursor.unpack(_OID)
        old: Row | None = None
        old_kind: Literal["key", "row"] | None = None
        part = cursor.byte()
        if part in "KO":
            old, old_kind = cursor.row(), "key" if part == "K" else "row"
            cursor.byte()
        return Update(oid, cursor.row(), old, old_kind)
    if kind == "D":
        (oid,) = cursor.unpack(_OID)
        part = cursor.byte()
        return Delete(oid, cursor.row(), "key" if part == "K" else "row")
    if kind == "B":
        lsn, micros, xid = cursor.unpack(_BEGIN)
        return Begin(lsn, _time(micros), xid)
    if kind == "C":
        _, lsn, end, micros = cursor.unpack(_COMMIT)
        return Commit(lsn, end, _time(micros))
    if kind == "R":
        return _relation(cursor)
    if kind == "T":
        count, _ = cursor.unpack(_TRUNCATE)
        return Truncate(tuple(cursor.unpack(_OID)[0] for _ in range(count)))
    if kind in "YOM":
        return None
    raise DriftguardError(f"the WAL holds a message of the unknown kind {kind!r}")


def _relation(cursor: _Cursor) -> Relation:
    (oid,) = cursor.unpack(_OID)
    schema, table, identity = cursor.text() or "pg_catalog", cursor.text(), cursor.byte()
    (count,) = cursor.unpack(_INT16)
    columns = []
    for _ in range(count):
        key = cursor.byte() == "\x01"
        name = cursor.text()
        type_oid, typmod = cursor.unpack(_COLUMN_TYPE)
        columns.append(RelationColumn(name, type_oid, typmod, key))
    return Relation(oid, schema, table, identity, tuple(columns))


def _time(micros: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micros)


def format_lsn(lsn: int) -> str:
    """An LSN as PostgreSQL writes it, e.g. 16/B374D848."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def parse_lsn(text: str) -> int:
    """The number behind PostgreSQL's spelling of an LSN."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)
