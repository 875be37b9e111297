"""Tools whose files hold the way up and the way down: goose and dbmate. Only the way up is run."""

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
)
from driftguard.errors import MigrationError, UsageError

_ENVIRONMENT = re.compile(r"^--\s*\+goose\s+envsub\s+on\b", re.I | re.M)


class Sections:
    """`<number>_<name>.sql`, in the order of the numbers; of each file what stands between its two marks."""

    name: str
    up: re.Pattern[str]
    down: re.Pattern[str]
    alone: re.Pattern[str]
    mark: str

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        names = sql_names(folder)
        skipped = [
            Skipped(folder / n, f"not a name that {self.name} runs") for n in sorted(names) if not n[0].isdigit()
        ]
        wanted = by_number(names - {s.path.name for s in skipped})
        if not wanted:
            raise UsageError(f"no <number>_<name>.sql to run in {folder}")
        return [self._load(folder / name) for name in wanted], [*skipped, *programs(folder)]

    def _load(self, path: Path) -> Migration:
        sql = read_sql(path, path.name)
        begin = self.up.search(sql)
        if begin is None:
            raise MigrationError(f"{path.name}: no line `{self.mark}`, without which {self.name} does not run a file")
        hint = (
            "write what the variables stand for, or run goose on a database of its own and check --source with its URL"
        )
        refuse_match(_ENVIRONMENT, sql, path.name, "`{}` takes values from goose's environment", hint)
        end = self.down.search(sql, begin.end())
        before = "\n" * sql.count("\n", 0, begin.start())  # what fails later is told with the file's own line
        text = before + sql[begin.start() : end.start() if end else None]
        return Migration(path.name, path, text, transaction=not self.alone.search(sql))


class Goose(Sections):
    """goose ("SQL migrations" in its documentation): `-- +goose Up`, `-- +goose Down`, `-- +goose NO TRANSACTION`."""

    name = "goose"
    up = re.compile(r"^--\s*\+goose\s+up\b", re.I | re.M)
    down = re.compile(r"^--\s*\+goose\s+down\b", re.I | re.M)
    alone = re.compile(r"^--\s*\+goose\s+no\s+transaction\b", re.I | re.M)
    mark = "-- +goose Up"


class Dbmate(Sections):
    """dbmate ("Creating Migrations" in its README): `-- migrate:up [transaction:false]`, `-- migrate:down`."""

    name = "dbmate"
    up = re.compile(r"^--\s*migrate:up\b", re.I | re.M)
    down = re.compile(r"^--\s*migrate:down\b", re.I | re.M)
    alone = re.compile(r"^--\s*migrate:up\b.*\btransaction:\s*false\b", re.I | re.M)
    mark = "-- migrate:up"
