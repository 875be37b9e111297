"""Values that an update leaves out, and updates of the key: run on the stand-in, row by row."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from driftguard.merge.generate import generate
from driftguard.model.landing import Cast
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.operations.codec import decode_fields, encode_fields
from merging import Bench

ID = MergeColumn("ID", "ID", key=True)
MOVING = dataclasses.replace(ID, before="BI_ID")
BODY = MergeColumn("BODY", "BODY", keep_on_null_update=True)
DOC = MergeColumn("DOC", "DOC", Cast.JSON, keep_on_null_update=True)
HITS = MergeColumn("HITS", "HITS")


def change(op: str, at: int, key: str, hits: object = None, body: str | None = None, **more: Any) -> dict[str, Any]:
    return {"op": op, "at": at, "ID": key, "HITS": hits, "BODY": body, **more}


# -- values that an update leaves out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("merged_between", [True, False])
def test_an_update_without_a_kept_value_leaves_it(connection: Any, merged_between: bool) -> None:
    bench = Bench(connection, ID, BODY, HITS)
    bench.stage(change("I", 1, "a", 1, "long"))
    if merged_between:
        bench.merge()
    bench.stage(change("U", 2, "a", 2), change("U", 3, "a", 3))
    bench.merge()
    assert bench.final() == [("a", "long", "3")]


def test_the_newest_value_of_the_batch_counts(connection: Any) -> None:
    bench = Bench(connection, ID, BODY, HITS)
    bench.stage(change("I", 1, "a", 1, "one"), change("U", 2, "a", 2, "two"), change("U", 3, "a", 3))
    bench.merge()
    assert bench.final() == [("a", "two", "3")]


@pytest.mark.parametrize("merged", [0, 1, 2])
def test_a_row_that_was_replaced_does_not_lend_its_value(connection: Any, merged: int) -> None:
    bench = Bench(connection, ID, BODY, HITS)
    steps = [change("I", 1, "a", 1, "old"), change("D", 2, "a"), change("I", 3, "a", 3, None), change("U", 4, "a", 4)]
    bench.stage(*steps[:merged]) if merged else None
    bench.merge()
    bench.stage(*steps[merged:])
    bench.merge()
    assert bench.final() == [("a", None, "4")]


def test_an_insert_over_a_row_that_is_there_gives_every_value(connection: Any) -> None:
    """A reload: NULL means NULL."""
    bench = Bench(connection, ID, BODY, HITS)
    bench.stage(change("I", 1, "a", 1, "old"))
    bench.merge()
    bench.stage(change("I", 2, "a", 2, None), change("U", 3, "a", 3))
    bench.merge()
    assert bench.final() == [("a", None, "3")]


def test_without_keep_a_null_is_a_null(connection: Any) -> None:
    bench = Bench(connection, ID, dataclasses.replace(BODY, keep_on_null_update=False), HITS)
    bench.stage(change("I", 1, "a", 1, "old"), change("U", 2, "a", 2))
    bench.merge()
    assert bench.final() == [("a", None, "2")]


def test_a_kept_document_that_is_broken_is_a_failure_and_one_left_out_is_none(connection: Any) -> None:
    bench = Bench(connection, ID, DOC)
    bench.stage(
        {"op": "I", "at": 1, "ID": "a", "DOC": "{}"},
        {"op": "U", "at": 2, "ID": "a", "DOC": "{"},
        {"op": "U", "at": 3, "ID": "a", "DOC": None},
    )
    bench.merge()
    assert bench.final() == [("a", "{}")]
    assert [raw for _, _, raw in bench.failures()] == ["{"]


def test_a_kept_value_in_an_older_file_that_comes_later_is_taken(connection: Any) -> None:
    bench = Bench(connection, ID, BODY, HITS)
    bench.stage(change("U", 3, "a", 3), file=3)
    bench.merge()
    bench.stage(change("U", 2, "a", 2, "two"), file=2)
    bench.merge()
    bench.stage(change("I", 1, "a", 1, "one"), file=1)
    bench.merge()
    assert bench.final() == [("a", "two", "3")]


# -- updates of the key ------------------------------------------------------------------------------------------------


def moved(at: int, old: str, new: str, hits: object = None) -> dict[str, Any]:
    return {"op": "U", "at": at, "ID": new, "BI_ID": old, "HITS": hits}


def placed(*keys: str, at: int = 1) -> list[dict[str, Any]]:
    return [{"op": "I", "at": at, "ID": key, "BI_ID": None, "HITS": key} for key in keys]


@pytest.mark.parametrize("merged_between", [True, False])
def test_an_update_of_the_key_moves_the_row(connection: Any, merged_between: bool) -> None:
    bench = Bench(connection, MOVING, HITS)
    bench.stage(*placed("a", "b"))
    if merged_between:
        bench.merge()
    bench.stage(moved(2, "a", "c", "was a"), moved(2, "b", "b", "still b"))
    bench.merge()
    bench.merge()
    assert bench.final() == [("b", "still b"), ("c", "was a")]


@pytest.mark.parametrize("cuts", [(), (1,), (2,), (1, 2, 3)])
def test_a_chain_of_moves_leaves_one_row(connection: Any, cuts: tuple[int, ...]) -> None:
    bench = Bench(connection, MOVING, HITS)
    steps = [placed("a")[0], moved(2, "a", "b"), moved(3, "b", "c"), moved(4, "c", "a", "home again")]
    for n, step in enumerate(steps, start=1):
        bench.stage(step)
        if n in cuts:
            bench.merge()
    bench.merge()
    assert bench.final() == [("a", "home again")]


def test_two_rows_that_trade_keys_over_a_third_in_one_transaction(connection: Any) -> None:
    bench = Bench(connection, MOVING, HITS)
    bench.stage(*placed("a", "b"))
    bench.merge()
    bench.stage(moved(2, "a", "x", "a"), moved(2, "b", "a", "b"), moved(2, "x", "b", "a"))
    bench.merge()
    assert bench.final() == [("a", "b"), ("b", "a")]


@pytest.mark.parametrize("merged_between", [True, False])
def test_rows_that_trade_deferrable_keys_directly(connection: Any, merged_between: bool) -> None:
    """One statement moves each row by one: each comes to a key that the row before has not left yet."""
    bench = Bench(connection, MOVING, HITS, deferrable_key=True)
    bench.stage(*placed("1", "2", "3"))
    if merged_between:
        bench.merge()
    bench.stage(moved(2, "1", "2", "1"), moved(2, "2", "3", "2"), moved(2, "3", "1", "3"))
    bench.merge()
    assert bench.final() == [("1", "3"), ("2", "1"), ("3", "2")]
    bench.stage({"op": "D", "at": 3, "ID": "1"}, moved(4, "2", "1", "1"))
    bench.merge()
    assert bench.final() == [("1", "1"), ("3", "2")]


def test_a_key_that_is_free_again_can_be_taken(connection: Any) -> None:
    bench = Bench(connection, MOVING, HITS)
    bench.stage(*placed("a"), moved(2, "a", "b", "moved"), {"op": "I", "at": 2, "ID": "a", "HITS": "new"})
    bench.merge()
    assert bench.final() == [("a", "new"), ("b", "moved")]


def test_before_images_take_the_cast_of_their_key(connection: Any) -> None:
    """`t` and `true` are one key: nothing has moved."""
    key = MergeColumn("ID", "ID", Cast.BOOLEAN, key=True, before="BI_ID")
    bench = Bench(connection, key, HITS)
    bench.stage({"op": "I", "at": 1, "ID": "true"}, {"op": "U", "at": 2, "ID": "true", "BI_ID": "t", "HITS": "1"})
    bench.merge()
    assert bench.final() == [(True, "1")]
    bench.stage({"op": "U", "at": 3, "ID": "f", "BI_ID": "t", "HITS": "2"})
    bench.stage({"op": "U", "at": 4, "ID": "f", "BI_ID": "?", "HITS": "3"})
    bench.merge()
    assert bench.final() == [(False, "3")]
    assert [(column, raw) for _, column, raw in bench.failures()] == [("BI_ID", "?")]


def test_a_part_of_a_composite_key_can_change(connection: Any) -> None:
    other = MergeColumn("PART", "PART", key=True, before="BI_PART")
    bench = Bench(connection, MOVING, other, HITS)
    bench.stage({"op": "I", "at": 1, "ID": "a", "PART": "1"}, {"op": "I", "at": 1, "ID": "a", "PART": "2"})
    bench.merge()
    bench.stage({"op": "U", "at": 2, "ID": "a", "PART": "3", "BI_ID": "a", "BI_PART": "1", "HITS": "moved"})
    bench.merge()
    assert bench.final() == [("a", "2", None), ("a", "3", "moved")]


def test_a_before_image_of_a_part_of_the_key_alone_changes_nothing_in_the_merge() -> None:
    with_part = spec(MOVING, MergeColumn("PART", "PART", key=True), HITS)
    assert generate(with_part) == generate(spec(ID, MergeColumn("PART", "PART", key=True), HITS))


# -- all of it at once -------------------------------------------------------------------------------------------------


class Source:
    """A table that changes at random: its changes as DMS would write them, and what FINAL must be in the end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: dict[str, dict[str, Any]] = {}
        self.at = 0
        self.changes: list[dict[str, Any]] = []

    def commit(self) -> None:
        self.at += 1
        for _ in range(self.random.randint(1, 3)):
            key = self.random.choice("abcd")
            if key not in self.rows:
                self.rows[key] = {"FLAG": None, "BODY": None}
                self._write("I", key, key, self.random.choice([None, "body"]))
            elif self.random.random() < 0.25:
                del self.rows[key]
                self.changes.append({"op": "D", "at": self.at, "ID": key, "FLAG": "?", "BODY": "of a deleted row"})
            elif self.random.random() < 0.3 and (free := sorted(set("abcd") - set(self.rows))):
                target = self.random.choice(free)
                del self.rows[key]
                self.rows[target] = {"FLAG": None, "BODY": None}
                self._write("U", target, key, self.random.choice([None, f"body {self.at}"]))
            else:
                self._write("U", key, key, self.random.choice([None, f"body {self.at}"]))

    def _write(self, op: str, key: str, old: str, body: str | None) -> None:
        flag = self.random.choice([None, "true", "f", "?", "2"])
        row = self.rows[key]
        if flag not in ("?", "2"):
            row["FLAG"] = None if flag is None else flag == "true"
        if op == "I" or body is not None:
            row["BODY"] = body
        hits = f"{self.at}.{len(self.changes)}"
        row["HITS"] = hits
        before = old if op == "U" else None
        self.changes.append(
            {"op": op, "at": self.at, "ID": key, "BI_ID": before, "FLAG": flag, "BODY": body, "HITS": hits}
        )

    def final(self) -> list[tuple[Any, ...]]:
        return sorted((key, row["FLAG"], row["BODY"], row["HITS"]) for key, row in self.rows.items())


@pytest.mark.parametrize("late", [False, True], ids=["in order", "files in any order"])
@pytest.mark.parametrize("seed", range(5))
def test_final_is_the_source_however_the_changes_come(connection: Any, seed: int, late: bool) -> None:
    """Cut into files and merges at random; files that come late are still within the overlap."""
    flag = MergeColumn("FLAG", "FLAG", Cast.BOOLEAN)
    bench = Bench(connection, MOVING, flag, BODY, HITS, overlap_minutes=60 if late else 0)
    source = Source(seed)
    files: list[list[dict[str, Any]]] = []
    for _ in range(12):
        before = len(source.changes)
        source.commit()
        files.append(source.changes[before:])
    numbered = list(enumerate(files, start=1))
    if late:
        source.random.shuffle(numbered)
    for number, rows in numbered:
        if rows:
            bench.stage(*rows, file=number)
        if source.random.random() < 0.4:
            bench.merge()
    bench.merge()
    assert bench.final() == source.final()
    bad = [c for c in source.changes if c["op"] != "D" and c["FLAG"] in ("?", "2")]
    assert len(bench.failures()) == len(bad)
    assert sum(n or 0 for n in bench.counted()) == len(bad)


# -- what a revision holds ---------------------------------------------------------------------------------------------


def spec(*columns: MergeColumn) -> MergeSpec:
    return Bench.spec_of("S", columns)


def test_a_revision_keeps_every_choice_and_one_written_before_they_were_there_still_loads() -> None:
    chosen = dataclasses.replace(spec(MOVING, BODY, DOC), deferrable_key=True)
    assert decode_fields(MergeSpec, encode_fields(chosen)) == chosen
    plain = spec(ID, HITS)
    old = encode_fields(plain)
    assert not {"deferrable_key"} & set(old)
    assert all(set(column) <= {"final", "staging", "cast", "key"} for column in old["columns"])
    assert decode_fields(MergeSpec, old) == plain
