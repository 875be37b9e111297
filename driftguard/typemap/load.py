"""Reads `typemaps/*.toml` into rows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftguard.errors import TypeMapError, UsageError
from driftguard.model.emission import Loss
from driftguard.model.landing import Cast
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
    reason: str = Field(min_length=1)

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
    if observed is not None and observed.is_file():
        seen = _observed(observed)
        maps = TypeMaps({hop: seen.get(hop, ()) + rows for hop, rows in maps.rows.items()})
    if overrides is None or not overrides.is_file():
        return maps
    document = _read(overrides)
    unknown = set(document) - {"override"}
    if unknown:
        raise TypeMapError(f"{overrides}: unknown key {sorted(unknown)[0]!r}", hint="write [[override]] tables")
    items = document.get("override", [])
    if not isinstance(items, list):
        raise TypeMapError(f"{overrides}: [override] is one table", hint="write [[override]], one for each decision")
    found = tuple(_parse(Override, item, overrides) for item in items)
    for number, item in enumerate(found, start=1):
        _usable(item, f"{overrides}: override {number}")
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
            if not (row.match.type or row.match.dms):
                raise TypeMapError(f"{path}: {hop} {number}: it does not say for which type", hint="give match = { … }")
            if hop == "dms_to_parquet" and row.type.partition("(")[0] not in _parquet_words():
                known = ", ".join(sorted(_parquet_words()))
                raise TypeMapError(f"{path}: {hop} {number}: type = {row.type!r} is not one of {known}")
    return found


def _parquet_words() -> frozenset[str]:
    return frozenset(word for row in shipped().rows["parquet_to_staging"] for word in row.match.parquet)


def _usable(item: Override, where: str) -> None:
    """An override that could never match, or would fail only when it does, is refused at once."""
    if item.column is None and item.type is None:
        raise TypeMapError(f"{where}: it says neither for which column nor for which type")
    if item.column is not None and item.column.count(".") < 2:
        raise TypeMapError(f"{where}: column = {item.column!r} is not schema.table.column")
    if item.staging is None and item.final is None and item.cast is None:
        raise TypeMapError(f"{where}: it changes nothing", hint="give staging, final or cast")
    for key, text in (("staging", item.staging), ("final", item.final)):
        try:
            known = text is None or parse_type(text).base in KNOWN_TYPES
        except UsageError:
            known = False
        if not known:
            raise TypeMapError(f"{where}: {key} = {text!r} is not a Snowflake type that driftguard knows")


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
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TypeMapError(f"{path}: {error}") from None


def _parse(model: type[M], item: object, path: Path) -> M:
    try:
        return model.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TypeMapError(f"{path}: {where}: {first['msg']}") from None
