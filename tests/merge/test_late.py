"""Columns that are learned of when rows with them are merged already: read out of the records that are staged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftguard.merge.anew import refill
from driftguard.merge.generate import generate, late
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.merge import MergeColumn, MergeSpec, Projected
from driftguard.sql.snowflake import literal, parse_type

SCHEMA = "LATE"
TEXT = "VARCHAR(134217728)"
CONTROL = (
    f"MERGED_FILE (LANDING {TEXT}, RUN {TEXT}, FILE_NAME {TEXT}, LOADED_AT TIMESTAMP_LTZ, FROM_COMMIT TIMESTAMP_NTZ, "
    "MERGED_AT TIMESTAMP_LTZ)",
    f"MILESTONE (NAME {TEXT}, AT TIMESTAMP_NTZ, REACHED_AT TIMESTAMP_LTZ)",
    f"WATERMARK (LANDING {TEXT}, UPTO TIMESTAMP_LTZ, RAN_AT TIMESTAMP_LTZ, CAST_FAILURES INTEGER)",
    f"CAST_FAILURE (LANDING {TEXT}, ROW_KEY {TEXT}, COLUMN_NAME {TEXT}, RAW {TEXT}, COMMIT_TIME TIMESTAMP_NTZ, "
    f"FILE_NAME {TEXT}, FILE_ROW NUMBER(38,0), RAN_AT TIMESTAMP_LTZ)",
    "CDC (_DG_RECORD VARIANT, _DG_FILE VARCHAR(4096), _DG_ROW NUMBER(38,0), _DG_LOADED_AT TIMESTAMP_LTZ(9))",
    f"FINAL (ID {TEXT}, NOTE {TEXT}, _DG_COMMIT_TS TIMESTAMP_NTZ(9), _DG_SEQ {TEXT}, _DG_REPAIR {TEXT})",
)
KNOWN = (MergeColumn("ID", "ID", key=True), MergeColumn("NOTE", "NOTE"))
FLAG = MergeColumn("FLAG", "FLAG", Cast.BOOLEAN)
BODY = MergeColumn("BODY", "BODY", keep_on_null_update=True)
# (Op, key, what came with it): one commit each
ROWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("I", "came with it", {"Flag": "true", "body": "b"}),
    ("I", "got it, then NULL", {"Flag": "true"}),
    ("U", "got it, then NULL", {"Flag": None}),
    ("I", "did not fit", {"Flag": "maybe"}),
    ("I", "left out", {"body": "large", "Flag": "f"}),
    ("U", "left out", {"body": None, "Flag": "t"}),
    ("I", "deleted", {"Flag": "true", "body": "b"}),
    ("D", "deleted", {}),
    ("I", "in another case", {"FLAG": "true", "BODY": "b"}),
    ("I", "before", {"note": "n"}),
)


def spec(*more: MergeColumn) -> MergeSpec:
    places = (ObjectName("DB", SCHEMA, name) for name in ("CDC", "FINAL", "WATERMARK"))
    paths = {"OP": "Op", "AT": "at", "ID": "id", "NOTE": "note", "FLAG": "Flag", "BODY": "body"}
    record = tuple(Projected(name, parse_type(TEXT), (path,)) for name, path in paths.items())
    keeps = any(c.keep_on_null_update for c in more)
    return MergeSpec(*places, (*KNOWN, *more), "OP", "AT", repair=keeps, record=record)


@pytest.fixture(scope="module")
def landed(connection: Any) -> Any:
    """All rows are merged, by a merge that knows neither column; then FINAL gets both."""
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS DB")
    cursor.execute(f"CREATE SCHEMA DB.{SCHEMA}")
    for table in CONTROL:
        cursor.execute(f"CREATE TABLE DB.{SCHEMA}.{table}")
    for number, (op, key, values) in enumerate(ROWS):
        record = {"Op": op, "at": f"2026-01-01 00:00:{number:02}", "id": key, **values}
        cursor.execute(
            f"INSERT INTO DB.{SCHEMA}.CDC SELECT PARSE_JSON({literal(json.dumps(record))}), 'f{number}.parquet', 1, "
            "'2026-02-01 00:00:00 +00:00'::TIMESTAMP_LTZ"
        )
    cursor.execute(generate(spec()))
    cursor.execute(f"ALTER TABLE DB.{SCHEMA}.FINAL ADD COLUMN FLAG BOOLEAN, BODY {TEXT}")
    for statement in late(spec(FLAG, BODY), ("FLAG", "BODY")):
        cursor.execute(statement)
    return cursor


def test_each_row_shows_what_its_last_change_says(landed: Any) -> None:
    """A value that the last change left out is the one of before; a NULL that it gave is a NULL."""
    found = {
        row[0]: row[1:] for row in landed.execute(f"SELECT ID, FLAG, BODY, NOTE FROM DB.{SCHEMA}.FINAL").fetchall()
    }
    assert found == {
        "came with it": (True, "b", None),
        "got it, then NULL": (None, None, None),
        "did not fit": (None, None, None),
        "left out": (True, "large", None),
        "in another case": (None, None, None),
        "before": (None, None, "n"),
    }


def test_a_value_that_does_not_fit_goes_to_quarantine(landed: Any) -> None:
    query = f"SELECT ROW_KEY, COLUMN_NAME, RAW FROM DB.{SCHEMA}.CAST_FAILURE"
    assert landed.execute(query).fetchall() == [('{"ID":"did not fit"}', "FLAG", "maybe")]


def test_a_second_time_changes_nothing(landed: Any) -> None:
    """As after an apply that was cut off; and the merge with both columns goes on from there."""
    tables = [f"SELECT * FROM DB.{SCHEMA}.{name} ORDER BY 1, 2" for name in ("FINAL", "CAST_FAILURE")]
    before = [landed.execute(query).fetchall() for query in tables]
    for statement in late(spec(FLAG, BODY), ("FLAG", "BODY")):
        landed.execute(statement)
    landed.execute(generate(spec(FLAG, BODY)))
    assert [landed.execute(query).fetchall() for query in tables] == before


def test_rows_without_a_value_are_not_read_where_that_changes_nothing() -> None:
    assert 'WHERE ("FLAG" IS NOT NULL)' in late(spec(FLAG), ("FLAG",))[0]
    assert "WHERE (TRUE)" in late(spec(FLAG, BODY), ("FLAG", "BODY"))[0]


def test_a_reload_by_another_key_leaves_its_own_records(landed: Any) -> None:
    """The records of before go with FINAL's rows."""
    landed.execute(f"INSERT INTO DB.{SCHEMA}.MILESTONE SELECT 'm', '2026-01-01 00:00:04'::TIMESTAMP_NTZ, NULL")
    for statement in refill(spec(FLAG, BODY), "m"):
        landed.execute(statement)
    found = landed.execute(f"SELECT ID, FLAG, BODY FROM DB.{SCHEMA}.FINAL ORDER BY ID").fetchall()
    assert found == [("before", None, None), ("in another case", None, None), ("left out", True, "large")]
    files = landed.execute(f"SELECT _DG_FILE FROM DB.{SCHEMA}.CDC ORDER BY _DG_FILE").fetchall()
    assert files == [(f"f{n}.parquet",) for n in range(4, 10)]
