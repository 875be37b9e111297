"""Waivers: which findings they accept, and DG801 for those that do nothing."""

from __future__ import annotations

from builders import context, landed, plain, table
from driftguard.config import Waiver
from driftguard.drift.compare import compare
from driftguard.drift.rules.dg801 import find, judge
from driftguard.model.finding import Finding, Severity

ITEM = table("orders", ("weight", plain("numeric")), ("opens", plain("time")))
CONTEXT = context(ITEM, estate=landed(ITEM))
FINDINGS = compare(CONTEXT)
TODAY = "2026-07-01"


def waiver(**more: str) -> Waiver:
    return Waiver(**{"code": "DG108", "reason": "we know", **more})  # type: ignore[arg-type]


def split(*waivers: Waiver) -> tuple[list[Finding], list[Finding]]:
    stands, accepted = judge(FINDINGS, waivers, TODAY)
    return list(stands), list(accepted)


def test_without_waivers_everything_stands() -> None:
    assert [(f.code, f.column) for f in FINDINGS] == [("DG108", "opens"), ("DG108", "weight")]
    assert split() == (list(FINDINGS), [])


def test_a_waiver_accepts_the_column_that_it_names_and_no_other() -> None:
    stands, accepted = split(waiver(table="shop.orders", column="weight"))
    assert [f.column for f in accepted] == ["weight"]
    assert [f.column for f in stands] == ["opens"]


def test_a_waiver_without_a_column_or_a_table_accepts_more() -> None:
    assert len(split(waiver(table="shop.orders"))[1]) == 2
    assert len(split(waiver())[1]) == 2


def test_a_waiver_of_another_table_or_code_accepts_nothing_and_is_a_finding() -> None:
    for unused in (waiver(table="shop.other"), waiver(code="DG107"), waiver(column="nope")):
        stands, accepted = split(unused)
        assert accepted == []
        (finding,) = (f for f in stands if f.code == "DG801")
        assert finding.severity is Severity.WARNING
        assert finding.message.endswith("accepts nothing")
        assert "we know" in finding.reason


def test_a_waiver_holds_on_its_last_day_and_not_after_it() -> None:
    assert len(split(waiver(until=TODAY))[1]) == 2
    stands, accepted = split(waiver(until="2026-06-30"))
    assert accepted == []
    (finding,) = (f for f in stands if f.code == "DG801")
    assert finding.message.endswith("ran out on 2026-06-30")


def test_the_rule_itself_finds_nothing() -> None:
    assert list(find(CONTEXT)) == []
