"""Endpoint and task settings as the DMS API spells them."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.emission.settings import endpoint_settings, task_settings
from driftguard.errors import ConfigError
from driftguard.model.settings import EndpointSettings, TaskSettings


def read(s3: dict[str, Any] | None = None, pg: dict[str, Any] | None = None) -> EndpointSettings:
    return endpoint_settings(s3 or {}, pg or {}, where="dms.task 'shop'")


def test_what_is_not_given_has_the_default_that_aws_documents() -> None:
    """DataFormat csv and no BucketFolder: the endpoint of the API, not the one this pipeline wants."""
    found = read()
    assert (found.data_format, found.bucket_folder, found.timestamp_column_name) == ("csv", "", None)


def test_names_are_those_of_the_api() -> None:
    found = read(
        {
            "DataFormat": "Parquet",
            "BucketFolder": "dms",
            "TimestampColumnName": "ts",
            "IncludeOpForFullLoad": True,
            "UseTaskStartTimeForFullLoadTimestamp": True,
            "ParquetTimestampInMillisecond": True,
            "ParquetVersion": "PARQUET-2-0",
            "DatePartitionSequence": "yyyymmdd",
        },
        {"MapBooleanAsBoolean": True, "MapJsonbAsClob": True, "MapLongVarcharAs": "clob", "TrimSpaceInChar": False},
    )
    assert (found.data_format, found.bucket_folder, found.timestamp_column_name) == ("parquet", "dms", "ts")
    assert found.parquet_version == "parquet-2-0"
    assert found.date_partition_sequence == "YYYYMMDD"
    assert found.include_op_for_full_load
    assert found.use_task_start_time_for_full_load_timestamp
    assert found.parquet_timestamp_in_millisecond
    assert found.map_boolean_as_boolean
    assert found.map_long_varchar_as == "clob"
    assert not found.trim_space_in_char


def test_a_whole_answer_of_describe_endpoints_is_taken() -> None:
    found = read(
        {
            "ServiceAccessRoleArn": "arn:aws:iam::1:role/x",
            "BucketName": "lake",
            "CompressionType": "GZIP",
            "EncodingType": "rle-dictionary",
            "CdcMaxBatchInterval": 60,
            "DataFormat": "parquet",
        },
        {"ServerName": "h", "Port": 5432, "Username": "u", "DatabaseName": "d", "SlotName": "s"},
    )
    assert found.data_format == "parquet"


def test_an_extra_connection_attribute_is_known() -> None:
    assert read(pg={"unboundedVarcharMaxSize": 100}).unbounded_varchar_max_size == 100


def test_an_empty_timestamp_name_is_none() -> None:
    assert read({"TimestampColumnName": ""}).timestamp_column_name is None


@pytest.mark.parametrize(
    ("s3", "pg", "why"),
    [
        ({"TimestampColumName": "ts"}, {}, "S3Settings has no member 'TimestampColumName'"),
        ({"MapBooleanAsBoolean": True}, {}, "S3Settings has no member 'MapBooleanAsBoolean'"),
        ({}, {"BucketFolder": "x"}, "PostgreSQLSettings has no member 'BucketFolder'"),
        ({"DataFormat": "orc"}, {}, "'orc' is not one of csv, parquet"),
        ({"IncludeOpForFullLoad": "true"}, {}, "true or false is expected"),
        ({"IncludeOpForFullLoad": 1}, {}, "true or false is expected"),
        ({"BucketFolder": 5}, {}, "text is expected"),
        ({"BucketFolder": None}, {}, "text is expected"),
        ({}, {"unboundedVarcharMaxSize": "100"}, "a number is expected"),
        ({}, {"unboundedVarcharMaxSize": True}, "a number is expected"),
        ({}, {"unboundedVarcharMaxSize": 0}, "at least 1 byte"),
        ({"CdcInsertsOnly": True, "CdcInsertsAndUpdates": True}, {}, "CdcInsertsOnly and CdcInsertsAndUpdates"),
    ],
)
def test_what_the_api_does_not_know_is_refused_in_one_line(s3: dict[str, Any], pg: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(s3, pg)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def task(document: dict[str, Any]) -> TaskSettings:
    return task_settings(document, where="dms.task 'shop'")


def test_task_settings_are_read_out_of_their_sections() -> None:
    found = task(
        {
            "TargetMetadata": {"SupportLobs": False, "LobMaxSize": 64, "TargetSchema": "lake", "FullLobMode": None},
            "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableAltered": False},
            "FullLoadSettings": {"TargetTablePrepMode": "do_nothing"},
            "Logging": {"EnableLogging": True},
        }
    )
    assert (found.support_lobs, found.lob_max_size_kb, found.target_schema) == (False, 64, "lake")
    assert not found.handle_source_table_altered
    assert found.target_table_prep_mode == "DO_NOTHING"
    assert task({}) == TaskSettings()


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"TargetMetadata": {"SupportLobs": "yes"}}, "TargetMetadata.SupportLobs: true or false"),
        ({"TargetMetadata": {"LobMaxSize": "32"}}, "TargetMetadata.LobMaxSize: a number"),
        ({"FullLoadSettings": {"TargetTablePrepMode": "WIPE"}}, "'WIPE' is not one of"),
    ],
)
def test_a_task_setting_of_the_wrong_kind_is_named(document: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        task(document)
