"""What the stand-in remembers between runs, in one JSON file that is replaced as a whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from driftguard.errors import ConfigError


@dataclass(slots=True)
class Pending:
    """Files that are about to be written: all changes up to `upto`, and the name of each file in order.

    It is saved before the first file is written. After a crash the same changes are read again and go to the same
    names; a file that is there already is complete, and left alone.
    """

    upto: int
    names: list[str]


@dataclass(slots=True)
class Key:
    """The primary key of a table when it was last seen, and all its columns."""

    names: list[str]
    columns: list[str]


@dataclass(slots=True)
class State:
    """The stand-in's memory.

    `to_load`, `loaded`: source tables as `schema.table`; `to_load` is None until change capture is set up.
    `confirmed`: every change committed before this LSN is in a file. `changes`, `clock`: the last number and time of
    the change sequence. `last_names`: the last CDC file of each folder. `shapes`: the columns a table had when the task
    first saw it. `keys`: primary keys by table oid. `suspended`: tables that are not replicated, and why.
    """

    started_at: str | None = None
    to_load: list[str] | None = None
    loaded: list[str] = field(default_factory=list)
    confirmed: int = 0
    changes: int = 0
    clock: str = ""
    pending: Pending | None = None
    last_names: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> State:
    """The state in a file; a new one if there is no file. Raises ConfigError if it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["pending"] = Pending(**content["pending"]) if content["pending"] else None
        content["keys"] = {oid: Key(**key) for oid, key in content["keys"].items()}
        return State(**content)
    except FileNotFoundError:
        return State()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(
            f"{path} is not the state of a DMS stand-in", hint="remove the sandbox and set it up again"
        ) from None


def save(path: Path, state: State) -> None:
    """Replaces the file, on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(asdict(state), handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
