"""One value from one Snowflake type to another, as DuckDB SQL.

Rules: "Data type conversion", "TRY_CAST", "TO_TIMESTAMP", "TO_VARCHAR" on docs.snowflake.com. The stand-in keeps no
offset with a TIMESTAMP_TZ: the instant is right, and it is shown at +00:00.
"""

from __future__ import annotations

from driftguard.sandbox.snowflake import errors, timeformat
from driftguard.sandbox.snowflake.types import BINARY_MAX, SEMI, TEXT, TIMESTAMPS, VARCHAR_DEFAULT, SfType

_NTZ_TEXT = "YYYY-MM-DD HH24:MI:SS.FF3"
_TZ_TEXT = "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"


class Refused(Exception):
    """No conversion leads from the one type to the other."""


def text_sql(value: str, source: SfType, template: str | None = None) -> str:
    """TO_VARCHAR(value [, template])."""
    base = source.base
    if base in ("TEXT", "NULL"):
        return value
    if base in TIMESTAMPS:
        zoned = base != "TIMESTAMP_NTZ"
        shape = template or (_TZ_TEXT if zoned else _NTZ_TEXT)
        return timeformat.output_sql(value, shape, zoned=zoned, utc=base == "TIMESTAMP_TZ")
    if base == "DATE":
        return timeformat.output_sql(f"CAST({value} AS TIMESTAMP)", template or "YYYY-MM-DD", zoned=False, utc=False)
    if base == "TIME":
        moment = f"(DATE '2000-01-01' + {value})"
        return timeformat.output_sql(moment, template or "HH24:MI:SS", zoned=False, utc=False)
    if template is not None and base not in ("BINARY",):
        raise errors.unsupported(f"TO_VARCHAR of {source.sql} with a format")
    if base in SEMI:
        return f"dg_json_text({value})"
    if base == "BINARY":
        return f"hex({value})"
    if base == "REAL":
        return f"regexp_replace(CAST({value} AS VARCHAR), '\\.0$', '')"
    return f"CAST({value} AS VARCHAR)"


def _from_text(value: str, target: SfType, attempt: bool) -> str:
    prefix = "dg_try_" if attempt else "dg_"
    cast = "TRY_CAST" if attempt else "CAST"
    match target.base:
        case "TEXT":
            return value
        case "FIXED":
            return f"{cast}({prefix}numeric({value}) AS {target.duck})"
        case "REAL":
            return f"{prefix}float({value})"
        case "BOOLEAN":
            return f"{prefix}bool({value})"
        case "DATE":
            return f"{prefix}date({value})"
        case "TIME":
            return f"{prefix}time({value})"
        case "TIMESTAMP_NTZ":
            return f"{prefix}ntz({value})"
        case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return f"{prefix}tz({value})"
        case "BINARY":
            return f"{prefix}hex({value})"
        case "VARIANT":
            return f"to_json({value})"
        case _:
            raise Refused


def _local(value: str, source: SfType) -> str:
    """The wall clock of a timestamp: the session's for LTZ, its own for TZ (kept at +00:00), itself for NTZ."""
    if source.base == "TIMESTAMP_TZ":
        return f"timezone('UTC', {value})"
    return f"CAST({value} AS TIMESTAMP)"


def _to_moment(value: str, source: SfType, target: SfType) -> str:
    base = source.base
    zoned = target.base != "TIMESTAMP_NTZ"
    if base in ("FIXED", "REAL"):
        maker = "make_timestamptz" if zoned else "make_timestamp"
        return f"{maker}(dg_epoch(CAST({value} AS BIGINT)))"
    if base == "DATE":
        return f"CAST({value} AS {target.duck})"
    if base in TIMESTAMPS:
        if not zoned:
            return _local(value, source)
        return f"CAST({value} AS TIMESTAMPTZ)"
    raise Refused


def convert(value: str, source: SfType, target: SfType, *, attempt: bool = False) -> str:
    """`value` of type `source` as `target`. `attempt` gives NULL where the plain form gives an error."""
    have, want = source.base, target.base
    if have == "NULL":
        return f"CAST({value} AS {target.duck})"
    if have == "TEXT":
        out = _from_text(value, target, attempt)
        return f"left({out}, {target.length})" if want == "TEXT" and _short(target) else out
    if have in SEMI and want not in SEMI:
        if have != "VARIANT":
            raise Refused
        text = f"dg_json_text({value})"
        return _far_moment(text, convert(text, TEXT, target, attempt=attempt), target, attempt)
    if want == "TEXT":
        out = text_sql(value, source)
        return f"left({out}, {target.length})" if _short(target) else out
    if want == "VARIANT":
        if have in SEMI:
            return value
        plain = have in ("FIXED", "REAL", "BOOLEAN")
        return f"to_json({value if plain else text_sql(value, source)})"
    cast = "TRY_CAST" if attempt else "CAST"
    if want in ("OBJECT", "ARRAY"):
        if have != "VARIANT" and have != want:
            raise Refused
        return value
    if want in TIMESTAMPS:
        return _to_moment(value, source, target)
    if want in ("FIXED", "REAL") and have in ("FIXED", "REAL", "BOOLEAN"):
        if have == "REAL" and want == "FIXED":
            return f"{cast}(round({value}, {target.scale}) AS {target.duck})"
        if have == "BOOLEAN":
            return f"{cast}(CAST({value} AS INTEGER) AS {target.duck})"
        return f"{cast}({value} AS {target.duck})"
    if want == "BOOLEAN" and have in ("FIXED", "REAL", "BOOLEAN"):
        return value if have == want else f"({value} <> 0)"
    if want == "DATE" and have in ("DATE", *TIMESTAMPS):
        return value if have == want else f"CAST({_local(value, source)} AS DATE)"
    if want == "TIME" and have in ("TIME", *TIMESTAMPS):
        return value if have == want else f"CAST({_local(value, source)} AS TIME)"
    if want == have == "BINARY":
        return value
    raise Refused


def _far_moment(text: str, near: str, target: SfType, attempt: bool) -> str:
    """A date of a VARIANT before Christ or after 9999, which no text of Snowflake's formats is."""
    if target.base != "DATE" and target.base not in TIMESTAMPS:
        return near
    cast = "TRY_CAST" if attempt else "CAST"
    moment = f"regexp_extract({text}, '^\\S+( \\(BC\\))?')" if target.base == "DATE" else text
    far = f"regexp_matches({text}, '^\\d{{5}}\\d*-|\\(BC\\)')"
    return f"CASE WHEN {far} THEN {cast}({moment} AS {target.duck}) ELSE {near} END"


def _short(target: SfType) -> bool:
    return (target.length or VARCHAR_DEFAULT) < VARCHAR_DEFAULT


def store_sql(value: str, source: SfType, target: SfType, *, nullable: bool, label: str, truncate: bool = False) -> str:
    """`value` as a column takes it: converted, its length checked (100078, number unsourced), NULL refused (100072)."""
    out = convert(value, source, SfType("TEXT", length=VARCHAR_DEFAULT) if target.base == "TEXT" else target)
    quoted = label.replace("'", "''")
    if target.base == "TEXT" and truncate:
        out = f"left({out}, {target.length})"
    elif target.base == "TEXT" and (target.length or 0) < VARCHAR_DEFAULT and source.base != "NULL":
        text = f"'String ''' || left({out}, 100) || ''' is too long and would be truncated'"
        out = f"CASE WHEN length({out}) > {target.length} THEN {errors.raise_sql(100078, '22000', text)} ELSE {out} END"
    elif target.base == "BINARY" and (target.length or 0) < BINARY_MAX and source.base != "NULL":
        text = "'Binary value is too long and would be truncated'"
        out = (
            f"CASE WHEN octet_length({out}) > {target.length} THEN {errors.raise_sql(100145, '22000', text)} "
            f"ELSE {out} END"
        )
    if not nullable:
        text = f"'NULL result in a non-nullable column {quoted}'"
        out = f"coalesce({out}, {errors.raise_sql(100072, '22000', text)})"
    return out
