"""Staged rows on the Snowflake stand-in, and the generated merge run over them: no files, no pipes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.sql.snowflake import literal, names, qualified, quote

FINAL_TYPES = {
    Cast.BOOLEAN: "BOOLEAN", Cast.JSON: "VARIANT", Cast.NUMBER: "NUMBER(38,{s})", Cast.FLOAT: "FLOAT",
    Cast.DATE: "DATE", Cast.TIME: "TIME({p})", Cast.TIMESTAMP: "TIMESTAMP_NTZ({p})", Cast.HEX: "BINARY",
    Cast.UTC: "TIMESTAMP_TZ(9)", Cast.MOMENT: "TIMESTAMP_TZ(9)", Cast.WALL_CLOCK: "TIMESTAMP_NTZ(9)",
}  # fmt: skip
_STAGED = {Cast.UTC: "TIMESTAMP_NTZ(9)", Cast.MOMENT: "TIMESTAMP_LTZ(9)", Cast.WALL_CLOCK: "TIMESTAMP_LTZ(9)"}
_TEXT = "VARCHAR(134217728)"
_NUMBERS = itertools.count(1)


class Bench:
    """One landing in a schema of its own. `at` of a row is its commit: rows of one commit keep the order given."""

    def __init__(self, connection: Any, *columns: MergeColumn, stream: bool = False, **spec: Any) -> None:
        self._cursor = connection.cursor()
        schema = f"M{next(_NUMBERS)}"
        self.run_sql("CREATE DATABASE IF NOT EXISTS DB", f"CREATE SCHEMA DB.{schema}")

        self.spec = self.spec_of(schema, columns, stream=ObjectName("DB", schema, "ST") if stream else None, **spec)
        self.files = itertools.count(1)
        self.loads = itertools.count(1)
        before = [f"{quote(c.before)} {_STAGED.get(c.cast, _TEXT)}" for c in columns if c.before]
        staged = [*(f"{quote(c.staging)} {_STAGED.get(c.cast, _TEXT)}" for c in columns), *before]
        final = [f"{quote(c.final)} {FINAL_TYPES.get(c.cast, _TEXT).format(s=c.scale, p=c.precision)}" for c in columns]
        self.run_sql(
            f"CREATE TABLE {qualified(self.spec.staging)} (OP VARCHAR(1), COMMIT_TS VARCHAR(26), {', '.join(staged)}, "
            f"_DG_FILE {_TEXT}, _DG_ROW NUMBER(38,0), _DG_LOADED_AT TIMESTAMP_LTZ(9))",
            f"CREATE TABLE {qualified(self.spec.final)} ({', '.join(final)}, _DG_COMMIT_TS TIMESTAMP_NTZ(9), "
            f"_DG_SEQ {_TEXT}, PRIMARY KEY ({names(c.final for c in columns if c.key)}))",
            f"CREATE TABLE DB.{schema}.WATERMARK (LANDING VARCHAR(1024) NOT NULL, UPTO TIMESTAMP_LTZ NOT NULL, "
            "RAN_AT TIMESTAMP_LTZ NOT NULL, CAST_FAILURES INTEGER)",
            f"CREATE TABLE DB.{schema}.MERGED_FILE (LANDING {_TEXT}, RUN {_TEXT}, FILE_NAME {_TEXT}, "
            "LOADED_AT TIMESTAMP_LTZ, FROM_COMMIT TIMESTAMP_NTZ, MERGED_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.MILESTONE (NAME {_TEXT}, AT TIMESTAMP_NTZ, REACHED_AT TIMESTAMP_LTZ)",
            f"CREATE TABLE DB.{schema}.CAST_FAILURE (LANDING VARCHAR(1024) NOT NULL, ROW_KEY {_TEXT}, "
            f"COLUMN_NAME VARCHAR(1024) NOT NULL, RAW {_TEXT}, COMMIT_TIME TIMESTAMP_NTZ, FILE_NAME VARCHAR(4096), "
            "FILE_ROW NUMBER(38,0), RAN_AT TIMESTAMP_LTZ NOT NULL)",
        )

        if stream:
            self.stream_anew()

    def stream_anew(self, more: str = "") -> None:
        """What the stream of before had is in no stream any more."""
        staging = qualified(self.spec.staging)
        self.run_sql(
            f"CREATE OR REPLACE STREAM DB.{staging.split('.')[1]}.ST ON TABLE {staging} APPEND_ONLY = TRUE {more}"
        )

    @staticmethod
    def spec_of(schema: str, columns: tuple[MergeColumn, ...], **spec: Any) -> MergeSpec:
        places = (ObjectName("DB", schema, name) for name in ("CDC", "FINAL", "WATERMARK"))
        return MergeSpec(*places, columns, "OP", "COMMIT_TS", **spec)

    def run_sql(self, *statements: str) -> list[Any]:
        rows: list[Any] = []
        for statement in statements:
            rows = self._cursor.execute(statement).fetchall()
        return rows

    def stage(self, *rows: Mapping[str, Any], file: int | None = None, late: int = 0) -> int:
        """Load `rows` as one file; its number. `file` gives it a number of its own, for files that come late.

        `late`: so many seconds before it was seen its load began.
        """
        number = file if file is not None else next(self.files)
        load = next(self.loads) - late
        known = [c for c in [*(c.staging for c in self.spec.columns), *(c.before for c in self.spec.columns)] if c]
        values = []
        for position, row in enumerate(rows, start=1):
            cells = [row.get("op"), f"2026-01-01 00:00:00.{int(row['at']):06d}", *(row.get(n) for n in known)]
            place = [f"'{number:08d}.parquet'", str(position)]
            values.append(f"({', '.join([*map(_literal, cells), *place])}, {_loaded(load)})")
        columns = names(["OP", "COMMIT_TS", *known, "_DG_FILE", "_DG_ROW", "_DG_LOADED_AT"])
        cells_in = ", ".join(f"COLUMN{n}" for n in range(1, len(known) + 6))
        self.run_sql(
            f"INSERT INTO {qualified(self.spec.staging)} ({columns}) SELECT {cells_in} FROM (VALUES {', '.join(values)})"
        )
        return number

    def merge(self) -> None:
        self.run_sql(generate(self.spec))

    def final(self) -> list[tuple[Any, ...]]:
        columns = names(c.final for c in self.spec.columns)
        keys = names(c.final for c in self.spec.columns if c.key)
        return self.run_sql(f"SELECT {columns} FROM {qualified(self.spec.final)} ORDER BY {keys}")

    def failures(self) -> list[tuple[str, str, str | None]]:
        """(key, column, raw text) of what is in quarantine."""
        table = f"DB.{self.spec.watermark.schema}.CAST_FAILURE"
        return self.run_sql(f"SELECT ROW_KEY, COLUMN_NAME, RAW FROM {table} ORDER BY FILE_NAME, FILE_ROW, COLUMN_NAME")

    def counted(self) -> list[int | None]:
        """Failures by run, as the watermark has them."""
        return [
            row[0] for row in self.run_sql(f"SELECT CAST_FAILURES FROM {qualified(self.spec.watermark)} ORDER BY UPTO")
        ]


def _literal(value: Any) -> str:
    return "NULL" if value is None else literal(str(value))


def _loaded(load: int) -> str:
    return f"DATEADD('second', {load}, '2026-02-01 00:00:00 +00:00'::TIMESTAMP_LTZ)"
