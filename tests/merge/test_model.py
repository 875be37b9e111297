"""The generated merge against random histories: whatever the files bring, in whatever order, FINAL is the source.

The reference (`histories`) knows nothing of driftguard; of one shape it is a real PostgreSQL table. Each of the guards
that the merge is made of is taken out once, and then it is not right any more.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.merge import guards
from driftguard.model.merge import MergeColumn
from histories import COMMITS, DDL, Change, History, Key, Shape, Values, history
from merging import Bench
from modelled import Ground, diverging, lost, play

# How many histories of each: 1,000 together.
SHAPES = {
    Shape("a table as it is in PostgreSQL", bad_values=False, toast="looked_up", deletes="key_only"): 205,
    Shape("values that fit no boolean", number_key=True, stream=True): 130,
    Shape(
        "a key with NULL, no change sequence, odd names", keys=("ID", "K2"), null_key=True, sequence=False,
        loads_at_start=False, nasty_names=True,
    ): 210,
    Shape("nothing but the key", plain=None, large=None, flag=None, added=None): 205,
    Shape("a deferrable key", deferrable=True, deletes="key_only", toast="looked_up", true_text="t"): 90,
    Shape("a reload, soft deletes", soft_delete=True, reload=True, sequence=False): 80,
    Shape("a reload, a column with a default", reload=True, loads_at_start=False, default="d", bad_values=False): 80,
}  # fmt: skip
REAL = next(iter(SHAPES))
CASES = [f"E{n}" for n in range(1, 15)]


def made(shape: Shape, count: int, first: int = 0) -> list[History]:
    return [history(shape, n, f"{shape.name} {n}") for n in range(first, first + count)]


@dataclasses.dataclass
class Played:
    """All histories once, and what came of them."""

    histories: list[History]
    merges: list[int]
    wrong: list[Any]
    lost: int


@pytest.fixture(scope="module")
def played(connection: Any, tmp_path_factory: pytest.TempPathFactory) -> Played:
    found = Played([], [], [], 0)
    for shape, count in SHAPES.items():
        run(connection, tmp_path_factory.mktemp("lake"), shape, count, found)
    return found


def run(
    connection: Any, folder: Path, shape: Shape, count: int, into: Played, first: int = 0, records: str | None = None
) -> Ground:
    ground = Ground(connection, shape, folder, records)
    histories = made(shape, count, first)
    rounds = play(ground, histories, random.Random(f"{shape.name} {first}"))
    for one in histories:
        arrived = min(row.round for row in one.rows)
        into.merges.append(sum(number >= arrived for number in rounds))
    into.histories += histories
    into.wrong += [(shape.name, *item) for item in diverging(ground, histories)]
    into.lost += lost(ground)
    return ground


def table_of(found: Played) -> str:
    seen = Counter(case for one in found.histories for case in one.seen)
    lines = [
        f"{len(found.histories)} histories, {sum(len(one.rows) for one in found.histories)} staged rows, "
        f"{len(found.wrong)} divergences; {found.lost} values are said to need a repair",
        "median of "
        + ", ".join(
            f"{statistics.median(numbers):.0f} {what}"
            for what, numbers in (
                ("changes", [one.changes for one in found.histories]),
                ("keys", [one.touched for one in found.histories]),
                ("merges", found.merges),
            )
        ),
        "histories with " + ", ".join(f"{case}: {seen[case]}" for case in CASES),
    ]
    return "\n".join(lines)


def test_final_is_the_source_after_a_thousand_histories(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table_of(played)}")
    assert len(played.histories) == 1000
    assert played.wrong == []


def test_the_histories_have_every_case_often_enough(played: Played) -> None:
    seen = Counter(case for one in played.histories for case in one.seen)
    assert {case: seen[case] for case in CASES if seen[case] < 200} == {}
    assert statistics.median(one.changes for one in played.histories) >= 12
    assert statistics.median(one.touched for one in played.histories) >= 3
    assert statistics.median(played.merges) >= 3


@pytest.mark.long
def test_final_is_the_source_after_ten_thousand_histories(
    connection: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Played([], [], [], 0)
    for part, (shape, count) in itertools.product(range(1, 11), SHAPES.items()):
        folder = tmp_path / f"{len(found.histories)}"
        folder.mkdir()
        run(connection, folder, shape, count, found, part * 1000)
    with capsys.disabled():
        print(f"\n{table_of(found)}")
    assert len(found.histories) == 10_000
    assert found.wrong == []


SWITCHES = [
    Shape(f"{toast} {deletes} {word} {load} {start} {order}", toast=toast, deletes=deletes, true_text=word,
          load_sequence=load, loads_at_start=start, sequence=order)
    for toast, deletes, word, load, start, order in (
        ("null", "full_row", "true", "null", True, True),
        ("null", "key_only", "t", "load_time", False, True),
        ("looked_up", "full_row", "t", "null", False, False),
        ("looked_up", "key_only", "true", "load_time", True, True),
        ("null", "full_row", "t", "load_time", True, False),
        ("looked_up", "full_row", "true", "load_time", False, True),
        ("null", "key_only", "true", "null", False, False),
    )
]  # fmt: skip


@pytest.mark.parametrize("moves", [True, False], ids=["before-images", "no before-images"])
@pytest.mark.parametrize("shape", SWITCHES, ids=lambda shape: shape.name)
def test_it_holds_for_whatever_dms_does_where_aws_leaves_it_open(
    connection: Any, tmp_path: Path, shape: Shape, moves: bool
) -> None:
    """Each pair of settings is in one of them. Without before-images no key may change: DG505 says so."""
    found = Played([], [], [], 0)
    stream = moves is shape.loads_at_start
    run(connection, tmp_path, dataclasses.replace(shape, moves=moves, before_images=moves, stream=stream), 30, found)
    assert found.wrong == []


RECORDS = {
    Shape(
        "records: a key with NULL, odd names", keys=("ID", "K2"), null_key=True, sequence=False, nasty_names=True
    ): "",
    Shape("records: a reload, a column with a default", reload=True, loads_at_start=False, default="d"): (
        "USE_VECTORIZED_SCANNER = TRUE"
    ),
}


@pytest.mark.parametrize("shape", RECORDS, ids=lambda shape: shape.name)
def test_it_holds_where_staging_keeps_whole_records(connection: Any, tmp_path: Path, shape: Shape) -> None:
    """A NULL is a JSON null in the one, and absent in the other."""
    found = Played([], [], [], 0)
    run(connection, tmp_path, shape, 20, found, records=RECORDS[shape])
    assert found.wrong == []


# -- the source is a PostgreSQL table ----------------------------------------------------------------------------------


def test_the_reference_is_what_postgresql_has(played: Played, postgres: EmbeddedPostgres) -> None:
    """The same commits as statements, all histories in one table."""
    histories = [one for one in played.histories if one.shape == REAL]
    assert len(histories) >= 200
    url = postgres.create_database("histories")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            'CREATE TABLE t ("H" int, "ID" text, "V" text, "BODY" text, "FLAG" boolean, PRIMARY KEY ("H", "ID"))'
        )
        for commit in range(COMMITS):
            if commit == DDL + 1:
                cursor.execute('ALTER TABLE t ADD COLUMN "ADDED" text')
            connection.commit()
            for one in histories:
                for change in one.commits[commit]:
                    cursor.execute(*_statement(one.number, change))
                    assert cursor.rowcount == 1, (one.number, commit, change)
            connection.commit()
        cursor.execute('SELECT "H", "ID", "V", "BODY", "FLAG", "ADDED" FROM t')
        there: dict[int, dict[Key, Values]] = {one.number: {} for one in histories}
        for number, key, v, body, flag, added in cursor:
            words = {True: "true", False: "false", None: None}
            there[number][(key,)] = {"V": v, "BODY": body, "FLAG": words[flag], "ADDED": added}
    postgres.drop_database("histories")
    assert there == {one.number: one.end for one in histories}


def _statement(number: int, change: Change) -> tuple[sql.Composed, list[Any]]:
    given = [(name, value) for name, value in change.values.items() if name not in change.absent]
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ["H", "ID", *(name for name, _ in given)])
    values: list[Any] = [number, change.key[0], *(value for _, value in given)]
    if change.op == "I":
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(values))
        return sql.SQL("INSERT INTO t ({}) VALUES ({})").format(names, marks), values
    before = (change.before or change.key)[0]
    if change.op == "D":
        return sql.SQL('DELETE FROM t WHERE "H" = {} AND "ID" = {}').format(number, before), []
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder())
        for name in ["H", "ID", *(n for n, _ in given)]
    )
    return sql.SQL('UPDATE t SET {} WHERE "H" = {} AND "ID" = {}').format(sets, number, before), values


# -- what is read again ------------------------------------------------------------------------------------------------


def touched_again(connection: Any, folder: Path) -> tuple[int, int]:
    """Half of the files once more, after somebody has written into FINAL: (rows written again, files taken twice)."""
    shape = Shape("again", large=None, flag=None)
    found = Played([], [], [], 0)
    ground = run(connection, folder, shape, 40, found)
    assert found.wrong == []
    ground.merge()
    ground.run(f"UPDATE DB.{ground.schema}.FINAL SET V = 'by hand'")
    dice = random.Random(1)
    rows = [(one.number, row) for one in found.histories for row in one.rows]
    again = {(number, row.file) for number, row in rows if dice.random() < 0.3}
    ground.load(9, [item for item in rows if (item[0], item[1].file) in again])
    ground.merge()
    place = f"DB.{ground.schema}"
    written = ground.run(f"SELECT COUNT(*) FROM {place}.FINAL WHERE V IS DISTINCT FROM 'by hand'")
    twice = ground.run(f"SELECT COUNT(*) - COUNT(DISTINCT FILE_NAME || LOADED_AT::VARCHAR) FROM {place}.MERGED_FILE")
    return int(written[0][0]), int(twice[0][0])


def test_a_file_that_comes_again_writes_nothing_and_none_is_taken_twice(connection: Any, tmp_path: Path) -> None:
    assert touched_again(connection, tmp_path) == (0, 0)


def lost_files(connection: Any) -> list[str]:
    """Of three files that are seen late: far later than one looks for, into a stream; a bit, into one that is gone."""
    bench = Bench(connection, MergeColumn("ID", "ID", key=True), stream=True, overlap_minutes=5)
    bench.stage({"op": "I", "at": 10, "ID": "first"})
    bench.merge()
    bench.stage({"op": "I", "at": 1, "ID": "far"}, late=4000)
    bench.stage({"op": "I", "at": 11, "ID": "second"})
    bench.merge()
    bench.stage({"op": "I", "at": 2, "ID": "near"}, late=100)
    bench.stream_anew()
    bench.stage({"op": "I", "at": 12, "ID": "third"})
    bench.merge()
    there = {row[0] for row in bench.final()}
    return [name for name in ("first", "far", "second", "near", "third") if name not in there]


def test_a_file_that_is_seen_late_is_merged_however_late_and_by_whatever_stream(connection: Any) -> None:
    assert lost_files(connection) == []


# -- each guard is needed ----------------------------------------------------------------------------------------------

GAP = Shape("a gap", soft_delete=True, reload=True, sequence=False)
RELOADED = Shape("a reload", reload=True)
PLAIN, NULL = Shape("plain"), next(shape for shape in SHAPES if shape.null_key)
AGAIN, LATE = "what comes again", "what is seen late"
# Each guard, what stands in its place when it is taken out, and the histories that must then go wrong.
WITHOUT: dict[str, tuple[Callable[..., str], Shape | str, int]] = {
    "moment": (  # the order of the texts
        lambda text: f"DATEADD('day', IFF({text} LIKE '%T%', 1, 0), TRY_TO_TIMESTAMP_NTZ({text}))", PLAIN, 30,
    ),
    "operation": (lambda op: op, PLAIN, 150),
    "load_before_changes": (lambda is_load: "'1'", Shape("tied", sequence=False), 150),
    "change": (lambda sequence: "''", PLAIN, 30),
    "place": (lambda file, row: "''", NULL, 30),
    "load_start": (lambda own, start: own, NULL, 60),
    "not_swept": (lambda commit, swept: "TRUE", RELOADED, 100),
    "unseen": (lambda commit, swept: "FALSE", RELOADED, 100),
    "back_to": (lambda commit, floor, new: new, PLAIN, 30),
    "seen_late": (lambda since, minutes: since, PLAIN, 150),
    "in_stream": (lambda file: "FALSE", LATE, 0),
    "first_seen": (lambda known: "TRUE", AGAIN, 0),
    "newer": (lambda: "TRUE", AGAIN, 0),
    "completed": (lambda late: "FALSE", PLAIN, 60),
    "same_key": (lambda left, right, nullable: f"{left} = {right}", NULL, 30),
    "moved": (lambda pairs, nullable: "FALSE", PLAIN, 30),
    "another_row": (lambda began: "FALSE", GAP, 200),
    "left_out": (lambda name, op: "FALSE", PLAIN, 30),
    "comes_after_leaves": (lambda left, taken, seq: "", Shape("trades", deferrable=True), 30),
    "not_deleted": (lambda op: "TRUE", PLAIN, 30),
}  # fmt: skip


def test_every_guard_is_taken_out_once() -> None:
    there = {name for name, thing in vars(guards).items() if getattr(thing, "__module__", "") == guards.__name__}
    assert there == set(WITHOUT)


ONCE_MORE = {"seen_late beside a stream": ("seen_late", WITHOUT["seen_late"][0], LATE, 0)}


@pytest.mark.parametrize("case", [*WITHOUT, *ONCE_MORE])
def test_without_a_guard_final_goes_wrong(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    guard, instead, shape, count = ONCE_MORE.get(case) or (case, *WITHOUT[case])
    monkeypatch.setattr(guards, guard, instead)
    if shape == LATE:
        assert lost_files(connection) != []
        return
    if isinstance(shape, str):
        assert touched_again(connection, tmp_path) != (0, 0)
        return
    ground = Ground(connection, shape, tmp_path)
    histories = made(shape, count)
    play(ground, histories, random.Random(shape.name))
    try:
        wrong = diverging(ground, histories)
    except AssertionError:  # a key is there twice
        return
    assert wrong
