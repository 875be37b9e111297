"""Snowflake's column types: how they are written, described, stored in DuckDB, and which may become which.

Sources: "String & binary data types", "Numeric data types", "Date & time data types", "SHOW COLUMNS", "ALTER TABLE …
ALTER COLUMN" on docs.snowflake.com. Fractions of a second are kept to the microsecond (DuckDB's TIMESTAMP), although
the type says nine digits; docs/sandbox.md names that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.reader import Reader

VARCHAR_MAX = 134_217_728
VARCHAR_DEFAULT = 16_777_216
BINARY_MAX = 67_108_864
BINARY_DEFAULT = 8_388_608

_INTEGERS = {"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"}
_DECIMALS = {"NUMBER", "DECIMAL", "NUMERIC", "DEC"}
_FLOATS = {"FLOAT", "FLOAT4", "FLOAT8", "REAL", "DOUBLE"}
_TEXTS = {"VARCHAR", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2"}
_CHARS = {"CHAR", "CHARACTER", "NCHAR"}
_TIMESTAMPS = {
    "TIMESTAMP_NTZ": "TIMESTAMP_NTZ",
    "TIMESTAMPNTZ": "TIMESTAMP_NTZ",
    "DATETIME": "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ",
    "TIMESTAMPLTZ": "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ",
    "TIMESTAMPTZ": "TIMESTAMP_TZ",
}
TIMESTAMPS = ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")
SEMI = ("VARIANT", "OBJECT", "ARRAY")


@dataclass(frozen=True, slots=True)
class SfType:
    """A Snowflake type. `base` is the name of SHOW COLUMNS: FIXED, TEXT, REAL, BINARY, TIMESTAMP_NTZ, …"""

    base: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def sql(self) -> str:
        """As DDL, DESCRIBE and error texts write it."""
        match self.base:
            case "FIXED":
                return f"NUMBER({self.precision},{self.scale})"
            case "TEXT":
                return f"VARCHAR({self.length})"
            case "BINARY":
                return f"BINARY({self.length})"
            case "REAL":
                return "FLOAT"
            case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
                return f"{self.base}({self.scale})"
            case _:
                return self.base

    @property
    def name(self) -> str:
        """INFORMATION_SCHEMA.COLUMNS.DATA_TYPE (NUMBER, TEXT, FLOAT, …; the spelling is unsourced)."""
        return {"FIXED": "NUMBER", "REAL": "FLOAT"}.get(self.base, self.base)

    @property
    def duck(self) -> str:
        """The DuckDB type that holds it."""
        match self.base:
            case "FIXED":
                return f"DECIMAL({self.precision},{self.scale})"
            case "TEXT":
                return "VARCHAR"
            case "REAL":
                return "DOUBLE"
            case "BINARY":
                return "BLOB"
            case "TIMESTAMP_NTZ":
                return "TIMESTAMP"
            case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
                return "TIMESTAMPTZ"
            case "VARIANT" | "OBJECT" | "ARRAY":
                return "JSON"
            case _:
                return self.base

    def json(self, nullable: bool) -> dict[str, object]:
        """The `data_type` of SHOW COLUMNS ("SHOW COLUMNS", docs.snowflake.com)."""
        out: dict[str, object] = {"type": self.base}
        if self.base == "FIXED":
            out |= {"precision": self.precision, "scale": self.scale}
        elif self.base == "TEXT":
            length = self.length or 0
            out |= {
                "length": length,
                "byteLength": min(length * 4, VARCHAR_MAX) if length <= VARCHAR_DEFAULT else length,
            }
            if length == VARCHAR_DEFAULT:
                out["byteLength"] = VARCHAR_DEFAULT
        elif self.base == "BINARY":
            out |= {"length": self.length, "byteLength": self.length, "fixed": True}
        elif self.base in ("TIME", *TIMESTAMPS):
            out |= {"precision": 0, "scale": self.scale}
        out["nullable"] = nullable
        if self.base == "BINARY":
            out["fixed"] = False
        return out


def number(precision: int = 38, scale: int = 0) -> SfType:
    return SfType("FIXED", precision=precision, scale=scale)


def varchar(length: int = VARCHAR_DEFAULT) -> SfType:
    return SfType("TEXT", length=length)


def timestamp(base: str, scale: int = 9) -> SfType:
    return SfType(base, scale=scale)


TEXT = varchar()
BOOLEAN = SfType("BOOLEAN")
FLOAT = SfType("REAL")
VARIANT = SfType("VARIANT")
UNKNOWN = SfType("UNKNOWN")
LTZ = timestamp("TIMESTAMP_LTZ")
NUMBER = number()


def _numbers(reader: Reader, most: int) -> list[int]:
    out = [] if not reader.is_op("(") else [int(value) for value in reader.list_of(lambda: str(reader.integer()))]
    if len(out) > most:
        raise reader.unexpected()
    return out


def _length(reader: Reader, default: int, most: int, family: str) -> int:
    given = _numbers(reader, 1)
    length = given[0] if given else default
    if not 1 <= length <= most:
        raise errors.compilation(
            2083, "42601", f"invalid length {length} for {family}: it must be between 1 and {most}"
        )
    return length


def read_type(reader: Reader, timestamp_mapping: str = "TIMESTAMP_NTZ") -> SfType:
    """The type at the reader. TIMESTAMP is an alias that the session's TIMESTAMP_TYPE_MAPPING resolves."""
    word = reader.identifier_or_reserved()
    if word in _INTEGERS:
        return number()
    if word in _DECIMALS:
        given = _numbers(reader, 2)
        precision = given[0] if given else 38
        scale = given[1] if len(given) > 1 else 0
        if not 1 <= precision <= 38:
            raise errors.compilation(
                2083, "42601", f"invalid numeric precision {precision}: it must be between 1 and 38"
            )
        if not 0 <= scale <= min(precision, 37):
            raise errors.compilation(
                2084, "42601", f"invalid numeric scale {scale}: it must be between 0 and {min(precision, 37)}"
            )
        return number(precision, scale)
    if word in _FLOATS:
        if word == "DOUBLE":
            reader.accept("PRECISION")
        return FLOAT
    if word in _TEXTS:
        return varchar(_length(reader, VARCHAR_DEFAULT, VARCHAR_MAX, "VARCHAR"))
    if word in _CHARS:
        varying = reader.accept("VARYING")
        return varchar(_length(reader, VARCHAR_DEFAULT if varying else 1, VARCHAR_MAX, "VARCHAR"))
    if word in ("BINARY", "VARBINARY"):
        return SfType("BINARY", length=_length(reader, BINARY_DEFAULT, BINARY_MAX, "BINARY"))
    if word in ("BOOLEAN", "DATE", *SEMI):
        return SfType(word)
    if word == "TIME" or word == "TIMESTAMP" or word in _TIMESTAMPS:
        given = _numbers(reader, 1)
        scale = given[0] if given else 9
        if not 0 <= scale <= 9:
            raise errors.compilation(2084, "42601", f"invalid precision {scale}: it must be between 0 and 9")
        if word == "TIME":
            return SfType("TIME", scale=scale)
        if word == "TIMESTAMP" and reader.is_word("WITH"):
            raise reader.unexpected()
        return timestamp(timestamp_mapping if word == "TIMESTAMP" else _TIMESTAMPS[word], scale)
    if word in ("GEOGRAPHY", "GEOMETRY", "VECTOR", "DECFLOAT", "UUID", "INTERVAL", "FILE", "MAP"):
        raise errors.unsupported(f"columns of type {word}")
    raise errors.compilation(2040, "42601", f"Unsupported data type '{word}'.")


_DUCK_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DUCK = {
    "BOOLEAN": BOOLEAN,
    "TINYINT": number(3),
    "UTINYINT": number(3),
    "SMALLINT": number(5),
    "USMALLINT": number(5),
    "INTEGER": number(10),
    "UINTEGER": number(10),
    "BIGINT": number(19),
    "UBIGINT": number(20),
    "HUGEINT": number(),
    "UHUGEINT": number(),
    "BIGNUM": number(),
    "FLOAT": FLOAT,
    "DOUBLE": FLOAT,
    "VARCHAR": TEXT,
    "BLOB": SfType("BINARY", length=BINARY_DEFAULT),
    "DATE": SfType("DATE"),
    "TIME": SfType("TIME", scale=9),
    "TIME_NS": SfType("TIME", scale=9),
    "TIMESTAMP": timestamp("TIMESTAMP_NTZ"),
    "TIMESTAMP_NS": timestamp("TIMESTAMP_NTZ"),
    "TIMESTAMP_MS": timestamp("TIMESTAMP_NTZ"),
    "TIMESTAMP_S": timestamp("TIMESTAMP_NTZ"),
    "TIMESTAMP WITH TIME ZONE": LTZ,
    "TIMESTAMPTZ_NS": LTZ,
    "JSON": VARIANT,
    '"NULL"': SfType("NULL"),
    "NULL": SfType("NULL"),
}


def from_duck(name: str) -> SfType:
    """The Snowflake type that a DuckDB expression of this type stands for."""
    if decimal := _DUCK_DECIMAL.match(name):
        return number(int(decimal[1]), int(decimal[2]))
    if name.endswith("]"):
        return SfType("ARRAY")
    if name.startswith(("STRUCT", "MAP")):
        return SfType("OBJECT")
    return _DUCK.get(name, TEXT)


def assignable(source: SfType, target: SfType) -> bool:
    """Whether INSERT, UPDATE and MERGE convert `source` without a cast ("Data type conversion", column "coercible").

    Where that table marks a conversion with a reservation (NUMBER to TIMESTAMP, text to VARIANT, TIME to TIMESTAMP)
    the stand-in refuses: an explicit cast is right in both readings.
    """
    have, want = source.base, target.base
    if have in ("NULL", want):
        return True
    allowed = {
        "TEXT": {"FIXED", "REAL", "BOOLEAN", "DATE", "TIME", "BINARY", *TIMESTAMPS},
        "FIXED": {"REAL", "TEXT", "BOOLEAN", "VARIANT"},
        "REAL": {"FIXED", "TEXT", "BOOLEAN", "VARIANT"},
        "BOOLEAN": {"TEXT", "FIXED", "VARIANT"},
        "DATE": {"TEXT", "VARIANT", *TIMESTAMPS},
        "TIME": {"TEXT", "VARIANT"},
        "BINARY": {"TEXT", "VARIANT"},
        "VARIANT": {"FIXED", "REAL", "TEXT", "BOOLEAN", "DATE", "TIME", "OBJECT", "ARRAY", *TIMESTAMPS},
        "OBJECT": {"VARIANT"},
        "ARRAY": {"VARIANT"},
    }
    if have in TIMESTAMPS:
        return want in {"DATE", "TIME", "TEXT", "VARIANT", *TIMESTAMPS}
    return want in allowed.get(have, set())


def alter_refusal(column: str, old: SfType, new: SfType) -> errors.SnowflakeError | None:
    """Why SET DATA TYPE does not change `old` to `new`; None when the type itself may change.

    "ALTER TABLE … ALTER COLUMN": the target must be NUMBER or text, text may only grow, NUMBER keeps its scale, and
    nothing crosses families. A smaller precision is allowed here; the caller looks at the values.
    """
    stem = f"cannot change column {column} from type {old.sql} to {new.sql}"
    if new.base not in ("FIXED", "TEXT"):
        return errors.compilation(
            40052, "22000", f"{stem} because the specified type must be NUMBER or a text data type."
        )
    if old == new:
        return None
    if old.base == new.base == "TEXT":
        if (new.length or 0) >= (old.length or 0):
            return None
        return errors.compilation(
            40052, "22000", f"{stem} because reducing the byte-length of a varchar is not supported."
        )
    if old.base == new.base == "FIXED":
        if old.scale == new.scale:
            return None
        return errors.compilation(40052, "22000", f"{stem} because changing the scale of a number is not supported.")
    return errors.compilation(40052, "22000", f"{stem} because they have incompatible conversions.")
