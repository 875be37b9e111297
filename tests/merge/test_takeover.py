"""Rows that somebody else's merge has merged, and a generated merge that goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from driftguard.merge.takeover import files_taken, order_known
from driftguard.model.merge import MergeColumn
from driftguard.sql.snowflake import qualified
from merging import Bench

ID, NAME, MORE = MergeColumn("ID", "ID", key=True), MergeColumn("NAME", "NAME"), MergeColumn("MORE", "MORE")


@pytest.fixture
def bench(connection: Any) -> Iterator[Bench]:
    """Two changes of row 1 and one of row 2, staged without their files and merged by people, without MORE."""
    found = Bench(connection, ID, NAME, MORE)
    found.run_sql(
        f"INSERT INTO {qualified(found.spec.staging)} (OP, COMMIT_TS, ID, NAME) SELECT * FROM (VALUES "
        "('I', '2026-01-01 00:00:00.000001', '1', 'a'), ('U', '2026-01-01 00:00:00.000005', '1', 'b'), "
        "('I', '2026-01-01 00:00:00.000002', '2', 'c'))",
        f"INSERT INTO {qualified(found.spec.final)} (ID, NAME) VALUES ('1', 'b'), ('2', 'c'), ('3', 'of long ago')",
    )
    yield found


def test_values_that_people_merged_stay(bench: Bench) -> None:
    before = bench.final()
    bench.run_sql(order_known(bench.spec))
    bench.merge()
    assert bench.final() == before


def test_a_file_that_comes_late_does_not_bring_an_old_value_back(bench: Bench) -> None:
    bench.run_sql(order_known(bench.spec))
    bench.stage({"op": "U", "at": 3, "ID": "1", "NAME": "between"}, {"op": "D", "at": 1, "ID": "2"})
    bench.merge()
    assert bench.final() == [("1", "b", None), ("2", "c", None), ("3", "of long ago", None)]


def test_without_the_order_it_would(bench: Bench) -> None:
    bench.stage({"op": "U", "at": 3, "ID": "1", "NAME": "between"})
    bench.merge()
    assert bench.final()[0] == ("1", "between", None)


def test_an_order_that_is_older_than_what_people_merged_since_is_brought_up_to_date(bench: Bench) -> None:
    bench.run_sql(
        f"UPDATE {qualified(bench.spec.final)} SET _DG_COMMIT_TS = '2026-01-01 00:00:00.000001', _DG_SEQ = '1'"
    )
    bench.run_sql(order_known(bench.spec))
    bench.stage({"op": "U", "at": 3, "ID": "1", "NAME": "between"})
    bench.merge()
    assert bench.final()[0] == ("1", "b", None)


def test_the_change_itself_read_once_more_gives_what_the_old_lists_left_out(bench: Bench) -> None:
    bench.run_sql(order_known(bench.spec))
    bench.stage({"op": "I", "at": 1, "ID": "1", "NAME": "a", "MORE": "m1"})
    bench.merge()
    assert bench.final()[0] == ("1", "b", None)
    bench.stage({"op": "U", "at": 5, "ID": "1", "NAME": "b", "MORE": "m2"})
    bench.merge()
    assert bench.final()[0] == ("1", "b", "m2")


def test_a_row_whose_newest_change_is_a_delete_is_still_deleted_by_it(bench: Bench) -> None:
    bench.run_sql(
        f"INSERT INTO {qualified(bench.spec.staging)} (OP, COMMIT_TS, ID) "
        "SELECT 'D', '2026-01-01 00:00:00.000009', '2'",
        order_known(bench.spec),
    )
    bench.stage({"op": "D", "at": 9, "ID": "2"})
    bench.merge()
    assert [row[0] for row in bench.final()] == ["1", "3"]


def test_files_that_staging_has_by_name_are_not_taken_again(bench: Bench) -> None:
    bench.stage({"op": "U", "at": 7, "ID": "1", "NAME": None}, {"op": "I", "at": 8, "ID": "4", "NAME": "left out"})
    bench.run_sql(files_taken(bench.spec), order_known(bench.spec))
    bench.merge()
    assert [row[:2] for row in bench.final()] == [("1", "b"), ("2", "c"), ("3", "of long ago")]
    bench.stage({"op": "U", "at": 10, "ID": "1", "NAME": "new"})
    bench.merge()
    assert bench.final()[0][:2] == ("1", "new")
