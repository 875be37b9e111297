"""What a folder of migrations means: which files, in which order. One class a framework."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from driftguard.errors import MigrationError, UsageError


@dataclass(frozen=True, slots=True)
class Migration:
    """One file to run. `name` is what tells it apart from the others, whatever the folder is called."""

    name: str
    path: Path
    sql: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not run, and why."""

    path: Path
    reason: str


class Framework(Protocol):
    """Reads a folder the way one migration tool does."""

    name: str

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        """The migrations in the order they run, and the files left out.

        Raises UsageError when the folder cannot be read this way, MigrationError for a file that cannot be.
        """
        ...


_UNDO = (
    (re.compile(r"(^|[._-])down\.sql$", re.I), "a down migration"),
    (re.compile(r"(^|[._-])(undo|rollback|revert)\.sql$", re.I), "an undo migration"),
    (re.compile(r"^(undo|rollback|revert)[._-].*\.sql$", re.I), "an undo migration"),
)
_FLYWAY = re.compile(r"^(?P<kind>V(?=[0-9])|R(?=__))(?P<version>[0-9]*(?:[._][0-9]+)*)__.+\.sql$")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][\w:.-]*\}")
_FLYWAY_UNDO = re.compile(r"^U(?P<rest>[0-9][^/]*__.*\.sql)$")
_SECTIONS = (
    (re.compile(r"^--\s*\+goose\s+down\b", re.I | re.M), "goose"),
    (re.compile(r"^--\s*migrate:down\b", re.I | re.M), "dbmate"),
    (re.compile(r"^--\s*liquibase formatted sql", re.I | re.M), "Liquibase"),
)
_NUMBER = re.compile(r"^[0-9]+")


class Plain:
    """A folder of `.sql` files, run in the order of their names.

    Where every name begins with a number the numbers decide (9 comes before 10). Files that undo another are left
    out. A file with a down section of goose or dbmate is refused, because run as it is it would undo itself.
    """

    name = "plain"

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder of migrations")
        names = {path.name for path in folder.iterdir() if path.suffix.lower() == ".sql" and path.is_file()}
        skipped = [Skipped(folder / name, reason) for name in sorted(names) if (reason := _undoes(name, names))]
        wanted = names - {s.path.name for s in skipped}
        if not wanted:
            deeper = next(folder.glob("*/**/*.sql"), None)
            hint = f"there are some below it, such as {deeper.relative_to(folder)}" if deeper else ""
            raise UsageError(f"no .sql file to run in {folder}", hint=hint)
        return [_load(folder / name) for name in _ordered(wanted)], skipped


class Flyway:
    """A location of Flyway: `V<version>__<name>.sql` in the order of the versions, then `R__<name>.sql` by name.

    Versions are compared number by number, split at `.` and `_` ("Migrations" in the Flyway documentation), so that
    1.2 comes before 1.10. Folders below belong to it. Undo and baseline files, callbacks and other files are left
    out. A file with a `${placeholder}` is refused, because its value is in Flyway's configuration.
    """

    name = "flyway"

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder of migrations")
        versioned: dict[tuple[int, ...], Path] = {}
        repeatable: list[Path] = []
        skipped: list[Skipped] = []
        for path in sorted(p for p in folder.rglob("*.sql") if p.is_file()):
            match = _FLYWAY.match(path.name)
            if match is None:
                skipped.append(Skipped(path, "not a name that Flyway runs"))
            elif match["kind"] == "R":
                repeatable.append(path)
            else:
                version = _version(match["version"])
                if version in versioned:
                    raise UsageError(f"{versioned[version].name} and {path.name} in {folder} have the same version")
                versioned[version] = path
        ordered = [versioned[v] for v in sorted(versioned)] + sorted(repeatable, key=lambda p: p.name)
        if not ordered:
            raise UsageError(f"no V<version>__<name>.sql to run in {folder}")
        return [_without_placeholders(_load(path)) for path in ordered], skipped


FRAMEWORKS: dict[str, type[Plain] | type[Flyway]] = {cls.name: cls for cls in (Plain, Flyway)}


def choose(folder: Path, name: str | None = None) -> Framework:
    """The framework called `name`, or the one that the files' names speak for.

    Raises UsageError for a name that is not known.
    """
    if name is not None:
        if name not in FRAMEWORKS:
            raise UsageError(f"no framework {name!r} is known", hint=f"one of {', '.join(sorted(FRAMEWORKS))}")
        return FRAMEWORKS[name]()
    is_flyway = folder.is_dir() and any(
        (match := _FLYWAY.match(path.name)) and match["kind"] == "V" for path in folder.iterdir()
    )
    return Flyway() if is_flyway else Plain()


def _version(text: str) -> tuple[int, ...]:
    """1.2.0 is the same version as 1.2."""
    numbers = [int(part) for part in re.split(r"[._]", text)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _without_placeholders(migration: Migration) -> Migration:
    found = _PLACEHOLDER.search(migration.sql)
    if found:
        line = migration.sql.count("\n", 0, found.start()) + 1
        raise MigrationError(
            f"{migration.name}:{line}: {found[0]} stands for something that only Flyway knows",
            hint="write what it stands for, or run Flyway on a database of its own and check --source with its URL",
        )
    return migration


def _undoes(name: str, names: set[str]) -> str:
    """Why a file is not run; "" if it is."""
    flyway = _FLYWAY_UNDO.match(name)
    if flyway and "V" + flyway["rest"] in names:
        return "an undo migration"
    return next((reason for pattern, reason in _UNDO if pattern.search(name)), "")


def _ordered(names: set[str]) -> list[str]:
    numbers = {name: _NUMBER.match(name) for name in names}
    if all(numbers.values()):
        return sorted(names, key=lambda name: (int(numbers[name][0]), name))  # type: ignore[index]
    return sorted(names)


def _load(path: Path) -> Migration:
    try:
        sql = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MigrationError(f"{path.name}: not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
    except OSError as error:
        raise MigrationError(f"{path.name}: cannot be read ({error.strerror})") from None
    if "\0" in sql:
        line = sql.count("\n", 0, sql.index("\0")) + 1
        raise MigrationError(f"{path.name}:{line}: a NUL character, behind which the server would read nothing")
    for pattern, tool in _SECTIONS:
        found = pattern.search(sql)
        if found:
            line = sql.count("\n", 0, found.start()) + 1
            raise MigrationError(
                f"{path.name}:{line}: this is a migration for {tool}, not a plain SQL file",
                hint=f"run {tool} on a database of its own, and check --source with its URL",
            )
    return Migration(path.name, path, sql)
