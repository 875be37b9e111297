"""The statement that keeps what a merge could not cast, with the raw text: quarantine, one row a value.

It reads each staged row once: only what no run has taken before, and not what stands there already, so that a file
that is loaded a second time, or a FINAL that is filled anew, counts nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.casts import cast_sql, failed_sql
from driftguard.merge.record import staged
from driftguard.merge.source import Frame, failed_value, fallible, key_updates, keys, operation
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_FILE, DG_ROW
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.sql.snowflake import literal, qualified, quote

CAST_FAILURE = "CAST_FAILURE"  # beside the watermark, in the control schema
COLUMNS = ("LANDING", "ROW_KEY", "COLUMN_NAME", "RAW", "COMMIT_TIME", "FILE_NAME", "FILE_ROW", "RAN_AT")


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A staged column whose cast can fail: its name for people, its text, and when it did fail."""

    name: str
    raw: str
    failed: str


def quarantine(watermark: ObjectName) -> ObjectName:
    """The table of failed casts that belongs to this table of watermarks."""
    return ObjectName(watermark.database, watermark.schema, CAST_FAILURE)


def failures(spec: MergeSpec, frame: Frame) -> list[str]:
    """The lines of the INSERT; none where every cast takes every value."""
    suspects = _suspects(spec, frame)
    if not suspects:
        return []
    landing = literal(str(spec.final))
    key = ", ".join(f"{literal(c.final)}, TO_VARCHAR(c.{quote(c.staging)})" for c in keys(spec))
    file, row = (f"c.{quote(name)}" for name in (DG_FILE, DG_ROW))
    q = {name: f"q.{quote(name)}" for name in COLUMNS}
    return [
        f"INSERT INTO {qualified(quarantine(spec.watermark))} ({', '.join(quote(name) for name in COLUMNS)})",
        f"SELECT DISTINCT {landing}, TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL({key})), f.NAME,",
        *_case(suspects, "raw"),
        f"  , TRY_TO_TIMESTAMP_NTZ(c.{quote(spec.commit_time)}), {file}, {row}, CURRENT_TIMESTAMP()",
        *staged(spec, "c"),
        f"CROSS JOIN (VALUES {', '.join(f'({literal(s.name)})' for s in suspects)}) AS f (NAME)",
        f"LEFT JOIN {qualified(quarantine(spec.watermark))} AS q",
        f"  ON {q['LANDING']} = {landing} AND {q['COLUMN_NAME']} = f.NAME",
        f"  AND {q['FILE_NAME']} = {file} AND {q['FILE_ROW']} = {row}",
        *frame.joined,
        f"WHERE {frame.new} AND {q['LANDING']} IS NULL AND",
        *_case(suspects, "failed"),
    ]


def _case(suspects: list[_Suspect], what: str) -> list[str]:
    whens = [f"    WHEN {literal(s.name)} THEN {getattr(s, what)}" for s in suspects]
    return ["  CASE f.NAME", *whens, "  END"]


def _suspects(spec: MergeSpec, frame: Frame) -> list[_Suspect]:
    """In a key, a NULL counts too: the row belongs to no row of FINAL. A deleted row's other values do not matter."""
    alive = f" AND {operation(spec, 'c.')} <> 'D'" if spec.op else ""
    found = []
    for column in spec.columns:
        if not fallible(column) or column.retires:  # new values do not fit a type that goes: no failure of anybody's
            continue
        raw = f"c.{quote(column.staging)}"
        if column.earlier is not None and column.earlier.staging != column.staging:
            raw = f"COALESCE({_text(raw)}, {_text(f'c.{quote(column.earlier.staging)}')})"
        if column.key:
            found.append(_Suspect(column.final, raw, f"{_cast(column, raw)} IS NULL"))
        else:
            found.append(_Suspect(column.final, raw, f"({failed_value(spec, column, frame, 'c.')}){alive}"))
        if column.before is not None and key_updates(spec):
            before = f"c.{quote(column.before)}"
            found.append(_Suspect(column.before, before, _failed(column, before)))
    return found


def _text(name: str) -> str:
    return f"TO_VARCHAR({name})"


def _cast(column: MergeColumn, name: str) -> str:
    return cast_sql(column.cast, name, scale=column.scale, precision=column.precision)


def _failed(column: MergeColumn, name: str) -> str:
    failed = failed_sql(column.cast, name, scale=column.scale, precision=column.precision)
    assert failed is not None
    return failed
