"""The output of pg_dump (plain format) as statements and data, without psql.

psql would also run what its backslash commands say (`\\!` runs a program), and a dump in a pull request comes from
whoever opened it. So only the few commands that pg_dump itself writes are understood, and the rest is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from driftguard.errors import MigrationError
from driftguard.sql.statements import Sql, split

_COPY = re.compile(r"^COPY\s[^;]+\sFROM\s+STDIN\b[^;\n]*;[ \t]*$", re.M | re.I)
_META = re.compile(r"^\\(?P<command>\S+)(?P<rest>.*)$", re.M)
_HARMLESS = {"restrict", "unrestrict"}  # since the releases of August 2025; they lock psql's own commands
_VERSION = re.compile(r"^-- Dumped from database version (?P<version>[0-9][^\s]*)", re.M)
_OTHER_FORMAT = b"PGDMP"
EXTENSION_MISSING = re.compile(
    r'extension "(?P<name>[^"]+)" is not available|extension control file ".*/(?P<file>[^/]+)\.control'
)

# Extensions of a typical Aurora database that bring no type and no table a column or a migration could need.
_DISPENSABLE = frozenset({
    "aiven_extras", "apg_plan_mgmt", "auto_explain", "aws_commons", "aws_lambda", "aws_ml", "aws_s3", "hypopg",
    "log_fdw", "pg_buffercache", "pg_cron", "pg_freespacemap", "pg_hint_plan", "pg_partman", "pg_prewarm",
    "pg_proctab", "pg_repack", "pg_stat_statements", "pg_tle", "pg_transport", "pg_visibility", "pg_walinspect",
    "pgaudit", "pglogical", "pgrowlocks", "pgstattuple", "plprofiler", "rds_tools", "sslinfo",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """A COPY statement and the lines that follow it in the dump."""

    statement: Sql
    data: str


@dataclass(frozen=True, slots=True)
class Dump:
    """`version` is that of the server it came from, "" where the dump does not say."""

    path: Path
    script: str
    version: str
    parts: tuple[Sql | Rows, ...]


def read_dump(path: Path) -> Dump:
    """The dump in `path`. Raises MigrationError with one line for what is no plain dump of one database."""
    try:
        raw = path.read_bytes()
        if raw.startswith(_OTHER_FORMAT):
            raise MigrationError(f"{path}: a dump in custom format", hint="use pg_dump --schema-only --format=plain")
        script = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise MigrationError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise MigrationError(
            f"{path}: not an SQL text in UTF-8", hint="use pg_dump --schema-only --format=plain --encoding=UTF8"
        ) from None
    if "\0" in script:
        raise MigrationError(f"{path}: a NUL character in an SQL text", hint="save it as UTF-8")
    version = _VERSION.search(script)
    parts = tuple(_parts(path, script))
    return Dump(path, script, version["version"] if version else "", parts)


def is_for_another(statement: Sql) -> bool:
    """Is it about databases or subscriptions? Neither belongs into a throwaway database, and both reach beyond it."""
    match statement.words[:3]:
        case ("CREATE" | "ALTER" | "DROP", "DATABASE" | "SUBSCRIPTION", *_):
            return True
        case ("COMMENT", "ON", "DATABASE" | "SUBSCRIPTION"):
            return True
        case ("GRANT" | "REVOKE", *_):
            return ("ON", "DATABASE") in set(zip(statement.words, statement.words[1:], strict=False))
    return False


def why_needless(statement: Sql, state: str, text: str) -> str | None:
    """None if a statement that failed is needed; else what to tell about it, "" for nothing.

    `state` is the SQLSTATE, `text` the server's message. Needless is what says nothing about tables and fails only
    because this is another server than the dump's.
    """
    extension = EXTENSION_MISSING.search(text)
    name = (extension["name"] or extension["file"]) if extension else ""
    if name in _DISPENSABLE:
        return f"the extension {name} is left out, the shadow database does not have it"
    words = statement.words
    if words[:2] == ("CREATE", "SCHEMA") and state == "42P06":
        return ""  # `public` is there already
    if state == "42704" and (words[:1] == ("SET",) or words[:3] == ("COMMENT", "ON", "EXTENSION")):
        return ""  # a setting of a newer version, such as transaction_timeout; an extension that is left out
    return None


def _parts(path: Path, script: str) -> Iterator[Sql | Rows]:
    position = _after_connect(path, script)
    while True:
        copy = _COPY.search(script, position)
        end = copy.start() if copy else len(script)
        sql = _without_meta(path, script, position, end)
        for statement in split(sql):
            if statement.reads_from_client:
                line = script.count("\n", 0, position + statement.offset) + 1
                raise MigrationError(f"{path}:{line}: a COPY that pg_dump would not write", hint="use its own output")
            yield Sql(statement.text, statement.offset + position, statement.words)
        if copy is None:
            return
        data_end = re.compile(r"^\\\.[ \t]*$", re.M).search(script, copy.end())
        if data_end is None:
            line = script.count("\n", 0, copy.start()) + 1
            raise MigrationError(f"{path}:{line}: the rows of this COPY have no end", hint="the dump is cut short")
        yield Rows(Sql(copy[0].strip(), copy.start(), ("COPY",)), script[copy.end() + 1 : data_end.start()])
        position = data_end.end()


def _after_connect(path: Path, script: str) -> int:
    """`pg_dump --create` makes and enters a database first: what comes before `\\connect` is not for us."""
    commands = [m for m in _META.finditer(script) if m["command"] in ("connect", "c")]
    if len(commands) > 1:
        line = script.count("\n", 0, commands[1].start()) + 1
        raise MigrationError(
            f"{path}:{line}: a dump of more than one database", hint="use pg_dump for the one, not pg_dumpall"
        )
    return commands[0].end() if commands else 0


def _without_meta(path: Path, script: str, start: int, end: int) -> str:
    """The part of the script with psql's commands blanked out, so that all offsets stay as they are."""

    def blank(match: re.Match[str]) -> str:
        if match["command"] in _HARMLESS:
            return " " * len(match[0])
        line = script.count("\n", 0, start + match.start()) + 1
        raise MigrationError(
            f"{path}:{line}: the psql command \\{match['command']} is not run",
            hint="a base is the output of pg_dump --schema-only; for other scripts use --migrations",
        )

    return _META.sub(blank, script[start:end])
