"""What a plan says of each operation beside what it does."""

from __future__ import annotations

import dataclasses

import pytest

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import CONSUMERS, Consumer, Estate
from driftguard.operations.base import Operation, find_table, with_table
from driftguard.plan.cost import Cost
from driftguard.plan.cost import cost as priced
from operation_cases import CASES, ESTATE, FINAL, STAGING

VIEW = Consumer(ObjectName("DB", "BI", "V"), "VIEW", FINAL)
OTHER = Consumer(ObjectName("DB", "BI", "W"), "STREAM", STAGING)


def cost(operation: Operation, estate: Estate) -> Cost:
    return priced(operation, estate, operation.effect(estate), estate)


READ = dataclasses.replace(ESTATE, consumers=(VIEW, OTHER), looked=(CONSUMERS,))


@pytest.mark.parametrize("kind", CASES)
def test_every_kind_says_what_it_costs_and_how_to_take_it_back(kind: str) -> None:
    operation, estate = CASES[kind]
    found = cost(operation, estate)
    assert found.work
    assert found.undo
    assert "\n" not in found.line
    assert set(found.document()) == {"work", "rewrites", "readers", "undo", "hazards"}


def test_an_added_column_is_metadata_and_names_who_reads_the_table() -> None:
    operation, _ = CASES["add_columns"]
    found = cost(operation, READ)
    assert found.line == "metadata only; read by DB.BI.V (view); undo: drop NEW, MORE from DB.FINAL.T"
    more = tuple(dataclasses.replace(VIEW, name=ObjectName("DB", "BI", f"V{n}")) for n in range(5))
    assert "V2 (view) and 2 more" in cost(operation, dataclasses.replace(READ, consumers=more)).line


def test_not_having_looked_is_not_nobody() -> None:
    operation, estate = CASES["add_columns"]
    assert cost(operation, estate).readers is None
    assert "could not be looked at" in cost(operation, estate).line
    assert cost(operation, dataclasses.replace(estate, looked=(CONSUMERS,))).readers == ()


def test_a_merge_alone_changes_nothing_that_is_read() -> None:
    operation, estate = CASES["replace_merge"]
    found = cost(operation, dataclasses.replace(estate, consumers=(VIEW,), looked=(CONSUMERS,)))
    assert (found.work, found.readers) == ("changes no table", ())


def sized(estate: Estate, rows: int | None, size: int | None) -> Estate:
    table = find_table(estate, FINAL)
    assert table is not None
    return with_table(estate, dataclasses.replace(table, row_count=rows, bytes=size))


@pytest.mark.parametrize(
    ("rows", "size", "text"),
    [
        (1_234_567, 45_600_000_000, "writes up to 1,234,567 rows (46 GB in all) of DB.FINAL.T"),
        (0, 0, "writes up to 0 rows (0 B in all) of DB.FINAL.T"),
        (7, 2_500_000_000_000_000, "writes up to 7 rows (2,500.0 TB in all) of DB.FINAL.T"),
        (None, None, "writes an unknown number of rows of DB.FINAL.T"),
    ],
)
def test_rows_that_are_written_are_counted_where_the_count_is_known(
    rows: int | None, size: int | None, text: str
) -> None:
    operation, estate = CASES["backfill"]
    assert cost(operation, sized(estate, rows, size)).work == text


def test_what_is_dropped_comes_back_from_its_clone_and_a_landing_does_not_go_by_itself() -> None:
    drop, estate = CASES["drop_columns"]
    assert "UNDO_FINAL_T" in cost(drop, estate).undo
    pipe, fed = CASES["add_pipe"]
    assert cost(pipe, fed).work == "loads the files of the last 7 days in @DB.STAGING.S/new schema/t/"
    landing, empty = CASES["create_landing"]
    assert "its tables hold data" in cost(landing, empty).undo
    assert "7 days" in cost(landing, empty).work
    widen, estate = CASES["widen_column"]
    assert cost(widen, estate).undo == "left as it is, it does no harm"
