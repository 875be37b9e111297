"""STAGING in record style in the pure rooms: what is expected of it, and what changes of the source do to it."""

from __future__ import annotations

import dataclasses

import pytest

from builders import POLICY, applied, context, landed, numeric, plain, table, varchar
from driftguard.drift.compare import compare
from driftguard.drift.copying import RECORD, Unreadable, faults, feeds, read
from driftguard.merge.record import projected
from driftguard.model.catalog import Table
from driftguard.model.finding import Severity
from driftguard.model.identifiers import TableName
from driftguard.model.merge import MergeSpec, Projected
from driftguard.model.policy import StagingStyle
from driftguard.model.snowflake import Estate, Pipe, SfType
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.pipes import Folder
from driftguard.operations.read_records import ReadRecords
from driftguard.operations.replace_merge import ReplaceMerge
from driftguard.plan.planner import Plan, make_plan

RECORDS = dataclasses.replace(POLICY, staging_style="record")
ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
THERE = landed(ORDERS, policy=RECORDS)


def planned(*tables: Table, estate: Estate = THERE) -> Plan:
    return make_plan(context(*tables, estate=estate, policy=RECORDS))


def spec_of(plan: Plan) -> MergeSpec:
    (found,) = (op.merge for op in plan.operations if isinstance(op, ReplaceMerge))
    return found


def types_of(estate: Estate) -> dict[str, str]:
    (item,) = estate.tasks
    return {p.name: str(p.type) for p in projected(item.definition)}


def test_the_table_is_four_columns_whatever_the_source_has() -> None:
    staging = next(t for t in THERE.tables if t.name.schema == "STAGING")
    assert [(c.name, c.type.base) for c in staging.columns] == [
        ("_DG_RECORD", "VARIANT"), ("_DG_FILE", "VARCHAR"), ("_DG_ROW", "NUMBER"), ("_DG_LOADED_AT", "TIMESTAMP_LTZ"),
    ]  # fmt: skip
    assert planned(ORDERS).operations == ()
    assert {f.code for f in compare(context(ORDERS, estate=THERE, policy=RECORDS))} == {"DG117"}


def test_the_first_pattern_that_fits_decides_for_a_table() -> None:
    styles = (StagingStyle("shop.order*", "columns"), StagingStyle("shop.*", "record"))
    policy = dataclasses.replace(POLICY, staging_styles=styles)
    assert not policy.stages_records(TableName("shop", "orders"))
    assert policy.stages_records(TableName("shop", "parts"))
    assert not policy.stages_records(TableName("depot", "parts"))


def test_two_revisions_planned_side_by_side_keep_each_other_s_columns() -> None:
    """The second one's text is made of what the first has put there."""
    gift = planned(table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("gift", plain("text"))))
    coupon = planned(table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("coupon", plain("text"))))
    assert [type(op) for op in gift.operations] == [AddColumns, ReplaceMerge, ReadRecords]
    both = applied(applied(THERE, gift), coupon)
    assert {"GIFT", "COUPON"} <= types_of(both).keys()
    last = table(
        "orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("gift", plain("text")), ("coupon", plain("text"))
    )
    assert planned(last, estate=both).operations == ()


def test_a_dropped_column_goes_on_being_read() -> None:
    """Rows with a value may still be on their way, and no table says any more of which type it was."""
    plan = planned(table("orders", ("note", varchar(40))))
    after = applied(THERE, plan)
    assert types_of(after)["TOTAL"] == "NUMBER(38,2)"
    (kept,) = (c for c in spec_of(plan).columns if c.kept)
    assert kept.final == "TOTAL"
    assert planned(table("orders", ("note", varchar(40))), estate=after).operations == ()


@pytest.mark.parametrize(
    ("now", "read_as"),
    [
        (numeric(12, 4), "NUMBER(38,4)"),
        (numeric(12, 1), "NUMBER(38,2)"),
        (plain("text"), "VARCHAR(134217728)"),
        (plain("int8"), "NUMBER(38,2)"),
        (plain("float8"), "FLOAT"),
    ],
    ids=lambda item: item if isinstance(item, str) else item.text,
)
def test_a_column_is_read_as_a_type_that_takes_old_and_new_records(now: object, read_as: str) -> None:
    """Also where the change itself cannot be carried through: the merge must not fail on what comes."""
    changed = table("orders", ("note", varchar(40)), ("total", now))  # type: ignore[arg-type]
    plan = planned(changed)
    after = applied(THERE, plan)
    assert types_of(after)["TOTAL"] == read_as
    assert planned(changed, estate=after).operations == ()
    assert not {f.code for f in compare(context(changed, estate=after, policy=RECORDS))} & {"DG102", "DG103", "DG104"}


def test_what_no_type_reads_is_left_to_a_person() -> None:
    changed = table("orders", ("note", plain("bytea")), ("total", numeric(10, 2)))
    plan = planned(changed)
    assert plan.operations == ()
    assert any("no STAGING type takes files of" in note and "reload the table" in note for note in plan.notes)


def test_a_pipe_that_loads_something_else_is_no_pipe_of_such_a_landing() -> None:
    (pair,) = context(ORDERS, estate=THERE, policy=RECORDS).pairs
    (mine,) = THERE.pipes
    assert read(mine).record == RECORD
    assert feeds(mine, pair.landing)
    columns = landed(ORDERS).pipes[0]
    assert faults(columns, pair.landing) == [
        "it does not load whole records into _DG_RECORD, with their file, row and load time"
    ]
    (other,) = context(ORDERS, estate=landed(ORDERS)).pairs
    assert faults(mine, other.landing) == [f"it loads whole records, and {other.landing.staging} has columns"]
    swapped = dataclasses.replace(
        mine, definition=mine.definition.replace("$1, METADATA$FILENAME", "METADATA$FILENAME, $1")
    )
    assert not feeds(swapped, pair.landing)
    pattern = dataclasses.replace(mine, definition=f"{mine.definition} PATTERN = '.*'")
    assert faults(pattern, pair.landing) == ["its PATTERN leaves files out"]
    some = dataclasses.replace(mine, definition=mine.definition.replace("$1,", "$1:id,"))
    with pytest.raises(Unreadable):
        read(some)


def test_a_second_pipe_loads_records_too_with_the_options_of_the_first() -> None:
    (mine,) = THERE.pipes
    copy = read(mine)
    folder = Folder(copy.target, copy.stage, "new/orders/", copy.target, record=True)
    like = dataclasses.replace(mine, definition=f"{mine.definition} ON_ERROR = CONTINUE")
    text = folder.copy_like(like)
    assert read(Pipe(mine.name, text)).record == RECORD
    assert read(Pipe(mine.name, text)).path.strip("/") == "new/orders"
    assert text.endswith("ON_ERROR = CONTINUE")
    assert folder.copy_like(landed(ORDERS).pipes[0]) == folder.copy


def test_a_merge_by_hand_over_records_is_unknown() -> None:
    """Its lists cannot be compared with columns that STAGING does not have."""
    hand = dataclasses.replace(THERE.tasks[0], definition='MERGE INTO DB.FINAL.ORDERS t USING DB.STAGING.ORDERS_CDC s '
        'ON t.ID = s._DG_RECORD:id WHEN MATCHED THEN UPDATE SET NOTE = s._DG_RECORD:note')  # fmt: skip
    found = compare(context(ORDERS, estate=dataclasses.replace(THERE, tasks=(hand,)), policy=RECORDS))
    (unknown,) = (f for f in found if f.code == "DG306")
    assert "STAGING keeps whole records" in unknown.message
    assert unknown.severity is Severity.UNKNOWN


def test_a_line_of_another_kind_is_no_column_of_the_record() -> None:
    lines = ['-- in the record: {"name": "A"}', "-- in the record: nothing", 'x -- in the record: {"name": 1}']
    good = '  -- in the record: {"name": "A", "type": "NUMBER(38,0)", "paths": ["a", "b"]}'
    assert projected("\n".join([*lines, good])) == (
        Projected("A", SfType("NUMBER", precision=38, scale=0), ("a", "b")),
    )


def test_a_source_column_of_the_record_s_name_is_refused() -> None:
    found = compare(context(table("orders", ("_dg_record", plain("text"))), policy=RECORDS))
    assert [f.code for f in found if f.severity is Severity.ERROR] == ["DG110"]
