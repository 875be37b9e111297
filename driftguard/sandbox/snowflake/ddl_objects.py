"""Databases, schemas, warehouses, roles, file formats, stages: CREATE, ALTER, DROP, COMMENT ON.

"CREATE FILE FORMAT", "CREATE STAGE", "DROP …" on docs.snowflake.com.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Database, FileFormat, Located, Schema, Stage, Table, Warehouse
from driftguard.sandbox.snowflake.ddl_tables import drop_table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.grants import Role
from driftguard.sandbox.snowflake.names import QName, dotted
from driftguard.sandbox.snowflake.reader import OptionValue, Reader
from driftguard.sandbox.snowflake.results import Field, Result, status
from driftguard.sandbox.snowflake.types import NUMBER

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


# -- stages ----------------------------------------------------------------------------------------------------


def create_stage(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE STAGE s URL='file:///…'. The stand-in's lake is a directory; other clouds are refused."""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "STAGE")
    if last in schema.stages and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    values = reader.options()
    reader.end()
    for key in values:
        if key not in (
            "URL",
            "STORAGE_INTEGRATION",
            "FILE_FORMAT",
            "COMMENT",
            "DIRECTORY",
            "CREDENTIALS",
            "ENCRYPTION",
        ):
            raise errors.invalid_property(key, "STAGE")
    url = str(values.get("URL") or "")
    if not url:
        raise errors.unsupported("internal stages; give URL = 'file:///…'")
    if urlsplit(url).scheme != "file":
        raise errors.compilation(1011, "42601", f"invalid URL prefix found in: '{url}'")
    stage = Stage(last, ex.role, ex.now, url=url if url.endswith("/") else url + "/")
    if "FILE_FORMAT" in values:
        kind, options, _ = read_format(ex, values["FILE_FORMAT"])
        stage.file_format = {"TYPE": kind, **options}
    if "COMMENT" in values:
        stage.comment = str(values["COMMENT"])
    schema.stages[last] = stage
    return status(f"Stage area {last} successfully created.")


def alter_stage(ex: Execution, reader: Reader) -> Result:
    """ALTER STAGE … SET URL / COMMENT."""
    reader.accept("IF", "EXISTS")
    found = ex.find("STAGE", reader.name(), "OWNERSHIP")
    reader.expect("SET")
    values = reader.options()
    for key, value in values.items():
        if key == "URL":
            if urlsplit(str(value)).scheme != "file":
                raise errors.compilation(1011, "42601", f"invalid URL prefix found in: '{value}'")
            found.thing.url = str(value) if str(value).endswith("/") else f"{value}/"
        elif key == "COMMENT":
            found.thing.comment = str(value)
        else:
            raise errors.unsupported(f"ALTER STAGE SET {key}")
    return status("Statement executed successfully.")


def stage_root(stage: Stage) -> Path:
    """The directory under a stage."""
    return Path(unquote(urlsplit(stage.url).path))


@dataclasses.dataclass(frozen=True, slots=True)
class StageFile:
    """A file under a stage; `name` is METADATA$FILENAME: the path below the stage's URL."""

    name: str
    path: Path
    size: int
    modified: int


def files(stage: Stage, prefix: str) -> list[StageFile]:
    """Every file whose path below the stage's URL begins with `prefix`, in order of name."""
    root = stage_root(stage)
    below = root / prefix.rpartition("/")[0] if "/" in prefix else root
    out: list[StageFile] = []
    if not below.is_dir():
        return out
    for path in sorted(below.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if relative.startswith(prefix) and path.is_file() and not path.name.startswith("."):
            stat = path.stat()
            out.append(StageFile(relative, path, stat.st_size, stat.st_mtime_ns // 1000))
    return out


def list_stage(ex: Execution, reader: Reader) -> Result:
    """LIST @stage/prefix."""
    found, prefix = read_location(ex, reader)
    import hashlib

    rows: list[tuple[object, ...]] = []
    for one in files(found.thing, prefix):
        moment = dt.datetime.fromtimestamp(one.modified / 1_000_000, tz=dt.UTC)
        digest = hashlib.md5(one.path.read_bytes(), usedforsecurity=False).hexdigest()
        rows.append((found.thing.url + one.name, one.size, digest, moment.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    return Result([Field("name"), Field("size", NUMBER), Field("md5"), Field("last_modified")], rows)


def read_location(ex: Execution, reader: Reader) -> tuple[Located[Stage], str]:
    """`@db.schema.stage/path/` or the same in a string; the path is taken as it stands."""
    from driftguard.sandbox.snowflake.lexer import Kind

    if reader.token.kind is Kind.STRING:
        inner = Reader(reader.string())
        found, prefix = _location(ex, inner, inner.sql, None)
        return found, prefix
    return _location(ex, reader, reader.sql, reader)


def _location(ex: Execution, reader: Reader, text: str, outer: Reader | None) -> tuple[Located[Stage], str]:
    reader.expect_op("@")
    if reader.is_op("%") or reader.is_op("~"):
        raise errors.unsupported("table and user stages")
    name = reader.name()
    found: Located[Stage] = ex.find("STAGE", name, "USAGE")
    if not reader.is_op("/"):
        return found, ""
    start = reader.token.end
    if outer is None:
        return found, text[start:]
    end = start
    while end < len(text) and not text[end].isspace() and text[end] not in ",);":
        end += 1
    while reader.token.start < end and not reader.done:
        reader.advance()
    return found, text[start:end]


# -- containers ------------------------------------------------------------------------------------------------


def create_database(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    if not ex.grants.admin(ex.role) and not ex.grants.global_privilege(ex.role, "CREATE DATABASE"):
        raise errors.insufficient("account", "SANDBOX")
    if name in ex.catalog.databases and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    comment = _comment_only(reader, "DATABASE")
    database = Database(name, ex.role, ex.now, comment)
    database.schemas["PUBLIC"] = Schema("PUBLIC", ex.role, ex.now, database=name)
    ex.catalog.databases[name] = database
    ex.session.database, ex.session.schema = name, "PUBLIC"
    ex.catalog.changed()
    return status(f"Database {name} successfully created.")


def _comment_only(reader: Reader, kind: str) -> str | None:
    values = reader.options()
    reader.end()
    for key in values:
        if key not in ("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"):
            raise errors.invalid_property(key, kind)
    return str(values["COMMENT"]) if "COMMENT" in values else None


def create_schema(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    if len(name.parts) > 2:
        raise reader.unexpected()
    parts = name.parts if len(name.parts) == 2 else (ex.session.database or "", name.parts[0])
    if not parts[0]:
        raise errors.no_database("CREATE SCHEMA")
    database = ex.catalog.databases.get(parts[0])
    if database is None or not ex.grants.enters(ex.role, database, None):
        raise errors.not_exists("Database", dotted(parts[0]))
    if "CREATE SCHEMA" not in ex.grants.held(ex.role, "DATABASE", database.id, database.owner):
        raise errors.insufficient("database", database.name)
    if reader.is_word("CLONE"):
        raise errors.unsupported("CREATE SCHEMA … CLONE")
    reader.accept("WITH", "MANAGED", "ACCESS")
    if parts[1] in database.schemas and not replace:
        if if_not_exists:
            return status(f"{parts[1]} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(parts[1])
    schema = Schema(parts[1], ex.role, ex.now, _comment_only(reader, "SCHEMA"), database=database.name)
    database.schemas[parts[1]] = schema
    ex.session.database, ex.session.schema = database.name, schema.name
    ex.catalog.changed()
    return status(f"Schema {parts[1]} successfully created.")


def create_warehouse(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    reader.accept("WITH")
    values = reader.options()
    if name in ex.catalog.warehouses and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    comment = str(values["COMMENT"]) if "COMMENT" in values else None
    ex.catalog.warehouses[name] = Warehouse(
        name, ex.role, ex.now, comment, size=str(values.get("WAREHOUSE_SIZE", "X-Small"))
    )
    ex.session.warehouse = name
    return status(f"Warehouse {name} successfully created.")


def create_role(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    comment = _comment_only(reader, "ROLE")
    if not ex.grants.admin(ex.role) and not ex.grants.global_privilege(ex.role, "CREATE ROLE"):
        raise errors.insufficient("account", "SANDBOX")
    if name in ex.grants.roles and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    ex.grants.roles[name] = Role(name, ex.now, comment=comment)
    return status(f"Role {name} successfully created.")


# -- DROP ------------------------------------------------------------------------------------------------------


def drop(ex: Execution, kind: str, reader: Reader) -> Result:
    """DROP <kind> [IF EXISTS] name [CASCADE | RESTRICT]."""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if kind == "PROCEDURE":
        reader.list_of(lambda: reader.advance().value)
    _ = reader.accept("CASCADE") or reader.accept("RESTRICT")
    reader.end()
    gone = status(f"{name.name} successfully dropped.")
    missing = status(f"Drop statement executed successfully ({name.name} already dropped).", changes=False)
    simple: dict[str, Callable[[], bool]] = {
        "DATABASE": lambda: _drop_database(ex, name),
        "SCHEMA": lambda: _drop_schema(ex, name),
        "WAREHOUSE": lambda: ex.catalog.warehouses.pop(name.name, None) is not None,
        "ROLE": lambda: ex.grants.roles.pop(name.name, None) is not None,
    }
    if kind in simple:
        if simple[kind]():
            return gone
        if if_exists:
            return missing
        raise errors.not_exists(kind, str(name))
    if if_exists and ex.lookup(kind, name) is None:
        return missing
    found = ex.find(kind, name, "OWNERSHIP")
    if isinstance(found.thing, Table):
        drop_table(ex, found)
    else:
        found.schema.room(kind).pop(found.thing.name)
        ex.grants.forget(found.thing.id)
        ex.catalog.changed()
    return gone


def _drop_database(ex: Execution, name: QName) -> bool:
    database = ex.catalog.databases.get(name.name)
    if database is None or not ex.grants.enters(ex.role, database, None):
        return False
    if "OWNERSHIP" not in ex.grants.held(ex.role, "DATABASE", database.id, database.owner):
        raise errors.insufficient("database", database.name)
    del ex.catalog.databases[name.name]
    if ex.session.database == name.name:
        ex.session.database = ex.session.schema = None
    ex.catalog.changed()
    return True


def _drop_schema(ex: Execution, name: QName) -> bool:
    try:
        database, schema = ex.schema(name)
    except errors.SnowflakeError as error:
        if error.errno == 2003:
            return False
        raise
    if "OWNERSHIP" not in ex.grants.held(ex.role, "SCHEMA", schema.id, schema.owner):
        raise errors.insufficient("schema", schema.name)
    del database.schemas[schema.name]
    if (ex.session.database, ex.session.schema) == (database.name, schema.name):
        ex.session.schema = None
    ex.catalog.changed()
    return True


def comment_on(ex: Execution, reader: Reader) -> Result:
    """COMMENT [IF EXISTS] ON <kind> name IS '…'; COLUMN too."""
    if_exists = reader.accept("IF", "EXISTS")
    reader.expect("ON")
    done = status("Statement executed successfully.")
    if reader.accept("COLUMN"):
        parts = reader.identifier(), *_more(reader)
        table: Table = ex.table(QName(parts[:-1]), "OWNERSHIP").thing
        column = table.column(parts[-1])
        if column is None:
            raise errors.invalid_identifier(parts[-1])
        reader.expect("IS")
        column.comment = reader.string()
        return done
    kind = reader.advance().value
    if kind == "FILE":
        reader.expect("FORMAT")
        kind = "FILE FORMAT"
    name = reader.name()
    if kind == "PROCEDURE":
        reader.skip_parens()
    reader.expect("IS")
    text = reader.string()
    if kind == "DATABASE":
        ex.catalog.database(name.name).comment = text
    elif kind == "SCHEMA":
        ex.schema(name)[1].comment = text
    elif kind in ("TABLE", "VIEW", "FILE FORMAT", "STAGE", "PIPE", "TASK", "PROCEDURE", "STREAM"):
        if if_exists and ex.lookup(kind, name) is None:
            return done
        ex.find(kind, name, "OWNERSHIP").thing.comment = text
    else:
        raise errors.unsupported(f"COMMENT ON {kind}")
    return done


def _more(reader: Reader) -> list[str]:
    out: list[str] = []
    while reader.accept_op("."):
        out.append(reader.identifier())
    return out
