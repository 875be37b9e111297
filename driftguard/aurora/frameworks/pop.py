"""Ory's and Buffalo's pop (soda): one version, a file for each dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from driftguard.aurora.frameworks.base import Migration, Skipped, programs, read_sql, refuse_match, sql_names
from driftguard.errors import UsageError

_NAME = re.compile(
    r"^(?P<version>[0-9]+)_[^.]+(?:\.(?P<dialect>postgres(?:ql)?|pg|cockroach(?:db)?|crdb|mysql|mariadb|sqlite3?))?"
    r"(?P<alone>\.autocommit)?\.(?P<way>up|down)\.sql$"
)
_OURS = ("postgres", "postgresql", "pg")
_TEMPLATE = re.compile(r"\{\{-?\s*(?:if|else|end|range|with|template|define|\.)[^}]*\}\}")


class Pop:
    """`<version>_<name>[.<dialect>][.autocommit].up.sql` ("Migrations" in the pop documentation).

    The file for PostgreSQL wins over the one without a dialect; those for other databases are left out.
    `.autocommit` runs outside a transaction. A file with a template action is refused: only pop knows its value.
    """

    name = "pop"

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        chosen: dict[int, tuple[bool, re.Match[str]]] = {}
        skipped: list[Skipped] = []
        for name in sorted(sql_names(folder)):
            match = _NAME.match(name)
            if match is None or match["way"] == "down":
                reason = "a down migration" if match else "not a name that pop runs"
                skipped.append(Skipped(folder / name, reason))
                continue
            if match["dialect"] not in (None, *_OURS):
                skipped.append(Skipped(folder / name, f"for {match['dialect']}"))
                continue
            version, ours = int(match["version"]), match["dialect"] is not None
            other = chosen.get(version)
            if other is not None and other[0] == ours:
                raise UsageError(f"{other[1][0]} and {name} in {folder} have the same version")
            if other is None or ours:
                chosen[version] = (ours, match)
            loser = other[1][0] if other is not None and ours else name if other is not None else None
            if loser is not None:
                skipped.append(Skipped(folder / loser, "there is a file for PostgreSQL"))
        if not chosen:
            raise UsageError(f"no <version>_<name>.up.sql to run in {folder}")
        return [_load(folder / chosen[v][1][0], chosen[v][1]) for v in sorted(chosen)], [*skipped, *programs(folder)]


def is_pop(name: str) -> bool:
    """A name that only pop writes: it has a dialect or `.autocommit`."""
    match = _NAME.match(name)
    return match is not None and bool(match["dialect"] or match["alone"])


def _load(path: Path, match: re.Match[str]) -> Migration:
    sql = read_sql(path, path.name)
    hint = "write what it stands for, or run the tool on a database of its own and check --source with its URL"
    refuse_match(_TEMPLATE, sql, path.name, "{} stands for something that only pop knows", hint)
    return Migration(path.name, path, sql, transaction=match["alone"] is None)
