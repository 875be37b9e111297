"""Reads one task and its endpoints from the DMS API. boto3 is loaded on the first use; it comes with an extra."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from driftguard.dms.documents import Document, Printed
from driftguard.errors import ConfigError, DriftguardError, UnreachableError, UsageError

_ARN = re.compile(r"arn:aws[\w\-]*:dms:(?P<region>[a-z0-9\-]+):\d*:(?P<kind>task|replication-config):[\w\-]+")
_MOST_PAGES = 100


class DmsApi(Protocol):
    """The calls that driftguard makes, as boto3's DMS client has them."""

    def describe_replication_tasks(self, **arguments: Any) -> Mapping[str, Any]: ...
    def describe_replication_configs(self, **arguments: Any) -> Mapping[str, Any]: ...
    def describe_replication_instances(self, **arguments: Any) -> Mapping[str, Any]: ...
    def describe_endpoints(self, **arguments: Any) -> Mapping[str, Any]: ...


def region_of(arn: str, where: str) -> str:
    """The region in the ARN of a task or Serverless replication. Raises `ConfigError` for anything else."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ConfigError(
            f"{where}: {arn!r} is no ARN of a DMS task or Serverless replication",
            hint="arn:aws:dms:REGION:ACCOUNT:task:ID, or …:replication-config:ID",
        )
    return match["region"]


def connect(region: str, profile: str | None = None, endpoint_url: str | None = None) -> DmsApi:
    """boto3's client, with the credentials that the AWS tools use. Raises `UsageError` without boto3."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        hint = "pip install driftguard[aws]; or give [[dms.task]] files in place of the arn"
        raise UsageError("reading DMS tasks from AWS needs boto3", hint=hint) from None
    patience = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "max_attempts": 4})
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        client: DmsApi = session.client("dms", endpoint_url=endpoint_url, config=patience)
    except ValueError as error:  # botocore's own word for an address that is none
        raise ConfigError(f"[dms] region or endpoint_url: {error}", hint="docs/configuration.md shows both") from None
    except Exception as error:
        raise _refusal(error, "the connection") from None
    return client


def read(api: DmsApi, arn: str, where: str) -> Printed:
    """The task `arn` with both its endpoints. Raises `UnreachableError` where AWS does not show one of them."""
    serverless = ":replication-config:" in arn
    task = _config(api, arn) if serverless else _task(api, arn)
    if task is None:
        kind = "Serverless replication" if serverless else "task"
        hint = "look at account and region, or at the role's right to describe it"
        raise UnreachableError(f"{where}: AWS DMS shows no {kind} {arn}", hint=hint)
    ends = []
    for name in ("SourceEndpointArn", "TargetEndpointArn"):
        end = str(task.get(name, ""))
        found = _one(_ask(api.describe_endpoints, "Endpoints", "endpoint-arn", end), "EndpointArn", end)
        if found is None:
            raise UnreachableError(f"{where}: AWS DMS shows no endpoint {end} of {arn}", hint="was it replaced?")
        ends.append(found)
    places = (f"{arn}", f"{ends[0].get('EndpointArn')}", f"{ends[1].get('EndpointArn')}")
    return Printed(task, ends[0], ends[1], *places)


def _task(api: DmsApi, arn: str) -> Document | None:
    items = _ask(api.describe_replication_tasks, "ReplicationTasks", "replication-task-arn", arn)
    found = _one(items, "ReplicationTaskArn", arn)
    if found is None:
        return None
    instance = str(found.get("ReplicationInstanceArn", ""))
    try:
        items = _ask(api.describe_replication_instances, "ReplicationInstances", "replication-instance-arn", instance)
    except UnreachableError:  # only the engine's version is read from it, and one can live without that
        items = []
    version = (_one(items, "ReplicationInstanceArn", instance) or {}).get("EngineVersion", "")
    return {**found, "EngineVersion": version}


def _config(api: DmsApi, arn: str) -> Document | None:
    """AWS documents no filter of this call, so all pages are read until the ARN is there."""
    marker: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = _call(api.describe_replication_configs, MaxRecords=100, **marker)
        found = _one(page.get("ReplicationConfigs", []), "ReplicationConfigArn", arn)
        if found is not None or not page.get("Marker"):
            return found
        marker = {"Marker": str(page["Marker"])}
    return None


def _ask(call: Any, items: str, key: str, arn: str) -> list[Document]:
    found: list[Document] = _call(call, Filters=[{"Name": key, "Values": [arn]}]).get(items, [])
    return found


def _one(items: list[Document], key: str, arn: str) -> Document | None:
    return next((item for item in items if item.get(key) == arn), None)


def _call(call: Any, **arguments: Any) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = call(**arguments)
    except Exception as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") == "ResourceNotFoundFault":
            return {}
        raise _refusal(error, getattr(call, "__name__", "a call")) from None
    return answer


def _refusal(error: Exception, what: str) -> Exception:
    """What botocore raised, as one line for a person; anything else is a defect and stays what it is."""
    if isinstance(error, DriftguardError) or not type(error).__module__.startswith(("botocore", "boto3")):
        return error
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", "")) or type(error).__name__
    if "Throttl" in code or code == "RequestLimitExceeded":
        hint = "AWS asks to go slower: try again in a minute"
    elif "AccessDenied" in code or "Unauthorized" in code:
        hint = "grant dms:DescribeReplicationTasks, dms:DescribeReplicationConfigs and dms:DescribeEndpoints"
    elif "Credential" in code or "Token" in code or "SSO" in code or "Signature" in code:
        hint = "log in to AWS, or name a profile in [dms] profile"
    elif code in ("ProfileNotFound", "NoRegionError"):
        hint = "look at [dms] profile and region"
    else:
        hint = "look at network, region and [dms] endpoint_url"
    return UnreachableError(f"AWS DMS ({what}): {' '.join(str(error).split())}", hint=hint)
