"""The text of a merge: what it lists, what it reads, and in which order changes win."""

from __future__ import annotations

import dataclasses
import re

import pytest

from builders import POLICY, context, landed, plain, table, varchar
from driftguard.drift.merging import merge_spec
from driftguard.merge.casts import cast_sql, failed_sql
from driftguard.merge.generate import MARK, generate, is_generated
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.sql.snowflake import parse_type, qualified
from driftguard.typemap.casting import cast_between

SPEC = MergeSpec(
    staging=ObjectName("DB", "STAGING", "ORDERS_CDC"),
    final=ObjectName("DB", "FINAL", "ORDERS"),
    watermark=ObjectName("DB", "DRIFTGUARD", "WATERMARK"),
    columns=(
        MergeColumn("ID", "ID", key=True),
        MergeColumn("REGION", "REGION", key=True),
        MergeColumn("NOTE", "NOTE"),
        MergeColumn("AT", "AT", Cast.UTC),
        MergeColumn("OLD", "OLD", kept=True),
    ),
    op="OP",
    commit_time="COMMIT_TS",
    change_seq="SEQ",
)
TEXT = generate(SPEC)


def branch(text: str, begins: str) -> str:
    """One WHEN branch, up to the next one or the end of the MERGE."""
    match = re.search(re.escape(begins) + r".*?(?=\n *WHEN |;)", text, re.DOTALL)
    assert match, begins
    return match[0]


def test_the_same_spec_gives_the_same_text() -> None:
    assert generate(SPEC) == TEXT
    assert generate(dataclasses.replace(SPEC)) == TEXT
    assert is_generated(TEXT)
    assert MARK in TEXT
    assert not is_generated("MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED THEN DELETE")


def test_every_column_is_in_the_source_the_insert_and_all_but_the_key_in_the_update() -> None:
    update = branch(TEXT, "WHEN MATCHED AND s.\"_DG_OP\" <> 'D'")
    insert = branch(TEXT, "WHEN NOT MATCHED")
    for column in SPEC.columns:
        assert f' AS "{column.final}"' in TEXT
        assert f'"{column.final}"' in insert
        assert (f'"{column.final}" = ' in update) is not column.key
    for own in ("_DG_COMMIT_TS", "_DG_SEQ"):
        assert f'"{own}" = s."{own}"' in update
        assert f's."{own}"' in insert


def test_a_delete_reads_only_the_key() -> None:
    """The WAL of a deleted row has the key alone."""
    delete = branch(TEXT, "WHEN MATCHED AND s.\"_DG_OP\" = 'D'")
    assert delete.endswith("THEN DELETE")
    assert set(re.findall(r's\."([^"]+)"', delete)) == {"_DG_OP", "_DG_COMMIT_TS", "_DG_SEQ"}
    assert 'ON t."ID" = s."ID" AND t."REGION" = s."REGION"\n' in TEXT
    assert 'PARTITION BY "ID", "REGION"' in TEXT


def test_a_delete_of_a_row_that_is_not_there_inserts_nothing() -> None:
    assert "WHEN NOT MATCHED AND s.\"_DG_OP\" <> 'D' THEN INSERT" in TEXT
    assert TEXT.count("WHEN NOT MATCHED") == 1


def test_every_matched_branch_is_guarded_by_the_order_that_final_holds() -> None:
    """A file that is read a second time, or late, changes nothing."""
    guard = (
        '(t."_DG_COMMIT_TS" IS NULL OR s."_DG_COMMIT_TS" > t."_DG_COMMIT_TS" '
        'OR (s."_DG_COMMIT_TS" = t."_DG_COMMIT_TS" AND s."_DG_SEQ" > t."_DG_SEQ"))'
    )
    matched = re.findall(r" WHEN MATCHED (.*?) THEN", TEXT)
    assert len(matched) == 2
    assert all(guard in condition for condition in matched)


def test_a_kept_column_is_not_erased_by_a_row_without_it() -> None:
    assert '"OLD" = COALESCE(s."OLD", t."OLD")' in TEXT
    assert '"NOTE" = s."NOTE"' in TEXT


def test_a_missing_op_is_an_insert() -> None:
    """Full-load files have none unless IncludeOpForFullLoad is set."""
    assert """COALESCE("OP", 'I') AS "_DG_OP\"""" in TEXT
    assert """'I' AS "_DG_OP\"""" in generate(dataclasses.replace(SPEC, op=None))


def test_a_table_that_is_all_key_still_keeps_its_order() -> None:
    spec = dataclasses.replace(SPEC, columns=SPEC.columns[:2])
    update = branch(generate(spec), "WHEN MATCHED AND s.\"_DG_OP\" <> 'D'")
    assert [line.strip() for line in update.splitlines()[1:]] == [
        '"_DG_COMMIT_TS" = s."_DG_COMMIT_TS",',
        '"_DG_SEQ" = s."_DG_SEQ"',
    ]


def test_the_newest_change_of_a_key_wins_and_one_without_a_time_never_does() -> None:
    assert 'ORDER BY "_DG_COMMIT_TS" DESC NULLS LAST, "_DG_SEQ" DESC' in TEXT
    assert TEXT.count("ROW_NUMBER() OVER (") == 1
    assert "RANK" not in TEXT


def test_at_one_time_full_load_comes_first_then_the_change_sequence_then_file_and_row() -> None:
    order = next(line for line in TEXT.splitlines() if 'AS "_DG_SEQ"' in line)
    places = [order.index(part) for part in ("'0', '1'", '"SEQ"', "\"_DG_FILE\" || '|'", "LPAD")]
    assert places == sorted(places)
    without = generate(dataclasses.replace(SPEC, change_seq=None))
    assert '"SEQ"' not in without


@pytest.mark.parametrize(
    ("file", "load"),
    [
        ("dms/shop/orders/LOAD00000001.parquet", True),
        ("dms/shop/orders/SEGMENT1_LOAD00000001.parquet", True),
        ("dms/LOAD/orders/20260101-120000123.parquet", False),
        ("dms/shop/LOADS/2026/01/01/20260101-120000123.parquet", False),
    ],
)
def test_full_load_files_are_known_by_their_own_name_and_not_by_their_folder(file: str, load: bool) -> None:
    """The condition of the text, tried on names as Snowflake would."""
    assert """SPLIT_PART("_DG_FILE", '/', -1) LIKE 'LOAD%'""" in TEXT
    assert """LIKE 'SEGMENT%LOAD%'""" in TEXT
    name = file.split("/")[-1]
    assert bool(re.match(r"LOAD|SEGMENT.*LOAD", name)) is load


def test_full_load_rows_take_the_start_of_the_load_where_dms_does_not_write_it() -> None:
    start = 'SELECT MIN(TRY_TO_TIMESTAMP_NTZ("COMMIT_TS")) FROM "DB"."STAGING"."ORDERS_CDC" WHERE'
    assert start not in TEXT
    assert start in generate(dataclasses.replace(SPEC, loads_at_start=False))


def test_the_window_overlaps_the_last_one_and_ends_at_what_was_there_at_the_start() -> None:
    assert "> DATEADD('minute', -60, :since) AND \"_DG_LOADED_AT\" <= :upto" in TEXT
    assert "-5, :since" in generate(dataclasses.replace(SPEC, overlap_minutes=5))


def test_the_watermark_moves_in_the_same_transaction_and_after_the_merge() -> None:
    parts = (
        "BEGIN TRANSACTION",
        '"MERGED_FILE"',
        "MERGE INTO",
        'INTO "DB"."DRIFTGUARD"."WATERMARK"',
        "COMMIT;",
        "ROLLBACK;",
    )
    order = [TEXT.index(part) for part in parts]
    assert order == sorted(order)
    assert TEXT.count("RAISE;") == 1
    assert "'DB.FINAL.ORDERS'" in TEXT


def test_names_are_quoted_wherever_they_stand() -> None:
    odd = 'o"dd; name'
    spec = dataclasses.replace(
        SPEC,
        final=ObjectName("DB", "FINAL", "it's"),
        columns=(MergeColumn(odd, odd, key=True), MergeColumn("select", "select")),
        commit_time="a b",
    )
    text = generate(spec)
    assert '"o""dd; name"' in text
    assert odd not in text.replace('"o""dd; name"', "")
    assert "'DB.FINAL.it''s'" in text
    assert 'TRY_TO_TIMESTAMP_NTZ("a b")' in text


def test_a_number_is_cast_at_the_scale_of_final() -> None:
    text = generate(dataclasses.replace(SPEC, columns=(SPEC.columns[0], MergeColumn("N", "N", Cast.NUMBER, scale=4))))
    assert 'TRY_TO_NUMBER("N", 38, 4), NULL) AS "N"' in text


@pytest.mark.parametrize("cast", Cast)
def test_no_cast_fails_on_a_value(cast: Cast) -> None:
    """What does not fit becomes NULL; from one kind of timestamp to another everything fits."""
    sql = cast_sql(cast, '"C"')
    assert '"C"' in sql
    typed = (Cast.TEXT, Cast.DOUBLE, Cast.SCALE, Cast.INTEGER, Cast.NOT_ZERO, Cast.MIDNIGHT, Cast.DAY, Cast.ISO_DAY)
    exact = cast in (Cast.NONE, Cast.UTC, Cast.MOMENT, Cast.WALL_CLOCK, Cast.ZONED, Cast.LOCAL, *typed)
    assert exact or "TRY_TO_" in sql or "TRY_PARSE_" in sql
    assert (failed_sql(cast, '"C"') is None) is exact
    if cast is Cast.UTC:
        assert "+00:00" in sql


@pytest.mark.parametrize(
    ("staging", "final", "cast"),
    [
        ("VARCHAR", "VARCHAR(20)", Cast.NONE),
        ("VARCHAR", "BOOLEAN", Cast.BOOLEAN),
        ("VARCHAR", "NUMBER(38,2)", Cast.NUMBER),
        ("VARCHAR", "VARIANT", Cast.JSON),
        ("VARCHAR", "TIMESTAMP_NTZ", Cast.TIMESTAMP),
        ("TIMESTAMP_NTZ", "TIMESTAMP_TZ", Cast.UTC),
        ("VARCHAR", "TIMESTAMP_TZ", None),
        ("NUMBER", "VARCHAR", None),
    ],
)
def test_the_cast_between_two_types(staging: str, final: str, cast: Cast | None) -> None:
    assert cast_between(parse_type(staging), parse_type(final)) is cast


def test_the_spec_of_a_landing_lists_its_columns_and_keeps_those_no_longer_emitted() -> None:
    new = table("orders", ("note", varchar(40)), ("tier", plain("text")))
    old = table("orders", ("note", varchar(40)))
    (pair,) = context(old, estate=landed(new)).pairs
    columns = {c.final: c for c in merge_spec(pair, POLICY).columns}
    assert list(columns) == ["ID", "NOTE", "TIER"]
    assert columns["ID"].key
    assert columns["TIER"].kept
    assert not columns["NOTE"].kept


def test_a_watermark_counts_only_while_final_has_rows() -> None:
    """A FINAL that was dropped and made anew would otherwise stay without everything that was merged before."""
    text = generate(SPEC)
    assert (
        f"LET final_is_empty BOOLEAN := (SELECT COUNT(*) = 0 FROM (SELECT 1 FROM {qualified(SPEC.final)} LIMIT 1))"
        in text
    )
    assert "IFF(:final_is_empty OR MAX" in text
