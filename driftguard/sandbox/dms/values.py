"""The type and value rules of DMS: what a PostgreSQL value becomes in a Parquet file. All of them, and only here.

Sources, as cited at each rule:
PG  = AWS DMS User Guide, "Using a PostgreSQL database as an AWS DMS source": table "Source data types for
      PostgreSQL", its settings and limitations.
S3  = AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS": table "Target data types for S3 Parquet".
LOB = AWS DMS User Guide, "Setting LOB support for source databases in an AWS DMS task".
API = AWS DMS API Reference, PostgreSQLSettings and S3Settings.
(open) marks what AWS does not say; the choice made here is then the one that loses least.

Values come in PostgreSQL's text form under the session settings of `source.py` (ISO dates, UTC, hexadecimal bytea,
ISO 8601 intervals), from full load and WAL alike.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa

from driftguard.errors import DriftguardError
from driftguard.model.mappings import DataTypeOverride
from driftguard.model.settings import EndpointSettings, TaskSettings
from driftguard.sandbox.dms.switches import Switches

Convert = Callable[[str], Any]
Note = Callable[[str], None]

_EXACT = decimal.Context(prec=2000, rounding=decimal.ROUND_HALF_UP)
_DAY = 86_400_000_000


class NotRepresentable(Exception):
    """A value that the Parquet type cannot hold; it becomes NULL and is counted."""


@dataclass(frozen=True, slots=True)
class PgType:
    """A PostgreSQL type; a domain is given as its base type."""

    name: str
    kind: Literal["base", "enum", "array", "composite", "range", "multirange"] = "base"
    typmod: int = -1


@dataclass(frozen=True, slots=True)
class ValueRule:
    """What DMS makes of a type: its DMS type, its Parquet type (None: not migrated), and of its values."""

    dms_type: str
    arrow: Any
    convert: Convert
    lob: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that a rule depends on beside the type. `cdc`: for a CDC file. `note` is told of every loss."""

    endpoint: EndpointSettings
    settings: TaskSettings
    switches: Switches
    cdc: bool
    note: Note


def rule_for(type_: PgType, on: Conditions) -> ValueRule:
    """The rule for a type. A type that is not in AWS's table becomes a string (PG: "AWS DMS streams some data types
    as strings if the data type is unknown")."""
    if type_.kind in ("array", "composite"):
        return _lob("nclob", on)  # PG: any array, composite: NCLOB
    if type_.kind == "enum":
        return _text("string")  # PG: enum: STRING(64)
    if type_.kind in ("range", "multirange"):
        return _text("string")  # PG: int4range, int8range, numrange: STRING(255); the others (open)
    make = _RULES.get(type_.name)
    return make(type_, on) if make else _text("string")


# --- text -----------------------------------------------------------------------------------------------------------


def _text(dms_type: str) -> ValueRule:
    return ValueRule(dms_type, pa.string(), lambda text: text)


def _fixed(dms_type: str) -> Callable[[PgType, Conditions], ValueRule]:
    return lambda _type, _on: _text(dms_type)


def _char(type_: PgType, on: Conditions) -> ValueRule:
    """PG: char, char(n): WSTRING. API, TrimSpaceInChar, default true: trailing blanks are dropped."""
    del type_
    return ValueRule("wstring", pa.string(), (lambda text: text.rstrip(" ")) if on.endpoint.trim_space_in_char else str)


def _varchar(type_: PgType, on: Conditions) -> ValueRule:
    """PG: varchar(n): WSTRING(n). API, MapLongVarcharAs: another type for n > 16387. PG, unboundedVarcharMaxSize: the
    size of a varchar without length, 8000 bytes by default; that longer values are cut there is (open)."""
    if type_.typmod < 0:
        limit = on.endpoint.unbounded_varchar_max_size

        def cut(text: str) -> str:
            data = text.encode()
            if len(data) <= limit:
                return text
            on.note(f"varchar without length cut to {limit} bytes")
            return data[:limit].decode(errors="ignore")

        return ValueRule("wstring", pa.string(), cut)
    if type_.typmod - 4 > 16387 and on.endpoint.map_long_varchar_as != "wstring":
        return _lob(on.endpoint.map_long_varchar_as, on)
    return _text("wstring")


def _lob(dms_type: str, on: Conditions) -> ValueRule:
    """S3: CLOB, NCLOB: STRING; BLOB: BINARY. LOB: in limited mode a value longer than LobMaxSize is cut, with a warning
    in the log. PG: an NCLOB counts two bytes a character and four for one outside the basic plane, a CLOB half that.
    API, FailTasksOnLobTruncation: the task fails instead."""
    limit = on.settings.lob_max_size_kb * 1024

    def lost() -> None:
        if on.endpoint.fail_tasks_on_lob_truncation:
            raise DriftguardError(
                f"the DMS stand-in stopped: a LOB is longer than LobMaxSize ({on.settings.lob_max_size_kb} KB)",
                hint="raise LobMaxSize, or set FailTasksOnLobTruncation to false and lose the rest of the value",
            )
        on.note(f"{dms_type} cut to LobMaxSize, {on.settings.lob_max_size_kb} KB")

    def text(value: str) -> str:
        if len(value) * 4 <= limit:
            return value
        data = value.encode("utf-16-le")
        most = limit * (1 if dms_type == "nclob" else 2)
        if len(data) <= most:
            return value
        lost()
        return data[: most // 2 * 2].decode("utf-16-le", errors="ignore")

    def binary(value: str) -> bytes:
        data = bytes.fromhex(value.removeprefix("\\x"))
        if len(data) > limit:
            lost()
        return data[:limit]

    if dms_type == "blob":
        return ValueRule(dms_type, pa.binary(), binary, lob=True)
    return ValueRule(dms_type, pa.string(), text, lob=True)


def _lob_of(dms_type: str) -> Callable[[PgType, Conditions], ValueRule]:
    return lambda _type, on: _lob(dms_type, on)


def _jsonb(type_: PgType, on: Conditions) -> ValueRule:
    """PG: jsonb: NCLOB; API, MapJsonbAsClob: CLOB."""
    del type_
    return _lob("clob" if on.endpoint.map_jsonb_as_clob else "nclob", on)


# --- numbers --------------------------------------------------------------------------------------------------------


def _int(dms_type: str, arrow: Any) -> Callable[[PgType, Conditions], ValueRule]:
    return lambda _type, _on: ValueRule(dms_type, arrow, int)


def _float(dms_type: str, arrow: Any) -> Callable[[PgType, Conditions], ValueRule]:
    return lambda _type, _on: ValueRule(dms_type, arrow, float)


def _numeric(type_: PgType, on: Conditions) -> ValueRule:
    """PG: numeric(p,s) with p < 39: NUMERIC; p >= 39: STRING. Without precision: NUMERIC(28,6), rounded to six decimals
    ("Migrating NUMERIC and DECIMAL data types"), or STRING by MapUnboundedNumericAsString. A negative scale and a
    scale above the precision are (open): the digits are kept."""
    if type_.typmod < 0:
        if on.endpoint.map_unbounded_numeric_as_string:
            return _text("string")
        return ValueRule("numeric", pa.decimal128(28, 6), _decimal(28, 6, on.note))
    precision = (type_.typmod - 4) >> 16 & 0xFFFF
    scale = ((type_.typmod - 4 & 0x7FF) ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision > 38:
        return _text("string")
    return ValueRule("numeric", pa.decimal128(precision, scale), _decimal(precision, scale, on.note))


def _decimal(precision: int, scale: int, note: Note) -> Convert:
    step = Decimal(1).scaleb(-scale)
    most = Decimal(10) ** (precision - scale)

    def convert(text: str) -> Decimal:
        value = Decimal(text)
        if not value.is_finite():  # (open): DECIMAL has no NaN and no infinity
            raise NotRepresentable(f"{text} in a DECIMAL({precision},{scale})")
        rounded = value.quantize(step, context=_EXACT)
        if rounded.copy_abs() >= most:  # (open)
            raise NotRepresentable(f"a number too large for DECIMAL({precision},{scale})")
        if rounded != value:
            note(f"numeric rounded to {scale} decimals")
        return rounded

    return convert


def _money(type_: PgType, on: Conditions) -> ValueRule:
    """PG: money: NUMERIC(38,4)."""
    del type_
    convert = _decimal(38, 4, on.note)
    return ValueRule("numeric", pa.decimal128(38, 4), lambda text: convert(re.sub(r"[^0-9.\-]", "", text)))


def _boolean(type_: PgType, on: Conditions) -> ValueRule:
    """PG: boolean: CHAR(5), the text false or true; in CDC that is (open), a switch. API, MapBooleanAsBoolean: BOOLEAN,
    which AWS describes for Redshift (open); S3: BOOL."""
    del type_
    if on.endpoint.map_boolean_as_boolean:
        return ValueRule("boolean", pa.bool_(), lambda text: text == "t")
    if on.cdc and on.switches.cdc_boolean_text == "t":
        return _text("string")
    return ValueRule("string", pa.string(), lambda text: "true" if text == "t" else "false")


# --- dates and times ------------------------------------------------------------------------------------------------


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar without end; year 0 is 1 BC. Python's dates begin in year 1."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _parse_date(text: str) -> int:
    """PG says of a PostgreSQL target that an infinite timestamp becomes 9999-12-31 or 4713-01-01 BC; for S3, and for a
    date, that is (open)."""
    if text == "infinity":
        return _days(9999, 12, 31)
    if text == "-infinity":
        return _days(-4712, 1, 1)
    year, month, day = text.removesuffix(" BC").split("-")
    return _days(1 - int(year) if text.endswith(" BC") else int(year), int(month), int(day))


def _parse_time(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def _parse_timestamp(text: str) -> int:
    """Microseconds since 1970. PG: for a PostgreSQL target infinity becomes 9999-12-31 23:59:59, -infinity 4713-01-01
    00:00:00 BC; for S3 that is (open)."""
    if text == "infinity":
        return _days(9999, 12, 31) * _DAY + 86_399_000_000
    if text == "-infinity":
        return _days(-4712, 1, 1) * _DAY
    era = " BC" if text.endswith(" BC") else ""
    date, _, time = text.removesuffix(" BC").partition(" ")
    micros = _parse_date(date + era) * _DAY + _parse_time(time.removesuffix("+00") or "00:00:00")
    if not -(2**63) <= micros < 2**63:
        raise NotRepresentable("a timestamp after the year 294247")
    return micros


def _timestamp(type_: PgType, on: Conditions) -> ValueRule:
    """PG: timestamp, timestamptz: DATETIME. S3: TIMESTAMP in microseconds, API, ParquetTimestampInMillisecond: in
    milliseconds. The DMS type has no zone; that a timestamptz is given in UTC is (open)."""
    del type_
    zone = "UTC" if on.switches.timestamp_adjusted_to_utc else None
    if on.endpoint.parquet_timestamp_in_millisecond:
        return ValueRule("datetime", pa.timestamp("ms", tz=zone), lambda text: _parse_timestamp(text) // 1000)
    return ValueRule("datetime", pa.timestamp("us", tz=zone), _parse_timestamp)


def _time(type_: PgType, on: Conditions) -> ValueRule:
    """PG: time, timetz: TIME. S3: TIME32, which is milliseconds at best; the rest of the microseconds, the offset of a
    timetz, and 24:00:00 are (open): cut, dropped, the last millisecond of the day."""
    del type_

    def convert(text: str) -> int:
        millis = min(_parse_time(re.split(r"[+-]", text)[0]) // 1000, 86_399_999)
        if re.search(r"\.\d{3}0*[1-9]", text) or text.startswith("24"):
            on.note("time cut to milliseconds")
        return millis

    return ValueRule("time", pa.time32("ms"), convert)


_INTERVAL = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?"
)


def _interval(type_: PgType, on: Conditions) -> ValueRule:
    """PG: interval: STRING(128), "1 YEAR, 2 MONTHS, 3 DAYS, 4 HOURS, 5 MINUTES, 6 SECONDS". How zero fields, fractions
    and signs are spelt is (open)."""
    del type_, on

    def convert(text: str) -> str:
        match = _INTERVAL.fullmatch(text)
        if match is None:  # infinity, since PostgreSQL 17
            return text
        words = [
            f"{amount} {unit}" if amount in ("1", "-1") else f"{amount} {unit}S"
            for amount, unit in zip(match.groups(), ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"), strict=True)
            if amount is not None and float(amount) != 0
        ]
        return (", ".join(words) or "0 SECONDS")[:128]

    return ValueRule("string", pa.string(), convert)


def _not_migrated(type_: PgType, on: Conditions) -> ValueRule:
    """PG, limitations: OID LOBs are not migrated, PostGIS types only between PostgreSQL databases. Whether the column
    is absent or NULL is (open): absent."""
    del type_, on
    return ValueRule("none", None, lambda _text: None)


_RULES: dict[str, Callable[[PgType, Conditions], ValueRule]] = {
    "int2": _int("int2", pa.int16()),  # PG: smallint: INT2; S3: INT16
    "int4": _int("int4", pa.int32()),  # PG: integer: INT4; S3: INT32
    "int8": _int("int8", pa.int64()),  # PG: bigint: INT8; S3: INT64
    "numeric": _numeric,
    "money": _money,
    "float4": _float("real4", pa.float32()),  # PG: real: REAL4; S3: FLOAT
    "float8": _float("real8", pa.float64()),  # PG: double precision: REAL8; S3: DOUBLE
    "bool": _boolean,
    "bpchar": _char,
    "varchar": _varchar,
    "text": _lob_of("nclob"),  # PG: text: NCLOB
    "citext": _lob_of("nclob"),  # PG: citext: NCLOB
    "json": _lob_of("nclob"),  # PG: json: NCLOB
    "jsonb": _jsonb,
    "hstore": _lob_of("nclob"),  # PG: hstore: NCLOB
    "xml": _lob_of("clob"),  # PG: xml: CLOB
    "tsvector": _lob_of("clob"),  # PG: tsvector: CLOB
    "tsquery": _lob_of("clob"),  # PG: tsquery: CLOB
    "path": _lob_of("clob"),  # PG: path: CLOB
    "polygon": _lob_of("clob"),  # PG: polygon: CLOB
    "bytea": _lob_of("blob"),  # PG: bytea: BLOB
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "date": lambda _type, _on: ValueRule("date", pa.date32(), _parse_date),  # PG: date: DATE; S3: DATE32
    "time": _time,
    "timetz": _time,
    "interval": _interval,
    "uuid": _fixed("string"),  # PG: uuid: STRING
    "cidr": _fixed("string"),  # PG: cidr, inet: STRING(50)
    "inet": _fixed("string"),
    "macaddr": _fixed("string"),  # PG: macaddr: STRING(18)
    "bit": _fixed("string"),  # PG: bit(n), bit varying(n): STRING(n)
    "varbit": _fixed("string"),
    "point": _fixed("string"),  # PG: point, line, lseg, box, circle: STRING(255)
    "line": _fixed("string"),
    "lseg": _fixed("string"),
    "box": _fixed("string"),
    "circle": _fixed("string"),
    "oid": _not_migrated,
    "geometry": _not_migrated,
    "geography": _not_migrated,
}


# --- rules of the mappings ------------------------------------------------------------------------------------------


def overridden(base: ValueRule, override: DataTypeOverride, on: Conditions) -> ValueRule:
    """A column whose type a change-data-type or add-column rule sets. S3 gives the Parquet type of each DMS type; how
    DMS converts values is (open): by their text, NULL where that is not possible."""
    rule = typed(override, on)

    def convert(text: str) -> Any:
        shown = base.convert(text)
        try:
            return rule.convert(shown if isinstance(shown, str) else text)
        except (ValueError, decimal.DecimalException):
            raise NotRepresentable(f"a {base.dms_type} that is no {override.type}") from None

    return replace(rule, convert=convert, lob=rule.lob or base.lob)


def typed(override: DataTypeOverride, on: Conditions) -> ValueRule:
    """The rule of a DMS type, as named in table mappings."""
    kind = override.type
    if kind == "numeric":
        precision, scale = override.precision or 38, override.scale or 0
        return ValueRule(kind, pa.decimal128(precision, scale), _decimal(precision, scale, on.note))
    if kind in _DMS_TYPES:
        return _DMS_TYPES[kind](PgType(kind), on)
    length = override.length
    return ValueRule(kind, pa.string(), lambda text: text if length is None else text[:length])


def _whole(dms_type: str, arrow: Any) -> Callable[[PgType, Conditions], ValueRule]:
    bits = arrow.bit_width
    low, high = (0, 2**bits) if dms_type.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))

    def convert(text: str) -> int:
        value = int(Decimal(text))
        if not low <= value < high:
            raise NotRepresentable(f"a number too large for {dms_type}")
        return value

    return lambda _type, _on: ValueRule(dms_type, arrow, convert)


_DMS_TYPES: dict[str, Callable[[PgType, Conditions], ValueRule]] = {
    "int1": _whole("int1", pa.int8()),
    "int2": _whole("int2", pa.int16()),
    "int4": _whole("int4", pa.int32()),
    "int8": _whole("int8", pa.int64()),
    "uint1": _whole("uint1", pa.uint8()),
    "uint2": _whole("uint2", pa.uint16()),
    "uint4": _whole("uint4", pa.uint32()),
    "uint8": _whole("uint8", pa.uint64()),
    "real4": _float("real4", pa.float32()),
    "real8": _float("real8", pa.float64()),
    "boolean": lambda _type, _on: ValueRule("boolean", pa.bool_(), lambda text: text in ("t", "true", "1")),
    "date": _RULES["date"],
    "time": _time,
    "datetime": _timestamp,
    "bytes": lambda _type, _on: ValueRule("bytes", pa.binary(), lambda text: text.encode()),
    "blob": _lob_of("blob"),
    "clob": _lob_of("clob"),
    "nclob": _lob_of("nclob"),
}
