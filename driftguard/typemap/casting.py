"""Which STAGING type takes which Parquet type, and which FINAL type the merge can make of it.

A load must never fail on a value and never round one; what does not fit FINAL is for the merge to find and to count.
Sources: docs.snowflake.com "COPY INTO <table>", "Data type conversion", "Parameters" (the output formats).
"""

from __future__ import annotations

from driftguard.model.catalog import PgType
from driftguard.model.landing import Cast
from driftguard.model.snowflake import OLD_UNBOUNDED_VARCHAR, UNBOUNDED_VARCHAR, SfType

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
    ("TIMESTAMP_NTZ", "DATE"): Cast.DAY,  # STAGING was made for timestamps, and dates come now
}


def cast_between(staging: SfType, final: SfType) -> Cast | None:
    """The cast that carries one type to the other; None where the merge knows none."""
    if staging.base == final.base:
        return Cast.NONE
    if staging.base == "VARCHAR":
        return _FROM_TEXT.get(final.base)
    return _BETWEEN_TIMES.get((staging.base, final.base))


def takes(staging: SfType, parquet: str, final: SfType) -> bool:
    """Does a STAGING column of this type take every value of a Parquet column, and can the merge carry it on?"""
    return not no_load(parquet, staging) and cast_between(staging, final) is not None


def converted(old: SfType, new: SfType, zone: str = "") -> Cast | None:
    """The cast that does to a value what PostgreSQL's own cast does when a column changes its type.

    None where it is not known to be the same; between timestamps also where the `zone` in which the migration read the
    clock is not known. Sources: PostgreSQL manual, "Numeric Types", "Date/Time Types", "Boolean Type";
    docs.snowflake.com "Data type conversion".
    """
    if old.base == new.base:
        return Cast.SCALE if old.base == "NUMBER" and (old.scale or 0) != (new.scale or 0) else Cast.NONE
    if old.base == "VARCHAR" and new.base != "BINARY":
        return _FROM_TEXT.get(new.base)
    if (old.base, new.base) in (("TIMESTAMP_NTZ", "TIMESTAMP_TZ"), ("TIMESTAMP_TZ", "TIMESTAMP_NTZ")) and not zone:
        return None
    return _CONVERTED.get((old.base, new.base))


_CONVERTED = {
    ("NUMBER", "FLOAT"): Cast.DOUBLE,
    ("NUMBER", "VARCHAR"): Cast.TEXT,
    ("NUMBER", "BOOLEAN"): Cast.NOT_ZERO,
    ("BOOLEAN", "VARCHAR"): Cast.TEXT,
    ("BOOLEAN", "NUMBER"): Cast.INTEGER,
    ("DATE", "VARCHAR"): Cast.ISO_DAY,
    ("DATE", "TIMESTAMP_NTZ"): Cast.MIDNIGHT,
    ("TIMESTAMP_NTZ", "DATE"): Cast.DAY,
    ("TIMESTAMP_NTZ", "TIMESTAMP_TZ"): Cast.ZONED,
    ("TIMESTAMP_TZ", "TIMESTAMP_NTZ"): Cast.LOCAL,
}


def common(old: SfType, parquet: str, new: SfType) -> SfType | None:
    """The STAGING type that takes the files of before a change of type and those after it; None where there is none.

    `old` is the STAGING type that took the files so far, `parquet` what DMS writes from now on, `new` the type that
    STAGING would have for it alone.
    """
    if not no_load(parquet, old):
        return old
    if old.base == new.base == "NUMBER":
        scale = max(old.scale or 0, new.scale or 0)
        return SfType("NUMBER", precision=38, scale=scale)
    if old.base == new.base:
        return new
    if (old.base, new.base) in (("NUMBER", "FLOAT"), ("DATE", "TIMESTAMP_NTZ")):
        return new
    if (old.base, new.base) == ("TIMESTAMP_NTZ", "DATE"):
        return old
    if {old.base, new.base} <= {"NUMBER", "VARCHAR", "DATE", "BOOLEAN"}:
        return SfType("VARCHAR", length=UNBOUNDED_VARCHAR)
    return None


_DIGITS = {"INT8": 3, "INT16": 5, "INT32": 10, "INT64": 19, "UINT1": 3, "UINT2": 5, "UINT4": 10, "UINT8": 20}
_FAMILIES = {
    "FLOAT": ("FLOAT",),
    "DOUBLE": ("FLOAT",),
    "BOOLEAN": ("BOOLEAN", "VARCHAR"),
    "STRING": ("VARCHAR",),
    "BINARY": ("BINARY",),
    "DATE32": ("DATE", "VARCHAR", "TIMESTAMP_NTZ"),
    "TIME32": ("TIME",),
    "TIMESTAMP": ("TIMESTAMP_NTZ",),
    "TIMESTAMP_UTC": ("TIMESTAMP_LTZ",),
}
_AS_TEXT = {
    "FLOAT": "no document says how many digits the text of a FLOAT has",
    "DOUBLE": "no document says how many digits the text of a FLOAT has",
    "TIME32": "the text of a TIME has no fraction unless TIME_OUTPUT_FORMAT says so",
    "TIMESTAMP": "the text of a timestamp ends at milliseconds unless TIMESTAMP_OUTPUT_FORMAT says so",
    "TIMESTAMP_UTC": "the text of a timestamp ends at milliseconds unless TIMESTAMP_OUTPUT_FORMAT says so",
    "BINARY": "bytes that are no UTF-8 would fail the load",
}


def no_load(parquet: str, staging: SfType) -> str:
    """Why a STAGING column of this type cannot take a Parquet column; "" where it takes every value as it is."""
    word = parquet.partition("(")[0]
    if staging.base == "VARCHAR":
        if word in _AS_TEXT:
            return _AS_TEXT[word]
        if (staging.length or 0) < OLD_UNBOUNDED_VARCHAR:
            return "one longer value would fail its whole file; the length belongs to FINAL"
        return ""
    number = _digits(parquet)
    if number is not None:
        whole, scale = number
        if staging.base != "NUMBER":
            return "a number that this type cannot hold exactly"
        if (staging.scale or 0) < scale:
            return "Snowflake rounds to the column's scale on load, without an error"
        fits = _whole(staging) >= whole
        return "" if fits else f"{whole} digits before the point do not fit: one would fail its whole file"
    if staging.base not in _FAMILIES.get(word, ()):
        return f"a {word} is not loaded into it as it is"
    if staging.base.startswith("TIMESTAMP") and (staging.precision or 9) < 6:
        return "DMS writes microseconds"
    return ""


def no_merge(parquet: str, staging: SfType, final: SfType, pg: PgType | None) -> str:
    """Why the merge cannot carry STAGING's type to FINAL's; "" where it can.

    A cast from text may find values that do not fit: those go to quarantine. What is refused here would round, or
    would stop the merge.
    """
    cast = cast_between(staging, final)
    if cast is None:
        return "the merge knows no way from the one to the other"
    if cast is Cast.NUMBER and (final.precision or 38) < 38:
        return "the merge makes a number of up to 38 digits of the text: one too large would stop it; take NUMBER(38,…)"
    if cast is Cast.DAY and not parquet.startswith("DATE"):
        return "FINAL has no time of day: it would be cut"
    if cast is Cast.HEX and (final.length or 0) < (staging.length or 0) // 2:
        return "FINAL is shorter than what can arrive: one value too long would stop the merge"
    if cast is not Cast.NONE:
        return ""
    if final.base == "NUMBER":
        whole, scale = _digits(parquet) or (_whole(staging), staging.scale or 0)
        if (final.scale or 0) < scale:
            return "FINAL's scale is the smaller one: values would be rounded without an error"
        if _whole(final) < whole:
            return "FINAL has fewer digits before the point: one value too large would stop the merge"
    if final.base in ("VARCHAR", "BINARY") and (final.length or 0) < (staging.length or 0):
        most = pg.length if pg is not None and final.base == "VARCHAR" else None
        if most is None or most > (final.length or 0):
            return "FINAL is shorter than what can arrive: one value too long would stop the merge"
    if (final.precision or 9) < min(staging.precision or 9, 6) and final.base not in ("NUMBER", "VARCHAR"):
        return "FINAL has fewer digits of a second: they would be cut"
    return ""


def _digits(parquet: str) -> tuple[int, int] | None:
    """Digits before and after the point of a Parquet number."""
    word, _, rest = parquet.partition("(")
    if word != "DECIMAL":
        return (_DIGITS[word], 0) if word in _DIGITS else None
    precision, _, scale = rest.rstrip(")").partition(",")
    return int(precision) - int(scale or 0), int(scale or 0)


def _whole(type_: SfType) -> int:
    return (type_.precision or 38) - (type_.scale or 0)
