"""The SQL of each cast from STAGING to FINAL. A value that does not fit becomes NULL, not an error.

"Does not fit" includes what Snowflake would round or cut without a word: more digits after the point than FINAL's
column has, a time of day in a date, an offset in a TIMESTAMP_NTZ. `failed_sql` tells such a NULL from a real one.
"""

from __future__ import annotations

from driftguard.model.landing import Cast
from driftguard.sql.snowflake import literal

# Counting from one epoch to the other is independent of the session's TIMEZONE, which a cast from TIMESTAMP_NTZ is not,
# and of formats, which know four digits of a year. DMS gives microseconds at most.
# Source: docs.snowflake.com "DATEDIFF", "DATEADD", "Date & time data types".
_SINCE_1970 = "DATEDIFF('microsecond', '1970-01-01 00:00:00'::TIMESTAMP_NTZ, {c})"
_UTC = f"DATEADD('microsecond', {_SINCE_1970}, '1970-01-01 00:00:00 +00:00'::TIMESTAMP_TZ)"

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{0,{p}}0*)?)?"


def _shaped(pattern: str, conversion: str) -> str:
    """`conversion` of texts of this shape, NULL for others. REGEXP_LIKE has to match the whole text."""
    return f"IFF(REGEXP_LIKE({{c}}, '{pattern}'), {conversion}, NULL)"


# {c} is the column, {s} the scale of a NUMBER, {p} the fractional digits of a time, {z} a zone. With TRY_ it can fail.
_TEMPLATES = {
    Cast.NONE: "{c}",
    Cast.BOOLEAN: "TRY_TO_BOOLEAN({c})",
    # The JSON text null becomes a JSON null, which is not a SQL NULL. Source: docs.snowflake.com "PARSE_JSON".
    Cast.JSON: "TRY_PARSE_JSON({c})",
    Cast.UTC: _UTC,
    # With two arguments the result is a TIMESTAMP_TZ in the zone named. Source: docs.snowflake.com "CONVERT_TIMEZONE".
    Cast.MOMENT: "CONVERT_TIMEZONE('UTC', {c})",
    Cast.WALL_CLOCK: "CONVERT_TIMEZONE('UTC', {c})::TIMESTAMP_NTZ(9)",
    # TRY_TO_NUMBER rounds to its scale. Source: docs.snowflake.com "TO_DECIMAL , TO_NUMBER , TO_NUMERIC".
    Cast.NUMBER: _shaped(" *[+-]?[0-9]*([.][0-9]{0,{s}}0*)? *", "TRY_TO_NUMBER({c}, 38, {s})"),
    Cast.FLOAT: "TRY_TO_DOUBLE({c})",
    # Without a shape, a text of digits alone counts as an epoch, and what follows the day is cut off.
    Cast.DATE: _shaped(_DAY, "TRY_TO_DATE({c}, 'YYYY-MM-DD')"),
    Cast.TIME: _shaped(_CLOCK, "TRY_TO_TIME({c})"),
    Cast.TIMESTAMP: _shaped(f"{_DAY}([ T]{_CLOCK})?", "TRY_TO_TIMESTAMP_NTZ({c})"),
    Cast.HEX: "TRY_TO_BINARY({c}, 'HEX')",
    Cast.TEXT: "TO_VARCHAR({c})",
    Cast.DOUBLE: "{c}::FLOAT",
    Cast.SCALE: "{c}::NUMBER(38,{s})",
    Cast.INTEGER: "IFF({c}, 1, 0)",
    Cast.NOT_ZERO: "{c} <> 0",
    Cast.MIDNIGHT: "{c}::TIMESTAMP_NTZ(9)",
    Cast.ISO_DAY: "TO_VARCHAR({c}, 'YYYY-MM-DD')",
    Cast.DAY: "{c}::DATE",
    # With three arguments the result is a TIMESTAMP_NTZ. Source: docs.snowflake.com "CONVERT_TIMEZONE".
    Cast.ZONED: _UTC.replace("{c}", "CONVERT_TIMEZONE({z}, 'UTC', {c})"),
    Cast.LOCAL: "CONVERT_TIMEZONE('UTC', {z}, CONVERT_TIMEZONE('UTC', {c})::TIMESTAMP_NTZ(9))",
}
FALLIBLE = frozenset(cast for cast, template in _TEMPLATES.items() if "TRY_" in template)


def cast_sql(cast: Cast, column: str, *, scale: int = 0, precision: int = 9, zone: str = "") -> str:
    """`column` (already quoted) through `cast`.

    `scale` is for NUMBER and SCALE, `precision` for TIME and TIMESTAMP, `zone` for ZONED and LOCAL.
    """
    template = _TEMPLATES[cast].replace("{s}", str(scale)).replace("{p}", str(precision))
    return template.replace("{z}", literal(zone)).replace("{c}", column)


def failed_sql(cast: Cast, column: str, *, scale: int = 0, precision: int = 9) -> str | None:
    """Is there a value that `cast` does not take? Never NULL itself; None for a cast that takes every value."""
    if cast not in FALLIBLE:
        return None
    return f"{column} IS NOT NULL AND {cast_sql(cast, column, scale=scale, precision=precision)} IS NULL"
