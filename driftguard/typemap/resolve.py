"""Walks one column's type through the hops."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from driftguard.errors import TypeMapError
from driftguard.model.catalog import PgType
from driftguard.model.emission import Hop, Loss, SpecialValue
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Cast
from driftguard.model.settings import EndpointSettings
from driftguard.model.snowflake import SfType
from driftguard.sql.snowflake import parse_type
from driftguard.typemap.casting import cast_between, no_load, no_merge
from driftguard.typemap.load import SETTINGS, Match, Override, Row, TypeMaps, When, special_values, titled

DECIDED = "your decision"  # `proven_by` of a hop that an override has decided
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
    subject = _typed_by(pg)
    row = first_row(maps, pg, settings)
    dms = _fill(row.type, subject)
    first = _hop("postgres_to_dms", pg.text, dms, row)
    if pg.base_name and first.loss is not Loss.UNKNOWN:
        # AWS does not list domains; that one arrives like its base type is an assumption until a footer shows it.
        # "Troubleshooting": user-defined types are created as character varying on the target.
        note = f"a domain over {pg.base_text or pg.base_name}, taken to arrive like it; AWS says only that other "
        note += "targets get a varchar"
        note += f"; {first.note}" if first.note else ""
        loss = max(first.loss, Loss.ASSUMED_EXACT, key=lambda item: item.rank)
        first = replace(first, loss=loss, note=note, proven_by="stand-in only")
    parquet, second = parquet_type(maps, dms, settings)
    return Delivery(pg, dms, parquet, row.lob, (first, second))


def first_row(maps: TypeMaps, pg: PgType, settings: EndpointSettings) -> Row:
    """The row of postgres_to_dms that decides about a type."""
    return _first(maps, "postgres_to_dms", _typed_by(pg), settings)


def _typed_by(pg: PgType) -> _Subject:
    return _Subject(pg, pg.resolved, pg.precision, pg.scale, pg.length)


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
    staging = parse_type(_fill(row.type, subject))
    third = _hop("parquet_to_staging", parquet, str(staging), row)
    override = _override(maps, pg, place)
    if override is not None:
        return _decided(maps, override, parquet, pg, staging, third, settings)
    last = _last(maps, staging, pg, settings)
    final = parse_type(last.type.replace("{staging}", str(staging)))
    fourth = _hop("postgres_to_final", pg.text if pg else parquet, str(final), last)
    return Destination(staging, final, last.cast, (third, fourth))


def _last(maps: TypeMaps, staging: SfType, pg: PgType | None, settings: EndpointSettings) -> Row:
    subject = _Subject(pg, pg.resolved if pg else "", staging=staging.base)
    return _first(maps, "postgres_to_final", subject, settings)


def _decided(
    maps: TypeMaps,
    override: Override,
    parquet: str,
    pg: PgType | None,
    shipped_staging: SfType,
    third: Hop,
    settings: EndpointSettings,
) -> Destination:
    """What a person decided, where that is possible. Raises `TypeMapError` with the reason where it is not."""
    staging = parse_type(override.staging) if override.staging else shipped_staging
    last = _last(maps, staging, pg, settings)
    usual = parse_type(last.type.replace("{staging}", str(staging)))
    final = parse_type(override.final) if override.final else usual
    where = f"{maps.origin}: override {maps.overrides.index(override) + 1} ({override.subject})"
    why = no_load(parquet, staging)
    if why:
        raise TypeMapError(f"{where}: staging = {str(staging)!r} for a {parquet} of the files: {why}")
    why = no_merge(parquet, staging, final, pg)
    if why:
        raise TypeMapError(f"{where}: final = {str(final)!r} from {staging} in STAGING: {why}")
    cast = cast_between(staging, final)
    assert cast is not None  # no_merge has said so
    if override.cast not in (None, cast):
        raise TypeMapError(f"{where}: cast = {override.cast!s}: from {staging} to {final} the merge needs {cast!s}")
    note = f"decided: {override.reason}"
    if override.staging:
        third = replace(third, after=str(staging), note=note, source=maps.origin, proven_by=DECIDED)
    unfit: tuple[SpecialValue, ...] = ()
    if cast is not Cast.NONE and cast is not last.cast:
        kept = "left out: FINAL keeps what it had, the text goes to quarantine"
        unfit = (SpecialValue("unfit", f"no {final}", kept, True),)
    loss = Loss.AS_TEXT if final.base == "VARCHAR" != usual.base else last.loss
    fourth = Hop("postgres_to_final", pg.text if pg else parquet, str(final), loss, note, maps.origin, DECIDED, unfit)
    return Destination(staging, final, cast, (third, fourth))


def idle(maps: TypeMaps, columns: Iterable[tuple[TableName, str, PgType]]) -> tuple[str, ...]:
    """The overrides that decide about none of these columns (table, name, type), in words."""
    if not maps.overrides:
        return ()
    used = {id(_override(maps, pg, (table, name))) for table, name, pg in columns}
    return tuple(
        f"override {number} ({item.subject})"
        for number, item in enumerate(maps.overrides, start=1)
        if id(item) not in used
    )


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
    return Hop(step, before, after, row.loss, row.note, titled(row.source), row.proven_by, special, row.remedy)
