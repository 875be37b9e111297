"""What a folder of migrations means: which files, in which order. One class a framework."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from driftguard.aurora.frameworks.base import Framework, Migration, Skipped
from driftguard.aurora.frameworks.flyway import NAME as FLYWAY_NAME
from driftguard.aurora.frameworks.flyway import Flyway
from driftguard.aurora.frameworks.folders import Diesel, Prisma
from driftguard.aurora.frameworks.plain import Plain
from driftguard.aurora.frameworks.pop import Pop, is_pop
from driftguard.aurora.frameworks.sections import Dbmate, Goose
from driftguard.errors import UsageError

__all__ = ["FRAMEWORKS", "Dbmate", "Diesel", "Flyway", "Framework", "Goose", "Migration", "Plain", "Pop", "Prisma"]
__all__ += ["Skipped", "choose"]

FRAMEWORKS: dict[str, Callable[[], Framework]] = {
    cls.name: cls for cls in (Plain, Flyway, Goose, Dbmate, Diesel, Prisma, Pop)
}


def choose(folder: Path, name: str | None = None) -> Framework:
    """The framework called `name`, or the one that the files' names and marks speak for.

    Raises UsageError for a name that is not known.
    """
    if name is not None:
        if name not in FRAMEWORKS:
            raise UsageError(f"no framework {name!r} is known", hint=f"one of {', '.join(sorted(FRAMEWORKS))}")
        return FRAMEWORKS[name]()
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    if any((match := FLYWAY_NAME.match(path.name)) and match["kind"] == "V" for path in entries):
        return Flyway()
    for tool in (Prisma(), Diesel()):
        if any((path / tool.file).is_file() for path in entries):
            return tool
    if any(is_pop(path.name) for path in entries):
        return Pop()
    for path in entries:
        if path.suffix.lower() == ".sql" and path.is_file():
            with contextlib.suppress(OSError):  # reading it properly says what is wrong with it
                text = path.read_text(encoding="utf-8", errors="replace")
                for marked in (Goose(), Dbmate()):
                    if marked.up.search(text):
                        return marked
    return Plain()
