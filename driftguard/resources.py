"""Finds the data folders `typemaps/` and `migrations/`: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from driftguard.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """The folder `name` (`typemaps` or `migrations`) that this installation brought along.

    Raises `ConfigError` if the installation is incomplete.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"the folder {name}/ is missing from this installation", hint="install driftguard again")
