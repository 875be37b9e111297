"""External stages over a directory: CREATE, ALTER, LIST, and the files under a location ("CREATE STAGE", "LIST")."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Located, Stage
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.formats import read_format
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Field, Result, status
from driftguard.sandbox.snowflake.types import NUMBER


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
    rows: list[tuple[object, ...]] = []
    for one in files(found.thing, prefix):
        moment = dt.datetime.fromtimestamp(one.modified / 1_000_000, tz=dt.UTC)
        digest = hashlib.md5(one.path.read_bytes(), usedforsecurity=False).hexdigest()
        rows.append((found.thing.url + one.name, one.size, digest, moment.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    return Result([Field("name"), Field("size", NUMBER), Field("md5"), Field("last_modified")], rows)


def read_location(ex: Execution, reader: Reader) -> tuple[Located[Stage], str]:
    """`@db.schema.stage/path/` or the same in a string; the path is taken as it stands."""
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
