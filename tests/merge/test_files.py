"""Which files a run takes, and how far back it looks for them."""

from __future__ import annotations

from typing import Any

from driftguard.merge.generate import generate
from driftguard.model.merge import MergeColumn
from driftguard.sql.snowflake import qualified
from merging import Bench

ID, NOTE = MergeColumn("ID", "ID", key=True), MergeColumn("NOTE", "NOTE")


def taken(bench: Bench) -> int:
    return int(bench.run_sql(f"SELECT COUNT(*) FROM DB.{bench.spec.watermark.schema}.MERGED_FILE")[0][0])


def test_a_run_without_a_new_file_notes_nothing(connection: Any) -> None:
    bench = Bench(connection, ID, NOTE)
    bench.stage({"op": "I", "at": 1, "ID": "a", "NOTE": "one"})
    bench.merge()
    noted = taken(bench), bench.counted()
    bench.merge()
    assert (taken(bench), bench.counted()) == noted
    assert taken(bench) == 1


def test_a_delete_outlives_its_row_however_late_the_insert_is(connection: Any) -> None:
    bench = Bench(connection, ID, NOTE, overlap_minutes=0)
    bench.stage({"op": "I", "at": 5, "ID": "b", "NOTE": "other"}, file=5)
    bench.stage({"op": "D", "at": 3, "ID": "a"}, file=3)
    bench.merge()
    for _ in range(3):
        bench.stage({"op": "U", "at": 9, "ID": "b", "NOTE": "meanwhile"})
        bench.merge()
    bench.stage({"op": "I", "at": 1, "ID": "a", "NOTE": "late"}, file=1)
    bench.merge()
    assert bench.final() == [("b", "meanwhile")]


def test_a_final_that_is_emptied_by_hand_is_filled_from_all_of_staging(connection: Any) -> None:
    bench = Bench(connection, ID, NOTE)
    bench.stage({"op": "I", "at": 1, "ID": "a", "NOTE": "one"})
    bench.merge()
    bench.run_sql(f"DELETE FROM {qualified(bench.spec.final)}")
    bench.merge()
    assert bench.final() == [("a", "one")]


def test_rows_that_somebody_puts_in_by_hand_without_a_file_are_taken_once(connection: Any) -> None:
    bench = Bench(connection, ID, NOTE)
    bench.stage({"op": "I", "at": 1, "ID": "a", "NOTE": "one"})
    bench.merge()
    bench.run_sql(
        f"INSERT INTO {qualified(bench.spec.staging)} (OP, COMMIT_TS, ID, NOTE, _DG_LOADED_AT) "
        "SELECT 'U', '2026-01-01 00:00:01.000000', 'a', 'mended', '2026-02-02 00:00:00 +00:00'::TIMESTAMP_LTZ"
    )
    bench.merge()
    noted = taken(bench)
    bench.merge()
    assert bench.final() == [("a", "mended")]
    assert taken(bench) == noted == 2


def test_only_the_keys_between_the_smallest_and_the_largest_new_one_are_read(connection: Any) -> None:
    """The bounds stand in the join, and hold the key that a row had before."""
    key = MergeColumn("ID", "ID", key=True, before="BI_ID")
    text = generate(Bench.spec_of("S", (key, NOTE), key_range="ID"))
    assert 'ON t."ID" = s."ID" AND t."ID" BETWEEN :low_key AND :high_key' in text
    assert 'SELECT MIN(LEAST("ID", COALESCE("BI_ID", "ID")))' in text
    assert text.count("BETWEEN :low_key AND :high_key") == 3


def test_a_key_that_gets_another_name_has_no_range_meanwhile() -> None:
    key = MergeColumn("NR", "ID", key=True, marker="DB.FINAL.T:1:abc", becomes="ID")
    for name in ("ID", "NR"):
        assert "low_key" not in generate(Bench.spec_of("S", (key, NOTE), key_range=name))
