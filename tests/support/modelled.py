"""The generated merge over many histories at once: one STAGING and one FINAL, the history's number a part of the key."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector.errors import ProgrammingError

from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import Default, MergeColumn, MergeSpec, Projected
from driftguard.sql.snowflake import literal, names, parse_type, quote
from histories import DDL, LOST, RELOAD, RELOADED, ROUNDS, History, Key, Shape, Staged, Values, clock

TEXT, CLOCK = "VARCHAR(134217728)", "TIMESTAMP_NTZ(9)"
NASTY = {
    "H": 'the "number"',
    "ID": "sélect; --",
    "K2": "from",
    "V": "a.b",
    "BODY": "MERGE INTO",
    "FLAG": "$$",
    "ADDED": "S",
}
_NUMBERS = itertools.count(1)
_LOADED = datetime(2026, 2, 1)


class Ground:
    """The tables of one shape. `folder` is where the stage's files are.

    `records`: STAGING keeps whole records, read by a file format with these options.
    """

    def __init__(self, connection: Any, shape: Shape, folder: Path, records: str | None = None) -> None:
        self._records = records
        self._cursor = connection.cursor()
        self.shape = shape
        self.folder = folder
        schema = f"H{next(_NUMBERS)}"
        self.schema = schema
        self._loads = itertools.count(1)
        self.begun = _LOADED
        self.late = FAR if shape.stream else LATE
        self.names = NASTY if shape.nasty_names else {name: name for name in NASTY}
        self.spec = spec_of(shape, schema, self.names)
        number = "NUMBER(38,0)" if shape.number_key else TEXT
        kinds = {self.names["H"]: number, f"BI_{self.names['H']}": number}
        staged = [f"{quote(c.staging)} {kinds.get(c.staging, TEXT)}" for c in self.spec.columns]
        staged += [f"{quote(c.before)} {kinds.get(c.before, TEXT)}" for c in self.spec.columns if c.before]
        metadata = f"_DG_FILE {TEXT}, _DG_ROW NUMBER(38,0), _DG_LOADED_AT TIMESTAMP_LTZ(9)"
        columns = f"OP VARCHAR(1), SEQ {TEXT}, COMMIT_TS VARCHAR(26), {', '.join(staged)}"
        if records is not None:
            columns = "_DG_RECORD VARIANT"
            read = (Projected(name, parse_type(kinds.get(name, TEXT)), (name,)) for name in self.spec.staged)
            self.spec = dataclasses.replace(self.spec, record=tuple(read))
        final = [
            f"{quote(c.final)} {'BOOLEAN' if c.cast is Cast.BOOLEAN else kinds.get(c.final, TEXT)}"
            for c in self.spec.columns
        ]
        self.run(
            "CREATE DATABASE IF NOT EXISTS DB", f"CREATE SCHEMA DB.{schema}",
            f"CREATE TABLE DB.{schema}.CDC ({columns}, {metadata})",
            f"CREATE TABLE DB.{schema}.FINAL ({', '.join(final)}, _DG_COMMIT_TS {CLOCK}, _DG_SEQ {TEXT}, "
            f"_DG_REPAIR {TEXT}, _DG_DELETED BOOLEAN)",
            f"CREATE TABLE DB.{schema}.MERGED_FILE (LANDING {TEXT}, RUN {TEXT}, FILE_NAME {TEXT}, LOADED_AT TIMESTAMP_LTZ, "
            f"FROM_COMMIT {CLOCK}, MERGED_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.WATERMARK (LANDING {TEXT}, UPTO TIMESTAMP_LTZ, RAN_AT TIMESTAMP_LTZ, "
            "CAST_FAILURES INTEGER)",
            f"CREATE TABLE DB.{schema}.CAST_FAILURE (LANDING {TEXT}, ROW_KEY {TEXT}, COLUMN_NAME {TEXT}, RAW {TEXT}, "
            f"COMMIT_TIME {CLOCK}, FILE_NAME {TEXT}, FILE_ROW NUMBER(38,0), RAN_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.MILESTONE (NAME {TEXT}, AT {CLOCK}, REACHED_AT TIMESTAMP_LTZ)",
            *([f"CREATE STREAM DB.{schema}.ST ON TABLE DB.{schema}.CDC APPEND_ONLY = TRUE"] if shape.stream else []),
            f"CREATE STAGE DB.{schema}.LAKE URL = 'file://{folder}/' FILE_FORMAT = (TYPE = PARQUET)",
        )  # fmt: skip

    def run(self, *statements: str) -> list[Any]:
        rows: list[Any] = []
        for statement in statements:
            rows = self._cursor.execute(statement).fetchall()
        return rows

    def load(self, round_: int, rows: Sequence[tuple[int, Staged]]) -> None:
        """One COPY of what arrives in this round, for (history's number, row)."""
        if not rows:
            return
        n = self.names
        cells: dict[str, list[Any]] = {"OP": [], "SEQ": [], "COMMIT_TS": []}
        for number, row in rows:
            given: dict[str, Any] = {"OP": row.op, "SEQ": row.sequence, "COMMIT_TS": row.at, n["H"]: str(number)}
            given.update({n[name]: value for name, value in zip(self.shape.keys, row.key, strict=True)})
            given.update({n[name]: row.values.get(name) for name in self.shape.values})
            if self.shape.before_images:
                given[f"BI_{n['H']}"] = str(number) if row.before else None
                before = row.before or (None,) * len(row.key)
                given.update({f"BI_{n[name]}": value for name, value in zip(self.shape.keys, before, strict=True)})
            given["_DG_FILE"] = f"{number}/{row.file}"
            given["_DG_ROW"] = row.row
            loaded = self.begun + timedelta(
                seconds=round_ * 300 - (self.late if row.early else 0) + len(cells["OP"]) % 97
            )
            given["_DG_LOADED_AT"] = loaded.strftime("%Y-%m-%d %H:%M:%S +00:00")
            for name, value in given.items():
                cells.setdefault(name, []).append(value)
        types = {name: pa.int64() if name == "_DG_ROW" else pa.string() for name in cells}
        table = pa.table({name: pa.array(column, types[name]) for name, column in cells.items()})
        name = f"{self.schema}-{next(self._loads)}.parquet"
        pq.write_table(table, self.folder / name)
        place, files = f"@DB.{self.schema}.LAKE", f"FILES = ({literal(name)})"
        if self._records is None:
            source = f"{place} {files} FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE"
        else:
            own = "$1:_DG_FILE::VARCHAR, $1:_DG_ROW::NUMBER(38,0), $1:_DG_LOADED_AT::TIMESTAMP_LTZ"
            source = f"(SELECT $1, {own} FROM {place}) {files} FILE_FORMAT = (TYPE = PARQUET {self._records})"
        self.run(f"COPY INTO DB.{self.schema}.CDC FROM {source}")

    def milestone(self, name: str, at: float) -> None:
        self.run(
            f"INSERT INTO DB.{self.schema}.MILESTONE SELECT {literal(name)}, {literal(clock(at))}::{CLOCK}, "
            "CURRENT_TIMESTAMP()"
        )

    def merge(self) -> None:
        """As the task does: not at all while the stream is empty."""
        if not self.shape.stream or self.run(f"SELECT SYSTEM$STREAM_HAS_DATA('DB.{self.schema}.ST')")[0][0]:
            self.run(generate(self.spec))

    def stream_anew(self) -> None:
        """The stream is made again, and what it had is in no stream any more."""
        self.run(f"CREATE OR REPLACE STREAM DB.{self.schema}.ST ON TABLE DB.{self.schema}.CDC APPEND_ONLY = TRUE")

    def merge_fails(self) -> None:
        """A run that stops right before its COMMIT leaves everything as it was."""
        names_ = ["FINAL", "MERGED_FILE", "WATERMARK", "CAST_FAILURE", *(["ST"] if self.shape.stream else [])]
        tables = [f"DB.{self.schema}.{name}" for name in names_]
        before = [sorted(self.run(f"SELECT * FROM {table}"), key=str) for table in tables]
        body = generate(self.spec)
        broken = body.replace("COMMIT;", "SELECT TO_NUMBER('stopped'); COMMIT;")
        assert broken != body
        with pytest.raises(ProgrammingError, match="stopped"):
            self.run(broken)
        assert before == [sorted(self.run(f"SELECT * FROM {table}"), key=str) for table in tables]

    def final(self) -> dict[int, dict[Key, Values]]:
        """FINAL's rows by history and key. What the row says it lacks is `LOST`."""
        columns = ["H", *self.shape.keys, *self.shape.values]
        rows = self.run(
            f"SELECT _DG_REPAIR, {names(self.names[c] for c in columns)} FROM DB.{self.schema}.FINAL "
            "WHERE NOT COALESCE(_DG_DELETED, FALSE)"
        )
        found: dict[int, dict[Key, Values]] = {}
        width = len(self.shape.keys)
        for repair, number, *cells in rows:
            values = [_plain(value) for value in cells[width:]]
            for place, name in enumerate(self.shape.values):
                if f"|{self.names[name]}|" in (repair or ""):
                    assert values[place] is None
                    values[place] = LOST
            mine = found.setdefault(int(number), {})
            key = tuple(cells[:width])
            assert key not in mine, f"history {number} has {key} twice"
            mine[key] = dict(zip(self.shape.values, values, strict=True))
        return found


def _plain(value: Any) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else value


def spec_of(shape: Shape, schema: str, called: dict[str, str]) -> MergeSpec:
    columns = []
    for name in ("H", *shape.keys):
        before = f"BI_{called[name]}" if shape.before_images else None
        nullable = shape.null_key and name == shape.keys[0]
        columns.append(MergeColumn(called[name], called[name], key=True, before=before, nullable=nullable))
    for name in shape.values:
        cast = Cast.BOOLEAN if name == shape.flag else Cast.NONE
        keep = name == shape.large and shape.toast == "null"
        default = Default(shape.default, parse_type(TEXT)) if name == shape.added and shape.default else None
        marker = EPOCH if default else None
        columns.append(
            MergeColumn(
                called[name], called[name], cast, keep_on_null_update=keep, default=default, marker=marker,
                since=default is not None,
            )
        )  # fmt: skip
    places = [ObjectName("DB", schema, name) for name in ("CDC", "FINAL", "WATERMARK")]
    return MergeSpec(
        *places, tuple(columns), "OP", "COMMIT_TS", "SEQ" if shape.sequence or shape.load_sequence != "null" else None,
        loads_at_start=shape.loads_at_start, deferrable_key=shape.deferrable and shape.before_images,
        repair=any(c.keep_on_null_update for c in columns), soft_delete=shape.soft_delete,
        key_range=called["H"] if shape.number_key else None,
        stream=ObjectName("DB", schema, "ST") if shape.stream else None,
        overlap_minutes=OVERLAP if shape.stream else 60,
    )  # fmt: skip


EPOCH = "DB.FINAL:added"
OVERLAP, LATE, FAR = 5, 400, 4000  # minutes; seconds by which a file shows up late, and later than that is looked for


def play(ground: Ground, histories: Sequence[History], dice: random.Random) -> list[int]:
    """Load round after round, merge at random moments, and once at the end. One merge fails half-way.

    The rounds after which a merge ran. With a key of numbers one half of the histories comes after the other.
    """
    if ground.shape.number_key and len(histories) > 1:
        half = len(histories) // 2
        parts = [_play(ground, histories[:half], dice)]
        ground.begun += timedelta(hours=1)
        parts.append(_play(ground, histories[half:], dice))
        return [number for number in parts[0] if number in parts[1]]
    return _play(ground, histories, dice)


def _play(ground: Ground, histories: Sequence[History], dice: random.Random) -> list[int]:
    merged = []
    fails, anew = dice.randrange(1, ROUNDS - 1), 0
    if ground.shape.stream:
        anew = dice.randrange(2, ROUNDS - 1)
    if ground.shape.default:
        ground.milestone(EPOCH, DDL + 0.5)
    for number in range(ROUNDS):
        rows = [(h.number, row) for h in histories for row in h.rows if row.round == number]
        dice.shuffle(rows)
        if ground.shape.reload and number == 4:
            ground.milestone(reload_of(ground), RELOAD + 0.25)
        if anew and number == anew:
            ground.merge()
            ground.late = LATE
        ground.load(number, rows)
        if anew and number == anew:
            ground.stream_anew()
            ground.late = FAR
        if ground.shape.reload and number == RELOADED:
            ground.milestone(reloaded(ground), RELOAD + 0.25)
        if number == fails:
            ground.merge_fails()
        if dice.random() < 0.75 or number < 2:
            ground.merge()
            merged.append(number)
    ground.merge()
    return [*merged, ROUNDS - 1]


def reload_of(ground: Ground) -> str:
    return f"reload {ground.spec.final}"


def reloaded(ground: Ground) -> str:
    return f"reloaded {ground.spec.final}"


def diverging(ground: Ground, histories: Iterable[History]) -> list[tuple[int, dict[Key, Values], dict[Key, Values]]]:
    """(number, FINAL, what it should be) of the histories that went wrong. A value that is said to be lost is not."""
    found = ground.final()
    wrong = []
    for history in histories:
        have = found.get(history.number, {})
        told = {
            key: {n: have[key][n] if key in have and have[key][n] == LOST else v for n, v in row.items()}
            for key, row in history.end.items()
        }
        if have != told:
            wrong.append((history.number, have, history.end))
    return wrong


def lost(ground: Ground) -> int:
    """Values that only a repair brings back."""
    return sum(value == LOST for rows in ground.final().values() for row in rows.values() for value in row.values())
