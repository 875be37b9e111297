"""What DMS writes for a table: the columns of its full-load files and of its CDC files."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builders import ENDPOINT, context, numeric, plain, table, task, varchar
from driftguard.emission.emit import CHOSEN, emit
from driftguard.emission.retype import losing
from driftguard.emission.settings import endpoint_settings
from driftguard.model.catalog import Key, Table
from driftguard.model.emission import Emission, Loss, Role
from driftguard.model.identifiers import TableName
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver
from landings import NAMES, hostile

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))


def run(item: Table = ORDERS, dms: DmsTask | None = None) -> Emission:
    dms = dms or task()
    found = emit(item, dms, Resolver(shipped(), dms.endpoint))
    assert found is not None
    return found


def nothing(item: Table, dms: DmsTask | None = None) -> bool:
    dms = dms or task()
    return emit(item, dms, Resolver(shipped(), dms.endpoint)) is None


def rule(action: str, number: int = 10, column: str | None = None, **more: Any) -> dict[str, object]:
    locator = {"schema-name": "shop", "table-name": "%"} | ({"column-name": column} if column else {})
    return {
        "rule-type": "transformation",
        "rule-id": str(number),
        "rule-name": str(number),
        "rule-target": more.pop("target", "column"),
        "rule-action": action,
        "object-locator": locator,
        **more,
    }


def names(columns: tuple[Any, ...]) -> list[str]:
    return [c.name for c in columns]


def with_endpoint(**settings: Any) -> DmsTask:
    return task(endpoint=dataclasses.replace(ENDPOINT, **settings))


@pytest.mark.parametrize(
    ("include_op", "inserts_only", "inserts_and_updates", "full_load", "cdc"),
    [
        (True, True, False, True, True),
        (True, False, False, True, True),
        (True, False, True, True, True),
        (False, False, False, False, True),
        (False, False, True, False, True),
        (False, True, False, False, False),
    ],
)
def test_op_is_written_by_the_documented_truth_table(
    include_op: bool, inserts_only: bool, inserts_and_updates: bool, full_load: bool, cdc: bool
) -> None:
    """AWS DMS User Guide, "Indicating source DB operations in migrated S3 data"; it is the first column."""
    found = run(
        dms=with_endpoint(
            include_op_for_full_load=include_op,
            cdc_inserts_only=inserts_only,
            cdc_inserts_and_updates=inserts_and_updates,
        )
    )
    assert ("Op" in names(found.full_load)) is full_load
    assert ("Op" in names(found.cdc)) is cdc
    for columns, written in ((found.full_load, full_load), (found.cdc, cdc)):
        assert (columns[0].name == "Op") is written
    assert (found.role(Role.OP) is not None) is (full_load or cdc)


def test_the_union_of_both_files_has_each_column_once() -> None:
    found = run()
    assert names(found.columns) == ["Op", "id", "note", "total", "seq", "commit_ts"]
    assert names(found.full_load) == ["id", "note", "total", "seq", "commit_ts"]


def test_the_commit_time_is_one_text_column_of_the_configured_name_in_both_files() -> None:
    """AWS DMS API Reference, S3Settings, TimestampColumnName: "The data type for this column is STRING"."""
    found = run(dms=with_endpoint(timestamp_column_name="When"))
    for columns in (found.full_load, found.cdc):
        assert columns[-1].name == "When"
        assert (columns[-1].role, columns[-1].parquet_type) == (Role.COMMIT_TIME, "STRING")


def test_without_a_name_there_is_no_commit_time() -> None:
    found = run(dms=with_endpoint(timestamp_column_name=None))
    assert found.role(Role.COMMIT_TIME) is None


def test_the_change_sequence_is_known_by_its_expression_and_not_by_its_name() -> None:
    assert run().role(Role.CHANGE_SEQ).name == "seq"  # type: ignore[union-attr]
    other = rule("add-column", value="shard", expression="'eu'", **{"data-type": {"type": "string", "length": 8}})
    added = {c.name: c.role for c in run(dms=task(other)).columns}
    assert added["shard"] is Role.ADDED
    assert added["seq"] is Role.CHANGE_SEQ


def test_an_added_column_has_the_type_that_its_rule_gives() -> None:
    """AWS DMS User Guide, "Using transformation rule expressions to define column content": data-type of add-column."""
    other = rule("add-column", value="rank", expression="1", **{"data-type": {"type": "int4"}})
    column = next(c for c in run(dms=task(other)).cdc if c.name == "rank")
    assert (column.dms_type, column.parquet_type, column.source) == ("INT4", "INT32", None)


def test_a_removed_column_is_named_as_left_out_on_purpose() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": remove-column."""
    found = run(dms=task(rule("remove-column", column="note")))
    assert "note" not in names(found.columns)
    ((name, reason),) = found.dropped
    assert name == "note"
    assert reason.startswith(CHOSEN)


def test_include_column_leaves_out_all_that_it_does_not_name() -> None:
    """A column that is added on Aurora later is left out too, until the mappings change."""
    keep = (rule("include-column", column="id"), rule("include-column", 11, column="total"))
    found = run(dms=task(*keep))
    data = [c.name for c in found.cdc if c.role is Role.DATA]
    assert data == ["id", "total"]
    assert [name for name, _ in found.dropped] == ["note"]


def test_a_renamed_column_keeps_its_source_and_its_place_in_the_key() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": rename."""
    found = run(dms=task(rule("rename", column="id", value="order_id")))
    column = next(c for c in found.cdc if c.name == "order_id")
    assert (column.source, found.key) == ("id", ("order_id",))


def test_the_operation_field_is_assumed_and_the_commit_time_is_documented() -> None:
    """S3 as a target, "Indicating source DB operations": a first field with I, U or D; its name and type are not said."""
    columns = {c.name: c.hops[0] for c in run().cdc}
    assert (columns["Op"].loss, columns["Op"].proven_by) == (Loss.ASSUMED_EXACT, "stand-in only")
    assert (columns["commit_ts"].loss, columns["commit_ts"].proven_by) == (Loss.EXACT, "AWS text")


def test_change_data_type_decides_the_type_and_is_an_assumption() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": change-data-type, with precision and scale."""
    changed = rule(
        "change-data-type", column="total", **{"data-type": {"type": "numeric", "precision": 12, "scale": 3}}
    )
    column = next(c for c in run(dms=task(changed)).cdc if c.name == "total")
    assert (column.dms_type, column.parquet_type) == ("NUMERIC(12,3)", "DECIMAL(12,3)")
    assert column.hops[0].loss is Loss.ASSUMED_EXACT


def test_a_change_of_type_that_cannot_hold_every_value_is_a_loss() -> None:
    changed = rule("change-data-type", column="total", **{"data-type": {"type": "int4"}})
    column = next(c for c in run(dms=task(changed)).cdc if c.name == "total")
    assert column.hops[0].loss is Loss.LOSSY
    assert column.hops[0].note.startswith("change-data-type by rule 10: values of NUMERIC(10,2)")


@pytest.mark.parametrize(
    ("before", "after", "loses"),
    [
        ("INT4", "INT8", False),
        ("INT8", "INT4", True),
        ("INT4", "UINT8", True),
        ("INT4", "NUMERIC(10,0)", False),
        ("INT4", "NUMERIC(10,2)", True),
        ("NUMERIC(10,2)", "NUMERIC(12,4)", False),
        ("NUMERIC(10,2)", "NUMERIC(12,1)", True),
        ("NUMERIC(10,2)", "REAL8", False),
        ("NUMERIC(18,2)", "REAL8", True),
        ("NUMERIC(10,2)", "STRING(12)", False),
        ("NUMERIC(10,2)", "STRING(11)", True),
        ("REAL8", "REAL4", True),
        ("REAL4", "REAL8", False),
        ("REAL8", "NUMERIC(38,10)", True),
        ("WSTRING(40)", "STRING(40)", False),
        ("WSTRING(40)", "STRING(39)", True),
        ("WSTRING", "STRING(8000)", True),
        ("NCLOB", "STRING(8000)", True),
        ("NCLOB", "STRING", False),
        ("WSTRING(40)", "INT4", True),
        ("WSTRING(40)", "DATETIME(6)", True),
        ("WSTRING(40)", "DATE", True),
        ("DATETIME(6)", "DATE", True),
        ("DATETIME(6)", "TIME", True),
        ("DATETIME(6)", "DATETIME(3)", True),
        ("DATETIME(3)", "DATETIME(6)", False),
        ("DATE", "DATETIME(6)", False),
        ("DATETIME(6)", "STRING(26)", False),
        ("DATETIME(6)", "STRING(19)", True),
        ("STRING(5)", "BOOLEAN", False),
        ("INT2", "BOOLEAN", True),
        ("BLOB", "BYTES", False),
        ("?", "INT4", False),
    ],
)
def test_what_a_change_of_type_loses(before: str, after: str, loses: bool) -> None:
    """A type holds every value of another one, or it does not; what is no DMS type is not judged."""
    assert bool(losing(before, after)) is loses


def test_a_hash_is_a_text_of_its_own_length() -> None:
    """AWS DMS User Guide, "Transformation rules and actions", data-masking-hash-mask: SHA-256."""
    column = next(c for c in run(dms=task(rule("data-masking-hash-mask", column="total"))).cdc if c.name == "total")
    assert (column.dms_type, column.parquet_type, column.masking) == ("STRING(64)", "STRING", "data-masking-hash-mask")


def test_before_images_are_columns_of_their_own_and_no_data() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": add-before-image-columns."""
    images = rule("add-before-image-columns", **{"before-image-def": {"column-prefix": "BI_", "column-filter": "all"}})
    found = run(dms=task(images))
    before = [c for c in found.cdc if c.role is Role.BEFORE_IMAGE]
    assert [(c.name, c.source) for c in before] == [("BI_id", "id"), ("BI_note", "note"), ("BI_total", "total")]
    assert [c.name for c in found.cdc if c.role is Role.DATA] == ["id", "note", "total"]


def test_lobs_need_a_primary_key() -> None:
    """AWS DMS User Guide, "Table and collection settings rules and operations": LOBs only with a primary key."""
    keyless = table("log", ("line", plain("text")), key=())
    found = run(keyless)
    assert found.key == ()
    ((name, reason),) = found.dropped
    assert name == "line"
    assert "primary key" in reason
    assert not reason.startswith(CHOSEN)


def test_lobs_are_left_out_where_the_task_does_not_support_them() -> None:
    """AWS DMS User Guide, "Target metadata task settings": SupportLobs."""
    dms = task(settings=TaskSettings(support_lobs=False))
    ((name, reason),) = run(table("orders", ("doc", plain("jsonb"))), dms).dropped
    assert (name, "SupportLobs" in reason) == ("doc", True)


def test_a_type_that_dms_does_not_deliver_is_left_out_with_its_reason() -> None:
    """AWS DMS User Guide, "Using a PostgreSQL database as an AWS DMS source": PostGIS goes to PostgreSQL alone."""
    ((name, reason),) = run(table("shops", ("place", plain("geography")))).dropped
    assert (name, "PostGIS" in reason) == ("place", True)


def test_a_key_of_which_one_column_is_left_out_is_no_key() -> None:
    item = table("prices", ("country", varchar(2)), key=("id", "country"))
    assert run(item).key == ("id", "country")
    assert run(item, task(rule("remove-column", column="country"))).key == ()


def test_the_order_of_the_key_is_that_of_the_constraint() -> None:
    item = dataclasses.replace(
        table("prices", ("country", varchar(2))), primary_key=Key("prices_pkey", ("country", "id"))
    )
    assert run(item).key == ("country", "id")


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "dms/shop/orders/"),
        ({"bucket_folder": ""}, "shop/orders/"),
        ({"bucket_folder": "/a/b/"}, "a/b/shop/orders/"),
    ],
)
def test_files_lie_below_the_bucket_folder(settings: dict[str, Any], path: str) -> None:
    """AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS": bucketFolder/schema_name/table_name."""
    assert run(dms=with_endpoint(**settings)).path == path


def test_a_target_schema_replaces_the_schema_of_every_path() -> None:
    """AWS DMS User Guide, "Target metadata task settings": TargetSchema. That folders follow it is an inference."""
    found = run(dms=task(settings=TaskSettings(target_schema="lake")))
    assert found.target == TableName("lake", "orders")
    assert found.path == "dms/lake/orders/"


def test_a_rename_of_the_table_moves_its_folder_and_keeps_its_source() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": rules name the source, the folder has the target."""
    found = run(dms=task(rule("rename", target="table", value="bestellungen")))
    assert (found.source.table, found.target) == (TableName("shop", "orders"), TableName("shop", "bestellungen"))
    assert found.path.endswith("/shop/bestellungen/")


def test_a_table_that_no_rule_selects_is_not_emitted() -> None:
    """AWS DMS User Guide, "Selection rules and actions"."""
    assert nothing(table("orders", schema="other"))
    without = {
        "rule-type": "selection",
        "rule-id": "9",
        "rule-name": "9",
        "rule-action": "exclude",
        "object-locator": {"schema-name": "shop", "table-name": "orders"},
    }
    assert nothing(ORDERS, task(without))


@pytest.mark.parametrize(("change", "gone"), [({"persistence": "u"}, True), ({"persistence": "t"}, True), ({}, False)])
def test_unlogged_tables_have_no_wal(change: dict[str, str], gone: bool) -> None:
    assert nothing(dataclasses.replace(ORDERS, **change)) is gone  # type: ignore[arg-type]


def test_a_partition_and_its_parent_are_tables_of_their_own() -> None:
    parent = dataclasses.replace(ORDERS, kind="p", partition_key="RANGE (id)")
    part = dataclasses.replace(ORDERS, name="orders_2026", partition_of=parent.id)
    assert run(parent).target.name == "orders"
    assert run(part).target.name == "orders_2026"
    to_parent = task(rule("rename", target="table", value="orders"))
    assert run(part, to_parent).target == run(parent, to_parent).target


def test_a_stored_generated_column_is_emitted_like_any_other() -> None:
    columns = (*ORDERS.columns[:2], dataclasses.replace(ORDERS.columns[2], generated="s", default="id * 2"))
    assert "total" in names(run(dataclasses.replace(ORDERS, columns=columns)).cdc)


def test_rules_that_meet_on_one_column_are_a_warning() -> None:
    """AWS DMS User Guide, "Transformation rules and actions": the lower rule-id is applied."""
    both = (rule("rename", column="note", value="remark"), rule("convert-uppercase", 11, column="note"))
    found = run(dms=task(*both))
    assert "remark" in names(found.cdc), "the rule with the lower id is applied"
    assert found.warnings


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(Exception, match="CdcInsertsOnly and CdcInsertsAndUpdates"):
        EndpointSettings(cdc_inserts_only=True, cdc_inserts_and_updates=True)


# -- settings that change no column ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    [
        {"DatePartitionEnabled": True, "DatePartitionSequence": "YYYYMM", "DatePartitionDelimiter": "DASH"},
        {"ParquetVersion": "parquet-2-0", "EnableStatistics": False, "EncodingType": "plain"},
        {"RowGroupLength": 5, "DataPageSize": 5, "DictPageSizeLimit": 5, "CompressionType": "GZIP"},
        {"CdcMaxBatchInterval": 5, "CdcMinFileSize": 5, "MaxFileSize": 5, "GlueCatalogGeneration": True},
        {"AddColumnName": True, "CsvNullValue": "-", "UseCsvNoSupValue": True, "CsvDelimiter": "|", "Rfc4180": False},
        {"UseTaskStartTimeForFullLoadTimestamp": False, "AddTrailingPaddingCharacter": True},
    ],
)
def test_settings_of_layout_and_of_csv_change_no_column_and_no_folder(member: dict[str, Any]) -> None:
    """AWS DMS API Reference, S3Settings: layout, cadence, CSV, and folders by date below the table's own."""
    usual = {"DataFormat": "parquet", "BucketFolder": "dms", "TimestampColumnName": "ts"}
    plain_, changed = (
        run(dms=task(endpoint=endpoint_settings(usual | more, {}, where="here"))) for more in ({}, member)
    )
    assert plain_ == changed


def test_timestamps_in_milliseconds_are_a_loss_and_the_commit_time_is_not_one() -> None:
    """AWS DMS API Reference, S3Settings, ParquetTimestampInMillisecond: not for the timestamp column, a string."""
    item = table("orders", ("at", plain("timestamptz")))
    found = {c.name: c for c in run(item, with_endpoint(parquet_timestamp_in_millisecond=True)).cdc}
    assert found["at"].parquet_type == "TIMESTAMP(3)"
    assert Loss.LOSSY in [hop.loss for hop in found["at"].hops]
    assert found["commit_ts"].parquet_type == "STRING"


# -- names that are hard -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_goes_through_as_it_is(name: str) -> None:
    """Quotes, blanks, line breaks, other scripts, 63 bytes: DMS writes what the source says, and it lands."""
    item = hostile(name, 1)
    found = run(item)
    assert [c.name for c in found.cdc] == ["Op", "id", "flag", name, "seq", "commit_ts"]
    assert (found.key, found.target, found.path) == (("id", name), TableName("shop", name), f"dms/shop/{name}/")
    (landing,) = context(item).expectation.landings
    assert name in [c.emitted_as for c in landing.staging_columns]


@pytest.mark.parametrize(
    "name", ["Op", "op", "OP", "commit_ts", "COMMIT_TS", "_DG_FILE", "_dg_seq", "_DG_OP", "_dg_late_1"]
)
def test_a_name_that_the_files_or_driftguard_need_is_refused_by_name(name: str) -> None:
    """`Op`, the timestamp column, driftguard's own: two columns of one name cannot be told apart."""
    ctx = context(table("orders", (name, varchar(5))))
    assert ctx.pairs == ()
    (refusal,) = ctx.expectation.refusals
    assert (refusal.code, refusal.table) == ("DG110", TableName("shop", "orders"))
    assert name in refusal.message


@pytest.mark.parametrize("name", ["Op_", "ops", "commit_ts2", "DG_X", "_DG"])
def test_a_name_that_only_looks_like_one_of_them_lands(name: str) -> None:
    assert context(table("orders", (name, varchar(5)))).expectation.refusals == ()
