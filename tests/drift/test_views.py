"""A hand-written merge over a view of the database: followed through its definition, which is never changed."""

from __future__ import annotations

import dataclasses

import pytest

from builders import context, landed, numeric, table, varchar
from byhand_texts import WITHOUT_TOTAL, hand
from driftguard.drift.byhand import grown, hand_written, missing
from driftguard.drift.compare import compare
from driftguard.drift.context import Context
from driftguard.merge.byhand.rewrite import Refused, Rewritten
from driftguard.model.catalog import Table
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, SfColumn, SfTable, SfType, View
from driftguard.plan.planner import make_plan

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
CLEAN = landed(ORDERS)
TEXT = SfType("VARCHAR", length=100)
FROM_VIEW = ("STAGING.ORDERS_CDC", "STAGING.V_ORDERS")
FULL = "CREATE OR REPLACE VIEW V_ORDERS AS\nSELECT OP, COMMIT_TS, SEQ, ID,\n       NOTE, TOTAL\nFROM ORDERS_CDC"
SHORT = FULL.replace("NOTE, TOTAL", "NOTE")
STAR = "create view staging.v_orders as select * from staging.orders_cdc"
NEW = tuple(c.name for t in CLEAN.tables if t.name.schema == "STAGING" for c in t.columns)
OLD = tuple(c for c in NEW if c != "TOTAL")


def view(definition: str | None, columns: tuple[str, ...] = NEW, name: str = "V_ORDERS") -> tuple[View, SfTable]:
    place = ObjectName("DB", "STAGING", name)
    return View(place, definition), SfTable(place, tuple(SfColumn(c, TEXT) for c in columns), "VIEW")


def merged(text: str, *views: tuple[View, SfTable]) -> Estate:
    return dataclasses.replace(
        CLEAN,
        tasks=tuple(dataclasses.replace(t, definition=text) for t in CLEAN.tasks),
        views=tuple(v for v, _ in views),
        tables=(*CLEAN.tables, *(t for _, t in views)),
    )


def on(estate: Estate) -> Context:
    return context(ORDERS, estate=estate)


def found(estate: Estate) -> list[Finding]:
    return list(compare(on(estate)))


def rewritten(estate: Estate) -> Rewritten | Refused:
    ctx = on(estate)
    (pair,) = ctx.pairs
    merge = hand_written(ctx, pair)
    assert merge is not None
    result = grown(pair, merge, missing(pair, merge))
    assert isinstance(result, Rewritten | Refused)
    return result


@pytest.mark.parametrize("definition", [FULL, FULL + ";", STAR, FULL.partition(" AS\n")[2]])
def test_a_merge_over_a_view_that_gives_everything_has_no_finding(definition: str) -> None:
    assert found(merged(hand(FROM_VIEW), view(definition))) == []


def test_the_dedupe_may_stand_in_the_view() -> None:
    newest = "QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1"
    text = hand(FROM_VIEW, (f"    {newest}\n", ""))
    assert [f.code for f in found(merged(text, view(FULL)))] == ["DG316"]
    assert found(merged(text, view(f"{FULL}\n{newest}"))) == []


def test_views_over_views_and_over_streams_are_followed() -> None:
    outer = view("CREATE VIEW V_ORDERS AS SELECT * FROM STAGING.V_INNER")
    for inner in ("STAGING.ORDERS_CDC", "DB.STAGING.ORDERS_STREAM"):
        assert (
            found(merged(hand(FROM_VIEW), outer, view(f"CREATE VIEW X AS SELECT * FROM {inner}", name="V_INNER"))) == []
        )


def test_a_merge_that_lacks_what_its_view_gives_is_made_longer() -> None:
    estate = merged(hand(FROM_VIEW, *WITHOUT_TOTAL), view(FULL))
    (lacking,) = found(estate)
    assert (lacking.code, lacking.column) == ("DG311", "total")
    assert "in line" in lacking.remedy
    assert "t.TOTAL = s.TOTAL" in lacking.remedy
    result = rewritten(estate)
    assert isinstance(result, Rewritten)
    assert result.text.split() == hand(FROM_VIEW).split()
    (operation,) = make_plan(on(estate)).operations
    assert operation.kind == "rewrite_merge"


def test_where_the_view_lacks_the_column_too_the_finding_says_what_to_paste_into_the_view_and_nothing_is_rewritten() -> (
    None
):
    estate = merged(hand(FROM_VIEW, *WITHOUT_TOTAL), view(SHORT, OLD))
    (lacking,) = found(estate)
    assert lacking.code == "DG311"
    assert "the view DB.STAGING.V_ORDERS, which does not give TOTAL" in lacking.remedy
    assert "insert in line 3: , TOTAL" in lacking.remedy
    assert isinstance(rewritten(estate), Refused)
    assert make_plan(on(estate)).operations == ()


def test_a_view_with_a_list_of_names_gets_the_column_in_both_lists() -> None:
    names = "(OPERATION, COMMIT_TS, SEQ, ID, NOTE)"
    named = SHORT.replace("VIEW V_ORDERS AS", f"VIEW V_ORDERS {names} AS")
    text = hand(FROM_VIEW, *WITHOUT_TOTAL, ("SELECT OP,", "SELECT OPERATION AS OP,"))
    (lacking,) = found(merged(text, view(named, ("OPERATION", *OLD))))
    assert lacking.remedy.count("TOTAL") >= 3
    assert "in line 1: , TOTAL; in line 3: , TOTAL" in lacking.remedy


def test_a_view_with_a_star_gives_only_what_snowflake_lists_for_it() -> None:
    lacking = hand(FROM_VIEW, *WITHOUT_TOTAL)
    (finding,) = [f for f in found(merged(lacking, view(STAR, OLD))) if f.code == "DG311"]
    assert "does not list TOTAL: it keeps the columns that it had when it was made" in finding.remedy
    assert isinstance(rewritten(merged(lacking, view(STAR, OLD))), Refused)
    assert isinstance(rewritten(merged(lacking, view(STAR, NEW))), Rewritten)


def test_a_merge_that_takes_what_its_view_does_not_give_is_a_disagreement() -> None:
    (finding,) = [f for f in found(merged(hand(FROM_VIEW), view(SHORT, OLD))) if f.code == "DG313"]
    assert "TOTAL is not filled from STAGING, and the view DB.STAGING.V_ORDERS does not give TOTAL" in finding.message


@pytest.mark.parametrize(
    "definition",
    [None, "", "CREATE VIEW V_ORDERS AS SELECT (OP FROM", "CREATE VIEW V_ORDERS AS SELECT OP, ID FROM ELSEWHERE.T"],
)
def test_a_view_that_cannot_be_read_or_is_over_something_else_leaves_the_merge_unknown(definition: str | None) -> None:
    (finding,) = found(merged(hand(FROM_VIEW), view(definition)))
    assert (finding.code, finding.severity) == ("DG306", Severity.UNKNOWN)
    assert "cannot be seen" in finding.message


def test_views_that_read_each_other_do_not_hang() -> None:
    """No database would make them; a snapshot may be edited."""
    first, second = (
        view("CREATE VIEW V_ORDERS AS SELECT * FROM STAGING.B, STAGING.ORDERS_CDC"),
        view("CREATE VIEW B AS SELECT * FROM STAGING.V_ORDERS", name="B"),
    )
    assert {f.code for f in found(merged(hand(FROM_VIEW), first, second))} <= {"DG306", "DG313"}


def final_view(definition: str, columns: tuple[str, ...]) -> tuple[View, SfTable]:
    place = ObjectName("DB", "FINAL", "EVERYTHING")
    return View(place, definition), SfTable(place, tuple(SfColumn(c, TEXT) for c in columns), "VIEW")


def starred(estate: Estate, *tables: Table) -> list[Finding]:
    return [f for f in compare(context(*(tables or (ORDERS,)), estate=estate)) if f.code == "DG804"]


LISTED = ("ID", "NOTE", "TOTAL", "_DG_COMMIT_TS", "_DG_SEQ")
WITH_COUPON = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("coupon", varchar(40)))
OF_FINAL = "CREATE VIEW EVERYTHING AS SELECT * FROM ORDERS"


def with_view(definition: str, columns: tuple[str, ...] = LISTED) -> Estate:
    made, shown = final_view(definition, columns)
    return dataclasses.replace(CLEAN, views=(made,), tables=(*CLEAN.tables, shown))


def test_a_view_with_a_star_is_named_before_its_table_gains_a_column_and_after() -> None:
    assert starred(with_view(OF_FINAL)) == []
    (before,) = starred(with_view(OF_FINAL), WITH_COUPON)
    assert before.severity is Severity.WARNING
    assert "DB.FINAL.EVERYTHING is made with * of DB.FINAL.ORDERS: COUPON will come to FINAL" in before.message
    (after,) = starred(with_view(OF_FINAL, LISTED[:2]))
    assert after.severity is Severity.ERROR
    assert "it does not list TOTAL, _DG_COMMIT_TS, _DG_SEQ" in after.message


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        ("CREATE VIEW EVERYTHING AS SELECT o.*, 1 AS ONE FROM FINAL.ORDERS o", True),
        ("CREATE VIEW EVERYTHING (A, B) AS SELECT * FROM FINAL.ORDERS", True),
        ("CREATE VIEW EVERYTHING AS WITH x AS (SELECT * FROM ORDERS) SELECT * FROM x WHERE NOTE IS NULL", True),
        ("CREATE VIEW EVERYTHING AS SELECT ID, NOTE FROM FINAL.ORDERS", False),
        ("CREATE VIEW EVERYTHING AS SELECT ID FROM (SELECT * FROM FINAL.ORDERS)", False),
        ("CREATE VIEW EVERYTHING AS SELECT COUNT(*) AS N FROM FINAL.ORDERS", False),
        ("CREATE VIEW EVERYTHING AS SELECT * EXCLUDE (COUPON) FROM FINAL.ORDERS", False),
        ("CREATE VIEW EVERYTHING AS SELECT * ILIKE '%ID%' FROM FINAL.ORDERS", False),
        ("CREATE VIEW EVERYTHING AS SELECT c.*, o.ID AS O FROM FINAL.CUSTOMERS c, FINAL.ORDERS o", False),
        ("CREATE VIEW EVERYTHING AS SELECT * FROM ARCHIVE.ORDERS", False),
    ],
)
def test_only_a_star_that_comes_out_of_the_view_counts(definition: str, named: bool) -> None:
    assert bool(starred(with_view(definition), WITH_COUPON)) is named


def test_a_view_over_such_a_view_is_named_too() -> None:
    inner, shown = final_view(OF_FINAL, LISTED)
    place = ObjectName("DB", "FINAL", "OUTER_V")
    outer = SfTable(place, shown.columns, "VIEW")
    second = View(place, "CREATE VIEW OUTER_V AS SELECT * FROM EVERYTHING")
    estate = dataclasses.replace(CLEAN, views=(inner, second), tables=(*CLEAN.tables, shown, outer))
    assert [str(f.place and f.place.object) for f in starred(estate, WITH_COUPON)] == [
        "DB.FINAL.EVERYTHING",
        "DB.FINAL.OUTER_V",
    ]


def test_a_view_without_known_columns_is_not_judged() -> None:
    assert starred(with_view(OF_FINAL, ()), WITH_COUPON) == []
