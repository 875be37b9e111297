"""Tools with one folder a migration: diesel (`<version>_<name>/up.sql`) and Prisma (`<time>_<name>/migration.sql`)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from driftguard.aurora.frameworks.base import Migration, Skipped, check_folder, read_sql
from driftguard.errors import MigrationError, UsageError


class Folders:
    """Every folder with `file` in it is a migration; `order` says which comes first."""

    name: str
    file: str

    def order(self, folder: str) -> str:
        """What folders are sorted by."""
        return folder

    def read(self, folder: Path) -> tuple[Sequence[Migration], Sequence[Skipped]]:
        check_folder(folder)
        below = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        found, skipped = [], []
        for place in sorted(below, key=lambda path: (self.order(path.name), path.name)):
            path = place / self.file
            if path.is_file():
                name = f"{place.name}/{self.file}"
                found.append(Migration(name, path, read_sql(path, name), transaction=_in_transaction(place)))
            else:
                skipped.append(Skipped(place, f"no {self.file} in it"))
        if not found:
            raise UsageError(f"no <folder>/{self.file} to run in {folder}")
        return found, skipped


class Diesel(Folders):
    """diesel ("Migrations" in diesel_migrations' documentation).

    The version is what stands before the first `_`, without its hyphens: 2017-08-31-230457 and 20170831230457 are
    written in one history. `metadata.toml` may say `run_in_transaction = false`.
    """

    name = "diesel"
    file = "up.sql"

    def order(self, folder: str) -> str:
        return folder.partition("_")[0].replace("-", "")


class Prisma(Folders):
    """Prisma ("Migration histories" in its documentation): in the order of the folders' names, as text."""

    name = "prisma"
    file = "migration.sql"


def _in_transaction(folder: Path) -> bool:
    """diesel's metadata.toml may say no."""
    path = folder / "metadata.toml"
    if not path.is_file():
        return True
    name = f"{folder.name}/{path.name}"
    try:
        return bool(tomllib.loads(read_sql(path, name)).get("run_in_transaction", True))
    except tomllib.TOMLDecodeError as error:
        raise MigrationError(f"{name}: not TOML ({error})") from None
