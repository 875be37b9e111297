"""Settings as the DMS API spells them, read into the model. Keys that the API does not know are refused.

Extra connection attributes are older and looser: names in any letter case, unknown ones taken by DMS without a word.
They are read as remarks, because which wins where an attribute and a member of the API differ is not documented.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from driftguard.emission.attributes import attributes, typed
from driftguard.errors import ConfigError
from driftguard.model.settings import EndpointSettings, Remark, TaskSettings

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
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")
# Fields that decide which columns DMS writes, of which types, in which order and where.
_DECIDES = frozenset(
    [
        *_S3_FIELDS - {"parquet_version", "add_trailing_padding_character"},
        "map_boolean_as_boolean",
        "map_jsonb_as_clob",
        "map_long_varchar_as",
        "map_unbounded_numeric_as_string",
        "unbounded_varchar_max_size",
        "trim_space_in_char",
    ]
)

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
    ("BeforeImageSettings", "EnableBeforeImage"): "before_image",
    ("ErrorBehavior", "DataErrorPolicy"): "data_error_policy",
    ("ErrorBehavior", "DataTruncationErrorPolicy"): "data_truncation_error_policy",
    ("ErrorBehavior", "TableErrorPolicy"): "table_error_policy",
}


def endpoint_settings(
    s3: Mapping[str, Any],
    postgresql: Mapping[str, Any],
    *,
    s3_attributes: str = "",
    postgresql_attributes: str = "",
    where: str,
    source_where: str = "",
    strict: bool = True,
) -> EndpointSettings:
    """S3Settings and PostgreSQLSettings as `describe-endpoints` prints them, with the endpoints' extra attributes.

    A setting that is given nowhere has the default that AWS documents: DataFormat csv, BucketFolder none. Where a
    member and an attribute differ the member is taken, and a remark says so. `where` names the place of the target's
    settings, `source_where` that of the source's if it is another. A member that is not known is refused where a person
    wrote it (`strict`), and remarked on where AWS printed it: the API may be newer. Raises `ConfigError`.
    """
    types = {f.name: str(f.type) for f in dataclasses.fields(EndpointSettings) if f.name != "remarks"}
    values: dict[str, Any] = {}
    remarks: list[Remark] = []
    source_where = source_where or where
    for document, other, own, place in ((s3, _S3_OTHER, True, where), (postgresql, _PG_OTHER, False, source_where)):
        for key, value in document.items():
            field = _ATTRIBUTES.get(key, _snake(key))
            if key in other:
                continue
            if field not in types or (field in _S3_FIELDS) != own:
                kind = "S3Settings" if own else "PostgreSQLSettings"
                if not strict:
                    remarks.append(Remark("unknown", key, f"{kind} has the member {key}, which is not known"))
                    continue
                raise ConfigError(f"{place}: {kind} has no member {key!r}", hint="names are spelled as in the DMS API")
            values[field] = _typed(value, types[field], f"{place}: {key}")
    _read_attributes(postgresql_attributes, _PG_OTHER, False, types, values, remarks, source_where)
    _read_attributes(s3_attributes, _S3_OTHER, True, types, values, remarks, where)
    return EndpointSettings(**({"data_format": "csv", "bucket_folder": ""} | values), remarks=tuple(remarks))


_HIDDEN = "it is not shown, because it follows a password or a script and may be part of it"


def _read_attributes(
    text: str,
    other: frozenset[str],
    s3: bool,
    types: Mapping[str, str],
    values: dict[str, Any],
    remarks: list[Remark],
    where: str,
) -> None:
    """Add what one endpoint's attributes say to `values`, and what is odd about them to `remarks`.

    MapBooleanAsBoolean is a setting of the source; AWS asks for it on the target too, where S3 has no member for it.
    """
    end = "target" if s3 else "source"
    known = {_attribute(name): name for name in types if (name in _S3_FIELDS) == s3}
    if s3:
        known[_attribute("map_boolean_as_boolean")] = "map_boolean_as_boolean"
    passed_over = {name.lower() for name in other}
    secret = False
    for name, value in attributes(text):
        field = known.get(name.lower())
        secret = secret or _secret(name)
        if field is None:
            if name.lower() not in passed_over:
                shown = name if not secret and _NAME.fullmatch(name) else ""
                what = f"the attribute {shown}, which is not known" if shown else "a part that is no known attribute"
                message = f"the extra connection attributes of the {end} endpoint hold {what}"
                remarks.append(Remark("unknown", shown, message))
            continue
        if s3 and field not in _S3_FIELDS:
            values.setdefault(field, False)
        place = f"{where}: {end} endpoint, extra connection attribute {name}"
        try:
            found = _typed(typed(_spelled(field, value), types[field], place), types[field], place)
        except ConfigError:
            if secret:
                raise ConfigError(f"{place}: not a value that it can have", hint=_HIDDEN) from None
            raise
        if field not in values:
            values[field] = found
        elif values[field] != found:
            shown = "another" if secret else _said(found)
            message = (
                f"{name} is {shown} in the extra connection attributes of the {end} endpoint, "
                f"and {_said(values[field])} elsewhere"
            )
            remarks.append(Remark("contradiction", name, message, field in _DECIDES))


def without_secrets(members: Mapping[str, Any], text: str, *, s3: bool) -> tuple[dict[str, Any], str]:
    """What of an endpoint's settings and attributes driftguard reads; of attributes nobody knows the bare names.

    Places, users, passwords, keys and scripts are none of it.
    """
    fields = {f.name for f in dataclasses.fields(EndpointSettings) if (f.name in _S3_FIELDS) == s3}
    kept = {key: value for key, value in members.items() if _ATTRIBUTES.get(key, _snake(key)) in fields}
    known = {_attribute(name) for name in fields} | ({_attribute("map_boolean_as_boolean")} if s3 else set())
    passed_over = {name.lower() for name in (_S3_OTHER if s3 else _PG_OTHER)}
    parts: list[str] = []
    secret = False
    for name, value in attributes(text):
        secret = secret or _secret(name)
        if name.lower() in known:
            parts.append(f"{name}={value}")
        elif name.lower() not in passed_over:
            parts.append(f"{name}=***" if not secret and _NAME.fullmatch(name) else "***")
    return kept, ";".join(parts)


def _secret(name: str) -> bool:
    """Is it an attribute after which nothing may be shown? A password may hold a `;`."""
    return any(word in name.lower() for word in ("pass", "pwd", "secret", "token", "script"))


def _attribute(field: str) -> str:
    return field.replace("_", "")


def _spelled(field: str, value: str) -> str:
    """Attributes write `test_decoding` where the API writes `test-decoding`."""
    return value.replace("_", "-") if field == "plugin_name" else value


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "not set" if value is None else str(value)


def task_settings(document: Mapping[str, Any], *, where: str) -> TaskSettings:
    """The task's settings document; sections and keys that the model has no use for are passed over.

    Raises `ConfigError` for a section that is no object and a value of another kind than the API's.
    """
    types = {f.name: f.type for f in dataclasses.fields(TaskSettings)}
    values: dict[str, Any] = {}
    for (section, key), field in _TASK_FIELDS.items():
        part = document.get(section)
        if part is None:  # AWS prints null for sections that are not in use
            continue
        if not isinstance(part, Mapping):
            raise ConfigError(f"{where}: {section} is no object", hint="copy the settings as the DMS API prints them")
        if part.get(key) is not None:
            values[field] = _typed(part[key], str(types[field]), f"{where}: {section}.{key}")
    if values.get("lob_max_size_kb", 0) < 0:
        raise ConfigError(f"{where}: TargetMetadata.LobMaxSize is {values['lob_max_size_kb']}; it counts kilobytes")
    return TaskSettings(**values, given=frozenset(values))


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
