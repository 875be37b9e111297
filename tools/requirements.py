"""Prints what driftguard and its `dev` extra need, one requirement a line, read from pyproject.toml.

The package itself is installed as a wheel, so its requirements are installed apart from it.
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]


def needed(requirements: list[str]) -> list[str]:
    """`requirements` with the project's own extras, such as driftguard[sandbox], replaced by what is in them."""
    found = []
    for requirement in requirements:
        own = re.match(rf"{project['name']}\[(\w+)\](.*)", requirement)
        if own and own[2]:  # pip would look for the project itself on an index
            raise SystemExit(f"{requirement}: the marker belongs to what is in the extra")
        found += needed(extras[own[1]]) if own else [requirement]
    return found


print("\n".join(dict.fromkeys([*project["dependencies"], *needed(extras["dev"]), "hatchling>=1.27,<2"])))
