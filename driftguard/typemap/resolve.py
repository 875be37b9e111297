"""Walks one column's type through the hops."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from driftguard.errors import TypeMapError
from driftguard.model.catalog import PgType
from driftguard.model.emission import Hop, Loss, SpecialValue
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Cast
from driftguard.model.settings import EndpointSettings
from driftguard.model.snowflake import SfType
from driftguard.sql.snowflake import parse_type
from driftguard.typemap.load import SETTINGS, Match, Override, Row, TypeMaps, When, special_values

_ARGUMENTS = re.compile(r"([A-Z0-9_\-]+)(?:\((\d+)(?:,(-?\d+))?\))?")


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What DMS makes of a type: the first two hops. Equal only to itself: a resolver makes one for each type."""

    pg: PgType
    dms: str
    parquet: str
    lob: bool
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """What Snowflake should have for it: the last two hops. None where nothing is delivered."""

    staging: SfType
    final: SfType
    cast: Cast
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a row can match on."""

    pg: PgType | None
    word: str = ""
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    staging: str = ""


class Resolver:
    """The type maps under one endpoint's settings. Answers are kept: a database has few types and many columns."""

    def __init__(self, maps: TypeMaps, settings: EndpointSettings) -> None:
        self._maps = maps
        self._settings = settings
        self._deliveries: dict[PgType, Delivery] = {}
        self._destinations: dict[tuple[str, PgType | None], Destination | None] = {}
        self.by_place = any(item.column or item.table for item in maps.overrides)

    def deliver(self, pg: PgType) -> Delivery:
        """See `deliver`."""
        found = self._deliveries.get(pg)
        if found is None:
            found = self._deliveries[pg] = deliver(self._maps, pg, self._settings)
        return found

    def parquet_type(self, dms: str) -> tuple[str, Hop]:
        """See `parquet_type`."""
        return parquet_type(self._maps, dms, self._settings)

    def land(self, parquet: str, pg: PgType | None, place: tuple[TableName, str]) -> Destination | None:
        """See `land`."""
        if self.by_place:
            return land(self._maps, parquet, pg, self._settings, place)
        key = (parquet, pg)
        if key not in self._destinations:
            self._destinations[key] = land(self._maps, parquet, pg, self._settings)
        return self._destinations[key]


def deliver(maps: TypeMaps, pg: PgType, settings: EndpointSettings) -> Delivery:
    """The DMS and Parquet types of a PostgreSQL type under these endpoint settings."""
    subject = _Subject(pg, pg.resolved, pg.precision, pg.scale, pg.length)
    row = _first(maps, "postgres_to_dms", subject, settings)
    dms = _fill(row.type, subject)
    first = _hop("postgres_to_dms", pg.text, dms, row)
    if pg.base_name and first.loss is Loss.EXACT:
        # AWS does not list domains; that one arrives like its base type is an assumption until a footer shows it.
        note = f"a domain over {pg.base_name}, taken to arrive like it"
        first = replace(first, loss=Loss.ASSUMED_EXACT, note=note, proven_by="stand-in only")
    parquet, second = parquet_type(maps, dms, settings)
    return Delivery(pg, dms, parquet, row.lob, (first, second))


def parquet_type(maps: TypeMaps, dms: str, settings: EndpointSettings) -> tuple[str, Hop]:
    """The Parquet type of a DMS type such as `NUMERIC(10,2)`, and the hop."""
    subject = _typed(dms, None)
    row = _first(maps, "dms_to_parquet", subject, settings)
    parquet = _fill(row.type, subject)
    return parquet, _hop("dms_to_parquet", dms, parquet, row)


def land(
    maps: TypeMaps,
    parquet: str,
    pg: PgType | None,
    settings: EndpointSettings,
    place: tuple[TableName, str] | None = None,
) -> Destination | None:
    """The STAGING and FINAL types of a Parquet type; `pg` decides FINAL's, `place` (table, column) finds overrides."""
    subject = _typed(parquet, pg)
    row = _first(maps, "parquet_to_staging", subject, settings)
    if row.loss is Loss.NOT_DELIVERED:
        return None
    override = _override(maps, pg, place)
    staging = parse_type(override.staging if override and override.staging else _fill(row.type, subject))
    third = _hop("parquet_to_staging", parquet, str(staging), row)
    word = pg.resolved if pg else ""
    last = _first(maps, "postgres_to_final", _Subject(pg, word, staging=staging.base), settings)
    text = last.type.replace("{staging}", str(staging))
    final = parse_type(override.final if override and override.final else text)
    cast = override.cast if override and override.cast is not None else last.cast
    fourth = _hop("postgres_to_final", pg.text if pg else parquet, str(final), last)
    return Destination(staging, final, cast, (third, fourth))


def _override(maps: TypeMaps, pg: PgType | None, place: tuple[TableName, str] | None) -> Override | None:
    """The most particular override: column before table before type."""

    def rank(item: Override) -> int | None:
        if item.column is not None:
            return 0 if place and item.column == f"{place[0]}.{place[1]}" else None
        if item.type is None or pg is None or item.type not in (pg.name, pg.resolved):
            return None
        if item.table is not None:
            return 1 if place and item.table == str(place[0]) else None
        return 2

    ranked = [(r, index, item) for index, item in enumerate(maps.overrides) if (r := rank(item)) is not None]
    return min(ranked)[2] if ranked else None


def _typed(text: str, pg: PgType | None) -> _Subject:
    match = _ARGUMENTS.fullmatch(text)
    if match is None:
        raise TypeMapError(f"{text!r} is not a type of a type map")
    first = int(match[2]) if match[2] else None
    scale = int(match[3]) if match[3] else None
    return _Subject(pg, match[1], precision=first, scale=scale, length=first)


def _first(maps: TypeMaps, hop: str, subject: _Subject, settings: EndpointSettings) -> Row:
    for row in maps.rows[hop]:
        if _matches(row.match, subject, hop) and _holds(row.when, subject, settings):
            return row
    raise TypeMapError(f"no row of {hop} matches {subject.word or subject.pg}")


def _matches(match: Match, subject: _Subject, hop: str) -> bool:
    pg = subject.pg
    if hop.startswith("postgres"):
        if match.type and (subject.word not in match.type or (pg is not None and pg.is_array)):
            return False
        if match.kind is not None and (pg is None or pg.kind != match.kind):
            return False
        if match.staging and subject.staging not in match.staging:
            return False
        return match.array is None or (pg is not None and pg.is_array == match.array)
    allowed = match.dms if hop == "dms_to_parquet" else match.parquet
    return not allowed or subject.word in allowed


def _holds(when: When, subject: _Subject, settings: EndpointSettings) -> bool:
    for name in SETTINGS:
        wanted = getattr(when, name)
        if wanted is not None and getattr(settings, name) != wanted:
            return False
    precision, scale = subject.precision, subject.scale
    checks = (
        when.unbounded is None or when.unbounded == (precision is None and subject.length is None),
        when.scale_below_zero is None or when.scale_below_zero == (scale is not None and scale < 0),
        when.scale_above_precision is None
        or when.scale_above_precision == (scale is not None and precision is not None and scale > precision),
        when.max_precision is None or (precision is not None and precision <= when.max_precision),
        when.max_scale is None or (scale or 0) <= when.max_scale,
        when.longer_than is None or (subject.length or 0) > when.longer_than,
    )
    return all(checks)


def _fill(template: str, subject: _Subject) -> str:
    text = template
    for mark, value in (("{p}", subject.precision), ("{s}", subject.scale), ("{n}", subject.length)):
        if mark in text and value is None:
            # bpchar without a length, a scale that was not written: leave the argument out
            text = text.replace(f"({mark})", "").replace(mark, "0")
        else:
            text = text.replace(mark, str(value))
    return text.replace("{dms}", subject.word)


def _hop(step: str, before: str, after: str, row: Row) -> Hop:
    special = tuple(
        SpecialValue(key, special_values()[key], becomes, documented)
        for found, documented in ((row.loses, True), (row.open, False))
        for key, becomes in found.items()
    )
    return Hop(step, before, after, row.loss, row.note, row.source, row.proven_by, special, row.remedy)
