"""The functions that the stand-in builds itself, and the types of those that sqlglot translates well.

A function that is in neither list goes to DuckDB under its own name; if DuckDB has none, the answer is Snowflake's
"Unknown function" (002140).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from driftguard.sandbox.snowflake import errors, timeformat
from driftguard.sandbox.snowflake.conversions import text_sql
from driftguard.sandbox.snowflake.names import literal
from driftguard.sandbox.snowflake.nodes import cast, duck, raw, type_of
from driftguard.sandbox.snowflake.types import (
    BOOLEAN,
    FLOAT,
    LTZ,
    TEXT,
    TIMESTAMPS,
    VARIANT,
    SfType,
    number,
    timestamp,
)

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.translate import Context

Arguments = list[exp.Expr]
NTZ, TZ, DATE, TIME = timestamp("TIMESTAMP_NTZ"), timestamp("TIMESTAMP_TZ"), SfType("DATE"), SfType("TIME", scale=9)

UNIT_FIRST = {"DATEADD", "TIMEADD", "TIMESTAMPADD", "DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF"}
_MOMENTS = {
    "TO_TIMESTAMP": None,
    "TO_TIMESTAMP_NTZ": NTZ,
    "TO_TIMESTAMP_LTZ": LTZ,
    "TO_TIMESTAMP_TZ": TZ,
    "TO_DATE": DATE,
    "DATE": DATE,
    "TO_TIME": TIME,
}
_MOMENTS |= {f"TRY_{name}": kind for name, kind in _MOMENTS.items() if name != "DATE"}
_UNITS = {
    "YEARS": "year", "YEAR": "year", "Y": "year", "YY": "year", "YYYY": "year",
    "QUARTER": "quarter", "QUARTERS": "quarter",
    "MONTH": "month", "MONTHS": "month", "MON": "month", "MM": "month", "WEEK": "week", "WEEKS": "week", "W": "week",
    "DAY": "day", "DAYS": "day", "D": "day", "DD": "day", "HOUR": "hour", "HOURS": "hour", "H": "hour", "HH": "hour",
    "MINUTE": "minute", "MINUTES": "minute", "M": "minute", "MI": "minute", "MIN": "minute", "SECOND": "second",
    "SECONDS": "second", "S": "second", "SEC": "second", "MILLISECOND": "millisecond", "MILLISECONDS": "millisecond",
    "MS": "millisecond", "MICROSECOND": "microsecond", "MICROSECONDS": "microsecond", "US": "microsecond",
}  # fmt: skip

_DAYS = ("year", "quarter", "month", "week", "day")
_MICROS = {"microsecond": 1, "millisecond": 1000, "second": 1_000_000}


def constant(value: object, kind: SfType) -> exp.Expr:
    """A value of the stand-in's own (instants in microseconds) as a literal, which remembers it."""
    node = _constant(value, kind)
    node.meta["value"] = value
    return node


def _constant(value: object, kind: SfType) -> exp.Expr:
    if value is None:
        return raw(f"CAST(NULL AS {kind.duck if kind.base != 'NULL' else 'VARCHAR'})", kind)
    if kind.base == "TIMESTAMP_NTZ":
        return raw(f"make_timestamp({value})", kind)
    if kind.base in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        return raw(f"make_timestamptz({value})", kind)
    if kind.base == "DATE":
        return raw(f"(DATE '1970-01-01' + {value})", kind)
    if kind.base == "TIME":
        return raw(f"CAST(make_timestamp({value}) AS TIME)", kind)
    if kind.base == "BOOLEAN":
        return raw("TRUE" if value else "FALSE", kind)
    if kind.base == "BINARY":
        return raw(f"unhex({literal(str(value))})", kind)
    return raw(f"CAST({literal(str(value))} AS {kind.duck})", kind)


def as_text(node: exp.Expr) -> str:
    """A node as text."""
    return duck(cast(node, TEXT))


def _template(arguments: Arguments) -> str | None:
    if len(arguments) < 2:
        return None
    if not isinstance(arguments[1], exp.Literal) or not arguments[1].is_string:
        raise errors.unsupported("a format that is not a literal")
    template = arguments[1].name
    return None if template.upper() == "AUTO" else template


def _to_char(_: Context, arguments: Arguments) -> exp.Expr:
    kind = type_of(arguments[0])
    if kind is None:
        return cast(arguments[0], TEXT)
    return raw(text_sql(duck(arguments[0]), kind, _template(arguments)), TEXT)


def _moment(name: str) -> Callable[[Context, Arguments], exp.Expr]:
    attempt = name.startswith("TRY_")

    def build_(context: Context, arguments: Arguments) -> exp.Expr:
        target = _MOMENTS[name] or timestamp(context.timestamp_mapping())
        source = type_of(arguments[0])
        if attempt and source is not None and source.base not in ("TEXT", "NULL"):
            raise errors.compilation(
                1065, "22023", f"Function {name} cannot be used with arguments of types {source.sql}"
            )
        if len(arguments) > 1 and isinstance(arguments[1], exp.Literal) and not arguments[1].is_string:
            raise errors.unsupported(f"{name} with a scale")
        template = _template(arguments)
        if template is None or (source is not None and source.base != "TEXT"):
            return cast(arguments[0], target, attempt=attempt)
        zoned = target.base in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ")
        value = duck(arguments[0])
        parsed = timeformat.input_sql(value, template, zoned=zoned)
        if target.base in ("DATE", "TIME"):
            parsed = f"CAST({parsed} AS {target.base})"
        if not attempt:
            what = "Date" if target.base == "DATE" else "Time" if target.base == "TIME" else "Timestamp"
            refusal = errors.raise_sql(100035, "22007", f"'{what} ''' || {value} || ''' is not recognized'")
            parsed = f"CASE WHEN {value} IS NULL OR {parsed} IS NOT NULL THEN {parsed} ELSE {refusal} END"
        return raw(parsed, target)

    return build_


def _numeric(attempt: bool) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        rest = [one for one in arguments[1:] if not (isinstance(one, exp.Literal) and one.is_string)]
        if len(rest) != len(arguments) - 1:
            raise errors.unsupported("TO_NUMBER with a format")
        given = [int(one.name) for one in rest]
        target = number(given[0] if given else 38, given[1] if len(given) > 1 else 0)
        source = type_of(arguments[0])
        if attempt and source is not None and source.base not in ("TEXT", "NULL"):
            raise errors.compilation(
                1065, "22023", f"Function TRY_TO_NUMBER cannot be used with arguments of types {source.sql}"
            )
        return cast(arguments[0], target, attempt=attempt)

    return build_


def _to(target: SfType, attempt: bool = False) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        return cast(arguments[0], target, attempt=attempt)

    return build_


def _json(attempt: bool) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        name = "dg_try_json" if attempt else "dg_json"
        if len(arguments) > 1:
            mode = arguments[1].name.lower()
            if mode not in ("d", "s"):
                raise errors.compilation(1044, "42P13", f"Invalid argument types for function 'PARSE_JSON': ({mode})")
            name += "_d" if mode == "d" else ""
        text = as_text(arguments[0])
        return raw(f"{name}(nullif(trim({text}), ''))", VARIANT)

    return build_


def _dateadd(_: Context, arguments: Arguments) -> exp.Expr:
    unit = _unit(arguments[0])
    value = arguments[2]
    kind = type_of(value)
    if kind is None or kind.base == "TEXT":
        value = cast(value, NTZ)
        kind = NTZ
    amount = f"CAST({duck(arguments[1])} AS BIGINT)"
    # a number times an interval has to fit 32 bits in DuckDB, a number of microseconds does not
    step = f"to_microseconds({amount} * {_MICROS[unit]})" if unit in _MICROS else f"{amount} * INTERVAL 1 {unit}"
    sql = f"({duck(value)} + {step})"
    if kind.base == "DATE":
        if unit in _DAYS:
            return raw(f"CAST({sql} AS DATE)", kind)
        kind = NTZ
    if kind.base not in ("DATE", "TIME", *TIMESTAMPS):
        raise errors.compilation(
            1044, "42P13", f"Invalid argument types for function 'DATE_ADD{unit.upper()}S': ({kind.sql})"
        )
    return raw(sql, kind)


def _unit(node: exp.Expr) -> str:
    unit = _UNITS.get(node.name.upper())
    if unit is None:
        raise errors.compilation(2141, "42601", f"[{node.name}] is not a valid date/time component.")
    return unit


def _datediff(_: Context, arguments: Arguments) -> exp.Expr:
    unit = _unit(arguments[0])
    ends = arguments[1:3]
    if unit not in _DAYS or any((type_of(one) or TEXT).base != "DATE" for one in ends):
        ends = [cast(one, NTZ) if (type_of(one) or TEXT).base in ("TEXT", "DATE") else one for one in ends]
    kinds = {(type_of(one) or NTZ).base for one in ends}
    if len(kinds) > 1:
        ends = [cast(one, LTZ) for one in ends]
    return raw(f"date_diff('{unit}', {duck(ends[0])}, {duck(ends[1])})", number(18))


def _convert_timezone(_: Context, arguments: Arguments) -> exp.Expr:
    """CONVERT_TIMEZONE: with two arguments a TIMESTAMP_TZ in the zone named, which can only be UTC: the stand-in keeps
    no offset. With three a TIMESTAMP_NTZ, from the clock of one zone to that of another.
    """
    if len(arguments) == 3 and all(isinstance(zone, exp.Literal) for zone in arguments[:2]):
        moment = f"timezone({duck(arguments[0])}, {duck(cast(arguments[2], NTZ))})"
        return raw(f"timezone({duck(arguments[1])}, {moment})", NTZ)
    if len(arguments) != 2 or not isinstance(arguments[0], exp.Literal) or arguments[0].name.upper() != "UTC":
        raise errors.unsupported("CONVERT_TIMEZONE with two arguments to another zone than 'UTC'")
    return cast(arguments[1], TZ)


def _now(context: Context, _: Arguments) -> exp.Expr:
    return constant(context.now, LTZ)


def _split_part(_: Context, arguments: Arguments) -> exp.Expr:
    text, by, which = (as_text(arguments[0]), as_text(arguments[1]), duck(arguments[2]))
    return raw(f"dg_split_part({text}, {by}, {which})", TEXT)


def _pad(name: str) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        fill = as_text(arguments[2]) if len(arguments) > 2 else "' '"
        return raw(f"{name}({as_text(arguments[0])}, CAST({duck(arguments[1])} AS INTEGER), {fill})", TEXT)

    return build_


def _macro(name: str, kind: SfType) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        return raw(f"{name}({', '.join(as_text(one) for one in arguments)})", kind)

    return build_


def _typeof(_: Context, arguments: Arguments) -> exp.Expr:
    kind = type_of(arguments[0])
    return constant(kind.sql if kind is not None else "UNKNOWN", TEXT)


def _object(_: Context, arguments: Arguments) -> exp.Expr:
    pairs = ", ".join(
        duck(one) if position % 2 == 0 else duck(cast(one, VARIANT)) for position, one in enumerate(arguments)
    )
    return raw(f"CAST(json_merge_patch('{{}}', json_object({pairs})) AS JSON)", SfType("OBJECT"))


def _object_keep_null(_: Context, arguments: Arguments) -> exp.Expr:
    """OBJECT_CONSTRUCT_KEEP_NULL: a NULL value stays as a JSON null; a NULL key leaves its pair out."""
    pairs = ", ".join(
        duck(one) if position % 2 == 0 else duck(cast(one, VARIANT)) for position, one in enumerate(arguments)
    )
    return raw(f"CAST(json_object({pairs}) AS JSON)", SfType("OBJECT"))


def _to_json(_: Context, arguments: Arguments) -> exp.Expr:
    """TO_JSON: the text of a VARIANT, OBJECT or ARRAY."""
    return raw(f"CAST({duck(cast(arguments[0], VARIANT))} AS VARCHAR)", TEXT)


def _array(_: Context, arguments: Arguments) -> exp.Expr:
    return raw(f"json_array({', '.join(duck(cast(one, VARIANT)) for one in arguments)})", SfType("ARRAY"))


def _hash(_: Context, arguments: Arguments) -> exp.Expr:
    packed = ", ".join(f"coalesce({as_text(one)}, '\\0')" for one in arguments)
    return raw(f"CAST(hash({packed}) AS HUGEINT) - 9223372036854775808", number(19))


def _hash_agg(_: Context, arguments: Arguments) -> exp.Expr:
    packed = ", ".join(f"coalesce({as_text(one)}, '\\0')" for one in arguments)
    return raw(f"CAST(bit_xor(hash({packed})) AS HUGEINT) - 9223372036854775808", number(19))


def _listagg(_: Context, arguments: Arguments) -> exp.Expr:
    by = as_text(arguments[1]) if len(arguments) > 1 else "''"
    return raw(f"coalesce(string_agg({as_text(arguments[0])}, {by}), '')", TEXT)


_BUILDERS: dict[str, Callable[[Context, Arguments], exp.Expr]] = {
    "TO_CHAR": _to_char,
    "TO_VARCHAR": _to_char,
    **{name: _moment(name) for name in _MOMENTS},
    **{name: _numeric(False) for name in ("TO_NUMBER", "TO_DECIMAL", "TO_NUMERIC")},
    **{name: _numeric(True) for name in ("TRY_TO_NUMBER", "TRY_TO_DECIMAL", "TRY_TO_NUMERIC")},
    "TO_DOUBLE": _to(FLOAT),
    "TRY_TO_DOUBLE": _to(FLOAT, attempt=True),
    "TO_BOOLEAN": _to(BOOLEAN),
    "TRY_TO_BOOLEAN": _to(BOOLEAN, attempt=True),
    "TO_BINARY": _to(SfType("BINARY", length=8_388_608)),
    "TRY_TO_BINARY": _to(SfType("BINARY", length=8_388_608), attempt=True),
    "TO_VARIANT": _to(VARIANT),
    "PARSE_JSON": _json(False),
    "TRY_PARSE_JSON": _json(True),
    "TO_JSON": _to_json,
    "DATEADD": _dateadd,
    "TIMEADD": _dateadd,
    "TIMESTAMPADD": _dateadd,
    "DATEDIFF": _datediff,
    "TIMEDIFF": _datediff,
    "TIMESTAMPDIFF": _datediff,
    "CONVERT_TIMEZONE": _convert_timezone,
    "CURRENT_TIMESTAMP": _now,
    "LOCALTIMESTAMP": _now,
    "GETDATE": _now,
    "SYSTIMESTAMP": _now,
    "SYSDATE": lambda context, _: constant(context.now, NTZ),
    "SPLIT_PART": _split_part,
    "LPAD": _pad("lpad"),
    "RPAD": _pad("rpad"),
    "MD5": _macro("md5", TEXT),
    "MD5_HEX": _macro("md5", TEXT),
    "MD5_NUMBER_LOWER64": _macro("dg_md5_lower64", number(20)),
    "MD5_NUMBER_UPPER64": _macro("dg_md5_upper64", number(20)),
    "SYSTEM$TYPEOF": _typeof,
    "OBJECT_CONSTRUCT": _object,
    "OBJECT_CONSTRUCT_KEEP_NULL": _object_keep_null,
    "ARRAY_CONSTRUCT": _array,
    "ARRAY_SIZE": lambda _, arguments: raw(f"json_array_length({duck(arguments[0])})", number(9)),
    "HASH": _hash,
    "HASH_AGG": _hash_agg,
    "LISTAGG": _listagg,
    "UUID_STRING": lambda _, __: raw("CAST(uuid() AS VARCHAR)", TEXT),
}
_SESSION = {
    "CURRENT_WAREHOUSE", "CURRENT_ROLE", "CURRENT_ACCOUNT", "CURRENT_ACCOUNT_NAME", "CURRENT_USER", "CURRENT_DATABASE",
    "CURRENT_SCHEMA", "CURRENT_SESSION", "CURRENT_REGION", "CURRENT_VERSION", "CURRENT_TRANSACTION", "LAST_QUERY_ID",
    "CURRENT_SECONDARY_ROLES", "CURRENT_AVAILABLE_ROLES", "CURRENT_ORGANIZATION_NAME", "CURRENT_CLIENT",
    "CURRENT_STATEMENT",
    "CURRENT_SCHEMAS", "GET_DDL", "INVOKER_ROLE", "CURRENT_IP_ADDRESS", "IS_ROLE_IN_SESSION",
}  # fmt: skip
OURS = frozenset({*_BUILDERS, *_SESSION, "CURRENT_DATE", "CURRENT_TIME"})

NODES: dict[type[exp.Expr], str] = {
    node: name
    for node, name in (
        (getattr(exp, "CurrentTimestamp", None), "CURRENT_TIMESTAMP"),
        (getattr(exp, "CurrentTimestampLTZ", None), "CURRENT_TIMESTAMP"),
        (getattr(exp, "Localtimestamp", None), "LOCALTIMESTAMP"),
        (getattr(exp, "CurrentUser", None), "CURRENT_USER"),
        (getattr(exp, "CurrentRole", None), "CURRENT_ROLE"),
        (getattr(exp, "CurrentDatabase", None), "CURRENT_DATABASE"),
        (getattr(exp, "CurrentSchema", None), "CURRENT_SCHEMA"),
        (getattr(exp, "CurrentWarehouse", None), "CURRENT_WAREHOUSE"),
    )
    if node is not None
}


def build(context: Context, name: str, arguments: Arguments) -> exp.Expr:
    """A call by name, its arguments walked already."""
    builder = _BUILDERS.get(name)
    if builder is not None:
        return builder(context, arguments)
    if name == "CURRENT_DATE":
        return cast(constant(context.now, LTZ), DATE)
    if name == "CURRENT_TIME":
        return cast(constant(context.now, LTZ), TIME)
    if name in _SESSION or name.startswith("SYSTEM$"):
        values = [context.constant(duck(one)) for one in arguments]
        answer = context.system(name, values)
        if answer is None:
            raise errors.compilation(2140, "42601", f"Unknown function {name}")
        return constant(*answer)
    raise errors.compilation(2140, "42601", f"Unknown function {name}")
