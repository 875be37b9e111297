"""One value, read on each side in a form in which both must agree. Knows PostgreSQL and Snowflake, nothing of driftguard.

Dates before Christ and after 9999 have no Python value, so moments are read as numbers: days or microseconds since 1970.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

EPOCH_NTZ = "'1970-01-01 00:00:00'::TIMESTAMP_NTZ"
EPOCH_TZ = "'1970-01-01 00:00:00 +00:00'::TIMESTAMP_TZ"


@dataclass(frozen=True, slots=True)
class Family:
    """SQL that reads the column `{c}` on each side, and what makes the two answers comparable."""

    postgres: str
    snowflake: str
    left: Callable[[Any], Any]
    right: Callable[[Any], Any]


def _number(value: Any) -> Any:
    text = str(value)
    return text if text.lower().lstrip("-") in ("nan", "infinity") else Decimal(text).normalize()


def _float(bits: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        number = float(value)
        if math.isnan(number):
            return "NaN"
        return struct.unpack(bits, struct.pack(bits, number))[0] + 0.0  # -0 is 0 for every comparison in SQL

    return read


def _document(text: Any) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> Any:
        return ("object", tuple(sorted(items, key=repr)))

    def frozen(value: Any) -> Any:
        return ("array", tuple(map(frozen, value))) if isinstance(value, list) else value

    parsed = json.loads(
        text, object_pairs_hook=lambda items: pairs([(k, frozen(one)) for k, one in items]),
        parse_int=lambda t: Decimal(t).normalize(), parse_float=lambda t: Decimal(t).normalize(),
    )  # fmt: skip
    return frozen(parsed)


_UNITS = {"YEAR": (12, 0, 0), "MONTH": (1, 0, 0), "DAY": (0, 1, 0), "HOUR": (0, 0, 3600), "MINUTE": (0, 0, 60),
          "SECOND": (0, 0, 1)}  # fmt: skip


def _interval_words(text: str) -> Any:
    """ "1 YEAR, 2 MONTHS" as (months, days, seconds)."""
    if "infinity" in text.lower():
        return text.lower()
    total = [Decimal(0)] * 3
    for number, unit in re.findall(r"(-?[\d.]+) ([A-Z]+)", text):
        for place, factor in enumerate(_UNITS[unit.removesuffix("S")]):
            total[place] += Decimal(number) * factor
    return tuple(one.normalize() for one in total)


def _interval_fields(value: Any) -> Any:
    if "infinity" in value:
        return value
    return tuple(Decimal(one).normalize() for one in value.split("|"))


def _same(value: Any) -> Any:
    return value


FAMILIES: dict[str, Family] = {
    "number": Family("{c}::text", "{c}", _number, _number),
    "money": Family("{c}::numeric::text", "{c}", _number, _number),
    "float4": Family("{c}::text", "{c}", _float("f"), _float("f")),
    "float8": Family("{c}::text", "{c}", _float("d"), _float("d")),
    "bool": Family("{c}::text", "{c}", lambda text: text == "true", lambda value: value if isinstance(value, bool) else repr(value)),
    "text": Family("CASE WHEN num_nonnulls({c}) = 1 THEN format('%%s', {c}) END", "{c}", _same, _same),
    "padded": Family("CASE WHEN {c} IS NOT NULL THEN format('%%s', {c}) END", "{c}", _same, _same),  # with its blanks
    "bytes": Family("encode({c}, 'hex')", "{c}", _same, lambda value: bytes(value).hex()),
    "json": Family("{c}::text", "{c}", _document, _document),
    "date": Family(
        "CASE WHEN isfinite({c}) THEN ({c} - DATE '1970-01-01')::text ELSE {c}::text END",
        "DATEDIFF('day', '1970-01-01'::DATE, {c})", _same, str,
    ),
    "timestamp": Family(
        "CASE WHEN isfinite({c}) THEN ((extract(epoch FROM {c}) * 1000000)::bigint)::text ELSE {c}::text END",
        f"DATEDIFF('microsecond', {EPOCH_NTZ}, {{c}})", _same, str,
    ),
    "timestamptz": Family(
        "CASE WHEN isfinite({c}) THEN ((extract(epoch FROM {c}) * 1000000)::bigint)::text ELSE {c}::text END",
        f"DATEDIFF('microsecond', {EPOCH_TZ}, {{c}})", _same, str,
    ),
    "time": Family(
        "((extract(epoch FROM {c}) * 1000000)::bigint)::text",
        "DATEDIFF('microsecond', '00:00:00'::TIME, {c})", _same, str,
    ),
    "timetz": Family(
        "((extract(epoch FROM {c}) + extract(timezone FROM {c})) * 1000000)::bigint || '|' || extract(timezone FROM {c})::int",
        "DATEDIFF('microsecond', '00:00:00'::TIME, {c})", _same, lambda value: f"{value}|0",
    ),
    "interval": Family(
        "CASE WHEN isfinite({c}) THEN extract(year FROM {c}) * 12 + extract(month FROM {c}) || '|' || extract(day FROM {c})"
        " || '|' || extract(hour FROM {c}) * 3600 + extract(minute FROM {c}) * 60 + extract(second FROM {c})"
        " ELSE {c}::text END",
        "{c}", _interval_fields, _interval_words,
    ),
}  # fmt: skip
