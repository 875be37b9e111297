"""What the type maps say becomes of a value, worked out from the words that they use: word → the value that arrives.

Values are in the form that `reading.py` compares. Words that are not here fail the proof: they would promise nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_FIRST_DAY, _LAST_DAY = -2_440_550, 2_932_896  # 4713-01-01 BC and 9999-12-31, counted from 1970-01-01
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cut depends on: the DMS type of the column and the sizes in force."""

    dms: str
    lob_max_size: int  # bytes
    varchar_max_size: int  # bytes


def _milliseconds(value: Any, _: Limits) -> Any:
    micros, bar, offset = value.partition("|")
    return f"{int(micros) // 1000 * 1000}{bar}{offset}"


def _last_of_the_day(value: Any, _: Limits) -> Any:
    _, bar, offset = value.partition("|")
    return f"{_DAY - 1000}{bar}{offset}"


def _infinite(unit: int, end: int) -> Callable[[Any, Limits], Any]:
    return lambda value, _: str(_FIRST_DAY * unit if value.startswith("-") else _LAST_DAY * unit + end)


def _cut(value: Any, limits: Limits) -> Any:
    """An NCLOB counts two bytes a character, a CLOB half of that; bytes are compared in hexadecimal digits."""
    if limits.dms == "BLOB":
        return value[: limits.lob_max_size * 2]
    if limits.dms in ("CLOB", "NCLOB"):
        most = limits.lob_max_size * (2 if limits.dms == "CLOB" else 1)
        return value.encode("utf-16-le")[:most].decode("utf-16-le", errors="ignore")
    return value.encode()[: limits.varchar_max_size].decode(errors="ignore")


BECOMES: dict[str, Callable[[Any, Limits], Any]] = {
    "rounded to 6 decimals": lambda value, _: value.quantize(Decimal("1e-6"), rounding=ROUND_HALF_UP).normalize(),
    "cut to milliseconds": _milliseconds,
    "23:59:59.999": _last_of_the_day,
    "dropped": lambda value, _: value.partition("|")[0] + "|0",
    "9999-12-31 23:59:59 or 4713-01-01 BC": _infinite(_DAY, _DAY - 1_000_000),
    "9999-12-31 or 4713-01-01 BC": _infinite(1, 0),
    "cut": _cut,
}
