"""Emissions in, landings out: names, places, and the sources that get none."""

from __future__ import annotations

import dataclasses

import pytest

from builders import ENDPOINT, POLICY, RULES, context, numeric, plain, table, task, varchar
from driftguard.drift.expect import Expectation, expect
from driftguard.emission.emit import emit
from driftguard.model.catalog import Key, Table
from driftguard.model.settings import TaskSettings
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))


def rename_table(pattern: str, value: str) -> dict[str, object]:
    return {
        "rule-type": "transformation",
        "rule-id": "20",
        "rule-name": "20",
        "rule-target": "table",
        "rule-action": "rename",
        "value": value,
        "object-locator": {"schema-name": "shop", "table-name": pattern},
    }


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("_dg_file", "needs for itself"),
        ("_DG_OP", "needs for itself"),
        ("_Dg_Seq", "needs for itself"),
        ("ID", "differ only by case"),
        ("op", "differ only by case"),
        ("COMMIT_TS", "differ only by case"),
        ("commit_ts", "twice"),
    ],
)
def test_a_name_that_clashes_gets_no_landing_and_the_others_go_on(column: str, why: str) -> None:
    found = context(table("bad", (column, plain("int4"))), ORDERS).expectation
    assert [str(item.table) for item in found.landings] == ["shop.orders"]
    ((refusal),) = found.refusals
    assert refusal.code == "DG110"
    assert why in refusal.message


def test_two_tables_of_one_name_on_snowflake_are_refused_until_the_templates_tell_them_apart() -> None:
    here, there = ORDERS, table("Orders", oid=1001)
    (refusal,) = context(dataclasses.replace(here, name="ORDERS"), here).expectation.refusals
    assert "would both be DB.STAGING.ORDERS_CDC" in refusal.message
    assert context(here, there).expectation.refusals == ()


def test_partitions_under_one_name_share_a_landing() -> None:
    parts = [table(f"events_{year}", ("at", plain("timestamp")), oid=year) for year in (2025, 2026)]
    (landing,) = context(*parts, dms=task(rename_table("events[_]20%", "events"))).expectation.landings
    assert landing.staging.name == "EVENTS_CDC"
    assert len(landing.emissions) == 2


def test_sources_of_one_landing_must_have_one_key() -> None:
    one = table("events_1", ("at", plain("int8")))
    two = dataclasses.replace(
        table("events_2", ("at", plain("int8")), oid=1001), primary_key=Key("events_2_pkey", ("id", "at"))
    )
    (refusal,) = context(one, two, dms=task(rename_table("events%", "events"))).expectation.refusals
    assert "different keys" in refusal.message


def test_sources_of_one_landing_must_spell_a_column_alike() -> None:
    """Files are loaded without regard to case, so both would fill one column, or neither."""
    one = table("events_1", ("note", plain("int8")))
    two = table("events_2", ("Note", plain("int8")), oid=1001)
    (refusal,) = context(one, two, dms=task(rename_table("events%", "events"))).expectation.refusals
    assert "into one table" in refusal.message


def test_the_path_of_a_landing_is_below_the_stage() -> None:
    for folder, stage_path, expected in (
        ("dms", "", "shop/orders/"),
        ("dms", "raw/x", "raw/x/shop/orders/"),
        ("", "", "shop/orders/"),
        ("a/b", "/c/", "c/shop/orders/"),
    ):
        dms = task(endpoint=dataclasses.replace(ENDPOINT, bucket_folder=folder))
        policy = dataclasses.replace(POLICY, stage_path=stage_path)
        (landing,) = context(ORDERS, dms=dms, policy=policy).expectation.landings
        assert landing.path == expected


def test_templates_and_places_come_from_the_policy() -> None:
    policy = dataclasses.replace(
        POLICY,
        staging_table="{schema}_{table}_IN",
        final_table="{table}_V1",
        pipe="P_{table}",
        task="M_{table}",
        stage="RAW.FILES",
        staging_schema="S",
        final_schema="F",
    )
    (landing,) = context(ORDERS, policy=policy).expectation.landings
    assert str(landing.staging) == "DB.S.SHOP_ORDERS_IN"
    assert str(landing.final) == "DB.F.ORDERS_V1"
    assert (str(landing.pipe), str(landing.task), str(landing.stage)) == (
        "DB.S.P_ORDERS",
        "DB.S.M_ORDERS",
        "DB.RAW.FILES",
    )


def test_a_target_schema_of_the_task_is_the_schema_of_the_landing() -> None:
    (landing,) = context(ORDERS, dms=task(settings=TaskSettings(target_schema="lake"))).expectation.landings
    assert landing.table.schema == "lake"


def test_the_narrowest_types_are_those_of_the_values() -> None:
    item = table("t", ("n", numeric(10, 2)), ("s", varchar(7)), ("u", plain("uuid")), ("x", plain("text")))
    (landing,) = context(item).expectation.landings
    least = {c.name: str(c.least) for c in landing.staging_columns if c.least is not None}
    assert least["ID"] == "NUMBER(19,0)"
    assert (least["N"], least["S"], least["U"]) == ("NUMBER(10,2)", "VARCHAR(7)", "VARCHAR(36)")
    assert (least["X"], least["OP"], least["COMMIT_TS"]) == ("VARCHAR(134217728)", "VARCHAR(1)", "VARCHAR(26)")


def _two(first: Table, second: Table, **settings: object) -> Expectation:
    """Both tables of one name, each from a task of its own; `settings` are what the second task's endpoint changes."""
    maps = shipped()
    moved = {"rule-target": "schema", "rule-action": "rename", "value": "shop"}
    take = RULES[0] | {"rule-id": "30", "object-locator": {"schema-name": "archive", "table-name": "%"}}
    rename = RULES[1] | moved | {"rule-id": "31", "object-locator": {"schema-name": "archive"}}
    one, other = task(), dataclasses.replace(task(take, rename), name="other")
    other = dataclasses.replace(other, endpoint=dataclasses.replace(ENDPOINT, **settings))  # type: ignore[arg-type]
    emissions = [emit(t, k, Resolver(maps, k.endpoint)) for t, k in ((first, one), (second, other))]
    return expect([e for e in emissions if e is not None], [one, other], maps, POLICY)


@pytest.mark.parametrize(
    ("second", "settings", "why"),
    [
        (ORDERS, {"bucket_folder": "elsewhere"}, "different folders"),
        (ORDERS, {"use_task_start_time_for_full_load_timestamp": False}, "stamped differently"),
        (ORDERS, {"timestamp_column_name": "at"}, "commit times of different names"),
        (table("orders", ("note", plain("int4")), ("total", numeric(10, 2))), {}, "sends note as"),
    ],
)
def test_sources_that_one_pipe_or_one_column_cannot_take_are_refused(
    second: Table, settings: dict[str, object], why: str
) -> None:
    """A table that two tasks write apart is a matter of the tasks; types that disagree are one of the columns."""
    (refusal,) = _two(ORDERS, second, **settings).refusals
    assert refusal.code == ("DG411" if settings else "DG110")
    assert why in refusal.message
    elsewhere = dataclasses.replace(second, schema="archive")
    (refusal,) = _two(ORDERS, elsewhere, **settings).refusals
    assert refusal.code == "DG110"


def test_a_boolean_that_two_tasks_write_differently_lands_as_text_either_way() -> None:
    flags = table("orders", ("flag", plain("bool")))
    found = _two(flags, flags, map_boolean_as_boolean=True)
    assert found.refusals == ()
    assert {str(c.type) for c in found.landings[0].staging_columns if c.name == "FLAG"} == {"VARCHAR(134217728)"}


def test_sources_that_differ_in_length_alone_share_a_landing_that_takes_the_longest() -> None:
    wider = table("orders", ("note", varchar(90)), ("total", numeric(12, 2)))
    for pair in ((ORDERS, wider), (wider, ORDERS)):
        (landing,) = _two(*pair).landings
        least = {c.name: str(c.least) for c in landing.final_columns}
        assert (least["NOTE"], least["TOTAL"]) == ("VARCHAR(90)", "NUMBER(12,2)")
