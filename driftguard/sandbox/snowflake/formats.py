"""File formats: their options with defaults, CREATE and ALTER ("CREATE FILE FORMAT", docs.snowflake.com)."""

from __future__ import annotations

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import FileFormat
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.reader import OptionValue, Reader
from driftguard.sandbox.snowflake.results import Result, status

# "CREATE FILE FORMAT": the options of each type with their defaults. Parquet is what the pipeline uses; of the others
# only the names are known, and loading through them is refused.
PARQUET: dict[str, object] = {
    "TRIM_SPACE": False,
    "NULL_IF": ["\\N"],
    "COMPRESSION": "AUTO",
    "BINARY_AS_TEXT": True,
    "USE_LOGICAL_TYPE": False,
    "REPLACE_INVALID_CHARACTERS": False,
    "USE_VECTORIZED_SCANNER": False,
}
_PARQUET_ALSO = {"SNAPPY_COMPRESSION": True}
TYPES = ("CSV", "JSON", "AVRO", "ORC", "PARQUET", "XML")
_OTHER_OPTIONS = frozenset(
    [
        "COMPRESSION",
        "RECORD_DELIMITER",
        "FIELD_DELIMITER",
        "FILE_EXTENSION",
        "SKIP_HEADER",
        "PARSE_HEADER",
        "SKIP_BLANK_LINES",
        "DATE_FORMAT",
        "TIME_FORMAT",
        "TIMESTAMP_FORMAT",
        "BINARY_FORMAT",
        "ESCAPE",
        "ESCAPE_UNENCLOSED_FIELD",
        "TRIM_SPACE",
        "FIELD_OPTIONALLY_ENCLOSED_BY",
        "NULL_IF",
        "ERROR_ON_COLUMN_COUNT_MISMATCH",
        "REPLACE_INVALID_CHARACTERS",
        "EMPTY_FIELD_AS_NULL",
        "SKIP_BYTE_ORDER_MARK",
        "ENCODING",
        "ENABLE_OCTAL",
        "ALLOW_DUPLICATE",
        "STRIP_OUTER_ARRAY",
        "STRIP_NULL_VALUES",
        "IGNORE_UTF8_ERRORS",
        "PRESERVE_SPACE",
        "STRIP_OUTER_ELEMENT",
        "DISABLE_AUTO_CONVERT",
        "MULTI_LINE",
    ]
)


def format_options(given: dict[str, OptionValue]) -> tuple[str, dict[str, object]]:
    """The type and all options of a file format, defaults filled in; an option of another type is refused."""
    values = dict(given)
    kind = str(values.pop("TYPE", "CSV")).upper()
    if kind not in TYPES:
        raise errors.invalid_value(kind, "TYPE")
    if kind != "PARQUET":
        for key in values:
            if key not in _OTHER_OPTIONS:
                raise errors.invalid_property(key, f"FILE FORMAT {kind}")
        return kind, dict(values)
    options = dict(PARQUET)
    for key, value in values.items():
        if key not in PARQUET and key not in _PARQUET_ALSO:
            raise errors.invalid_property(key, "FILE FORMAT PARQUET")
        default = {**PARQUET, **_PARQUET_ALSO}[key]
        if isinstance(default, bool) and not isinstance(value, bool):
            raise errors.invalid_value(str(value), key)
        if key == "NULL_IF":
            value = [str(one) for one in value] if isinstance(value, list) else [str(value)]
        if key == "COMPRESSION" and str(value).upper() not in ("AUTO", "LZO", "SNAPPY", "NONE"):
            raise errors.invalid_value(str(value), key)
        if key in PARQUET:
            options[key] = value
    return kind, options


def read_format(ex: Execution, value: OptionValue) -> tuple[str, dict[str, object], FileFormat | None]:
    """FILE_FORMAT = (…): by name or inline."""
    if isinstance(value, str):
        value = {"FORMAT_NAME": value}
    if isinstance(value, list):
        if value:
            raise errors.syntax(str(value[0]))
        value = {}
    if not isinstance(value, dict):
        raise errors.invalid_value(str(value), "FILE_FORMAT")
    if "FORMAT_NAME" in value:
        if len(value) > 1:
            raise errors.compilation(1003, "42000", "FORMAT_NAME excludes other format options")
        found = ex.find("FILE FORMAT", Reader(str(value["FORMAT_NAME"])).name(), "USAGE")
        return found.thing.type, dict(found.thing.options), found.thing
    kind, options = format_options(value)
    return kind, options, None


def create_format(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "FILE FORMAT")
    if last in schema.formats and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    values = reader.options()
    reader.end()
    comment = values.pop("COMMENT", None)
    kind, options = format_options(values)
    schema.formats[last] = FileFormat(
        last, ex.role, ex.now, None if comment is None else str(comment), type=kind, options=options
    )
    return status(f"File format {last} successfully created.")


def alter_format(ex: Execution, reader: Reader) -> Result:
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if if_exists and ex.lookup("FILE FORMAT", name) is None:
        return status("Statement executed successfully.", changes=False)
    found = ex.find("FILE FORMAT", name, "OWNERSHIP")
    if reader.accept("RENAME", "TO"):
        _, schema, last = ex.create_in(reader.name(), "FILE FORMAT")
        if last in schema.formats:
            raise errors.already_exists(last)
        found.schema.formats.pop(found.thing.name)
        found.thing.name = last
        schema.formats[last] = found.thing
        return status("Statement executed successfully.")
    reader.expect("SET")
    values = reader.options()
    if "TYPE" in values:
        raise errors.compilation(1003, "42000", "the TYPE of a file format cannot be altered")
    comment = values.pop("COMMENT", None)
    if values:
        kept: dict[str, OptionValue] = dict(found.thing.options)
        found.thing.options = format_options({**kept, **values, "TYPE": found.thing.type})[1]
    if comment is not None:
        found.thing.comment = str(comment)
    return status("Statement executed successfully.")
