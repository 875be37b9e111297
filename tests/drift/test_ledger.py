"""The loss ledger: what is lost where, of which columns, and what avoids it."""

from __future__ import annotations

import dataclasses

from builders import context, numeric, plain, table, task, varchar
from driftguard.drift.ledger import ledger
from driftguard.model.emission import Loss
from driftguard.model.loss import LossEntry
from driftguard.model.settings import DmsTask, TaskSettings


def of(*tables: object, dms: DmsTask | None = None) -> list[LossEntry]:
    made = context(*tables, dms=dms)  # type: ignore[arg-type]
    return list(ledger(made.expectation.landings, made.tasks))


def test_what_arrives_as_it_is_costs_nothing() -> None:
    assert of(table("orders", ("n", plain("int4")), ("note", varchar(40)), ("key", plain("uuid")))) == []


def test_a_loss_names_values_fate_columns_and_remedy() -> None:
    found = of(table("orders", ("weight", plain("numeric"))), table("lines", ("share", plain("numeric")), oid=2))
    (rounded,) = [e for e in found if e.values == "more than 6 decimals"]
    assert (rounded.loss, rounded.step, rounded.becomes, rounded.documented) == (
        Loss.LOSSY, "postgres_to_dms", "rounded to 6 decimals", True,
    )  # fmt: skip
    assert [f"{t}.{c}" for t, c in rounded.columns] == ["shop.lines.share", "shop.orders.weight"]
    assert rounded.remedy == "give the column a precision and a scale"


def test_what_no_document_says_is_marked() -> None:
    (nan,) = of(table("orders", ("total", numeric(10, 2))))
    assert (nan.values, nan.becomes, nan.documented) == ("NaN", "NULL", False)


def test_a_limit_is_the_one_of_the_task() -> None:
    small = task(settings=TaskSettings(lob_max_size_kb=64))
    (cut,) = of(table("orders", ("note", plain("text"))), dms=small)
    assert (cut.values, cut.becomes) == ("longer than LobMaxSize (64 KB)", "cut")


def test_values_that_are_kept_are_no_loss() -> None:
    """float8 keeps NaN and infinity as far as anybody knows: a remark in `explain`, nothing in the ledger."""
    assert of(table("orders", ("ratio", plain("float8")))) == []


def test_an_unknown_type_and_an_undelivered_column_are_losses_of_every_value() -> None:
    found = of(table("shops", ("place", plain("geometry")), ("v", plain("vector"))))
    assert [(e.loss, e.values, [c for _, c in e.columns]) for e in found] == [
        (Loss.UNKNOWN, "every value", ["v"]),
        (Loss.NOT_DELIVERED, "every value", ["place"]),
    ]
    assert not found[0].documented


def test_a_column_left_out_on_purpose_is_no_loss() -> None:
    rule = {
        "rule-type": "transformation", "rule-id": "9", "rule-name": "9", "rule-target": "column",
        "rule-action": "remove-column",
        "object-locator": {"schema-name": "shop", "table-name": "orders", "column-name": "note"},
    }  # fmt: skip
    assert of(table("orders", ("note", plain("text"))), dms=task(rule)) == []


def test_a_thousand_columns_of_one_type_are_one_entry() -> None:
    many = table("wide", *((f"c{i}", plain("text")) for i in range(1000)))
    (cut,) = of(dataclasses.replace(many))
    assert len(cut.columns) == 1000
