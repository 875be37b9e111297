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
    NUMBER,
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
    "YEARS": "year", "YEAR": "year", "Y": "year", "YY": "year", "YYYY": "year", "QUARTER": "quarter", "QUARTERS": "quarter",
    "MONTH": "month", "MONTHS": "month", "MON": "month", "MM": "month", "WEEK": "week", "WEEKS": "week", "W": "week",
    "DAY": "day", "DAYS": "day", "D": "day", "DD": "day", "HOUR": "hour", "HOURS": "hour", "H": "hour", "HH": "hour",
    "MINUTE": "minute", "MINUTES": "minute", "M": "minute", "MI": "minute", "MIN": "minute", "SECOND": "second",
    "SECONDS": "second", "S": "second", "SEC": "second", "MILLISECOND": "millisecond", "MILLISECONDS": "millisecond",
    "MS": "millisecond", "MICROSECOND": "microsecond", "MICROSECONDS": "microsecond", "US": "microsecond",
}  # fmt: skip


def constant(value: object, kind: SfType) -> exp.Expr:
    """A value of the stand-in's own (instants in microseconds) as a literal."""
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


def _text(node: exp.Expr) -> str:
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
        text = _text(arguments[0])
        return raw(f"{name}(nullif(trim({text}), ''))", VARIANT)

    return build_


def _dateadd(_: Context, arguments: Arguments) -> exp.Expr:
    unit = _unit(arguments[0])
    value = arguments[2]
    kind = type_of(value)
    if kind is None or kind.base == "TEXT":
        value = cast(value, NTZ)
        kind = NTZ
    sql = f"({duck(value)} + CAST({duck(arguments[1])} AS BIGINT) * INTERVAL 1 {unit})"
    if kind.base == "DATE":
        if unit in ("year", "quarter", "month", "week", "day"):
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
    ends = [cast(one, NTZ) if (type_of(one) or TEXT).base in ("TEXT", "DATE") else one for one in arguments[1:3]]
    kinds = {(type_of(one) or NTZ).base for one in ends}
    if len(kinds) > 1:
        ends = [cast(one, LTZ) for one in ends]
    return raw(f"date_diff('{unit}', {duck(ends[0])}, {duck(ends[1])})", number(9))


def _now(context: Context, _: Arguments) -> exp.Expr:
    return constant(context.now, LTZ)


def _split_part(_: Context, arguments: Arguments) -> exp.Expr:
    text, by, which = (_text(arguments[0]), _text(arguments[1]), duck(arguments[2]))
    return raw(f"dg_split_part({text}, {by}, {which})", TEXT)


def _pad(name: str) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        fill = _text(arguments[2]) if len(arguments) > 2 else "' '"
        return raw(f"{name}({_text(arguments[0])}, CAST({duck(arguments[1])} AS INTEGER), {fill})", TEXT)

    return build_


def _macro(name: str, kind: SfType) -> Callable[[Context, Arguments], exp.Expr]:
    def build_(_: Context, arguments: Arguments) -> exp.Expr:
        return raw(f"{name}({', '.join(_text(one) for one in arguments)})", kind)

    return build_


def _typeof(_: Context, arguments: Arguments) -> exp.Expr:
    kind = type_of(arguments[0])
    return constant(kind.sql if kind is not None else "UNKNOWN", TEXT)


def _object(_: Context, arguments: Arguments) -> exp.Expr:
    pairs = ", ".join(
        duck(one) if position % 2 == 0 else duck(cast(one, VARIANT)) for position, one in enumerate(arguments)
    )
    return raw(f"CAST(json_merge_patch('{{}}', json_object({pairs})) AS JSON)", SfType("OBJECT"))


def _array(_: Context, arguments: Arguments) -> exp.Expr:
    return raw(f"json_array({', '.join(duck(cast(one, VARIANT)) for one in arguments)})", SfType("ARRAY"))


def _hash(_: Context, arguments: Arguments) -> exp.Expr:
    packed = ", ".join(f"coalesce({_text(one)}, '\\0')" for one in arguments)
    return raw(f"CAST(hash({packed}) AS HUGEINT) - 9223372036854775808", number(19))


def _hash_agg(_: Context, arguments: Arguments) -> exp.Expr:
    packed = ", ".join(f"coalesce({_text(one)}, '\\0')" for one in arguments)
    return raw(f"CAST(bit_xor(hash({packed})) AS HUGEINT) - 9223372036854775808", number(19))


def _listagg(_: Context, arguments: Arguments) -> exp.Expr:
    by = _text(arguments[1]) if len(arguments) > 1 else "''"
    return raw(f"coalesce(string_agg({_text(arguments[0])}, {by}), '')", TEXT)


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
    "TO_JSON": _to(VARIANT),
    "DATEADD": _dateadd,
    "TIMEADD": _dateadd,
    "TIMESTAMPADD": _dateadd,
    "DATEDIFF": _datediff,
    "TIMEDIFF": _datediff,
    "TIMESTAMPDIFF": _datediff,
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
    "ARRAY_CONSTRUCT": _array,
    "HASH": _hash,
    "HASH_AGG": _hash_agg,
    "LISTAGG": _listagg,
}
_SESSION = {
    "CURRENT_WAREHOUSE", "CURRENT_ROLE", "CURRENT_ACCOUNT", "CURRENT_ACCOUNT_NAME", "CURRENT_USER", "CURRENT_DATABASE",
    "CURRENT_SCHEMA", "CURRENT_SESSION", "CURRENT_REGION", "CURRENT_VERSION", "CURRENT_TRANSACTION", "LAST_QUERY_ID",
    "CURRENT_SECONDARY_ROLES", "CURRENT_AVAILABLE_ROLES", "CURRENT_ORGANIZATION_NAME", "CURRENT_CLIENT", "CURRENT_STATEMENT",
    "CURRENT_SCHEMAS", "GET_DDL", "INVOKER_ROLE", "CURRENT_IP_ADDRESS", "IS_ROLE_IN_SESSION",
}  # fmt: skip
OURS = frozenset({*_BUILDERS, *_SESSION, "CURRENT_DATE", "CURRENT_TIME"})

_NODES: dict[type[exp.Expr], str] = {
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
    return exp.Anonymous(this=name, expressions=arguments)


def _first(node: exp.Expr) -> SfType | None:
    inner = node.this
    return type_of(inner) if isinstance(inner, exp.Expr) else None


def _common(kinds: list[SfType | None]) -> SfType | None:
    known = [kind for kind in kinds if kind is not None and kind.base != "NULL"]
    if not known or len(known) != len([kind for kind in kinds if kind is None or kind.base != "NULL"]):
        return known[0] if known and any(kind is None for kind in kinds) is False else None
    bases = {kind.base for kind in known}
    if len(bases) == 1:
        if known[0].base == "FIXED":
            scale = max(kind.scale or 0 for kind in known)
            return number(38 if len(known) > 1 else known[0].precision or 38, scale)
        return known[0]
    if bases <= {"FIXED", "REAL"}:
        return FLOAT
    return next((kind for kind in known if kind.base in TIMESTAMPS), known[0])


_BOOLEANS = (
    exp.Predicate, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Exists, exp.EQ, exp.NEQ, exp.GT, exp.GTE,
    exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Boolean, exp.StartsWith, exp.EndsWith, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_TEXTS = (exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.Replace, exp.Left, exp.Right,
          exp.Pad, exp.SHA2, exp.RegexpReplace, exp.Repeat, exp.Reverse, exp.Chr)  # fmt: skip
_COUNTS = (exp.Count, exp.RowNumber, exp.Length, exp.CountIf, exp.StrPosition, exp.Extract, exp.ApproxDistinct)
_SAME = (exp.Max, exp.Min, exp.Paren, exp.Neg, exp.Nullif, exp.Abs, exp.Window, exp.Lag, exp.Lead, exp.FirstValue,
         exp.LastValue, exp.AnyValue, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.DateTrunc, exp.TimestampTrunc,
         exp.Greatest, exp.Least)  # fmt: skip


def typed(context: Context, node: exp.Expr) -> exp.Expr:
    """A node of sqlglot's own, after its children: its type, and what DuckDB must be told."""
    if type(node) in _NODES:
        name = _NODES[type(node)]
        return build(context, "SYSDATE" if node.args.get("sysdate") else name, [])
    if isinstance(node, exp.CurrentDate):
        return build(context, "CURRENT_DATE", [])
    if isinstance(node, exp.Literal):
        node.meta["sf"] = _literal_type(node)
    elif isinstance(node, exp.Null):
        node.meta["sf"] = SfType("NULL")
    elif isinstance(node, exp.DPipe):
        return raw(f"{_text(node.this)} || {_text(node.expression)}", TEXT)
    elif isinstance(node, exp.Div):
        return _division(node)
    elif isinstance(node, exp.JSONExtract):
        node.meta["sf"] = VARIANT
    elif isinstance(node, exp.Bracket):
        return _element(node)
    elif isinstance(node, exp.Coalesce):
        node.meta["sf"] = _common([type_of(node.this), *(type_of(one) for one in node.expressions)])
        _align(node)
    elif isinstance(node, exp.Case | exp.If):
        branches = [*(one.args.get("true") for one in node.args.get("ifs") or []), node.args.get("default"),
                    node.args.get("true"), node.args.get("false")]  # fmt: skip
        node.meta["sf"] = _common([type_of(one) for one in branches if one is not None])
    elif isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod):
        node.meta["sf"] = _arithmetic(node)
    elif isinstance(node, exp.Sum | exp.BitwiseXorAgg):
        kind = _first(node)
        node.meta["sf"] = number(38, kind.scale or 0) if kind is not None and kind.base == "FIXED" else kind
    elif isinstance(node, exp.Avg):
        node.meta["sf"] = FLOAT
    elif isinstance(node, _BOOLEANS):
        if isinstance(node, exp.Binary):
            _compare(node)
        node.meta["sf"] = BOOLEAN
    elif isinstance(node, _TEXTS):
        node.meta["sf"] = TEXT
    elif isinstance(node, _COUNTS):
        node.meta["sf"] = number(18)
    elif isinstance(node, exp.Round):
        node.meta["sf"] = _first(node)
    elif isinstance(node, exp.Floor | exp.Ceil):
        node.meta["sf"] = NUMBER
    elif isinstance(node, _SAME):
        node.meta["sf"] = _first(node)
    return node


def _literal_type(node: exp.Literal) -> SfType:
    if node.is_string:
        return SfType("TEXT", length=max(1, len(node.name)))
    if "e" in node.name.lower():
        return FLOAT
    whole, _, rest = node.name.partition(".")
    scale = len(rest)
    return number(min(38, max(1, len(whole.lstrip("0")) + scale)), min(scale, 37))


def _division(node: exp.Div) -> exp.Expr:
    """NUMBER / NUMBER: the scale grows by 6 and is at least 6, at most 12 ("Arithmetic operators")."""
    left, right = type_of(node.this), type_of(node.expression)
    sql = f"dg_divide({duck(node.this)}, {duck(node.expression)})"
    if left is not None and right is not None and left.base == right.base == "FIXED":
        scale = max(left.scale or 0, min((left.scale or 0) + 6, 12))
        return raw(f"CAST({sql} AS DECIMAL(38,{scale}))", number(38, scale))
    return raw(sql, FLOAT)


def _element(node: exp.Bracket) -> exp.Expr:
    key = node.expressions[0]
    if isinstance(key, exp.Literal) and key.is_string:
        path = literal('$."' + key.name.replace('"', '\\"') + '"')
        return raw(f"json_extract({duck(node.this)}, {path})", VARIANT)
    return raw(f"json_extract({duck(node.this)}, CAST({duck(key)} AS BIGINT))", VARIANT)


def _arithmetic(node: exp.Binary) -> SfType | None:
    left, right = type_of(node.this), type_of(node.expression)
    if left is None or right is None:
        return left or right
    for side, kind in (("this", left), ("expression", right)):
        if kind.base in ("TEXT", "VARIANT") and not (left.base == "DATE" or right.base == "DATE"):
            node.set(side, cast(node.args[side], number(38, 5)))
    if left.base == right.base == "FIXED":
        if isinstance(node, exp.Mul):
            return number(38, min((left.scale or 0) + (right.scale or 0), 37))
        return number(38, max(left.scale or 0, right.scale or 0))
    if left.base == right.base == "DATE":
        return number(9)
    if left.base in ("DATE", *TIMESTAMPS):
        if right.base == "FIXED":
            node.set("expression", raw(f"CAST({duck(node.expression)} AS INTEGER)", NUMBER))
        return left
    return FLOAT if "REAL" in (left.base, right.base) else number()


def _compare(node: exp.Binary) -> None:
    """Both sides of a comparison in one type: text is converted to the other side's, VARIANT likewise."""
    left, right = type_of(node.this), type_of(node.expression)
    if left is None or right is None or left.base == right.base or "NULL" in (left.base, right.base):
        return
    for side, mine, other in (("this", left, right), ("expression", right, left)):
        if mine.base in ("TEXT", "VARIANT") and other.base not in ("TEXT", "VARIANT", "OBJECT", "ARRAY"):
            target = (
                number(38, 12) if other.base == "FIXED" and (other.precision or 0) - (other.scale or 0) <= 26 else other
            )
            node.set(side, cast(node.args[side], target))
            return
    if {left.base, right.base} == {"TEXT", "VARIANT"}:
        side = "this" if left.base == "VARIANT" else "expression"
        node.set(side, cast(node.args[side], TEXT))
    if left.base in TIMESTAMPS and right.base in TIMESTAMPS:
        side = "this" if left.base == "TIMESTAMP_NTZ" else "expression" if right.base == "TIMESTAMP_NTZ" else ""
        if side:
            node.set(side, cast(node.args[side], LTZ))
    pair = {left.base, right.base}
    if len(pair & {"FIXED", "REAL"}) == 1 and pair & {"DATE", "TIME", *TIMESTAMPS}:
        raise errors.compilation(
            2016,
            "22000",
            f"Can not convert parameter '{duck(node.expression)[:60]}' of type [{right.sql}] into expected type [{left.sql}]",
        )


def _align(node: exp.Coalesce) -> None:
    """COALESCE over different types: all in the first known one, as Snowflake's implicit conversion does."""
    kind = type_of(node)
    if kind is None:
        return
    parts = [node.this, *node.expressions]
    if len({known.base for one in parts if (known := type_of(one)) is not None}) > 1:
        walked = [cast(one, kind) if type_of(one) not in (None, kind) else one for one in parts]
        node.set("this", walked[0])
        node.set("expressions", walked[1:])
