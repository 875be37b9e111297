"""The answer to a statement, in the form the connector reads: JSON rows of text with a description of the columns.

Snowflake answers queries in Arrow or JSON, as the session asks; the stand-in always answers in JSON, whose text forms
lose nothing (38-digit numbers, NULL timestamps, offsets). The forms are those the connector's own converter reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from driftguard.sandbox.snowflake.types import SEMI, TEXT, SfType

SELECT, INSERT, UPDATE, DELETE, MERGE, MULTI_INSERT, COPY = 0x1000, 0x3100, 0x3200, 0x3300, 0x3400, 0x3500, 0x3600
SCL, TCL, DDL, SHOW, USE, DESCRIBE, CALL = 0x4000, 0x5000, 0x6000, 0x4000 + 0xC00, 0x4300, 0x4F00, 0x4B00

_WIRE = {
    "FIXED": "fixed",
    "TEXT": "text",
    "REAL": "real",
    "BINARY": "binary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP_NTZ": "timestamp_ntz",
    "TIMESTAMP_LTZ": "timestamp_ltz",
    "TIMESTAMP_TZ": "timestamp_tz",
    "VARIANT": "variant",
    "OBJECT": "object",
    "ARRAY": "array",
    "NULL": "text",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an answer."""

    name: str
    type: SfType = TEXT
    nullable: bool = True

    def rowtype(self) -> dict[str, object]:
        kind = self.type
        return {
            "name": self.name,
            "type": _WIRE[kind.base],
            "nullable": self.nullable,
            "precision": kind.precision if kind.base == "FIXED" else (0 if kind.scale is not None else None),
            "scale": kind.scale,
            "length": kind.length if kind.base in ("TEXT", "BINARY") else None,
            "byteLength": kind.length if kind.base in ("TEXT", "BINARY") else None,
            "database": "",
            "schema": "",
            "table": "",
            "collation": None,
        }


@dataclass(slots=True)
class Result:
    """Columns and rows. Values: int, str, float, bool, Decimal, bytes as hex text; instants, times as microseconds."""

    fields: list[Field]
    rows: list[tuple[object, ...]]
    type_id: int = SELECT
    rowcount: int | None = None
    changes: bool = False
    extra: dict[str, object] = field(default_factory=dict)

    def rowset(self) -> list[list[str | None]]:
        if not self.rows:
            return []
        columns = zip(*self.rows, strict=True)
        texts = [_column(values, one.type) for values, one in zip(columns, self.fields, strict=True)]
        return [list(row) for row in zip(*texts, strict=True)]


def status(text: str, *, changes: bool = True, type_id: int = DDL) -> Result:
    """One row, one column `status`: what DDL answers."""
    return Result([Field("status")], [(text,)], type_id=type_id, changes=changes)


def counts(type_id: int, **numbers: int) -> Result:
    """What DML answers: `number of rows inserted` and its sisters."""
    names = {
        "inserted": "number of rows inserted",
        "updated": "number of rows updated",
        "deleted": "number of rows deleted",
    }
    kind = SfType("FIXED", precision=19, scale=0)
    fields = [Field(names.get(name, name.replace("_", " ")), kind) for name in numbers]
    return Result(fields, [tuple(numbers.values())], type_id=type_id, rowcount=sum(numbers.values()), changes=True)


def _instant(micros: int) -> str:
    whole, rest = divmod(micros, 1_000_000)
    # the converter reads "-1.5" as minus (one and a half), so the fraction of an instant before 1970 is turned round
    if whole < 0 and rest:
        whole, rest = whole + 1, 1_000_000 - rest
        return f"-{abs(whole)}.{rest:06d}000"
    return f"{whole}.{rest:06d}000"


def _column(values: tuple[object, ...], kind: SfType) -> Sequence[str | None]:
    """All values of a column; text and whole numbers, which most are, without a look at each."""
    found = set(map(type, values)) - {type(None)}
    if kind.base == "TEXT" and found <= {str}:
        return cast("tuple[str | None, ...]", values)
    if kind.base == "FIXED" and found <= {int}:
        return [None if value is None else str(value) for value in values]
    return [encode(value, kind) for value in values]


def encode(value: object, kind: SfType) -> str | None:
    """One value as the JSON result format writes it."""
    if value is None:
        return None
    base = kind.base
    if base == "BOOLEAN":
        return "1" if value else "0"
    if base in ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIME"):
        return _instant(int(str(value)))
    if base == "TIMESTAMP_TZ":
        return f"{_instant(int(str(value)))} 1440"
    if base == "REAL":
        return _float(value)
    if base in SEMI and not isinstance(value, int | float):
        return pretty(str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def _float(value: object) -> str:
    number = float(str(value))
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "-inf"
    return repr(number)


def pretty(text: str) -> str:
    """A VARIANT as Snowflake prints it: two blanks of indent, keys in order."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except ValueError:
        return text
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
