"""A PostgreSQL type as a person writes it, `numeric(40,2)` or `varchar(10)[]`, as the catalog would have it."""

from __future__ import annotations

import re
from functools import cache

from driftguard.errors import UsageError
from driftguard.model.catalog import PgType
from driftguard.typemap.load import shipped

_FORM = re.compile(
    r"""\s*(?P<name>"char"|[a-z_][a-z0-9_ ]*?)\s*
        (?:\(\s*(?P<first>-?[0-9]{1,18})\s*(?:,\s*(?P<second>-?[0-9]{1,18})\s*)?\))?\s*
        (?P<zone>with(?:out)?\s+time\s+zone)?\s*
        (?P<array>(?:\[\d*\]\s*)*)""",
    re.VERBOSE | re.IGNORECASE,
)
# The spellings of the PostgreSQL manual, "Data Types", as pg_type.typname.
_ALIASES = {
    "smallint": "int2", "smallserial": "int2", "serial2": "int2",
    "integer": "int4", "int": "int4", "serial": "int4", "serial4": "int4",
    "bigint": "int8", "bigserial": "int8", "serial8": "int8",
    "real": "float4", "double precision": "float8", "float": "float8", "decimal": "numeric", "dec": "numeric",
    "boolean": "bool", "character varying": "varchar", "character": "bpchar", "char": "bpchar", '"char"': "char",
    "bit varying": "varbit",
}  # fmt: skip
_NAMES = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "bool": "boolean", "varchar": "character varying", "bpchar": "character", "varbit": "bit varying", "char": '"char"',
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone",
}  # fmt: skip
_RANGES = ("int4", "int8", "num", "ts", "tstz", "date")
_MAX_LENGTH = 10_485_760  # of char(n) and varchar(n): the PostgreSQL manual, "Character Types"


@cache
def _known() -> frozenset[str]:
    named = {name for row in shipped().rows["postgres_to_dms"] for name in row.match.type}
    return frozenset(named | {f"{one}{kind}" for one in _RANGES for kind in ("range", "multirange")})


def parse_type(text: str) -> PgType:
    """The type that `text` names. Enums, domains and composites are of one database; those are not known here.

    Raises `UsageError` with one line for anything else.

    >>> parse_type("numeric(40,2)").precision, parse_type("varchar(10)[]").element
    (40, 'varchar')
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a type of PostgreSQL", hint="write it as in a CREATE TABLE: numeric(10,2)")
    word = " ".join(match["name"].lower().split())
    first = int(match["first"]) if match["first"] else None
    second = int(match["second"]) if match["second"] else None
    name = _ALIASES.get(word, word)
    if match["zone"]:
        if name not in ("time", "timestamp"):
            raise UsageError(f"{text!r}: only time and timestamp have a time zone")
        name += "tz" if match["zone"].lower().startswith("with ") else ""
    if name not in _known():
        raise UsageError(
            f"{word!r} is not a type that comes with PostgreSQL or that driftguard knows",
            hint="for an enum, a domain or a composite explain the column: driftguard explain TABLE.COLUMN",
        )
    if word in ("char", "character", "bit") and first is None:
        first = 1
    arguments = _arguments(name, first, second, text)
    if name == "float8" and word == "float" and first is not None:
        name = "float4" if first <= 24 else "float8"
    kind = "m" if name.endswith("multirange") else "r" if name.endswith("range") else "b"
    shown = _shown(name, arguments)
    if match["array"]:
        return PgType(f"_{name}", f"{shown}[]", typmod=_typmod(name, first, second), element=name)
    return PgType(name, shown, kind=kind, typmod=_typmod(name, first, second))


_TIMES = dict.fromkeys(("time", "timetz", "timestamp", "timestamptz", "interval"), (0, 6))
_LIMITS = {
    "numeric": (1, 1000), "varchar": (1, _MAX_LENGTH), "bpchar": (1, _MAX_LENGTH), "bit": (1, 83_886_080),
    "varbit": (1, 83_886_080), "float8": (1, 53), "vector": (1, 16_000), "halfvec": (1, 16_000),
    "sparsevec": (1, 1_000_000_000), **_TIMES,
}  # fmt: skip


def _arguments(name: str, first: int | None, second: int | None, text: str) -> str:
    if first is None:
        return ""
    if name not in _LIMITS:
        raise UsageError(f"{text!r}: {_NAMES.get(name, name)} takes no number")
    low, high = _LIMITS[name]
    if not low <= first <= high:
        raise UsageError(f"{text!r}: {first} is not between {low} and {high}")
    if second is not None and (name != "numeric" or not -1000 <= second <= 1000):
        raise UsageError(f"{text!r}: only numeric has a second number, a scale from -1000 to 1000")
    return f"({first},{second or 0})" if name == "numeric" else "" if name == "float8" else f"({first})"


def _shown(name: str, arguments: str) -> str:
    head, space, zone = _NAMES.get(name, name).partition(" with")
    return f"{head}{arguments}{space}{zone}"


def _typmod(name: str, first: int | None, second: int | None) -> int:
    if first is None or name in ("float4", "float8"):
        return -1
    if name == "numeric":
        return ((first << 16) | ((second or 0) & 0x7FF)) + 4
    return first + 4 if name in ("varchar", "bpchar") else first
