"""Changes that pass through a merge: random histories with a DDL in them, loaded in any order, files late, the epoch
known late. The end must be what PostgreSQL would have. With the epochs taken out of the merge, it is not.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from driftguard.merge.generate import again, generate
from driftguard.merge.transitions import under_way
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import Default, Earlier, MergeColumn, MergeSpec
from driftguard.operations.backfill import Backfill
from driftguard.sql.snowflake import literal, names, parse_type, quote

TEXT, CLOCK = "VARCHAR(134217728)", "TIMESTAMP_NTZ(9)"
MARKER = "DB.FINAL.T:1:abc"
ZONE = "America/New_York"
ID = MergeColumn("ID", "ID", key=True)
Row = dict[str, Any]
_NUMBERS = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Change:
    """`before` and `after` are the columns of Aurora, `ddl` what the migration makes of a row that is there."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    ddl: Callable[[Row], Row]
    columns: tuple[MergeColumn, ...]  # of the merge, while the change passes
    shown: dict[str, str]  # Aurora's column afterwards → FINAL's meanwhile
    fills: tuple[Callable[[MergeSpec], Backfill], ...] = ()
    required: tuple[str, ...] = ()
    kind: str = TEXT
    final: str = TEXT


def _default(column: MergeColumn) -> Callable[[MergeSpec], Backfill]:
    return lambda spec: Backfill(
        "fill", spec.final, spec.watermark, ("ID",), column, default=column.default, nullable=column.since
    )


D = MergeColumn("D", "D", marker=MARKER, since=True, default=Default("7", parse_type(TEXT)))
S = MergeColumn("S", "S", marker=MARKER, default=Default("new", parse_type(TEXT)))
IN_ZONE = Earlier("V", Cast.ZONED, zone=ZONE, alone=True)
CHANGES = {
    "columns with a default": Change(
        ("V",), ("V", "D", "S"), lambda row: {**row, "D": "7", "S": "new"},
        (MergeColumn("V", "V"), D, S), {"V": "V", "D": "D", "S": "S"}, (_default(D), _default(S)), ("S",),
    ),
    "a name that is used again": Change(
        ("V",), ("W", "V"), lambda row: {"ID": row["ID"], "W": row["V"], "V": None},
        (
            MergeColumn("V", "W", marker=MARKER, since=True, earlier=Earlier("V"), becomes="W"),
            MergeColumn("V__NEW", "V", marker=MARKER, since=True, becomes="V"),
        ),
        {"W": "V", "V": "V__NEW"},
    ),
    "a column that is dropped and added again": Change(
        ("V",), ("V",), lambda row: {**row, "V": None},
        (
            MergeColumn("V", "V", marker=MARKER, until=True, becomes="V__OLD"),
            MergeColumn("V__NEW", "V", marker=MARKER, since=True, becomes="V"),
        ),
        {"V": "V__NEW"},
    ),
    "a clock that becomes a moment": Change(
        ("V",), ("V",), lambda row: {**row, "V": row["V"] and _moment(row["V"])},
        (
            MergeColumn("V", "V", marker=MARKER, becomes="V__OLD"),
            MergeColumn("V__NEW", "V", Cast.UTC, marker=MARKER, since=True, earlier=IN_ZONE, becomes="V"),
        ),
        {"V": "V__NEW"},
        (
            lambda spec: Backfill(
                "fill", spec.final, spec.watermark, ("ID",), spec.columns[2],
                copied=Earlier("V", Cast.ZONED, zone=ZONE),
            ),
        ),
        kind=CLOCK, final="TIMESTAMP_TZ(9)",
    ),
}  # fmt: skip


def _moment(clock: str) -> str:
    there = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(ZONE))
    return there.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M:%S")


def _value(change: Change, dice: random.Random) -> str | None:
    if dice.random() < 0.25:
        return None
    if change.kind == CLOCK:
        return (datetime(2026, 3, 1) + timedelta(hours=dice.randrange(2000) * 5)).strftime("%Y-%m-%d %H:%M:%S")
    return f"v{dice.randrange(9)}"


def history(
    change: Change, dice: random.Random, length: int = 14
) -> tuple[list[tuple[str, int, Row]], int, dict[str, Row]]:
    """What DMS writes (op, commit, row), the commit of the DDL, and what Aurora has in the end."""
    ddl = dice.randrange(3, length - 3)
    rows: dict[str, Row] = {}
    staged = []
    for at in range(length):
        columns = change.after if at > ddl else change.before
        if at == ddl:
            rows = {key: change.ddl(row) for key, row in rows.items()}
            continue
        key = dice.choice("abc")
        if key in rows and dice.random() < 0.25:
            del rows[key]
            staged.append(("D", at, {"ID": key}))
            continue
        row: Row = {"ID": key}
        for name in columns:
            row[name] = _value(change, dice) or ("x" if name in change.required else None)
        staged.append(("U" if key in rows else "I", at, row))
        rows[key] = row
    return staged, ddl, rows


class Ground:
    """STAGING, FINAL and the control tables in a schema of their own."""

    def __init__(self, connection: Any, change: Change, columns: tuple[MergeColumn, ...]) -> None:
        self._cursor = connection.cursor()
        self.change = change
        schema = f"E{next(_NUMBERS)}"
        places = [ObjectName("DB", schema, name) for name in ("CDC", "FINAL", "WATERMARK")]
        self.schema = schema
        self.spec = MergeSpec(*places, (ID, *columns), "OP", "COMMIT_TS", "SEQ")
        self.staged = sorted({*change.before, *change.after})
        more = ", ".join(f"{quote(name)} {change.kind if name == 'V' else TEXT}" for name in self.staged)
        finals = ", ".join(
            f"{quote(c.final)} {change.final if c.final == 'V__NEW' else change.kind if c.final == 'V' else TEXT}"
            for c in columns
        )
        service = f"_DG_FILE {TEXT}, _DG_ROW NUMBER(38,0), _DG_LOADED_AT TIMESTAMP_LTZ(9)"
        self.run(
            "CREATE DATABASE IF NOT EXISTS DB", f"CREATE SCHEMA DB.{schema}",
            f"CREATE TABLE DB.{schema}.CDC (OP VARCHAR(1), SEQ {TEXT}, COMMIT_TS VARCHAR(26), ID {TEXT}, {more}, {service})",
            f"CREATE TABLE DB.{schema}.FINAL (ID {TEXT}, {finals}, _DG_COMMIT_TS {CLOCK}, _DG_SEQ {TEXT})",
            f"CREATE TABLE DB.{schema}.WATERMARK (LANDING {TEXT}, UPTO TIMESTAMP_LTZ, RAN_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.MERGED_FILE (LANDING {TEXT}, RUN {TEXT}, FILE_NAME {TEXT}, LOADED_AT TIMESTAMP_LTZ, "
            f"FROM_COMMIT {CLOCK}, MERGED_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.MILESTONE (NAME {TEXT}, AT {CLOCK}, REACHED_AT TIMESTAMP_LTZ)",
        )  # fmt: skip
        self._loads = itertools.count(1)

    def run(self, *statements: str) -> list[Any]:
        rows: list[Any] = []
        for statement in statements:
            rows = self._cursor.execute(statement).fetchall()
        return rows

    def load(self, rows: list[tuple[str, int, Row]]) -> None:
        load = next(self._loads)
        cells = [
            ", ".join(
                [literal(op), literal(f"{at:06}"), literal(_commit(at)),
                 *("NULL" if row.get(n) is None else literal(str(row[n])) for n in ("ID", *self.staged)),
                 literal(f"{load:08}.parquet"), str(number), f"DATEADD('second', {load}, '2026-02-01'::TIMESTAMP_LTZ)"]
            )
            for number, (op, at, row) in enumerate(rows)
        ]  # fmt: skip
        known = names(["OP", "SEQ", "COMMIT_TS", "ID", *self.staged, "_DG_FILE", "_DG_ROW", "_DG_LOADED_AT"])
        width = ", ".join(f"COLUMN{n}" for n in range(1, len(self.staged) + 8))
        values = ", ".join(f"({row})" for row in cells)
        self.run(f"INSERT INTO DB.{self.schema}.CDC ({known}) SELECT {width} FROM (VALUES {values})")

    def merge(self) -> None:
        self.run(generate(self.spec))

    def settle(self, epoch: int) -> None:
        """The marker has arrived; what was merged without it is read again, and old rows are filled."""
        self.run(
            f"INSERT INTO DB.{self.schema}.MILESTONE SELECT {literal(MARKER)}, {literal(_commit(epoch))}::{CLOCK}, "
            "CURRENT_TIMESTAMP()"
        )
        columns = tuple(c.final for c in self.spec.columns if c.since or c.until)
        if columns:
            self.run(again(self.spec, MARKER, columns))
        for fill in self.change.fills:
            self.run(*(statement.sql for statement in fill(self.spec).updates()))

    def final(self) -> dict[str, Row]:
        shown = ", ".join(
            f"TO_VARCHAR(CONVERT_TIMEZONE('UTC', {quote(f)}), 'YYYY-MM-DD HH24:MI:SS')"
            if self.change.final != TEXT
            else quote(f)
            for f in self.change.shown.values()
        )
        rows = self.run(f"SELECT ID, {shown} FROM DB.{self.schema}.FINAL")
        return {row[0]: dict(zip(("ID", *self.change.shown), row, strict=True)) for row in rows}


def _commit(at: int) -> str:
    return f"2026-01-01 00:00:{at:02}.000000"


def travelled(connection: Any, change: Change, columns: tuple[MergeColumn, ...], seed: int) -> bool:
    """Is FINAL what Aurora is, after a history of this seed?"""
    dice = random.Random(seed)
    staged, ddl, expected = history(change, dice)
    ground = Ground(connection, change, columns)
    files = [staged[n : n + 2] for n in range(0, len(staged), 2)]
    # in order but for a few that come late
    order = sorted(range(len(files)), key=lambda n: n + dice.choice((0, 0, 0, 0.5, 3, 20)))
    settles = dice.randrange(len(order) // 2, len(order) + 1)
    for position, number in enumerate(order):
        if position == settles:
            ground.settle(ddl)
        ground.load(files[number])
        if dice.random() < 0.7:
            ground.merge()
    if settles == len(order):
        ground.merge()
        ground.settle(ddl)
    ground.merge()
    return ground.final() == {k: {n: row.get(n) for n in ("ID", *change.shown)} for k, row in expected.items()}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_passes_through_in_any_order(connection: Any, name: str) -> None:
    change = CHANGES[name]
    assert [seed for seed in range(4) if not travelled(connection, change, change.columns, seed)] == []


@pytest.mark.long
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_passes_through_in_many_more_orders(connection: Any, name: str) -> None:
    change = CHANGES[name]
    assert [seed for seed in range(4, 60) if not travelled(connection, change, change.columns, seed)] == []


@pytest.mark.parametrize("name", CHANGES)
def test_without_the_epochs_values_are_lost_or_come_back(connection: Any, name: str) -> None:
    change = CHANGES[name]
    without = tuple(dataclasses.replace(c, since=False, until=False) for c in change.columns)
    assert any(not travelled(connection, change, without, seed) for seed in range(25))


def test_a_new_value_that_the_old_column_does_not_take_is_no_failure() -> None:
    places = [ObjectName("DB", "S", place) for place in ("CDC", "FINAL", "WATERMARK")]
    old = MergeColumn("V", "V", Cast.NUMBER, marker=MARKER, becomes="V__OLD")
    assert "CAST_FAILURE" not in generate(MergeSpec(*places, (ID, old), "OP", "COMMIT_TS"))
    stays = dataclasses.replace(old, becomes="W")
    assert "CAST_FAILURE" in generate(MergeSpec(*places, (ID, stays), "OP", "COMMIT_TS"))


@pytest.mark.parametrize("name", CHANGES)
def test_a_merge_says_in_its_text_what_is_under_way(name: str) -> None:
    change = CHANGES[name]
    places = [ObjectName("DB", "S", place) for place in ("CDC", "FINAL", "WATERMARK")]
    text = generate(MergeSpec(*places, (ID, *change.columns), "OP", "COMMIT_TS"))
    assert under_way(text) == tuple(c for c in change.columns if c.marker)
