"""Flyway: versions and repeatable migrations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from driftguard.aurora.frameworks.base import Migration, Skipped, check_folder, read_sql, refuse_match
from driftguard.errors import UsageError

NAME = re.compile(r"^(?P<kind>V(?=[0-9])|R(?=__))(?P<version>[0-9]*(?:[._][0-9]+)*)__.+\.sql$")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][\w:.-]*\}")
_NO_TRANSACTION = re.compile(r"^\s*executeInTransaction\s*=\s*false\s*$", re.M | re.I)


class Flyway:
    """A location of Flyway: `V<version>__<name>.sql` in the order of the versions, then `R__<name>.sql` by name.

    Versions are compared number by number, split at `.` and `_` ("Migrations" in the Flyway documentation), so that
    1.2 comes before 1.10. Folders below belong to it. Undo and baseline files, callbacks and other files are left
    out. A file with a `${placeholder}` is refused, because its value is in Flyway's configuration.
    `executeInTransaction` is read from the file's own `.conf` ("Script Configuration" in the same documentation).
    """

    name = "flyway"

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        check_folder(folder)
        versioned: dict[tuple[int, ...], Path] = {}
        repeatable: list[Path] = []
        skipped: list[Skipped] = []
        for path in sorted(p for p in folder.rglob("*.sql") if p.is_file()):
            match = NAME.match(path.name)
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
        return [_load(path) for path in ordered], skipped


def _version(text: str) -> tuple[int, ...]:
    """1.2.0 is the same version as 1.2."""
    numbers = [int(part) for part in re.split(r"[._]", text)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _load(path: Path) -> Migration:
    sql = read_sql(path, path.name)
    hint = "write what it stands for, or run Flyway on a database of its own and check --source with its URL"
    refuse_match(_PLACEHOLDER, sql, path.name, "{} stands for something that only Flyway knows", hint)
    settings = path.with_name(path.name + ".conf")
    alone = settings.is_file() and _NO_TRANSACTION.search(read_sql(settings, settings.name))
    return Migration(path.name, path, sql, transaction=not alone)
