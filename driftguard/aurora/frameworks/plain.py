"""Folders of `.sql` files without a tool's own layout; also golang-migrate (`N_x.up.sql`) and sqlx."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from driftguard.aurora.frameworks.base import (
    Migration,
    Skipped,
    by_number,
    programs,
    read_sql,
    refuse_match,
    sql_names,
    why_undo,
)
from driftguard.errors import UsageError

_FLYWAY_UNDO = re.compile(r"^U(?P<rest>[0-9][^/]*__.*\.sql)$")
_SECTIONS = (
    (re.compile(r"^--\s*\+goose\s+down\b", re.I | re.M), "goose"),
    (re.compile(r"^--\s*migrate:down\b", re.I | re.M), "dbmate"),
)
_LIQUIBASE = re.compile(r"^--\s*liquibase formatted sql", re.I | re.M)
_NO_TRANSACTION = re.compile(r"\A--[ \t]*no-transaction\b")  # sqlx: the first line of the file


class Plain:
    """A folder of `.sql` files, run in the order of their names.

    Where every name begins with a number the numbers decide (9 comes before 10). Files that undo another are left
    out. A file with a down section of goose or dbmate is refused, because run as it is it would undo itself.
    """

    name = "plain"

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        names = sql_names(folder)
        skipped = [Skipped(folder / name, reason) for name in sorted(names) if (reason := _undoes(name, names))]
        wanted = names - {s.path.name for s in skipped}
        if not wanted:
            deeper = next(folder.glob("*/**/*.sql"), None)
            hint = f"there are some below it, such as {deeper.relative_to(folder)}" if deeper else ""
            raise UsageError(f"no .sql file to run in {folder}", hint=hint)
        return [_load(folder / name) for name in by_number(wanted)], [*skipped, *programs(folder)]


def _undoes(name: str, names: set[str]) -> str:
    """Why a file is not run; "" if it is."""
    flyway = _FLYWAY_UNDO.match(name)
    if flyway and "V" + flyway["rest"] in names:
        return "an undo migration"
    return why_undo(name)


def _load(path: Path) -> Migration:
    sql = read_sql(path, path.name)
    why = "this is a migration for {}, not a plain SQL file"
    for pattern, tool in _SECTIONS:
        refuse_match(pattern, sql, path.name, why.format(tool), f"name the framework: {tool}")
    hint = "run Liquibase on a database of its own, and check --source with its URL"
    refuse_match(_LIQUIBASE, sql, path.name, why.format("Liquibase"), hint)
    return Migration(path.name, path, sql, transaction=not _NO_TRANSACTION.match(sql))
