"""What the DMS API prints of a task and its endpoints, read into the model.

Shapes: AWS DMS API Reference, ReplicationTask, ReplicationConfig and Endpoint; each may stand alone, as the answer of
the call that made it, or in the list of a describe call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from driftguard.emission.mapping_document import parse_mappings
from driftguard.emission.settings import endpoint_settings, task_settings
from driftguard.errors import ConfigError
from driftguard.model.settings import DmsTask, MigrationType

Document = Mapping[str, Any]
_REPLICATIONS = (
    ("ReplicationTask", "ReplicationTaskIdentifier"),
    ("ReplicationConfig", "ReplicationConfigIdentifier"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of JSON, as an object or still as text, and where it stands."""

    content: str | Document
    where: str

    def object(self) -> Document:
        """The object. Raises `ConfigError` where the text is no JSON, or no object."""
        content: Any = self.content
        if isinstance(content, str):
            try:
                content = json.loads(content)
            except (ValueError, RecursionError):
                raise ConfigError(f"{self.where}: not JSON", hint="copy it as the DMS API prints it") from None
        if not isinstance(content, Mapping):
            raise ConfigError(f"{self.where}: a JSON object is expected here, not {type(content).__name__}")
        return content


@dataclass(frozen=True, slots=True)
class Printed:
    """What the API prints of one task and of its endpoints; an empty document where that is not known."""

    replication: Document
    source: Document
    target: Document
    replication_at: str
    source_at: str
    target_at: str
    captured_at: str = ""  # of the snapshot that it stands in


@dataclass(frozen=True, slots=True)
class Told:
    """All that was given about one task, from whatever place, before any of it is understood."""

    mappings: Part
    settings: Part
    s3: Part
    postgresql: Part
    s3_attributes: str = ""
    postgresql_attributes: str = ""
    migration_type: str = ""
    engine_version: str = ""
    captured_at: str = ""
    strict: bool = True  # a person wrote the settings, so that what is not known is a slip

    def task(self, name: str, where: str) -> DmsTask:
        """The task. Raises `ConfigError` or `MappingError` with the place and the key."""
        kind = _migration_type(self.migration_type, where)
        return DmsTask(
            name,
            parse_mappings(self.mappings.content, where=self.mappings.where),
            endpoint_settings(
                self.s3.object(),
                self.postgresql.object(),
                s3_attributes=self.s3_attributes,
                postgresql_attributes=self.postgresql_attributes,
                where=self.s3.where,
                source_where=self.postgresql.where,
                strict=self.strict,
            ),
            task_settings(self.settings.object(), where=self.settings.where),
            kind,
            self.engine_version,
            self.captured_at,
        )


def _migration_type(text: str, where: str) -> MigrationType | None:
    if not text:
        return None
    known: tuple[MigrationType, ...] = get_args(MigrationType)
    for word in known:
        if word == text:
            return word
    raise ConfigError(f"{where}: the migration type is {text!r}", hint=f"DMS knows {', '.join(known)}")


def replication(document: Document, name: str, where: str) -> Document:
    """The task or Serverless replication in `document`: the only one there is, or the one called `name`."""
    for kind, identifier in _REPLICATIONS:
        items = _items(document, kind, where)
        if items is None:
            continue
        if len(items) > 1:
            items = [item for item in items if item.get(identifier) == name]
        if len(items) != 1:
            raise ConfigError(
                f"{where}: {kind}s does not hold one item, or one with the {identifier} {name!r}",
                hint="give [[dms.task]] the name that DMS has for it, or the file one item",
            )
        document = items[0]
    if "TableMappings" not in document:
        raise ConfigError(
            f"{where}: 'TableMappings' is missing",
            hint="an item of `aws dms describe-replication-tasks` or describe-replication-configs is expected here, "
            "printed with its settings",
        )
    return document


def endpoint(document: Document, end: str, arn: str, where: str) -> Document:
    """The `source` or `target` endpoint in `document`; `arn` is the one that the task names, where that is known."""
    items = _items(document, "Endpoint", where)
    if items is None:
        items = [document]
    elif len(items) > 1:
        of_end = [item for item in items if str(item.get("EndpointType", "")).lower() == end]
        items = [item for item in items if item.get("EndpointArn") == arn] if arn else of_end
    if len(items) != 1:
        raise ConfigError(
            f"{where}: Endpoints does not hold exactly one {end} endpoint of this task",
            hint="print one: `aws dms describe-endpoints --filters Name=endpoint-arn,Values=…`",
        )
    found = items[0]
    if not {"EndpointType", "EngineName", "S3Settings", "PostgreSQLSettings"} & set(found):
        hint = "bare settings go to s3_settings and postgresql_settings"
        raise ConfigError(f"{where}: no endpoint as `aws dms describe-endpoints` prints it", hint=hint)
    if found.get("EndpointType") and str(found["EndpointType"]).lower() != end:
        raise ConfigError(f"{where}: this is a {str(found['EndpointType']).lower()} endpoint, not the {end}")
    if arn and found.get("EndpointArn", arn) != arn:
        raise ConfigError(f"{where}: this is another endpoint than the task's {end}", hint=f"print {arn}")
    engine = str(found.get("EngineName", "")).lower()
    wanted = "PostgreSQL" if end == "source" else "S3"
    if engine and ("postgres" if end == "source" else "s3") not in engine:
        raise ConfigError(f"{where}: the {end} endpoint is for {engine}", hint=f"driftguard reads {wanted} here")
    return found


def _items(document: Document, kind: str, where: str) -> list[Document] | None:
    """The items of `{"Kinds": [ … ]}` or `{"Kind": { … }}`; None where the document is neither."""
    if f"{kind}s" in document:
        found = document[f"{kind}s"]
    elif kind in document:
        found = [document[kind]]
    else:
        return None
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise ConfigError(f"{where}: {kind} is not as the DMS API prints it")
    return found
