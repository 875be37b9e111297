"""What the DMS API says of tasks, as sorted JSON without secrets, so that CI can check without credentials."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from driftguard.dms.documents import Document, Printed
from driftguard.emission.settings import without_secrets
from driftguard.errors import SnapshotError

_MARK, _VERSION, _KIND = "driftguard_snapshot", 1, "dms"
# Kept because they decide what is written, or say what the rest is about. All else stays on AWS.
_TASK = (
    *("ReplicationTaskIdentifier", "ReplicationConfigIdentifier", "MigrationType", "ReplicationType", "EngineVersion"),
    *("SourceEndpointArn", "TargetEndpointArn"),
)
_DOCUMENTS = ("TableMappings", "ReplicationTaskSettings", "ReplicationSettings")
_ENDPOINT = ("EndpointArn", "EndpointIdentifier", "EndpointType", "EngineName")


def dumps(tasks: Iterable[tuple[str, str, Printed]], captured_at: str) -> str:
    """The text of (name, arn, what AWS printed), ending in a newline."""
    items = [
        {
            "name": name,
            "arn": arn,
            "replication": _replication(printed.replication),
            "source_endpoint": _endpoint(printed.source),
            "target_endpoint": _endpoint(printed.target),
        }
        for name, arn, printed in sorted(tasks, key=lambda item: item[0])
    ]
    document = {_MARK: _VERSION, "kind": _KIND, "captured_at": captured_at, "tasks": items}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def is_snapshot(document: Document) -> bool:
    """Is it one of DMS tasks, rather than what AWS itself prints?"""
    return _MARK in document


def task(document: Document, where: str, *, name: str = "", arn: str = "") -> Printed:
    """The task in it with this ARN, else with this name, else the only one. Raises `SnapshotError`."""
    if document.get(_MARK) != _VERSION or document.get("kind") != _KIND:
        raise SnapshotError(
            f"{where} is no snapshot of DMS tasks", hint="make one with `driftguard snapshot --dms FILE`"
        )
    items = document.get("tasks")
    if not isinstance(items, list) or not all(_complete(item) for item in items):
        raise SnapshotError(f"{where} is damaged: its tasks cannot be read", hint="take a new snapshot")
    hits = [item for item in items if (item.get("arn") == arn if arn else item.get("name") == name)]
    if not hits and not arn and len(items) == 1:
        hits = items
    if len(hits) != 1:
        wanted = arn or repr(name)
        raise SnapshotError(
            f"{where} holds no DMS task {wanted}", hint="take it again with `driftguard snapshot --dms`"
        )
    (item,) = hits
    place = f"{where}: {item.get('name')}"
    return Printed(
        item["replication"],
        item["source_endpoint"],
        item["target_endpoint"],
        f"{place}: replication",
        f"{place}: source_endpoint",
        f"{place}: target_endpoint",
        captured_at=str(document.get("captured_at", "")),
    )


def _complete(item: Any) -> bool:
    parts = ("replication", "source_endpoint", "target_endpoint")
    whole = isinstance(item, dict) and all(isinstance(item.get(part), dict) for part in parts)
    return whole and "TableMappings" in item["replication"]


def _replication(document: Document) -> Document:
    found = {key: document[key] for key in _TASK if document.get(key)}
    return found | {key: _parsed(document[key]) for key in _DOCUMENTS if document.get(key)}


def _endpoint(document: Document) -> Document:
    found = {key: document[key] for key in _ENDPOINT if document.get(key)}
    s3 = str(document.get("EngineName", "")).lower() == "s3"
    member = "S3Settings" if s3 else "PostgreSQLSettings"
    text = str(document.get("ExtraConnectionAttributes") or "")
    settings, attributes = without_secrets(document.get(member) or {}, text, s3=s3)
    return found | {member: settings, "ExtraConnectionAttributes": attributes}


def _parsed(value: Any) -> Any:
    """As JSON where it is some, so that a change is a readable difference of two snapshots."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
