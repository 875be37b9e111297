"""A table that was renamed on Aurora."""

from __future__ import annotations

import dataclasses

from builders import POLICY, context, landed, numeric, plain, table, varchar
from driftguard.aurora.markers import not_deployed
from driftguard.model.catalog import Catalog
from driftguard.operations.await_marker import AwaitMarker
from driftguard.plan.planner import make_plan

MARKER = table("marker", ("name", varchar(1000)), key=("name",), oid=2000)
ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))


def test_another_table_under_the_new_name_is_not_taken_for_the_renamed_one() -> None:
    """All of its columns have to be there before driftguard writes the marker; the key alone says little."""
    purchases = dataclasses.replace(ORDERS, name="purchases")
    policy = dataclasses.replace(POLICY, marker_table="shop.marker")
    was = Catalog((ORDERS, MARKER))
    plan = make_plan(context(purchases, MARKER, estate=landed(ORDERS, MARKER), before=was, policy=policy))
    (wait,) = (op for op in plan.operations if isinstance(op, AwaitMarker))
    assert not_deployed(wait, Catalog((purchases,))) == ""
    other = table("purchases", ("note", plain("text")))
    assert not_deployed(wait, Catalog((other,))) == "shop.purchases.note is text, not character varying(40)"
    assert not_deployed(wait, Catalog((table("purchases", ("note", varchar(40))),))) == (
        "shop.purchases.total is not there"
    )
