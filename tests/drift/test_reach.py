"""Which pipes load files of which others: places are beginnings of names, narrowed by a PATTERN."""

from __future__ import annotations

import dataclasses

import pytest

from builders import context, landed, numeric, table
from driftguard.drift.compare import compare
from driftguard.drift.reach import overlaps, reaches
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Pipe, Stage

ORDERS = table("orders", ("total", numeric(10, 2)))
ITEMS = table("orders_items", ("total", numeric(10, 2)), oid=2000)
BOTH = landed(ORDERS, ITEMS)


def pipe(name: str, source: str, target: str = "") -> Pipe:
    return Pipe(ObjectName("DB", "STAGING", name), f"COPY INTO {target or name} FROM {source}")


def pairs(*made: Pipe, stages: tuple[Stage, ...] = ()) -> list[tuple[str, str]]:
    estate = Estate(pipes=made, stages=stages)
    return [(wide.pipe.name, inner.pipe.name) for wide, inner in overlaps(reaches(estate), {})]


def found(*more: Pipe, estate: Estate = BOTH) -> list[Finding]:
    """DG324 over the estate, in which `more` stand for the pipes of their names or beside them."""
    names = {one.name for one in more}
    together = (*(p for p in estate.pipes if p.name not in names), *more)
    seen = compare(context(ORDERS, ITEMS, estate=dataclasses.replace(estate, pipes=together)))
    return [finding for finding in seen if finding.code == "DG324"]


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("@S/shop/orders/", "@S/shop/orders_items/", []),
        ("@S/shop/orders", "@S/shop/orders_items/", [("A", "B")]),
        ("@S/shop/", "@S/shop/orders/", [("A", "B")]),
        ("'@S/shop/orders/'", "@STAGING.S/shop/orders/old/", [("A", "B")]),
        ("@S", "@S/shop/orders/", [("A", "B")]),
        ("@S/Shop/", "@S/shop/orders/", []),
        ("@S/shop/orders/", "@S/shop/orders/LOAD", [("A", "B")]),
        ("@S/shop/ PATTERN = '.*orders/.*'", "@S/shop/orders/", [("A", "B")]),
        ("@S/shop/ PATTERN = '.*orders_items/.*'", "@S/shop/orders/", []),
        ("@S/shop/ PATTERN = '('", "@S/shop/orders/", [("A", "B")]),
        ("(SELECT $1:id::NUMBER, 'x' FROM @S/shop/ t) FILE_FORMAT = (TYPE = PARQUET)", "@S/shop/orders/", [("A", "B")]),
        ("(SELECT $1:id FROM @S/shop/ (FILE_FORMAT => F, PATTERN => '.*items/.*') t)", "@S/shop/orders/", []),
        ("@T/shop/", "@S/shop/orders/", []),
        ("@%A/shop/", "@S/shop/orders/", []),
    ],
)
def test_a_place_is_the_beginning_of_a_name(first: str, second: str, both: list[tuple[str, str]]) -> None:
    assert pairs(pipe("A", first), pipe("B", second)) == both
    assert pairs(pipe("B", second), pipe("A", first)) == both


def test_stages_are_compared_by_their_urls_where_these_are_known() -> None:
    stages = (
        Stage(ObjectName("DB", "STAGING", "S"), "s3://lake/dms/"),
        Stage(ObjectName("DB", "STAGING", "T"), "s3://lake/dms/shop"),
        Stage(ObjectName("DB", "STAGING", "U"), "s3://lake/other/"),
    )
    here, there = pipe("A", "@S/shop/"), pipe("B", "@T/orders/")
    assert pairs(here, there, pipe("C", "@U/shop/"), stages=stages) == [("A", "B")]
    assert pairs(here, there, stages=stages[:1]) == []


def test_three_pipes_one_within_the_other_are_three_pairs() -> None:
    made = pipe("A", "@S/"), pipe("B", "@S/shop/"), pipe("C", "@S/shop/orders/"), pipe("D", "@S/shop-/x/")
    assert pairs(*made) == [("A", "B"), ("A", "C"), ("A", "D"), ("B", "C")]


def test_a_landing_that_reads_the_files_of_another_is_an_error_named_once() -> None:
    assert found() == []
    [finding] = found(pipe("ORDERS_PIPE", "@DMS_STAGE/shop/orders", "ORDERS_CDC"))
    assert finding.severity is Severity.ERROR
    assert str(finding.table) == "shop.orders"
    assert "DB.STAGING.ORDERS_PIPE reads @DB.STAGING.DMS_STAGE/shop/orders, and with it" in finding.message
    assert "files of DB.STAGING.ORDERS_ITEMS_PIPE" in finding.message
    assert "merged as its own" in finding.reason


def test_pipes_that_share_a_place_are_told_apart_by_their_patterns() -> None:
    orders = pipe("ORDERS_PIPE", "@DMS_STAGE/shop/ PATTERN = '.*orders/.*'", "ORDERS_CDC")
    items = pipe("ORDERS_ITEMS_PIPE", "@DMS_STAGE/shop/ PATTERN = '.*orders_items/.*'", "ORDERS_ITEMS_CDC")
    assert found(orders, items) == []
    loose = pipe("ORDERS_PIPE", "@DMS_STAGE/shop/ PATTERN = '.*orders.*'", "ORDERS_CDC")
    assert [str(f.place and f.place.object) for f in found(loose, items)] == ["DB.STAGING.ORDERS_PIPE"]


def test_a_pipe_of_nobodys_landing_that_reads_a_whole_schema_is_a_warning() -> None:
    seen = found(pipe("ARCHIVE", "@DMS_STAGE/shop/"))
    assert [(f.severity, str(f.table)) for f in seen] == [
        (Severity.WARNING, "shop.orders"),
        (Severity.WARNING, "shop.orders_items"),
    ]


def test_a_copy_of_one_landings_folder_is_nobodys_fault_and_a_second_load_is_told() -> None:
    assert found(pipe("RAW_PIPE", "@DMS_STAGE/shop/orders/", "RAW")) == []
    [twice] = found(pipe("AGAIN", "@DMS_STAGE/shop/orders/", "ORDERS_CDC"))
    assert (twice.severity, twice.reason.rpartition(" is in ")[2]) == (
        Severity.WARNING,
        "DB.STAGING.ORDERS_CDC twice",
    )


def test_pipes_that_feed_no_landing_are_not_judged() -> None:
    assert found(pipe("A", "@ELSEWHERE/x/"), pipe("B", "@ELSEWHERE/x/y/")) == []


def test_the_work_grows_with_the_number_of_pipes() -> None:
    """Ten thousand folders side by side: a comparison of each with each would be a hundred million."""
    made = tuple(pipe(f"P{n}", f"@S/shop/t{n}/") for n in range(10_000))
    known = reaches(Estate(pipes=made))
    looked = 0
    takes = type(known[made[0].name]).takes

    def counted(self: object, file: str) -> bool:
        nonlocal looked
        looked += 1
        return takes(self, file)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(known[made[0].name]), "takes", counted)
        assert list(overlaps(known, {})) == []
    assert looked <= 4 * len(made)
