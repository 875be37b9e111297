"""DMS tasks read from AWS: with moto, and with botocore's Stubber for the calls that moto does not have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from moto import mock_aws

from builders import RULES
from driftguard.cli import main
from driftguard.config import load
from driftguard.dms.client import connect, read, region_of
from driftguard.dms.files import dms_tasks
from driftguard.errors import ConfigError, DriftguardError, UnreachableError
from driftguard.model.settings import DmsTask

REGION = "eu-west-1"
MAPPINGS = json.dumps({"rules": RULES})
SETTINGS = json.dumps({"TargetMetadata": {"LobMaxSize": 64}})
SECRET = "hush-9f8e7d"
CONFIG_ARN = f"arn:aws:dms:{REGION}:123456789012:replication-config:CONFIG"


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials that open nothing, and none of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN", "DRIFTGUARD_DMS_SNAPSHOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))


@pytest.fixture
def task_arn() -> Iterator[str]:
    """A task on the AWS that moto plays, with both endpoints."""
    with mock_aws():
        client = boto3.client("dms", region_name=REGION)
        source = client.create_endpoint(
            EndpointIdentifier="aurora",
            EndpointType="source",
            EngineName="aurora-postgresql",
            Username="dms",
            Password=SECRET,
            ServerName="db.internal",
            ExtraConnectionAttributes=f"mapBooleanAsBoolean=true;colour=blue;password={SECRET};{SECRET}=x",
            PostgreSQLSettings={"DatabaseName": "shop", "Password": SECRET, "AfterConnectScript": f"SELECT '{SECRET}'"},
        )["Endpoint"]["EndpointArn"]
        target = client.create_endpoint(
            EndpointIdentifier="lake",
            EndpointType="target",
            EngineName="s3",
            ExtraConnectionAttributes="timestampColumnName=ts",
            S3Settings={
                "DataFormat": "parquet",
                "BucketFolder": "dms",
                "BucketName": "lake",
                "CdcMaxBatchInterval": 60,
            },
        )["Endpoint"]["EndpointArn"]
        instance = client.create_replication_instance(
            ReplicationInstanceIdentifier="one", ReplicationInstanceClass="dms.t3.micro", EngineVersion="3.5.4"
        )["ReplicationInstance"]["ReplicationInstanceArn"]
        yield client.create_replication_task(
            ReplicationTaskIdentifier="shop-task",
            SourceEndpointArn=source,
            TargetEndpointArn=target,
            ReplicationInstanceArn=instance,
            MigrationType="full-load-and-cdc",
            TableMappings=MAPPINGS,
            ReplicationTaskSettings=SETTINGS,
        )["ReplicationTask"]["ReplicationTaskArn"]


def project(folder: Path, arn: str, dms: str = "") -> Path:
    text = f'[landing]\ndatabase = "A"\n[dms]\n{dms}\n[[dms.task]]\nname = "shop"\narn = "{arn}"\n'
    (folder / "driftguard.toml").write_text(text, encoding="utf-8")
    return folder


def read_task(folder: Path, **environ: str) -> DmsTask:
    (found,) = dms_tasks(load(directory=folder, environ=environ))
    return found


def test_a_task_is_read_by_its_arn(tmp_path: Path, task_arn: str) -> None:
    found = read_task(project(tmp_path, task_arn))
    assert (found.name, found.migration_type, found.captured_at) == ("shop", "full-load-and-cdc", "")
    assert len(found.mappings.transformations) == 1
    assert found.settings.lob_max_size_kb == 64
    assert (found.endpoint.bucket_folder, found.endpoint.timestamp_column_name) == ("dms", "ts")
    assert found.endpoint.map_boolean_as_boolean
    assert found.engine_version == "3.5.4"


def test_a_task_that_is_not_there(tmp_path: Path, task_arn: str) -> None:
    missing = f"arn:aws:dms:{REGION}:123456789012:task:NOTHING"
    with pytest.raises(UnreachableError, match=f"AWS DMS shows no task {missing}"):
        read_task(project(tmp_path, missing))


def test_a_task_of_another_region(tmp_path: Path, task_arn: str) -> None:
    """The region is the ARN's own, unless [dms] says another."""
    with pytest.raises(UnreachableError, match="shows no task"):
        read_task(project(tmp_path, task_arn, 'region = "us-east-1"'))


@pytest.mark.parametrize(
    "arn", ["", "shop", "arn:aws:s3:::bucket", f"arn:aws:dms:{REGION}:1:endpoint:X", "arn:aws:dms::1:task:X"]
)
def test_what_is_no_arn_of_a_task_is_refused(arn: str) -> None:
    with pytest.raises(ConfigError, match="is no ARN of a DMS task"):
        region_of(arn, "here")
    assert region_of(f"arn:aws-cn:dms:cn-north-1:1:task:X{'Y' * 20}", "here") == "cn-north-1"


# -- Serverless, and what AWS refuses ----------------------------------------------------------------------------------


def client() -> Any:
    return boto3.client("dms", region_name=REGION)


ENDS = {
    "source": {"EndpointArn": "S", "EndpointType": "SOURCE", "EngineName": "postgres"},
    "target": {
        "EndpointArn": "T",
        "EndpointType": "TARGET",
        "EngineName": "s3",
        "S3Settings": {"DataFormat": "parquet"},
    },
}
CONFIG = {
    "ReplicationConfigArn": CONFIG_ARN,
    "SourceEndpointArn": "S",
    "TargetEndpointArn": "T",
    "ReplicationType": "cdc",
    "TableMappings": MAPPINGS,
    "ReplicationSettings": SETTINGS,
}


def by_arn(arn: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "endpoint-arn", "Values": [arn]}]}


def test_a_serverless_replication_is_found_on_a_later_page() -> None:
    """AWS DMS API Reference, DescribeReplicationConfigs: Marker."""
    api = client()
    with Stubber(api) as stub:
        first = {"ReplicationConfigs": [CONFIG | {"ReplicationConfigArn": "other"}], "Marker": "2"}
        stub.add_response("describe_replication_configs", first, {"MaxRecords": 100})
        stub.add_response(
            "describe_replication_configs", {"ReplicationConfigs": [CONFIG]}, {"MaxRecords": 100, "Marker": "2"}
        )
        stub.add_response("describe_endpoints", {"Endpoints": [ENDS["source"]]}, by_arn("S"))
        stub.add_response("describe_endpoints", {"Endpoints": [ENDS["target"]]}, by_arn("T"))
        found = read(api, CONFIG_ARN, "here")
        stub.assert_no_pending_responses()
    assert (found.replication["ReplicationType"], found.target["S3Settings"]) == ("cdc", {"DataFormat": "parquet"})


def test_a_serverless_replication_that_is_not_there() -> None:
    api = client()
    with Stubber(api) as stub:
        stub.add_response("describe_replication_configs", {"ReplicationConfigs": []})
        with pytest.raises(UnreachableError, match="shows no Serverless replication"):
            read(api, CONFIG_ARN, "here")


def test_an_endpoint_that_is_not_there() -> None:
    api = client()
    with Stubber(api) as stub:
        stub.add_response("describe_replication_configs", {"ReplicationConfigs": [CONFIG]})
        stub.add_client_error("describe_endpoints", "ResourceNotFoundFault")
        with pytest.raises(UnreachableError, match="shows no endpoint S of"):
            read(api, CONFIG_ARN, "here")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "grant dms:DescribeReplicationTasks"),
        ("ThrottlingException", "try again in a minute"),
        ("ExpiredTokenException", "log in to AWS"),
        ("UnrecognizedClientException", "look at network"),
    ],
)
def test_what_aws_refuses_is_one_line_with_exit_code_3(code: str, hint: str) -> None:
    api = client()
    with Stubber(api) as stub:
        stub.add_client_error("describe_replication_configs", code, f"User: x\nis not allowed, token={SECRET}")
        with pytest.raises(UnreachableError) as caught:
            read(api, CONFIG_ARN, "here")
    line = str(caught.value)
    assert hint in line
    assert "\n" not in line
    assert SECRET not in line
    assert int(caught.value.exit_code) == 3


def test_the_version_of_the_engine_is_not_worth_a_refusal(task_arn: str) -> None:
    api = connect(REGION)
    inner = api.describe_replication_tasks(Filters=[])["ReplicationTasks"]
    with Stubber(api) as stub:
        stub.add_response("describe_replication_tasks", {"ReplicationTasks": inner})
        stub.add_client_error("describe_replication_instances", "AccessDeniedException")
        for end, arn in (("source", "SourceEndpointArn"), ("target", "TargetEndpointArn")):
            stub.add_response("describe_endpoints", {"Endpoints": [ENDS[end] | {"EndpointArn": inner[0][arn]}]})
        assert read(api, task_arn, "here").replication["EngineVersion"] == ""


# -- the command line --------------------------------------------------------------------------------------------------


def run(folder: Path, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--dir", str(folder)], env=environ)


def refused(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    return line


def test_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    folder = project(tmp_path, CONFIG_ARN)
    line = refused(run(folder, "snapshot", "--dms", str(tmp_path / "dms.json")), 3)
    assert "log in to AWS" in line
    assert not (tmp_path / "dms.json").exists()


def test_with_a_profile_that_is_not_there(tmp_path: Path) -> None:
    folder = project(tmp_path, CONFIG_ARN, 'profile = "nobody"')
    assert "[dms] profile" in refused(run(folder, "snapshot", "--dms", "x.json"), 3)


def test_with_an_address_where_nobody_answers(tmp_path: Path) -> None:
    folder = project(tmp_path, CONFIG_ARN, 'endpoint_url = "http://127.0.0.1:9"')
    assert "[dms] endpoint_url" in refused(run(folder, "snapshot", "--dms", "x.json"), 3)


@pytest.mark.parametrize("setting", ['endpoint_url = "nowhere"', 'region = "no region"'])
def test_with_an_address_that_is_none(tmp_path: Path, setting: str) -> None:
    assert "[dms] region or endpoint_url" in refused(
        run(project(tmp_path, CONFIG_ARN, setting), "snapshot", "--dms", "x.json"), 2
    )


def test_without_boto3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    line = refused(run(project(tmp_path, CONFIG_ARN), "snapshot", "--dms", "x.json"), 2)
    assert "pip install driftguard[aws]" in line


def test_without_a_task_that_has_an_arn(tmp_path: Path) -> None:
    text = '[landing]\ndatabase = "A"\n[[dms.task]]\ntable_mappings = { rules = [] }\n'
    (tmp_path / "driftguard.toml").write_text(text, encoding="utf-8")
    assert "no [[dms.task]] has an arn" in refused(run(tmp_path, "snapshot", "--dms", "x.json"), 2)


def test_a_snapshot_stands_in_for_aws(tmp_path: Path, task_arn: str) -> None:
    """Taken once with credentials, used without; and the task is the same."""
    folder = project(tmp_path, task_arn)
    live = read_task(folder)
    result = run(folder, "snapshot", "--dms", str(tmp_path / "dms.json"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "dms.json").read_text(encoding="utf-8")
    assert "(DMS: 1 task)" in result.output
    for gone in (SECRET, "db.internal", "AfterConnectScript", "blue", "Username"):
        assert gone not in text
    found = read_task(folder, DRIFTGUARD_DMS_SNAPSHOT="dms.json")
    assert found.captured_at
    assert (found.mappings, found.settings, found.migration_type) == (live.mappings, live.settings, live.migration_type)
    assert found.endpoint == live.endpoint
    assert [r.setting for r in found.endpoint.remarks] == ["colour", ""]
    text = '[landing]\ndatabase = "A"\n[[dms.task]]\nname = "any"\nreplication = "dms.json"\n'
    (tmp_path / "driftguard.toml").write_text(text, encoding="utf-8")
    assert read_task(folder).endpoint == live.endpoint


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "aurora"}, "is no snapshot of DMS tasks"),
        ({"driftguard_snapshot": 2}, "is no snapshot of DMS tasks"),
        ({"tasks": []}, "holds no DMS task arn:aws:dms"),
        ({"tasks": [{"name": "shop"}]}, "is damaged"),
        ({"tasks": None}, "is damaged"),
    ],
)
def test_a_snapshot_that_does_not_hold_the_task(
    tmp_path: Path, task_arn: str, change: dict[str, Any], why: str
) -> None:
    folder = project(tmp_path, task_arn)
    file = tmp_path / "dms.json"
    assert run(folder, "snapshot", "--dms", str(file)).exit_code == 0
    file.write_text(json.dumps(json.loads(file.read_text()) | change), encoding="utf-8")
    with pytest.raises(DriftguardError) as caught:
        read_task(folder, DRIFTGUARD_DMS_SNAPSHOT="dms.json")
    assert why in str(caught.value)


def test_an_old_snapshot_is_a_finding(tmp_path: Path, task_arn: str) -> None:
    """DG604, as for the snapshots of both sides."""
    from driftguard.commands.world import build_context
    from driftguard.model.catalog import Catalog
    from driftguard.model.snowflake import Estate

    folder = project(tmp_path, task_arn)
    file = tmp_path / "dms.json"
    assert run(folder, "snapshot", "--dms", str(file)).exit_code == 0
    config = load(directory=folder, environ={"DRIFTGUARD_DMS_SNAPSHOT": "dms.json"})
    assert build_context(config, Catalog(()), Estate()).stale == ()
    old = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"captured_at": old}), encoding="utf-8")
    assert build_context(config, Catalog(()), Estate()).stale == ("the snapshot of DMS task shop is 9 days old",)
