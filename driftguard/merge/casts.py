"""The SQL of each cast from STAGING to FINAL. A value that does not fit becomes NULL, not an error."""

from __future__ import annotations

from driftguard.model.landing import Cast
from driftguard.model.snowflake import SfType

# Counting from one epoch to the other is independent of the session's TIMEZONE, which a cast from TIMESTAMP_NTZ is not,
# and of formats, which know four digits of a year. DMS gives microseconds at most.
# Source: docs.snowflake.com "DATEDIFF", "DATEADD", "Date & time data types".
_SINCE_1970 = "DATEDIFF('microsecond', '1970-01-01 00:00:00'::TIMESTAMP_NTZ, {c})"

_TEMPLATES = {
    Cast.NONE: "{c}",
    Cast.BOOLEAN: "TRY_TO_BOOLEAN({c})",
    Cast.JSON: "TRY_PARSE_JSON({c})",
    Cast.UTC: f"DATEADD('microsecond', {_SINCE_1970}, '1970-01-01 00:00:00 +00:00'::TIMESTAMP_TZ)",
    # With two arguments the result is a TIMESTAMP_TZ in the zone named. Source: docs.snowflake.com "CONVERT_TIMEZONE".
    Cast.MOMENT: "CONVERT_TIMEZONE('UTC', {c})",
    Cast.WALL_CLOCK: "CONVERT_TIMEZONE('UTC', {c})::TIMESTAMP_NTZ(9)",
    Cast.NUMBER: "TRY_TO_NUMBER({c}, 38, {s})",
    Cast.FLOAT: "TRY_TO_DOUBLE({c})",
    Cast.DATE: "TRY_TO_DATE({c})",
    Cast.TIME: "TRY_TO_TIME({c})",
    Cast.TIMESTAMP: "TRY_TO_TIMESTAMP_NTZ({c})",
    Cast.HEX: "TRY_TO_BINARY({c}, 'HEX')",
}


def cast_sql(cast: Cast, column: str, *, scale: int = 0) -> str:
    """`column` (already quoted) through `cast`; `scale` is for NUMBER."""
    return _TEMPLATES[cast].replace("{c}", column).replace("{s}", str(scale))


# From VARCHAR, because that is what STAGING holds wherever a Parquet type is not certain.
_FROM_TEXT = {
    "BOOLEAN": Cast.BOOLEAN,
    "VARIANT": Cast.JSON,
    "NUMBER": Cast.NUMBER,
    "FLOAT": Cast.FLOAT,
    "DATE": Cast.DATE,
    "TIME": Cast.TIME,
    "TIMESTAMP_NTZ": Cast.TIMESTAMP,
    "BINARY": Cast.HEX,
}


_BETWEEN_TIMES = {
    ("TIMESTAMP_NTZ", "TIMESTAMP_TZ"): Cast.UTC,
    ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"): Cast.MOMENT,
    ("TIMESTAMP_LTZ", "TIMESTAMP_NTZ"): Cast.WALL_CLOCK,
}


def cast_between(staging: SfType, final: SfType) -> Cast | None:
    """The cast that carries one type to the other; None where the merge knows none."""
    if staging.base == final.base:
        return Cast.NONE
    if staging.base == "VARCHAR":
        return _FROM_TEXT.get(final.base)
    return _BETWEEN_TIMES.get((staging.base, final.base))
