"""What a merge does with values that do not fit: run on the stand-in, row by row."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector

from driftguard.merge.casts import FALLIBLE
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import MergeColumn, MergeSpec
from merging import Bench

ID = MergeColumn("ID", "ID", key=True)
V = MergeColumn("V", "V", Cast.BOOLEAN)
NOTE = MergeColumn("NOTE", "NOTE")


def test_a_value_that_does_not_fit_leaves_what_final_has(connection: Any) -> None:
    bench = Bench(connection, ID, V, NOTE)
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "true", "NOTE": "x"})
    bench.merge()
    bench.stage({"op": "U", "at": 2, "ID": "a", "V": "maybe", "NOTE": "y"})
    bench.merge()
    assert bench.final() == [("a", True, "y")]
    assert bench.failures() == [('{"ID":"a"}', "V", "maybe")]
    assert bench.counted() == [0, 1]


def test_an_insert_of_such_a_value_has_null(connection: Any) -> None:
    bench = Bench(connection, ID, V, NOTE)
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "maybe", "NOTE": "x"})
    bench.merge()
    assert bench.final() == [("a", None, "x")]
    assert len(bench.failures()) == 1


def test_a_null_is_a_value_and_no_failure(connection: Any) -> None:
    bench = Bench(connection, ID, V)
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "true"})
    bench.merge()
    bench.stage({"op": "U", "at": 2, "ID": "a", "V": None})
    bench.merge()
    assert bench.final() == [("a", None)]
    assert bench.failures() == []


@pytest.mark.parametrize("cuts", [(), (1,), (2,), (1, 2)])
def test_how_the_changes_fall_into_batches_makes_no_difference(connection: Any, cuts: tuple[int, ...]) -> None:
    """Insert, an update that fits, an update that does not: the middle one's value stands."""
    bench = Bench(connection, ID, V, NOTE)
    rows = [
        {"op": "I", "at": 1, "ID": "a", "V": "false", "NOTE": "1"},
        {"op": "U", "at": 2, "ID": "a", "V": "true", "NOTE": "2"},
        {"op": "U", "at": 3, "ID": "a", "V": "?", "NOTE": "3"},
    ]
    for n, row in enumerate(rows, start=1):
        bench.stage(row)
        if n in cuts:
            bench.merge()
    bench.merge()
    assert bench.final() == [("a", True, "3")]
    assert len(bench.failures()) == 1


@pytest.mark.parametrize("between", [True, False])
def test_a_row_that_is_deleted_and_inserted_anew_does_not_take_the_old_ones_value(
    connection: Any, between: bool
) -> None:
    bench = Bench(connection, ID, V)
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "true"})
    bench.merge()
    bench.stage({"op": "D", "at": 2, "ID": "a", "V": "true"})
    if between:
        bench.merge()
    bench.stage({"op": "I", "at": 3, "ID": "a", "V": "?"})
    bench.merge()
    assert bench.final() == [("a", None)]


def test_what_is_read_again_is_counted_once(connection: Any) -> None:
    """By the overlap, by a run without anything new, by a file that is loaded twice, by a FINAL that was emptied."""
    bench = Bench(connection, ID, V)
    rows = [{"op": "I", "at": 1, "ID": "a", "V": "?"}, {"op": "I", "at": 1, "ID": "b", "V": "?"}]
    file = bench.stage(*rows)
    bench.merge()
    bench.merge()
    bench.stage({"op": "I", "at": 2, "ID": "c", "V": "true"})
    bench.merge()
    bench.stage(*rows, file=file)
    bench.stage(*rows, file=file)
    bench.merge()
    assert len(bench.failures()) == 2
    bench.run_sql(f"DELETE FROM DB.{bench.spec.final.schema}.FINAL")
    bench.merge()
    assert len(bench.failures()) == 2
    assert bench.counted()[:3] == [2, 0, 0]
    assert bench.final() == [("a", None), ("b", None), ("c", True)]


def test_a_file_that_is_staged_twice_before_the_merge_is_counted_once(connection: Any) -> None:
    bench = Bench(connection, ID, V)
    row = {"op": "I", "at": 1, "ID": "a", "V": "?"}
    bench.stage(row, file=7)
    bench.stage(row, file=7)
    bench.merge()
    assert len(bench.failures()) == 1


def test_a_value_that_an_older_file_brings_later_is_taken(connection: Any) -> None:
    """The update came first and lacked the value; the insert with it is loaded after the update was merged."""
    bench = Bench(connection, ID, V, NOTE)
    bench.stage({"op": "U", "at": 2, "ID": "a", "V": "?", "NOTE": "new"}, file=2)
    bench.merge()
    assert bench.final() == [("a", None, "new")]
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "true", "NOTE": "old"}, file=1)
    bench.merge()
    assert bench.final() == [("a", True, "new")]


def test_a_value_mended_by_hand_is_not_taken_back_by_the_next_run(connection: Any) -> None:
    bench = Bench(connection, ID, V)
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "false"}, {"op": "U", "at": 2, "ID": "a", "V": "yes!"})
    bench.merge()
    bench.run_sql(f"UPDATE DB.{bench.spec.final.schema}.FINAL SET V = TRUE")
    bench.stage({"op": "I", "at": 3, "ID": "b", "V": "true"})
    bench.merge()
    assert bench.final() == [("a", True), ("b", True)]


def test_a_row_whose_key_does_not_fit_is_left_out_and_kept_in_quarantine(connection: Any) -> None:
    bench = Bench(connection, MergeColumn("K", "K", Cast.NUMBER, key=True, scale=0), NOTE)
    bench.stage(
        {"op": "I", "at": 1, "K": "1", "NOTE": "fits"},
        {"op": "I", "at": 1, "K": "1.5", "NOTE": "would be rounded to another row's key"},
        {"op": "I", "at": 1, "K": "x", "NOTE": "no number"},
        {"op": "I", "at": 1, "K": None, "NOTE": "none"},
    )
    for _ in range(3):
        bench.merge()
    assert bench.final() == [(1, "fits")]
    assert [raw for _, _, raw in bench.failures()] == ["1.5", "x", None]


def test_keys_that_are_one_after_the_cast_are_one_row(connection: Any) -> None:
    """A boolean is `true` in a full load and may be `t` in CDC."""
    bench = Bench(connection, MergeColumn("K", "K", Cast.BOOLEAN, key=True), NOTE)
    bench.stage({"op": "I", "at": 1, "K": "true", "NOTE": "1"}, {"op": "U", "at": 2, "K": "t", "NOTE": "2"})
    bench.merge()
    assert bench.final() == [(True, "2")]


def test_the_values_of_a_deleted_row_are_no_failures(connection: Any) -> None:
    bench = Bench(connection, ID, V)
    bench.stage({"op": "D", "at": 1, "ID": "a", "V": "?"})
    bench.merge()
    assert bench.failures() == []


BAD: dict[Cast, list[str]] = {
    Cast.BOOLEAN: ["", "maybe", "2"],
    Cast.JSON: ["", "{", '{"a": 1', "undefined"],
    Cast.NUMBER: ["", "1.005", "abc", "NaN", "1" * 40, "1e3", "--1"],
    Cast.FLOAT: ["", "1,5", "abc"],
    Cast.DATE: ["", "2024-02-30", "2024-01-01 10:00:00", "20240101", "10000-01-01", "0044-03-15 BC"],
    Cast.TIME: ["", "25:00:00", "10:00:00.1234", "12"],
    Cast.TIMESTAMP: ["", "2024-02-30 00:00:00", "2024-01-01 10:00:00.1234", "2024-01-01 10:00:00+02", "1704103200"],
    Cast.HEX: ["0", "zz", "\\x00"],
}
GOOD: dict[Cast, list[str]] = {
    Cast.BOOLEAN: ["true", "f", "0"],
    Cast.JSON: ["null", "1", '"x"', '{"a": [1, null]}'],
    Cast.NUMBER: ["0", "-1.5", "1.50000", ".25", "12345678901234567890.12", "+7", " 3 "],
    Cast.FLOAT: ["1e300", "-0.1", "NaN"],
    Cast.DATE: ["2024-02-29", "0001-01-01", "9999-12-31"],
    Cast.TIME: ["10:00:00", "10:00:00.123", "10:00:00.123000", "23:59"],
    Cast.TIMESTAMP: ["2024-01-01 10:00:00", "2024-01-01T10:00:00.123", "2024-01-01 10:00:00.120000", "2024-01-01"],
    Cast.HEX: ["", "00ff", "DEADBEEF"],
}


def test_every_cast_that_can_fail_is_tried() -> None:
    assert set(BAD) == set(GOOD) == FALLIBLE


@pytest.mark.parametrize("cast", sorted(FALLIBLE))
def test_each_cast_takes_what_is_exact_and_nothing_that_is_not(connection: Any, cast: Cast) -> None:
    """At two digits for a number and three for a time: more of them would be rounded or cut."""
    bench = Bench(connection, ID, MergeColumn("V", "V", cast, scale=2, precision=3))
    texts = {f"bad {n:02}": text for n, text in enumerate(BAD[cast])}
    texts |= {f"good {n:02}": text for n, text in enumerate(GOOD[cast])}
    bench.stage(*({"op": "I", "at": 1, "ID": key, "V": text} for key, text in texts.items()))
    bench.merge()
    assert sorted(raw or "" for _, _, raw in bench.failures()) == sorted(BAD[cast])
    empty = {key for key, value in bench.final() if value is None}
    assert empty == {key for key in texts if key.startswith("bad")}


def test_a_json_null_is_a_json_null(connection: Any) -> None:
    bench = Bench(connection, ID, MergeColumn("V", "V", Cast.JSON))
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "null"})
    bench.merge()
    assert bench.run_sql(f"SELECT V IS NULL, TO_JSON(V) FROM DB.{bench.spec.final.schema}.FINAL") == [(False, "null")]
    assert bench.failures() == []


def test_a_failure_that_cannot_be_kept_takes_the_merge_back(connection: Any) -> None:
    bench = Bench(connection, ID, V)
    table = f"DB.{bench.spec.final.schema}.CAST_FAILURE"
    bench.run_sql(f"ALTER TABLE {table} RENAME COLUMN RAW TO ELSEWHERE")
    bench.stage({"op": "I", "at": 1, "ID": "a", "V": "?"})
    with pytest.raises(snowflake.connector.errors.ProgrammingError):
        bench.merge()
    assert bench.final() == []
    bench.run_sql(f"ALTER TABLE {table} RENAME COLUMN ELSEWHERE TO RAW")
    bench.merge()
    assert bench.final() == [("a", None)]
    assert bench.counted() == [1]


def test_a_merge_that_cannot_fail_a_cast_writes_no_quarantine() -> None:
    exact = MergeColumn("AT", "AT", Cast.UTC)
    where = [ObjectName("DB", "S", name) for name in ("CDC", "FINAL", "WATERMARK")]
    text = generate(MergeSpec(*where, columns=(ID, NOTE, exact), op="OP", commit_time="TS"))
    assert "CAST_FAILURE" not in text
    assert "CROSS JOIN" not in text
