"""The Snowflake types of the expressions that sqlglot translates well, and what DuckDB must be told about them.

"Data type conversion", "Arithmetic operators", "COALESCE" on docs.snowflake.com.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.functions import NODES, as_text, build
from driftguard.sandbox.snowflake.names import literal
from driftguard.sandbox.snowflake.nodes import cast, duck, raw, type_of
from driftguard.sandbox.snowflake.types import BOOLEAN, FLOAT, LTZ, NUMBER, TEXT, TIMESTAMPS, VARIANT, SfType, number

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.translate import Context


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
    if type(node) in NODES:
        name = NODES[type(node)]
        return build(context, "SYSDATE" if node.args.get("sysdate") else name, [])
    if isinstance(node, exp.CurrentDate):
        return build(context, "CURRENT_DATE", [])
    if isinstance(node, exp.Literal):
        node.meta["sf"] = _literal_type(node)
    elif isinstance(node, exp.Null):
        node.meta["sf"] = SfType("NULL")
    elif isinstance(node, exp.DPipe):
        return raw(f"{as_text(node.this)} || {as_text(node.expression)}", TEXT)
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
    elif isinstance(node, exp.ArrayAgg):
        return raw(f"to_json({duck(node)})", SfType("ARRAY"))
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
        path = literal('$."' + key.name.replace("\\", "\\\\").replace('"', '\\"') + '"')
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
            f"Can not convert parameter '{duck(node.expression)[:60]}' of type [{right.sql}] into expected type "
            f"[{left.sql}]",
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
