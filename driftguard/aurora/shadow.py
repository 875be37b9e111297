"""A throwaway database on which a pull request's migrations really run.

The catalog before and the catalog after come from one database, so that tables keep their oid and columns their
attnum: what has been renamed is a fact then, and not a guess.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote as percent
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from driftguard.aurora import recreate
from driftguard.aurora.connect import connect, one_line
from driftguard.aurora.dump import EXTENSION_MISSING, Rows, is_for_another, read_dump, why_needless
from driftguard.aurora.frameworks import Framework, Migration, Skipped, choose
from driftguard.aurora.introspect import introspect
from driftguard.errors import MigrationError, UnreachableError, UsageError
from driftguard.model.catalog import Catalog
from driftguard.sql.postgres import quote
from driftguard.sql.statements import Sql, line_and_column, split

if TYPE_CHECKING:
    from driftguard.aurora.embedded import EmbeddedPostgres

IN_ONE = "in one transaction"
AS_WRITTEN = "with its own transactions"
ONE_BY_ONE = "statement by statement"

# What refuses to run inside a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …), and an enum label that is used in
# the transaction that adds it. "PostgreSQL Error Codes" in the manual.
_NOT_IN_TRANSACTION = ("25001", "55P04")
_EXISTS = ("42P07", "42701", "42710", "42P06", "42723")  # table, column, object, schema, function
_MISSING = ("42P01", "42703", "42704", "42883")  # table, column, object, function
_ROLE = re.compile(r'^role "(?P<name>.+)" does not exist$')


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A migration that ran, and how: IN_ONE, AS_WRITTEN or ONE_BY_ONE."""

    name: str
    path: Path
    mode: str


class FailedMigration(MigrationError):
    """A statement that the shadow database refused, with its place in the file (lines and columns from 1)."""

    def __init__(self, message: str, file: Path, line: int, column: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.column = column


class Shadow:
    """A database of its own, on the embedded PostgreSQL or on the server of `url`, dropped on leaving.

    Used as a context manager: `prepare` gives it a schema to start from, `run_migrations` changes it. `before` is the
    catalog as the latest `run_migrations` found it, `after` as it left it. `notes` tells what is otherwise than on
    the real database; `skipped` which files were not run.
    """

    def __init__(self, url: str | None = None, *, major: int | None = None) -> None:
        """`major` chooses the embedded version; without it the base decides. With `url` neither does."""
        self._server_url = url
        self._major = major
        self._server: EmbeddedPostgres | None = None
        self._place: Path | None = None
        self._name = f"driftguard_shadow_{secrets.token_hex(6)}"
        self._url = ""
        self._roles: list[str] = []
        self._base = ""
        self._versions = (0, 0)
        self._before: Catalog | None = None
        self._after: Catalog | None = None
        self.notes: list[str] = []
        self.skipped: list[Skipped] = []

    @property
    def url(self) -> str:
        """Where the shadow database is, with its password: for a team's own migration command."""
        if not self._url:
            self.prepare(None)
        return self._url

    @property
    def before(self) -> Catalog:
        """The catalog before the latest migrations. Raises UsageError when none have run."""
        if self._before is None:
            raise UsageError("the shadow database has run no migrations yet")
        return self._before

    @property
    def after(self) -> Catalog:
        """The catalog after the latest migrations. Raises UsageError when none have run."""
        if self._after is None:
            raise UsageError("the shadow database has run no migrations yet")
        return self._after

    def prepare(self, base: Catalog | Path | None) -> None:
        """Makes the database and fills it: with a catalog's tables, with a dump, or with nothing.

        Raises UnreachableError for a server that refuses, MigrationError for a base that cannot be made there.
        """
        if self._url:
            raise UsageError("the shadow database is prepared already")
        dump = read_dump(base) if isinstance(base, Path) else None
        version = dump.version if dump else base.server_version if isinstance(base, Catalog) else ""
        self._create(version)
        self._compare_versions(version)
        if dump:
            self._base = "dump"
            self._load(dump.path, dump.script, dump.parts)
        elif isinstance(base, Catalog):
            self._base = "snapshot"
            with self._connect() as conn:
                self.notes += recreate.run(conn, base)

    def run_migrations(
        self,
        folder: Path,
        *,
        after: Collection[str] = (),
        only: Collection[str] | None = None,
        framework: Framework | None = None,
    ) -> tuple[AppliedMigration, ...]:
        """Runs a folder's migrations: all, but not those named in `after` (the base has them), or just `only`.

        Sets `before` and `after`. Raises FailedMigration for a statement that fails, with its place in the file.
        """
        found, skipped = (framework or choose(folder)).read(folder)
        self.skipped += skipped
        wanted = [m for m in found if m.name not in after and (only is None or m.name in only)]
        _ = self.url
        self._before = self._introspect()
        applied = tuple(AppliedMigration(m.name, m.path, self._run(m)) for m in wanted)
        self._after = self._introspect()
        return applied

    def observe(self) -> None:
        """For a team's own command on `url`: call it before the command, which sets `before`, and after it."""
        now = self._introspect()
        self._before = self._before or now
        self._after = now

    def close(self) -> None:
        """Drops the database, the roles that were made for it, and the embedded server. Once is enough."""
        try:
            if self._server is None and self._url and self._server_url is not None:
                self._drop_elsewhere(self._server_url)
        finally:
            self._url = ""
            if self._server is not None:
                self._server.remove()
                self._server = None
            if self._place is not None:
                shutil.rmtree(self._place, ignore_errors=True)
                self._place = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- the database -----------------------------------------------------------------------------------------------

    def _create(self, version: str) -> None:
        if self._server_url is None:
            self._server = self._start(self._major or _nearest(version))
            self._url = self._server.create_database(self._name)
            return
        with connect(self._server_url, application_name="driftguard shadow", read_only=False) as conn:
            conn.autocommit = True
            try:
                conn.execute(f"CREATE DATABASE {quote(self._name)} TEMPLATE template0".encode())
            except psycopg.Error as error:
                raise UnreachableError(
                    f"the shadow database cannot be made on the server of --shadow-url: {one_line(error)}",
                    hint="the user needs CREATEDB",
                ) from None
        self._url = _with_database(self._server_url, self._name)

    def _start(self, major: int) -> EmbeddedPostgres:
        from driftguard.aurora.embedded import EmbeddedPostgres

        self._place = Path(tempfile.mkdtemp(prefix="driftguard-shadow-"))
        self._place.chmod(0o711)  # under root the server runs as another user, who has to pass through
        return EmbeddedPostgres.start(self._place / "postgres", major=major)

    def _drop_elsewhere(self, server_url: str) -> None:
        with connect(server_url, application_name="driftguard shadow", read_only=False) as conn:
            conn.autocommit = True
            force = " WITH (FORCE)" if conn.info.server_version >= 130000 else ""
            try:
                conn.execute(f"DROP DATABASE IF EXISTS {quote(self._name)}{force}".encode())
                for role in self._roles:
                    conn.execute(f"DROP ROLE IF EXISTS {quote(role)}".encode())
            except psycopg.Error as error:
                raise UnreachableError(
                    f"the shadow database {self._name} cannot be dropped: {one_line(error)}", hint="drop it by hand"
                ) from None

    def _connect(self) -> psycopg.Connection[Any]:
        """A new session, so that nothing one file sets is seen by the next."""
        conn = connect(self._url, application_name="driftguard shadow", read_only=False)
        conn.autocommit = True
        return conn

    def _introspect(self) -> Catalog:
        with self._connect() as conn:
            return replace(introspect(conn), database="")  # a made-up name that changes from run to run

    def _compare_versions(self, version: str) -> None:
        with self._connect() as conn:
            shadow, base = conn.info.server_version // 10000, _major(version)
        if base and base != shadow:
            self.notes.append(f"the base is from PostgreSQL {base}, the shadow database is PostgreSQL {shadow}")
        self._versions = (base, shadow)

    # --- the base ---------------------------------------------------------------------------------------------------

    def _load(self, path: Path, script: str, parts: tuple[Sql | Rows, ...]) -> None:
        """Runs a dump as psql does, each statement for itself."""
        with self._connect() as conn:
            for part in parts:
                if isinstance(part, Rows):
                    self._copy(conn, path, script, part)
                elif not is_for_another(part):
                    self._run_of_dump(conn, path, script, part)

    def _run_of_dump(self, conn: psycopg.Connection[Any], path: Path, script: str, statement: Sql) -> None:
        while True:
            try:
                conn.execute(statement.text.encode())
                return
            except psycopg.Error as error:
                if self._make_role(error):
                    continue
                note = why_needless(statement, error.sqlstate or "", one_line(error))
                if note is not None:
                    self.notes += [note] if note else []
                    return
                raise self._failure(path, script, statement.offset, error) from None

    def _copy(self, conn: psycopg.Connection[Any], path: Path, script: str, rows: Rows) -> None:
        try:
            with conn.cursor() as cursor, cursor.copy(rows.statement.text.encode()) as copy:
                copy.write(rows.data)
        except psycopg.Error as error:
            raise self._failure(path, script, rows.statement.offset, error) from None

    # --- migrations -------------------------------------------------------------------------------------------------

    def _run(self, migration: Migration) -> str:
        """Runs one file; how it ran."""
        statements = split(migration.sql)
        if copy := next((statement for statement in statements if statement.reads_from_client), None):
            line, column = line_and_column(migration.sql, copy.offset)
            raise FailedMigration(
                f"{migration.name}:{line}:{column}: COPY from or to the client needs psql, which is not used",
                migration.path,
                line,
                column,
                hint="write INSERT statements",
            )
        if any(statement.is_transaction_control for statement in statements):
            self._run_one_by_one(migration, statements)
            return AS_WRITTEN
        if not migration.transaction:
            self._run_one_by_one(migration, statements)
            return ONE_BY_ONE
        while True:
            with self._connect() as conn:
                try:
                    # With nothing but the text, psycopg speaks the simple query protocol: the server splits it.
                    with conn.transaction():
                        conn.execute(migration.sql.encode())
                    return IN_ONE
                except psycopg.Error as error:
                    if self._make_role(error):
                        continue
                    if error.sqlstate not in _NOT_IN_TRANSACTION:
                        offset, cause = self._locate(statements, error)
                        raise self._failure(migration.path, migration.sql, offset, cause, name=migration.name) from None
            self._run_one_by_one(migration, statements)
            return ONE_BY_ONE

    def _run_one_by_one(self, migration: Migration, statements: list[Sql]) -> None:
        with self._connect() as conn:
            for statement in statements:
                while True:
                    try:
                        conn.execute(statement.text.encode())
                        break
                    except psycopg.Error as error:
                        if conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE and self._make_role(error):
                            continue
                        raise self._failure(
                            migration.path, migration.sql, statement.offset, error, name=migration.name
                        ) from None

    def _locate(self, statements: list[Sql], error: psycopg.Error) -> tuple[int, psycopg.Error]:
        """(offset of the statement that failed, its error). Many errors have no position, so it is run once more."""
        if error.diag.statement_position:
            return 0, error
        with self._connect() as conn, conn.transaction(force_rollback=True):
            for statement in statements:
                try:
                    with conn.transaction():
                        conn.execute(statement.text.encode())
                except psycopg.Error as again:
                    return statement.offset, again
        return 0, error

    def _make_role(self, error: psycopg.Error) -> bool:
        """Makes the role that a statement names and the server does not have. False if that is not the error."""
        match = _ROLE.match(error.diag.message_primary or "") if error.sqlstate == "42704" else None
        if match is None or match["name"] in self._roles:
            return False
        with self._connect() as conn:
            try:
                conn.execute(f"CREATE ROLE {quote(match['name'])} NOLOGIN".encode())
            except psycopg.Error:
                return False
        self._roles.append(match["name"])
        self.notes.append(f"the role {match['name']} was made, because a statement names it")
        return True

    def _failure(
        self, path: Path, script: str, offset: int, error: psycopg.Error, *, name: str = ""
    ) -> FailedMigration:
        """`name` is that of a migration; a base has none, and is called by its path."""
        position = int(error.diag.statement_position or 0)
        line, column = line_and_column(script, offset + max(position - 1, 0))
        message = f"{name or path}:{line}:{column}: {one_line(error)}"
        hint = self._hint(script, error, not name)
        return FailedMigration(message, path, line, column, hint=hint)

    def _hint(self, script: str, error: psycopg.Error, of_base: bool) -> str:
        state, text = error.sqlstate, one_line(error)
        if EXTENSION_MISSING.search(text):
            return "use --shadow-url with a server that has this extension"
        if re.search(r"^\\\w", script, re.M) and 'near "\\"' in text:
            return "the file has commands of psql, which is not used: take them out"
        if of_base and state in _MISSING and self._versions[0] not in (0, self._versions[1]):
            return "it says it is from PostgreSQL {}, and the shadow database is PostgreSQL {}".format(*self._versions)
        if not of_base and self._base and state in _EXISTS:
            return (
                f"the base is a {self._base} that may have this migration already: leave it out, or take an older base"
            )
        if not of_base and self._base == "snapshot" and state in _MISSING:
            return (
                "a base from a snapshot or a URL has tables and keys only; "
                "with --base DUMP.sql (pg_dump --schema-only) functions, views and the rest are there too"
            )
        return error.diag.message_hint or ""


def _major(version: str) -> int:
    """18 of `18.4 (Debian …)`; 0 where there is none."""
    match = re.match(r"\d+", version)
    return int(match[0]) if match else 0


def _nearest(version: str) -> int:
    """The embedded version that is closest to the base's."""
    return 16 if 0 < _major(version) <= 16 else 18


def _with_database(url: str, name: str) -> str:
    """The same server, another database; a URL stays a URL, because not every tool reads key=value strings."""
    if "://" in url:
        return urlsplit(url)._replace(path="/" + percent(name, safe="")).geturl()
    return make_conninfo(url, dbname=name)
