"""Several sources of one landing: partitions, shards, tables that a mapping rule gives one name."""

from __future__ import annotations

import pytest

from builders import context, numeric, plain, table, task, varchar
from driftguard.model.catalog import PgType
from driftguard.model.landing import Landing

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
