"""What every framework gives: migrations to run in order, and files left out. Reading one file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from driftguard.errors import MigrationError, UsageError


@dataclass(frozen=True, slots=True)
class Migration:
    """One file to run. `name` tells it apart from the others, whatever the folder is called.

    `sql` has the file's own line numbers. Without `transaction` the file asks not to run in one.
    """

    name: str
    path: Path
    sql: str
    transaction: bool = True


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


_PROGRAM = re.compile(r"^V?[0-9][^/]*\.(?P<suffix>go|py|js|mjs|cjs|ts|rb|java|kt|fizz)$")
_NOT_A_MIGRATION = re.compile(r"(_test\.go|\.d\.ts|([._-](test|spec|down))\.\w+)$")
_LANGUAGE = {
    "go": "Go", "py": "Python", "rb": "Ruby", "java": "Java", "kt": "Kotlin", "ts": "TypeScript", "fizz": "fizz",
}  # fmt: skip
_UNDO = (
    (re.compile(r"(^|[._-])down\.sql$", re.I), "a down migration"),
    (re.compile(r"(^|[._-])(undo|rollback|revert)\.sql$", re.I), "an undo migration"),
    (re.compile(r"^(undo|rollback|revert)[._-].*\.sql$", re.I), "an undo migration"),
)
_NUMBER = re.compile(r"^[0-9]+")


def check_folder(folder: Path) -> None:
    """Raises UsageError for anything but a folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of migrations")


def sql_names(folder: Path) -> set[str]:
    """The `.sql` files of a folder, not of those below. Raises UsageError for anything but a folder."""
    check_folder(folder)
    return {path.name for path in folder.iterdir() if path.suffix.lower() == ".sql" and path.is_file()}


def why_undo(name: str) -> str:
    """Why a file is not run, where its name says that it takes another one back; "" where it does not."""
    return next((reason for pattern, reason in _UNDO if pattern.search(name)), "")


def programs(folder: Path) -> list[Skipped]:
    """Numbered files in another language. They may change tables, and only SQL is run: it has to be said."""
    found = []
    for path in sorted(folder.iterdir()):
        match = _PROGRAM.match(path.name)
        if match and not _NOT_A_MIGRATION.search(path.name) and path.is_file():
            language = _LANGUAGE.get(match["suffix"], "JavaScript")
            found.append(Skipped(path, f"written in {language}, and only SQL is run: what it changes is not seen"))
    return found


def by_number(names: Iterable[str]) -> list[str]:
    """Where every name begins with a number the numbers decide (9 comes before 10), else the names."""
    names = set(names)
    numbers = {name: _NUMBER.match(name) for name in names}
    if all(numbers.values()):
        return sorted(names, key=lambda name: (int(numbers[name][0]), name))  # type: ignore[index]
    return sorted(names)


def read_sql(path: Path, name: str) -> str:
    """The text of a file. Raises MigrationError for one that cannot be read or is no text."""
    try:
        sql = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MigrationError(f"{name}: not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
    except OSError as error:
        raise MigrationError(f"{name}: cannot be read ({error.strerror})") from None
    if "\0" in sql:
        line = line_of(sql, sql.index("\0"))
        raise MigrationError(f"{name}:{line}: a NUL character, behind which the server would read nothing")
    return sql


def line_of(sql: str, offset: int) -> int:
    """The line, from 1, of the character at `offset`."""
    return sql.count("\n", 0, offset) + 1


def refuse_match(pattern: re.Pattern[str], sql: str, name: str, why: str, hint: str) -> None:
    """Raises MigrationError with the place where the pattern is found; `{}` in `why` is the text found."""
    found = pattern.search(sql)
    if found:
        raise MigrationError(f"{name}:{line_of(sql, found.start())}: {why.format(found[0])}", hint=hint)
