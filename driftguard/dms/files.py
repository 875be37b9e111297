"""DMS tasks as driftguard.toml and the JSON files it names describe them."""

from __future__ import annotations

from driftguard.config import Config
from driftguard.emission.mapping_document import parse_mappings
from driftguard.emission.settings import endpoint_settings, task_settings
from driftguard.errors import ConfigError
from driftguard.model.settings import DmsTask


def dms_tasks(config: Config) -> tuple[DmsTask, ...]:
    """The DMS tasks of driftguard.toml. Raises `ConfigError` or `MappingError` with file, task and key."""
    tasks = []
    for section in config.settings.dms.task:
        where = f"{config.file}: dms.task {section.name!r}"
        mappings = section.table_mappings
        if isinstance(mappings, str):
            path = config.path(mappings)
            try:
                document: str | dict[str, object] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not UTF-8 text"
                raise ConfigError(f"{where}: table_mappings: {path}: {reason}") from None
            place = str(path)
        else:
            document, place = mappings, f"{where}: table_mappings"
        s3 = config.document(section.s3_settings, "s3_settings")
        postgresql = config.document(section.postgresql_settings, "postgresql_settings")
        tasks.append(
            DmsTask(
                section.name,
                parse_mappings(document, where=place),
                endpoint_settings(s3, postgresql, where=where),
                task_settings(config.document(section.task_settings, "task_settings"), where=where),
            )
        )
    if not tasks:
        raise ConfigError(
            f"{config.file}: no [[dms.task]]", hint="without the table mappings nobody can say what DMS will write"
        )
    return tuple(tasks)
