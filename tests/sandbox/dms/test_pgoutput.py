"""The decoder of pgoutput, byte by byte; that real WAL decodes is what the other tests of this room show."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftguard.errors import DriftguardError
from driftguard.sandbox.dms.pgoutput import (
    UNCHANGED,
    Begin,
    Commit,
    Delete,
    Insert,
    Relation,
    Truncate,
    Unchanged,
    Update,
    decode,
    format_lsn,
    parse_lsn,
)


def row(*cells: str | Unchanged | None) -> bytes:
    parts = [struct.pack(">h", len(cells))]
    for cell in cells:
        if cell is None:
            parts.append(b"n")
        elif isinstance(cell, str):
            parts.append(b"t" + struct.pack(">i", len(cell.encode())) + cell.encode())
        else:
            parts.append(b"u")
    return b"".join(parts)


OID = struct.pack(">I", 4_000_000_000)


@given(st.lists(st.none() | st.just(UNCHANGED) | st.text(), max_size=6))
def test_rows_of_any_content(cells: list[str | Unchanged | None]) -> None:
    assert decode(b"I" + OID + b"N" + row(*cells)) == Insert(4_000_000_000, tuple(cells))


def test_updates_with_and_without_an_old_row() -> None:
    assert decode(b"U" + OID + b"N" + row("1", UNCHANGED)) == Update(4_000_000_000, ("1", UNCHANGED), None, None)
    assert decode(b"U" + OID + b"K" + row("0", None) + b"N" + row("1", "a")) == Update(
        4_000_000_000, ("1", "a"), ("0", None), "key"
    )
    assert decode(b"U" + OID + b"O" + row("0", "b") + b"N" + row("1", "a")) == Update(
        4_000_000_000, ("1", "a"), ("0", "b"), "row"
    )


def test_deletes_truncates_and_the_ends_of_a_transaction() -> None:
    assert decode(b"D" + OID + b"K" + row("1", None)) == Delete(4_000_000_000, ("1", None), "key")
    assert decode(b"T" + struct.pack(">ibII", 2, 0, 7, 8)) == Truncate((7, 8))
    moment = dt.datetime(2000, 1, 1, 0, 0, 1, 500000, dt.UTC)
    assert decode(b"B" + struct.pack(">QqI", 2**40, 1_500_000, 77)) == Begin(2**40, moment, 77)
    assert decode(b"C" + struct.pack(">bQQq", 0, 1, 2, 1_500_000)) == Commit(1, 2, moment)


def test_a_relation_with_names_that_are_not_ascii() -> None:
    data = (
        b"R" + OID + "schéma\0表\0d".encode() + struct.pack(">h", 1) + b"\x01" + b"i d\0" + struct.pack(">Ii", 23, -1)
    )
    relation = decode(data)
    assert isinstance(relation, Relation)
    assert (relation.schema, relation.table, relation.identity) == ("schéma", "表", "d")
    assert [(c.name, c.type_oid, c.typmod, c.key) for c in relation.columns] == [("i d", 23, -1, True)]


def test_messages_without_rows_are_passed_over() -> None:
    assert decode(b"Y" + OID + b"public\0mood\0") is None
    assert decode(b"O" + struct.pack(">Q", 1) + b"origin\0") is None


@pytest.mark.parametrize("data", [b"Z", b"I" + OID + b"N" + struct.pack(">h", 1) + b"b"])
def test_what_it_does_not_know_is_an_error(data: bytes) -> None:
    with pytest.raises(DriftguardError, match="unknown kind"):
        decode(data)


@given(st.integers(0, 2**64 - 1))
def test_lsn_text_and_number(lsn: int) -> None:
    assert parse_lsn(format_lsn(lsn)) == lsn


def test_lsn_is_spelt_as_postgres_does() -> None:
    assert format_lsn(0x16_B374_D848) == "16/B374D848"
