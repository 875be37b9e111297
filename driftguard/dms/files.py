"""DMS tasks as driftguard.toml, the JSON files it names, a snapshot or AWS describe them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from driftguard.config import Config, DmsTaskSection
from driftguard.dms import snapshot
from driftguard.dms.client import connect, read, region_of
from driftguard.dms.documents import Document, Part, Printed, Told, endpoint, replication
from driftguard.errors import ConfigError
from driftguard.model.settings import DmsTask

_EMPTY: Document = {}


def dms_tasks(config: Config) -> tuple[DmsTask, ...]:
    """The DMS tasks of driftguard.toml. Raises `ConfigError` or `MappingError` with file, task and key."""
    sections = config.settings.dms.task
    if not sections:
        raise ConfigError(
            f"{config.file}: no [[dms.task]]", hint="without the table mappings nobody can say what DMS will write"
        )
    for name, count in Counter(section.name for section in sections).items():
        if count > 1:
            raise ConfigError(f"{config.file}: {count} [[dms.task]] are named {name!r}", hint="give each its own name")
    return tuple(_task(config, section) for section in sections)


def _task(config: Config, section: DmsTaskSection) -> DmsTask:
    where = f"{config.file}: dms.task {section.name!r}"
    reader = _Reader(config, section, where)
    return reader.told(reader.printed()).task(section.name, where)


def live_tasks(config: Config) -> list[tuple[str, str, Printed]]:
    """(name, arn, what AWS says now) of every task that has an arn. Raises `ConfigError` where none has."""
    sections = [section for section in config.settings.dms.task if section.arn is not None]
    if not sections:
        hint = "a task that is given by files needs no snapshot"
        raise ConfigError(f"{config.file}: no [[dms.task]] has an arn, so there is nothing to read", hint=hint)
    return [(s.name, s.arn or "", live(config, s, f"{config.file}: dms.task {s.name!r}")) for s in sections]


def live(config: Config, section: DmsTaskSection, where: str) -> Printed:
    """What AWS says now of the section's arn. Raises `UnreachableError` or `UsageError`."""
    dms, arn = config.settings.dms, section.arn or ""
    region = region_of(arn, where)
    return read(connect(dms.region or region, dms.profile, dms.endpoint_url), arn, where)


class _Reader:
    """Reads one section; what two keys both say is refused, because neither could be preferred."""

    def __init__(self, config: Config, section: DmsTaskSection, where: str) -> None:
        self._config = config
        self._section = section
        self._where = where

    def printed(self) -> Printed:
        """What AWS, a snapshot or the files of the section hold of the DMS API's answers."""
        section = self._section
        if section.arn is not None:
            return live(self._config, section, self._where) if not self._config.settings.dms.snapshot else self._kept()
        task = _EMPTY
        if section.replication is not None:
            document, place = self._document("replication"), self._place("replication")
            if snapshot.is_snapshot(document):
                return snapshot.task(document, place, name=section.name)
            task = replication(document, section.name, place)
        return Printed(
            task,
            self._endpoint("source", task),
            self._endpoint("target", task),
            self._place("replication"),
            self._place("source_endpoint"),
            self._place("target_endpoint"),
        )

    def _kept(self) -> Printed:
        name = self._config.settings.dms.snapshot
        document = self._config.document(name, "[dms] snapshot")
        return snapshot.task(document, str(self._config.path(name)), arn=self._section.arn or "")

    def told(self, printed: Printed) -> Told:
        """`printed` with what the section says itself. Raises `ConfigError` where both say the same thing."""
        task, source, target = printed.replication, printed.source, printed.target
        settings = "ReplicationSettings" if "ReplicationSettings" in task else "ReplicationTaskSettings"
        kind = "ReplicationType" if "ReplicationType" in task else "MigrationType"
        return Told(
            mappings=self._mappings(printed),
            settings=self._either("task_settings", task, settings, printed.replication_at),
            s3=self._either("s3_settings", target, "S3Settings", printed.target_at),
            postgresql=self._either("postgresql_settings", source, "PostgreSQLSettings", printed.source_at),
            s3_attributes=self._text("s3_attributes", target, "ExtraConnectionAttributes"),
            postgresql_attributes=self._text("postgresql_attributes", source, "ExtraConnectionAttributes"),
            migration_type=self._text("migration_type", task, kind),
            engine_version=self._text("engine_version", task, "EngineVersion"),
            captured_at=printed.captured_at,
            strict=not (source or target),
        )

    def _mappings(self, printed: Printed) -> Part:
        own = self._section.table_mappings
        if own is None:
            found = printed.replication["TableMappings"]
            where = f"{printed.replication_at}: TableMappings"
            return Part(found if isinstance(found, Mapping) else str(found), where)
        if not isinstance(own, str):
            return Part(own, f"{self._where}: table_mappings")
        path = self._config.path(own)
        try:
            return Part(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ConfigError(f"{self._where}: table_mappings: {path}: {reason}") from None

    def _endpoint(self, end: str, task: Document) -> Document:
        key = f"{end}_endpoint"
        if getattr(self._section, key) is None:
            return _EMPTY
        arn = str(task.get(f"{end.capitalize()}EndpointArn") or "")
        return endpoint(self._document(key), end, arn, self._place(key))

    def _either(self, key: str, printed: Document, member: str, place: str) -> Part:
        """The object under `key` of the section, or the one that AWS printed."""
        if not getattr(self._section, key):
            found = printed.get(member)
            return Part(_EMPTY if found is None else found, f"{place}: {member}" if printed else self._where)
        if printed:
            raise self._twice(key, place)
        return Part(self._document(key), self._place(key))

    def _text(self, key: str, printed: Document, member: str) -> str:
        own: str = getattr(self._section, key)
        found = str(printed.get(member) or "")
        if own and found and own != found:
            raise self._twice(key, member)
        return own or found

    def _document(self, key: str) -> Document:
        return self._config.document(getattr(self._section, key), key)

    def _place(self, key: str) -> str:
        value = getattr(self._section, key)
        return str(self._config.path(value)) if isinstance(value, str) else f"{self._where}: {key}"

    def _twice(self, key: str, other: str) -> ConfigError:
        return ConfigError(f"{self._where}: {key} and {other} both say it", hint="keep one of them")
