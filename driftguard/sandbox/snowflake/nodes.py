"""sqlglot nodes that carry a Snowflake type, and DuckDB text made into nodes."""

from __future__ import annotations

import re

from sqlglot import exp

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.conversions import Refused, convert
from driftguard.sandbox.snowflake.names import literal
from driftguard.sandbox.snowflake.types import SfType


def type_of(node: exp.Expr | None) -> SfType | None:
    """The Snowflake type that the walk gave to a node."""
    return None if node is None else node.meta.get("sf")


def raw(sql: str, kind: SfType | None) -> exp.Expr:
    """DuckDB text as a node."""
    node = exp.Paren(this=exp.Var(this=sql))
    node.meta["sf"] = kind
    return node


def duck(node: exp.Expr) -> str:
    """A node that has been walked, as DuckDB SQL; the two commonest sorts without sqlglot, which copies its tree."""
    if type(node) is exp.Literal:
        return literal(node.name) if node.is_string else node.name
    if type(node) is exp.Paren and type(node.this) is exp.Var:
        return f"({node.this.name})"
    return node.sql(dialect="duckdb")


_REFUSING = re.compile(r"\bdg_(?=(?:error|divide|numeric|float|bool|ntz|tz|date|time|json|hex)\()")
_LITERALS = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")


def quiet(sql: str) -> str:
    """DuckDB SQL with every conversion that can raise an error made into the one that gives NULL.

    DuckDB takes error() for volatile, and a window takes no volatile order. Literals and names are left alone.
    """
    pieces = _LITERALS.split(sql)
    return "".join(piece if number % 2 else _REFUSING.sub("dg_try_", piece) for number, piece in enumerate(pieces))


def cast(value: exp.Expr, target: SfType, *, attempt: bool = False) -> exp.Expr:
    """CAST and TRY_CAST. TRY_CAST takes text or VARIANT alone ("TRY_CAST"; 001065, number unsourced)."""
    source = type_of(value)
    sql = duck(value)
    if source is None or source.base == "UNKNOWN":
        if target.base == "VARIANT":
            return raw(f"to_json({sql})", target)
        return raw(f"{'TRY_CAST' if attempt else 'CAST'}({sql} AS {target.duck})", target)
    if attempt and source.base not in ("TEXT", "VARIANT", "NULL"):
        raise errors.compilation(
            1065, "22023", f"Function TRY_CAST cannot be used with arguments of types {source.sql} and {target.sql}"
        )
    try:
        return raw(convert(sql, source, target, attempt=attempt), target)
    except Refused:
        raise errors.compilation(
            1007, "22023", f"invalid type [CAST({sql[:60]} AS {target.sql})] for parameter 'TO_{target.name}'"
        ) from None
