"""Snowflake's date and time format elements, put into DuckDB's.

Elements: "Date and time input and output formats", docs.snowflake.com. Fractions beyond the microsecond are zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftguard.sandbox.snowflake import errors

_ELEMENTS = re.compile(
    r"""YYYY|YY|MMMM|MON|MM|DD|DY|HH24|HH12|AM|PM|MI|SS|FF(?P<digits>[0-9]?)|TZH:?TZM|TZH|TZD|"(?P<text>[^"]*)"|.""",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MON": "%b",
    "MM": "%m",
    "DD": "%d",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "AM": "%p",
    "PM": "%p",
    "MI": "%M",
    "SS": "%S",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of strftime text, or a fraction (`digits`), or an offset (`zone`)."""

    pattern: str = ""
    digits: int | None = None
    zone: str = ""


def pieces(template: str) -> list[Piece]:
    """`template` cut where DuckDB has no element of its own."""
    out: list[Piece] = []
    text = ""
    for match in _ELEMENTS.finditer(template):
        element = match[0].upper()
        if element in _PLAIN:
            text += _PLAIN[element]
        elif element.startswith("FF"):
            out += [Piece(pattern=text), Piece(digits=int(match["digits"] or 9))]
            text = ""
        elif element.startswith("TZH"):
            out += [Piece(pattern=text), Piece(zone=element)]
            text = ""
        elif element == "TZD":
            raise errors.unsupported("the format element TZD")
        else:
            literal = match["text"] if match["text"] is not None else match[0]
            text += literal.replace("%", "%%")
    out.append(Piece(pattern=text))
    return [piece for piece in out if piece != Piece()]


def output_sql(value: str, template: str, *, zoned: bool, utc: bool) -> str:
    """DuckDB SQL for TO_VARCHAR(value, template). `zoned`: a TIMESTAMPTZ; `utc`: shown at +00:00 (TIMESTAMP_TZ)."""
    shown = f"timezone('UTC', {value})" if zoned and utc else f"CAST({value} AS TIMESTAMP)" if zoned else value
    offset = "0" if utc or not zoned else f"CAST(epoch(CAST({value} AS TIMESTAMP)) - epoch({value}) AS BIGINT)"
    parts: list[str] = []
    for piece in pieces(template):
        if piece.digits is not None:
            if piece.digits:
                parts.append(f"substr(strftime({shown}, '%f') || '000', 1, {piece.digits})")
        elif piece.zone:
            separator = ":" if ":" in piece.zone else ""
            minutes = (
                ""
                if piece.zone == "TZH"
                else f" || '{separator}' || lpad(CAST((abs({offset}) // 60) % 60 AS VARCHAR), 2, '0')"
            )
            sign = f"CASE WHEN {offset} < 0 THEN '-' ELSE '+' END"
            parts.append(f"{sign} || lpad(CAST(abs({offset}) // 3600 AS VARCHAR), 2, '0'){minutes}")
        else:
            quoted = piece.pattern.replace("'", "''")
            parts.append(f"strftime({shown}, '{quoted}')")
    return "(" + " || ".join(parts or ["''"]) + ")"


def input_sql(value: str, template: str, *, zoned: bool) -> str:
    """DuckDB SQL for TRY_TO_TIMESTAMP(value, template): NULL when the text does not fit the template.

    A template with an offset gives an instant if `zoned`; else the offset is read and forgotten, as TO_TIMESTAMP_NTZ
    does. Without one the session's TIMEZONE decides.
    """
    cut = pieces(template)
    has_zone = any(piece.zone for piece in cut)
    text = value
    if any(piece.digits is not None for piece in cut):
        text = f"regexp_replace({text}, '(\\.\\d{{6}})\\d+', '\\1')"
    pattern = "".join("%z" if piece.zone else "%f" if piece.digits is not None else piece.pattern for piece in cut)
    if has_zone and not zoned:
        text = f"regexp_replace({text}, '\\s*([+-]\\d{{2}}:?\\d{{2}}|Z)\\s*$', '')"
        pattern = pattern.replace("%z", "").rstrip()
    quoted = pattern.replace("'", "''")
    parsed = f"try_strptime({text}, '{quoted}')"
    return f"CAST({parsed} AS {'TIMESTAMPTZ' if zoned else 'TIMESTAMP'})"
