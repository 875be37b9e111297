"""Endpoint and task settings as the DMS API spells them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ({}, {"unboundedVarcharMaxSize": 0}, "from 1 to 10485760 bytes"),
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


@pytest.mark.parametrize("document", [{"TargetMetadata": []}, {"ErrorBehavior": "none"}, {"FullLoadSettings": True}])
def test_a_section_that_is_no_object_is_refused(document: dict[str, Any]) -> None:
    (section,) = document
    with pytest.raises(ConfigError, match=f"dms.task 'shop': {section} is no object"):
        task(document)


def test_null_stands_for_a_section_that_is_not_in_use() -> None:
    """As `describe-replication-tasks` prints BeforeImageSettings."""
    assert task({"BeforeImageSettings": None, "ErrorBehavior": None}) == TaskSettings()


def test_what_was_read_is_told_from_what_is_assumed() -> None:
    found = task({"TargetMetadata": {"SupportLobs": True}, "ErrorBehavior": {"DataErrorPolicy": "IGNORE_RECORD"}})
    assert found.given == {"support_lobs", "data_error_policy"}
    assert found.data_error_policy == "IGNORE_RECORD"


# -- extra connection attributes ---------------------------------------------------------------------------------------


def attributes(target: str = "", source: str = "", **more: dict[str, Any]) -> EndpointSettings:
    return endpoint_settings(
        more.get("s3", {}),
        more.get("pg", {}),
        s3_attributes=target,
        postgresql_attributes=source,
        where="dms.task 'shop'",
    )


def test_attributes_are_settings_in_any_letter_case() -> None:
    """AWS DMS User Guide, "Endpoint settings when using Amazon S3 as a target": addColumnName=true;bucketFolder=…"""
    found = attributes(
        "addColumnName=true; timestampcolumnname=TIMESTAMP ;bucketFolder=dms/a=b;DATAFORMAT=parquet;"
        "includeOpForFullLoad=true;datePartitionEnabled=False;csvDelimiter=,;",
        "MapBooleanAsBoolean=true;unboundedVarcharMaxSize=100;captureDdls=N;PluginName=test_decoding;slotName=s",
    )
    assert (found.data_format, found.bucket_folder, found.timestamp_column_name) == ("parquet", "dms/a=b", "TIMESTAMP")
    assert found.include_op_for_full_load
    assert not found.date_partition_enabled
    assert found.map_boolean_as_boolean
    assert (found.unbounded_varchar_max_size, found.capture_ddls, found.plugin_name) == (100, False, "test-decoding")
    assert found.remarks == ()


def test_an_attribute_that_says_the_same_as_the_api_is_no_matter() -> None:
    assert attributes("dataFormat=PARQUET", s3={"DataFormat": "parquet"}).remarks == ()


def test_the_api_is_taken_where_an_attribute_says_otherwise_and_that_is_said() -> None:
    found = attributes(
        "includeOpForFullLoad=true;addTrailingPaddingCharacter=1",
        s3={
            "IncludeOpForFullLoad": False,
            "AddTrailingPaddingCharacter": False,
        },
    )
    assert not found.include_op_for_full_load
    op, padding = found.remarks
    assert (op.kind, op.decides, padding.decides) == ("contradiction", True, False)
    assert op.message == (
        "includeOpForFullLoad is true in the extra connection attributes of the target endpoint, and false elsewhere"
    )


def test_an_attribute_that_stands_twice_contradicts_itself() -> None:
    assert [r.setting for r in attributes("bucketFolder=a;bucketFolder=b").remarks] == ["bucketFolder"]
    assert attributes("bucketFolder=a;bucketFolder=a").remarks == ()


@pytest.mark.parametrize(
    ("target", "source", "contradicts"),
    [
        ("mapBooleanAsBoolean=true", "mapBooleanAsBoolean=true", False),
        ("mapBooleanAsBoolean=true", "", True),
        ("mapBooleanAsBoolean=false", "mapBooleanAsBoolean=true", True),
        ("", "mapBooleanAsBoolean=true", False),
    ],
)
def test_booleans_are_mapped_by_both_endpoints(target: str, source: str, contradicts: bool) -> None:
    """AWS DMS User Guide, "Using a PostgreSQL database as an AWS DMS source": set it on both endpoints."""
    found = attributes(target, source)
    assert bool(found.remarks) is contradicts
    assert found.map_boolean_as_boolean is ("true" in source)


def test_an_attribute_that_nobody_knows_is_remarked_on_without_its_value() -> None:
    found = attributes("bucketFoldr=dms;;nonsense")
    assert [(r.kind, r.setting) for r in found.remarks] == [("unknown", "bucketFoldr"), ("unknown", "")]
    assert "dms" not in found.remarks[0].message
    assert "nonsense" not in found.remarks[1].message


@given(st.text(alphabet="ab;=P ", max_size=12))
def test_a_password_is_never_in_a_remark(rest: str) -> None:
    """It may hold a `;` and a `=` itself: what follows it could be its end."""
    found = attributes("", f"password=hush{rest};colour=Zq9{rest}")
    assert not any("hush" in r.message or "Zq9" in r.message or "colour" in r.message for r in found.remarks)
    assert not any(r.setting for r in found.remarks)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("includeOpForFullLoad=maybe", "includeOpForFullLoad: true or false is expected, not 'maybe'"),
        ("dataFormat=orc", "dataFormat: 'orc' is not one of csv, parquet"),
    ],
)
def test_an_attribute_with_a_value_that_cannot_be_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match="target endpoint, extra connection attribute") as caught:
        attributes(text)
    assert why in str(caught.value)
    with pytest.raises(ConfigError, match="a number is expected"):
        attributes("", "unboundedVarcharMaxSize=many")


@given(st.text(), st.text())
def test_any_text_is_read_or_refused_in_words(target: str, source: str) -> None:
    with contextlib.suppress(ConfigError):
        attributes(target, source)


@pytest.mark.parametrize("text", ["Password=a;captureDdls={}", "afterConnectScript=x;pluginName={}"])
def test_a_wrong_value_that_may_be_part_of_a_password_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        endpoint_settings({}, {}, postgresql_attributes=text.format("hunter2"), where="here")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "not a value that it can have" in str(caught.value)


def test_a_contradiction_behind_a_password_does_not_show_the_value() -> None:
    text = "Password=a;ddlArtifactsSchema=hunter2"
    found = endpoint_settings({}, {"DdlArtifactsSchema": "audit"}, postgresql_attributes=text, where="here")
    (remark,) = found.remarks
    assert remark.message.startswith("ddlArtifactsSchema is another in the extra connection attributes")
    assert "hunter2" not in remark.message


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="LobMaxSize is -5"):
        task_settings({"TargetMetadata": {"LobMaxSize": -5}}, where="task.json")
    for size in (0, 10_485_761):
        with pytest.raises(ConfigError, match="from 1 to 10485760"):
            EndpointSettings(unbounded_varchar_max_size=size)
