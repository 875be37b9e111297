"""Several sources of one landing: partitions, shards, tables that a mapping rule gives one name."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builders import ENDPOINT, context, numeric, plain, table, task, varchar
from driftguard.drift.compare import compare
from driftguard.drift.context import Context
from driftguard.model.catalog import PgType, Table
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Landing
from driftguard.model.settings import DmsTask

ONE_NAME: dict[str, object] = {
    "rule-type": "transformation",
    "rule-id": "9",
    "rule-name": "one name",
    "rule-target": "table",
    "rule-action": "rename",
    "value": "events",
    "object-locator": {"schema-name": "shop", "table-name": "events%"},
}


def landing(first: PgType, second: PgType) -> Landing:
    tables = (table("events_1", ("c", first), oid=1), table("events_2", ("c", second), oid=2))
    ctx = context(*tables, dms=task(ONE_NAME))
    assert ctx.expectation.refusals == ()
    (pair,) = ctx.pairs
    return pair.landing


@pytest.mark.parametrize(
    ("first", "second", "least"),
    [
        (varchar(40), varchar(80), "VARCHAR(80)"),
        (varchar(80), varchar(40), "VARCHAR(80)"),
        (numeric(10, 2), numeric(12, 4), "NUMBER(12,4)"),
        (numeric(12, 0), numeric(6, 4), "NUMBER(16,4)"),
        (plain("int4"), plain("int8"), "NUMBER(19,0)"),
    ],
)
def test_a_shared_column_takes_what_any_source_can_send(first: PgType, second: PgType, least: str) -> None:
    found = landing(first, second)
    assert [str(c.least) for c in found.staging_columns if c.name == "C"] == [least]
    assert [str(c.least) for c in found.final_columns if c.name == "C"] == [least]


@pytest.mark.parametrize("second", [plain("text"), plain("timestamptz"), numeric(38, 30)])
def test_sources_that_disagree_about_a_type_get_no_landing(second: PgType) -> None:
    """One column cannot hold a number of 38 digits before the point and one of 30 behind it."""
    tables = (table("events_1", ("c", numeric(38, 0)), oid=1), table("events_2", ("c", second), oid=2))
    ctx = context(*tables, dms=task(ONE_NAME))
    assert ctx.pairs == ()
    (refusal,) = ctx.expectation.refusals
    assert refusal.code == "DG110"
    assert "another source of shop.events" in refusal.message


def test_a_column_that_one_source_lacks_is_landed_all_the_same() -> None:
    tables = (table("events_1", oid=1), table("events_2", ("extra", plain("bool")), oid=2))
    (pair,) = context(*tables, dms=task(ONE_NAME)).pairs
    assert "EXTRA" in [c.name for c in pair.landing.final_columns]


# -- what tells them apart ---------------------------------------------------------------------------------------------


def add(expression: str, name: str = "%", number: int = 20, value: str = "shard") -> dict[str, object]:
    return {
        "rule-type": "transformation",
        "rule-id": str(number),
        "rule-name": str(number),
        "rule-target": "column",
        "rule-action": "add-column",
        "value": value,
        "expression": expression,
        "object-locator": {"schema-name": "%", "table-name": name},
        "data-type": {"type": "string", "length": 63},
    }


def of(ctx: Context, code: str) -> list[Finding]:
    return [f for f in compare(ctx) if f.code == code]


def key_of(*rules: dict[str, object], tables: tuple[Table, ...] | None = None) -> tuple[str, ...]:
    """The key of the landing that the sources share; "?" behind it where their rows can clash."""
    tables = tables or (table("events_1", oid=1), table("events_2", oid=2))
    ctx = context(*tables, dms=task(ONE_NAME, *rules))
    assert ctx.expectation.refusals == ()
    (pair,) = ctx.pairs
    clash = ("?",) if of(ctx, "DG427") else ()
    return tuple(c.name for c in pair.landing.key) + clash


@pytest.mark.parametrize("expression", ["$AR_M_SOURCE_TABLE_NAME", " $AR_M_SOURCE_TABLE_NAME "])
def test_a_column_with_the_name_of_the_source_becomes_part_of_the_key(expression: str) -> None:
    """AWS DMS User Guide, "Using transformation rule expressions to define column content": metadata of the source."""
    assert key_of(add(expression)) == ("ID", "SHARD")


def test_literals_that_differ_tell_sources_apart_and_equal_ones_do_not() -> None:
    assert key_of(add("'a'", "events_1"), add("'b'", "events_2", number=21)) == ("ID", "SHARD")
    assert key_of(add("1", "events_1"), add("2", "events_2", number=21)) == ("ID", "SHARD")
    assert key_of(add("'a'")) == ("ID", "?")


@pytest.mark.parametrize("expression", ["$AR_M_SOURCE_SCHEMA", "lower($id)", "'a' || 'b'", "$AR_H_TIMESTAMP", "''' "])
def test_what_is_not_known_to_differ_tells_nothing_apart(expression: str) -> None:
    """Both tables are in one schema; other expressions depend on the row, or are not worked out."""
    assert key_of(add(expression)) == ("ID", "?")


def test_a_column_that_only_one_of_them_has_tells_nothing_apart() -> None:
    assert key_of(add("'a'", "events_1")) == ("ID", "?")


def test_only_columns_that_are_needed_become_part_of_the_key() -> None:
    name = "$AR_M_SOURCE_TABLE_NAME"
    rules = (add("'same'", value="first"), add(name, number=21), add(name, number=22, value="third"))
    assert key_of(*rules) == ("ID", "SHARD")


def test_two_columns_can_do_it_together() -> None:
    tables = tuple(table(f"events_{n}", oid=n) for n in range(1, 5))
    left = [add(f"'{n // 2}'", f"events_{n + 1}", number=20 + n, value="a") for n in range(4)]
    right = [add(f"'{n % 2}'", f"events_{n + 1}", number=30 + n, value="b") for n in range(4)]
    assert key_of(*left, *right, tables=tables) == ("ID", "A", "B")
    assert key_of(*left, tables=tables) == ("ID", "?")


def test_partitions_of_one_table_need_nothing() -> None:
    """PostgreSQL manual, "Table Partitioning": a primary key of the parent is unique over all partitions."""
    parts = tuple(
        dataclasses.replace(table(f"events_{n}", oid=n), partition_of=TableName("shop", "events")) for n in (1, 2)
    )
    assert key_of(tables=parts) == ("ID",)
    assert key_of(add("$AR_M_SOURCE_TABLE_NAME"), tables=parts) == ("ID",)


def test_partitions_of_partitions_belong_to_the_table_at_the_top() -> None:
    top, middle = TableName("shop", "top"), [TableName("shop", f"middle_{n}") for n in (1, 2)]
    exclude = {"rule-action": "exclude", "rule-type": "selection", "rule-name": "x"}
    rules: list[dict[str, object]] = [
        exclude | {"rule-id": str(40 + n), "object-locator": {"schema-name": "shop", "table-name": name}}
        for n, name in enumerate(("top", "middle%"))
    ]
    tables = (
        dataclasses.replace(table("top", oid=1), kind="p"),
        *(dataclasses.replace(table(m.name, oid=n), kind="p", partition_of=top) for n, m in enumerate(middle, start=2)),
        *(dataclasses.replace(table(f"events_{n}", oid=n), partition_of=m) for n, m in enumerate(middle, start=4)),
    )
    assert key_of(*rules, tables=tables) == ("ID",)


def test_partitions_of_two_tables_can_clash() -> None:
    parts = tuple(
        dataclasses.replace(table(f"events_{n}", oid=n), partition_of=TableName("shop", f"parent_{n % 2}"))
        for n in (1, 2, 3)
    )
    assert key_of(tables=parts) == ("ID", "?")


# -- several tasks -----------------------------------------------------------------------------------------------------


def second(kind: Any = None, **endpoint: Any) -> DmsTask:
    found = task(endpoint=dataclasses.replace(ENDPOINT, **endpoint))
    return dataclasses.replace(found, name="second", migration_type=kind)


def first(kind: Any = None) -> DmsTask:
    return dataclasses.replace(task(), migration_type=kind)


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        (None, None, True),
        ("full-load-and-cdc", "cdc", True),
        ("full-load", "full-load", True),
        ("full-load", None, True),
        ("full-load", "cdc", False),
        ("cdc", "full-load", False),
    ],
)
def test_a_table_in_two_tasks_arrives_twice_unless_each_does_one_half(one: Any, other: Any, twice: bool) -> None:
    ctx = context(table(), dms=first(one), more=[second(other)])
    assert bool(of(ctx, "DG411")) is twice
    assert bool(of(ctx, "DG412")) is (one == other == "full-load")


def test_a_table_in_two_folders_gets_no_landing_and_one_finding() -> None:
    ctx = context(table(), more=[second(bucket_folder="other")])
    assert ctx.pairs == ()
    (finding,) = [f for f in compare(ctx) if f.severity is Severity.ERROR]
    assert finding.code == "DG411"
    assert "different folders, dms/shop/orders/ and other/shop/orders/" in finding.message


def test_a_table_under_two_names_is_a_note() -> None:
    copy = ONE_NAME | {"object-locator": {"schema-name": "shop", "table-name": "orders"}, "value": "copy"}
    ctx = context(table(), more=[dataclasses.replace(task(copy), name="second")])
    assert len(ctx.pairs) == 2
    (finding,) = of(ctx, "DG411")
    assert finding.severity is Severity.INFO
    assert finding.message == "shop.orders is replicated to shop.copy and shop.orders"


def test_rows_from_before_a_cdc_task_are_not_there() -> None:
    (finding,) = of(context(table(), dms=first("cdc")), "DG412")
    assert finding.severity is Severity.INFO
    assert "rows of shop.orders from before its start do not arrive" in finding.message


def test_many_tables_of_a_task_are_counted() -> None:
    tables = [table(f"t{n}", oid=n) for n in range(8)]
    (finding,) = of(context(*tables, dms=first("full-load")), "DG412")
    assert "shop.t0, shop.t1, shop.t2, shop.t3, shop.t4 and 3 more" in finding.message
