"""Settings as the DMS API spells them, read into the model. Keys that the API does not know are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from driftguard.errors import ConfigError
from driftguard.model.settings import EndpointSettings, TaskSettings

# Members of S3Settings and PostgreSQLSettings that change no column, type or value of this pipeline's files, or that
# the model has no use for yet. Source: AWS DMS API Reference, S3Settings and PostgreSQLSettings.
_S3_OTHER = frozenset(
    [
        "ServiceAccessRoleArn",
        "ExternalTableDefinition",
        "CsvRowDelimiter",
        "CsvDelimiter",
        "BucketName",
        "CompressionType",
        "EncryptionMode",
        "ServerSideEncryptionKmsKeyId",
        "EncodingType",
        "DictPageSizeLimit",
        "RowGroupLength",
        "DataPageSize",
        "EnableStatistics",
        "CannedAclForObjects",
        "AddColumnName",
        "CdcMaxBatchInterval",
        "CdcMinFileSize",
        "CsvNullValue",
        "CsvNoSupValue",
        "UseCsvNoSupValue",
        "IgnoreHeaderRows",
        "MaxFileSize",
        "Rfc4180",
        "DatePartitionTimezone",
        "ExpectedBucketOwner",
        "GlueCatalogGeneration",
    ]
)
_PG_OTHER = frozenset(
    [
        "AfterConnectScript",
        "DatabaseName",
        "ExecuteTimeout",
        "HeartbeatEnable",
        "HeartbeatSchema",
        "HeartbeatFrequency",
        "MaxFileSize",
        "Password",
        "Port",
        "ServerName",
        "Username",
        "SlotName",
        "SecretsManagerAccessRoleArn",
        "SecretsManagerSecretId",
        "BabelfishDatabaseName",
        "DatabaseMode",
        "DisableUnicodeSourceFilter",
        "ServiceAccessRoleArn",
        "AuthenticationMethod",
    ]
)
_S3_FIELDS = frozenset(
    [
        "bucket_folder",
        "data_format",
        "include_op_for_full_load",
        "cdc_inserts_only",
        "cdc_inserts_and_updates",
        "timestamp_column_name",
        "use_task_start_time_for_full_load_timestamp",
        "parquet_timestamp_in_millisecond",
        "parquet_version",
        "date_partition_enabled",
        "date_partition_sequence",
        "date_partition_delimiter",
        "preserve_transactions",
        "cdc_path",
        "add_trailing_padding_character",
    ]
)
# Extra connection attributes that the API has no member for.
_ATTRIBUTES = {"unboundedVarcharMaxSize": "unbounded_varchar_max_size"}

# Where the model's fields stand in the nested document of task settings.
_TASK_FIELDS = {
    ("TargetMetadata", "SupportLobs"): "support_lobs",
    ("TargetMetadata", "LimitedSizeLobMode"): "limited_size_lob_mode",
    ("TargetMetadata", "LobMaxSize"): "lob_max_size_kb",
    ("TargetMetadata", "FullLobMode"): "full_lob_mode",
    ("TargetMetadata", "TargetSchema"): "target_schema",
    ("TargetMetadata", "BatchApplyEnabled"): "batch_apply_enabled",
    ("ChangeProcessingDdlHandlingPolicy", "HandleSourceTableAltered"): "handle_source_table_altered",
    ("ChangeProcessingDdlHandlingPolicy", "HandleSourceTableDropped"): "handle_source_table_dropped",
    ("ChangeProcessingDdlHandlingPolicy", "HandleSourceTableTruncated"): "handle_source_table_truncated",
    ("FullLoadSettings", "TargetTablePrepMode"): "target_table_prep_mode",
}


def endpoint_settings(s3: Mapping[str, Any], postgresql: Mapping[str, Any], *, where: str) -> EndpointSettings:
    """S3Settings and PostgreSQLSettings as `describe-endpoints` prints them. Raises `ConfigError`.

    A setting that is not given has the default that AWS documents: DataFormat csv, BucketFolder none.
    """
    types = {f.name: f.type for f in dataclasses.fields(EndpointSettings)}
    values: dict[str, Any] = {"data_format": "csv", "bucket_folder": ""}
    for document, other, own in ((s3, _S3_OTHER, True), (postgresql, _PG_OTHER, False)):
        for key, value in document.items():
            field = _ATTRIBUTES.get(key, _snake(key))
            if key in other:
                continue
            if field not in types or (field in _S3_FIELDS) != own:
                kind = "S3Settings" if own else "PostgreSQLSettings"
                raise ConfigError(f"{where}: {kind} has no member {key!r}", hint="names are spelled as in the DMS API")
            values[field] = _typed(value, str(types[field]), f"{where}: {key}")
    return EndpointSettings(**values)


def task_settings(document: Mapping[str, Any], *, where: str) -> TaskSettings:
    """The task's settings document; sections and keys that the model has no use for are passed over."""
    types = {f.name: f.type for f in dataclasses.fields(TaskSettings)}
    values: dict[str, Any] = {}
    for (section, key), field in _TASK_FIELDS.items():
        part = document.get(section)
        if isinstance(part, Mapping) and part.get(key) is not None:
            values[field] = _typed(part[key], str(types[field]), f"{where}: {section}.{key}")
    return TaskSettings(**values)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _typed(value: Any, hint: str, where: str) -> Any:
    if hint == "bool":
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{where}: true or false is expected, not {value!r}")
    if hint == "int":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ConfigError(f"{where}: a number is expected, not {value!r}")
    if not isinstance(value, str):
        raise ConfigError(f"{where}: text is expected, not {value!r}")
    if hint.startswith("Literal["):
        allowed = [part.strip().strip("'\"") for part in hint.removeprefix("Literal[").rstrip("]").split(",")]
        for candidate in allowed:
            if candidate.lower() == value.lower():
                return candidate
        raise ConfigError(f"{where}: {value!r} is not one of {', '.join(allowed)}")
    return value or None if "None" in hint else value
