"""DMS tasks out of the files that driftguard.toml names: as `aws dms describe-…` prints them, or in pieces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders import RULES
from driftguard.config import load
from driftguard.dms.files import dms_tasks
from driftguard.errors import ConfigError
from driftguard.model.settings import DmsTask

MAPPINGS = json.dumps({"rules": RULES})
SETTINGS = json.dumps({"TargetMetadata": {"LobMaxSize": 64}, "BeforeImageSettings": None})
SOURCE_ARN, TARGET_ARN = "arn:aws:dms:eu-west-1:1:endpoint:AURORA", "arn:aws:dms:eu-west-1:1:endpoint:LAKE"
TASK = {
    "ReplicationTaskIdentifier": "shop",
    "SourceEndpointArn": SOURCE_ARN,
    "TargetEndpointArn": TARGET_ARN,
    "MigrationType": "full-load-and-cdc",
    "TableMappings": MAPPINGS,
    "ReplicationTaskSettings": SETTINGS,
    "Status": "running",
}
CONFIG = {
    "ReplicationConfigIdentifier": "shop",
    "SourceEndpointArn": SOURCE_ARN,
    "TargetEndpointArn": TARGET_ARN,
    "ReplicationType": "cdc",
    "TableMappings": MAPPINGS,
    "ReplicationSettings": SETTINGS,
    "ComputeConfig": {"MaxCapacityUnits": 16},
}
TARGET = {
    "EndpointIdentifier": "lake",
    "EndpointType": "TARGET",
    "EngineName": "s3",
    "EndpointArn": TARGET_ARN,
    "ExtraConnectionAttributes": "bucketFolder=dms;timestampColumnName=ts",
    "S3Settings": {"BucketName": "lake", "DataFormat": "parquet"},
}
SOURCE = {
    "EndpointIdentifier": "aurora",
    "EndpointType": "SOURCE",
    "EngineName": "aurora-postgresql",
    "EndpointArn": SOURCE_ARN,
    "Username": "dms",
    "PostgreSQLSettings": {"MapBooleanAsBoolean": True, "DatabaseName": "shop"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def tasks(folder: Path, *sections: str, **files: Any) -> tuple[DmsTask, ...]:
    """The tasks of a driftguard.toml with these [[dms.task]] and these JSON files."""
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    text = "".join(f"[[dms.task]]\n{section}\n" for section in sections)
    (folder / "driftguard.toml").write_text(f'[landing]\ndatabase = "A"\n{text}', encoding="utf-8")
    return dms_tasks(load(directory=folder, environ={}))


ALL = 'name = "shop"\nreplication = "task.json"\nsource_endpoint = "source.json"\ntarget_endpoint = "target.json"'


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("item", [TASK, CONFIG])
def test_what_the_api_prints_is_taken_as_it_is(folder: Path, item: dict[str, Any], listed: bool) -> None:
    """AWS DMS API Reference, ReplicationTask, ReplicationConfig, Endpoint: TableMappings and settings are text."""
    task: Any = item
    ends: Any = {"source": SOURCE, "target": TARGET}
    if listed:
        kind = "ReplicationTasks" if item is TASK else "ReplicationConfigs"
        task = {kind: [item, item | {f"{kind[:-1]}Identifier": "other"}]}
        both = {"Endpoints": [SOURCE, TARGET, TARGET | {"EndpointArn": "another"}]}
        ends = {"source": both, "target": both}
    (found,) = tasks(folder, ALL, task=task, **ends)
    assert (found.name, found.migration_type) == ("shop", "cdc" if item is CONFIG else "full-load-and-cdc")
    assert len(found.mappings.transformations) == 1
    assert found.settings.lob_max_size_kb == 64
    assert (found.endpoint.bucket_folder, found.endpoint.timestamp_column_name) == ("dms", "ts")
    assert found.endpoint.map_boolean_as_boolean


def test_the_same_in_pieces_gives_the_same_task(folder: Path) -> None:
    pieces = (
        'name = "shop"\ntable_mappings = "mappings.json"\ntask_settings = "settings.json"\n'
        's3_settings = { DataFormat = "parquet" }\ns3_attributes = "bucketFolder=dms;timestampColumnName=ts"\n'
        'postgresql_settings = "pg.json"\nmigration_type = "full-load-and-cdc"'
    )
    first = tasks(folder, ALL, task=TASK, source=SOURCE, target=TARGET)
    pg = {"MapBooleanAsBoolean": True}
    assert tasks(folder, pieces, mappings=MAPPINGS, settings=SETTINGS, pg=pg) == first


def test_an_endpoint_may_be_given_without_the_task(folder: Path) -> None:
    section = 'table_mappings = "m.json"\ntarget_endpoint = "t.json"'
    (found,) = tasks(folder, section, m=MAPPINGS, t={"Endpoints": [SOURCE, TARGET]})
    assert found.endpoint.bucket_folder == "dms"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"task": {"TaskName": "x"}}, "task.json: 'TableMappings' is missing"),
        ({"task": "[]"}, "task.json: a JSON object is expected here, not list"),
        ({"task": "{"}, "task.json: not JSON"),
        ({"task": {"ReplicationTasks": []}}, "task.json: ReplicationTasks does not hold one item"),
        (
            {"task": {"ReplicationTasks": [TASK | {"ReplicationTaskIdentifier": n} for n in "ab"]}},
            "with the ReplicationTaskIdentifier 'shop'",
        ),
        ({"task": {"ReplicationTasks": "all"}}, "task.json: ReplicationTask is not as the DMS API prints it"),
        ({"task": TASK | {"TableMappings": "{"}}, "task.json: TableMappings: not JSON"),
        ({"task": TASK | {"TableMappings": 5}}, "task.json: TableMappings: expected a JSON object"),
        ({"task": TASK | {"ReplicationTaskSettings": "x"}}, "task.json: ReplicationTaskSettings: not JSON"),
        ({"task": TASK | {"ReplicationTaskSettings": "5"}}, "ReplicationTaskSettings: a JSON object is expected"),
        ({"task": TASK | {"ReplicationTaskSettings": {"TargetMetadata": []}}}, "TargetMetadata is no object"),
        ({"task": TASK | {"MigrationType": "sometimes"}}, "the migration type is 'sometimes'"),
        ({"source": TARGET}, "source.json: this is a target endpoint, not the source"),
        ({"target": TARGET | {"EngineName": "redshift"}}, "target.json: the target endpoint is for redshift"),
        ({"source": SOURCE | {"EngineName": "aurora"}}, "source.json: the source endpoint is for aurora"),
        ({"target": TARGET | {"EndpointArn": "x"}}, "target.json: this is another endpoint than the task's target"),
        ({"target": {"Endpoints": [TARGET | {"EndpointArn": n} for n in "ab"]}}, "exactly one target endpoint"),
        ({"target": TARGET["S3Settings"]}, "target.json: no endpoint as `aws dms describe-endpoints` prints it"),
        ({"target": TARGET | {"S3Settings": []}}, "target.json: S3Settings: a JSON object is expected"),
        (
            {"target": TARGET | {"S3Settings": {"DataFormat": 1}}},
            "target.json: S3Settings: DataFormat: text is expected",
        ),
    ],
)
def test_what_the_api_does_not_print_is_refused_with_the_file(folder: Path, change: dict[str, Any], why: str) -> None:
    files = {"task": TASK, "source": SOURCE, "target": TARGET} | change
    with pytest.raises(ConfigError) as caught:
        tasks(folder, ALL, **files)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("task_settings = { Logging = {} }", "task_settings and"),
        ('s3_settings = { DataFormat = "parquet" }', "s3_settings and"),
        ("postgresql_settings = { TrimSpaceInChar = true }", "postgresql_settings and"),
        ('s3_attributes = "bucketFolder=x"', "s3_attributes and ExtraConnectionAttributes"),
        ('migration_type = "cdc"', "migration_type and MigrationType"),
        ('table_mappings = "m.json"', "give one of 'table_mappings', 'replication' and 'arn'"),
    ],
)
def test_nothing_is_said_twice(folder: Path, more: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tasks(folder, f"{ALL}\n{more}", task=TASK, source=SOURCE, target=TARGET)
    assert why in str(caught.value)


def test_two_tasks_of_one_name_are_refused(folder: Path) -> None:
    section = 'name = "shop"\ntable_mappings = "m.json"'
    with pytest.raises(ConfigError, match=r"2 \[\[dms.task\]\] are named 'shop'"):
        tasks(folder, section, section, m=MAPPINGS)


def test_without_a_task_nothing_can_be_said(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \[\[dms.task\]\]"):
        tasks(folder)


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"replication = 'task.json': No such file"):
        tasks(folder, ALL)


def test_a_member_that_is_newer_than_driftguard_is_remarked_on(folder: Path) -> None:
    target = TARGET | {"S3Settings": {"DataFormat": "parquet", "Colour": "blue"}}
    (found,) = tasks(folder, ALL, task=TASK, source=SOURCE, target=target)
    assert [r.message for r in found.endpoint.remarks] == ["S3Settings has the member Colour, which is not known"]
