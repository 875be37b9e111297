"""`driftguard snapshot`: both sides as sorted JSON, so that CI can check without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from driftguard.commands.world import estate_of, live_catalog
from driftguard.config import Config
from driftguard.dms.files import live_tasks
from driftguard.dms.snapshot import dumps as dumps_dms
from driftguard.errors import UsageError
from driftguard.model.snapshot import dumps


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What was written: (file, what is in it)."""

    files: tuple[tuple[Path, str], ...]


def snapshot(
    config: Config, *, aurora: Path | None = None, snowflake: Path | None = None, dms: Path | None = None
) -> SnapshotResult:
    """Write the given sides; with none given, Aurora and Snowflake, to the files that [snapshots] names.

    A file is replaced whole or not at all. Raises `DriftguardError` where a side cannot be read.
    """
    if aurora is None and snowflake is None and dms is None:
        aurora = config.path(config.settings.snapshots.aurora)
        snowflake = config.path(config.settings.snapshots.snowflake)
    texts = []
    if aurora is not None:
        catalog = live_catalog(config)
        texts.append((aurora, dumps(catalog), f"Aurora: {len(catalog.tables)} tables"))
    if snowflake is not None:
        estate, _ = estate_of(config, "live")
        texts.append((snowflake, dumps(estate), f"Snowflake: {len(estate.tables)} tables, {len(estate.tasks)} tasks"))
    if dms is not None:
        tasks = live_tasks(config)
        text = dumps_dms(tasks, datetime.now(UTC).isoformat(timespec="seconds"))
        texts.append((dms, text, f"DMS: {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}"))
    for path, text, _ in texts:
        _write(path, text)
    return SnapshotResult(tuple((path, what) for path, _, what in texts))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe: renaming a file over it would destroy it
            path.write_text(text, encoding="utf-8")
            return
        path = path.resolve()  # a symlink stays one
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a file that can be written") from None
