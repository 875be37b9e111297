"""Reads `typemaps/*.toml` into rows."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from driftguard.errors import TypeMapError, UsageError
from driftguard.model.emission import Loss
from driftguard.model.landing import Cast
from driftguard.model.snowflake import MAX_BINARY, UNBOUNDED_VARCHAR, SfType
from driftguard.resources import data_dir
from driftguard.sql.snowflake import parse_type

M = TypeVar("M", bound="_Strict")

_TIMESTAMPS = ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")
KNOWN_TYPES = frozenset(
    ["NUMBER", "VARCHAR", "BINARY", "FLOAT", "BOOLEAN", "DATE", "TIME", "VARIANT", "ARRAY", "OBJECT", *_TIMESTAMPS]
)

HOPS = ("postgres_to_dms", "dms_to_parquet", "parquet_to_staging", "postgres_to_final")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Strict):
    """What a row is about; all that is given must hold, nothing given matches everything."""

    type: tuple[str, ...] = ()  # pg_type.typname, domains resolved
    kind: str | None = None  # pg_type.typtype
    array: bool | None = None
    dms: tuple[str, ...] = ()
    parquet: tuple[str, ...] = ()
    staging: tuple[str, ...] = ()  # the family of STAGING's type, for postgres_to_final


class When(_Strict):
    """Conditions on the column and on the endpoint's settings."""

    unbounded: bool | None = None  # numeric without (p,s), varchar or varbit without a length
    scale_below_zero: bool | None = None
    scale_above_precision: bool | None = None
    max_precision: int | None = None
    max_scale: int | None = None
    longer_than: int | None = None  # varchar(n): n is more than this
    map_boolean_as_boolean: bool | None = None
    trim_space_in_char: bool | None = None
    map_jsonb_as_clob: bool | None = None
    map_long_varchar_as: str | None = None
    map_unbounded_numeric_as_string: bool | None = None
    parquet_timestamp_in_millisecond: bool | None = None


SETTINGS = (
    "map_boolean_as_boolean",
    "trim_space_in_char",
    "map_jsonb_as_clob",
    "map_long_varchar_as",
    "map_unbounded_numeric_as_string",
    "parquet_timestamp_in_millisecond",
)


class Row(_Strict):
    """One row of a hop: the first that matches wins."""

    match: Match
    when: When = When()
    type: str
    loss: Loss
    source: str
    proven_by: Literal["footer sample", "AWS text", "stand-in only"]
    note: str = ""
    loses: dict[str, str] = Field(default_factory=dict)  # a key of special_values.toml → what becomes of such values
    open: dict[str, str] = Field(default_factory=dict)  # likewise, where the documents do not say it
    remedy: str = ""
    lob: bool = False
    cast: Cast = Cast.NONE


class Override(_Strict):
    """A person's decision for one column, one table or one type, with a reason."""

    column: str | None = None  # schema.table.column
    table: str | None = None  # schema.table: every column of that table with `type`
    type: str | None = None  # pg_type.typname
    staging: str | None = None
    final: str | None = None
    cast: Cast | None = None  # only to be told if it is not the one needed
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return (
            f"column {self.column}"
            if self.column
            else " of ".join(
                part for part in (f"type {self.type}", f"table {self.table}" if self.table else "") if part
            )
        )


@dataclass(frozen=True, slots=True)
class TypeMaps:
    """The four hops, and the project's own overrides."""

    rows: dict[str, tuple[Row, ...]]
    overrides: tuple[Override, ...] = field(default=())
    origin: str = "typemaps/overrides.toml"  # the overrides' file


@cache
def shipped() -> TypeMaps:
    """The maps that come with the package. Raises `TypeMapError` if one is damaged."""
    folder = data_dir("typemaps")
    return TypeMaps({hop: _rows(folder / f"{hop}.toml") for hop in HOPS})


def load(overrides: Path | None = None, observed: Path | None = None) -> TypeMaps:
    """The shipped maps, what was seen in real files before them, and the project's decisions beside them.

    `observed`: `typemaps/observed.toml`, rows of the first two hops that win over the shipped ones, because a footer
    of the pipeline's own files says more than a manual. `overrides`: `typemaps/overrides.toml`. Either may be missing.
    Raises `TypeMapError` with the file and the key if one is malformed.
    """
    maps = shipped()
    if observed is not None and observed.exists():
        seen = _observed(observed)
        maps = TypeMaps({hop: seen.get(hop, ()) + rows for hop, rows in maps.rows.items()})
    if overrides is None or not overrides.exists():
        return maps
    document = _read(overrides)
    unknown = set(document) - {"override"}
    if unknown:
        raise TypeMapError(f"{overrides}: unknown key {sorted(unknown)[0]!r}", hint="write [[override]] tables")
    items = document.get("override", [])
    if not isinstance(items, list):
        raise TypeMapError(f"{overrides}: [override] is one table", hint="write [[override]], one for each decision")
    found = tuple(_parse(Override, item, overrides) for item in items)
    first: dict[str, int] = {}
    for number, item in enumerate(found, start=1):
        _usable(item, f"{overrides}: override {number}")
        if first.setdefault(item.subject, number) != number:
            where = f"{overrides}: override {number} ({item.subject})"
            raise TypeMapError(f"{where}: override {first[item.subject]} is about the same", hint="keep one of them")
    return TypeMaps(maps.rows, found, str(overrides))


OBSERVABLE = ("postgres_to_dms", "dms_to_parquet")  # a file shows what DMS wrote, not what Snowflake should have


def _observed(path: Path) -> dict[str, tuple[Row, ...]]:
    document = _read(path)
    unknown = sorted(set(document) - set(OBSERVABLE))
    if unknown:
        raise TypeMapError(
            f"{path}: unknown key {unknown[0]!r}",
            hint=f"write {' or '.join(f'[[{hop}]]' for hop in OBSERVABLE)} tables",
        )
    found = {}
    for hop, items in document.items():
        if not isinstance(items, list):
            raise TypeMapError(f"{path}: [{hop}] is one table", hint=f"write [[{hop}]], one for each observation")
        found[hop] = tuple(_row(item, path) for item in items)
        for number, row in enumerate(found[hop], start=1):
            _observable(hop, row, found[hop][: number - 1], f"{path}: {hop} {number}")
    return found


def _observable(hop: str, row: Row, earlier: tuple[Row, ...], where: str) -> None:
    """An observation that could never match, or that the hops behind it cannot read, is refused at once."""
    if not (row.match.type or row.match.dms):
        raise TypeMapError(f"{where}: it does not say for which type", hint="give match = { … }")
    if not row.source.strip() or row.proven_by != "footer sample":
        hint = 'write proven_by = "footer sample", and the file as source'
        raise TypeMapError(f"{where}: an observation is of a file's footer", hint=hint)
    if any((row.match, row.when) == (other.match, other.when) for other in earlier):
        raise TypeMapError(f"{where}: another before it is about the same", hint="keep one of them")
    words = _parquet_words() if hop == "dms_to_parquet" else _dms_words()
    checks = [("match.dms", word, _dms_words()) for word in row.match.dms]
    for key, word, known in (*checks, ("type", row.type.partition("(")[0], words)):
        if word not in known:
            raise TypeMapError(f"{where}: {key} = {word!r} is not one of {', '.join(sorted(known))}")
    if not _WHOLE[hop].fullmatch(row.type):
        hint = "write DECIMAL({p},{s}) or DECIMAL(10,2), TIMESTAMP({p}), STRING({n}), or the word alone"
        raise TypeMapError(f"{where}: type = {row.type!r} has not the numbers it needs", hint=hint)
    if (row.type == "-") != (row.loss is Loss.NOT_DELIVERED):
        what = "type '-' and loss 'not_delivered' go together: a column is written or it is not"
        raise TypeMapError(f"{where}: {what}")


# Types as templates, with the numbers that the hops behind them read. A Parquet DECIMAL of DMS has 38 digits at most.
_P, _S = r"(?:\{p\}|[1-9]|[12]\d|3[0-8])", r"(?:\{s\}|[12]?\d|3[0-8])"
_WHOLE = {
    "dms_to_parquet": re.compile(
        rf"DECIMAL\({_P},{_S}\)|TIMESTAMP(?:_UTC)?\((?:\{{p\}}|\d)\)|(?!DECIMAL|TIMESTAMP)[^()]+"
    ),
    "postgres_to_dms": re.compile(
        rf"NUMERIC\({_P},{_S}\)|DATETIME\(\d\)|(?!NUMERIC|DATETIME)[^()]+(?:\((?:\{{n\}}|\d+)\))?"
    ),
}


def _parquet_words() -> frozenset[str]:
    return frozenset(word for row in shipped().rows["parquet_to_staging"] for word in row.match.parquet)


def _dms_words() -> frozenset[str]:
    return frozenset(word for row in shipped().rows["dms_to_parquet"] for word in row.match.dms)


def _usable(item: Override, where: str) -> None:
    """An override that could never match, or would fail only when it does, is refused at once."""
    if item.column is None and item.type is None:
        raise TypeMapError(f"{where}: it says neither for which column nor for which type")
    if item.column is not None and (item.table or item.type):
        raise TypeMapError(f"{where}: it names a column, so that table and type say nothing", hint="take them out")
    if item.column is not None and item.column.count(".") < 2:
        raise TypeMapError(f"{where}: column = {item.column!r} is not schema.table.column")
    if item.staging is None and item.final is None and item.cast is None:
        raise TypeMapError(f"{where}: it changes nothing", hint="give staging, final or cast")
    for key, text in (("staging", item.staging), ("final", item.final)):
        try:
            known = None if text is None else parse_type(text)
        except UsageError:
            known = SfType("")
        if known is not None and known.base not in KNOWN_TYPES:
            raise TypeMapError(f"{where}: {key} = {text!r} is not a Snowflake type that driftguard knows")
        if known is not None and not _exists(known):
            raise TypeMapError(f"{where}: {key} = {text!r}: Snowflake has no such length, precision or scale")


def _exists(type_: SfType) -> bool:
    """Source: docs.snowflake.com "String & binary data types", "Numeric data types", "Date & time data types"."""
    if type_.base in ("VARCHAR", "BINARY"):
        return 1 <= (type_.length or 0) <= (UNBOUNDED_VARCHAR if type_.base == "VARCHAR" else MAX_BINARY)
    if type_.base == "NUMBER":
        return 1 <= (type_.precision or 0) <= 38 and 0 <= (type_.scale or 0) <= min(37, type_.precision or 0)
    return (type_.precision or 0) <= 9


@cache
def special_values() -> dict[str, str]:
    """The values that rows single out: key → words."""
    words: dict[str, str] = _read(data_dir("typemaps") / "special_values.toml")["value"]
    return words


@cache
def sources() -> dict[str, dict[str, str]]:
    """The documents that rows name by a short word: word → title and url."""
    found: dict[str, dict[str, str]] = _read(data_dir("typemaps") / "sources.toml")["source"]
    return found


def titled(source: str) -> str:
    """A row's source with the titles of its documents in place of their short words."""
    parts = []
    for part in source.split("; "):
        word, blank, rest = part.partition(" ")
        parts.append(f"{sources()[word]['title']}{',' if blank else ''}{blank}{rest}" if word in sources() else part)
    return "; ".join(parts)


def _rows(path: Path) -> tuple[Row, ...]:
    return tuple(_row(item, path) for item in _read(path).get("row", []))


def _row(item: object, path: Path) -> Row:
    row = _parse(Row, item, path)
    for key in (*row.loses, *row.open):
        if key not in special_values():
            raise TypeMapError(f"{path}: {key!r} is none of {', '.join(special_values())}")
    return row


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise TypeMapError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # also a number of thousands of digits
        raise TypeMapError(f"{path}: {error}") from None
    except RecursionError:
        raise TypeMapError(f"{path}: nested too deeply") from None


def _parse(model: type[M], item: object, path: Path) -> M:
    try:
        return model.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TypeMapError(f"{path}: {where}: {first['msg']}") from None
