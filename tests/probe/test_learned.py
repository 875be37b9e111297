"""What goes into typemaps/observed.toml, and what of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.errors import TypeMapError
from driftguard.model.emission import Loss
from driftguard.probe.learned import HEADER, Learned, merge
from driftguard.typemap.load import load

DATETIME = Learned("dms_to_parquet", "dms", "DATETIME", "TIMESTAMP_UTC({p})", Loss.EXACT, "marked", "probe, f.parquet")
RANGE = Learned("postgres_to_dms", "type", "tsrange", "STRING", Loss.AS_TEXT, 'a "note"', "probe, f.parquet")
MINE = """\
# mine, and older than the probe

[[dms_to_parquet]]
match = { dms = ["TIME"] }   # checked by hand
type = "TIME32"
loss = "exact"
source = "a file of 2024"
proven_by = "footer sample"
"""


def row(type_: str, more: str = "") -> str:
    return (
        f'\n[[dms_to_parquet]]\nmatch = {{ dms = ["DATETIME"] }}\n{more}type = "{type_}"\nloss = "exact"\nsource = "old"\n'
        'proven_by = "footer sample"\n'
    )


def test_a_new_file_is_one_that_the_type_maps_take(tmp_path: Path) -> None:
    made = merge(None, [DATETIME, RANGE], "o.toml")
    assert made.text.startswith(HEADER)
    (tmp_path / "o.toml").write_text(made.text)
    maps = load(observed=tmp_path / "o.toml")
    assert maps.rows["dms_to_parquet"][0].type == "TIMESTAMP_UTC({p})"
    assert maps.rows["postgres_to_dms"][0].note == 'a "note"'
    assert made.added == (DATETIME, RANGE)


def test_rows_about_something_else_stay_with_their_comments() -> None:
    made = merge(MINE, [DATETIME], "o.toml")
    assert made.text.startswith(MINE.rstrip("\n"))
    assert merge(made.text, [DATETIME], "o.toml").text == made.text


def test_a_row_that_says_the_same_gets_the_newer_source() -> None:
    made = merge(MINE + row("TIMESTAMP_UTC({p})"), [DATETIME], "o.toml")
    assert made.refreshed == (DATETIME,)
    assert 'old"' not in made.text
    assert made.text.startswith(MINE.rstrip("\n"))


@pytest.mark.parametrize("more", ["", "when = { parquet_timestamp_in_millisecond = false }\n"])
def test_a_row_that_says_otherwise_stays_and_is_told(more: str) -> None:
    text = MINE + row("TIMESTAMP({p})", more)
    made = merge(text, [DATETIME], "o.toml")
    assert made.text == text
    assert made.conflicts == ((DATETIME, "type = 'TIMESTAMP({p})', loss = 'exact'"),)
    forced = merge(text, [DATETIME], "o.toml", force=True)
    if more:  # a row with conditions says more than the probe knows
        assert forced.conflicts
    else:
        assert forced.conflicts == ()
        assert "TIMESTAMP_UTC" in forced.text


def test_a_row_about_several_types_is_not_taken_apart() -> None:
    text = MINE + row("TIMESTAMP({p})").replace('["DATETIME"]', '["DATE", "DATETIME"]')
    assert merge(text, [DATETIME], "o.toml", force=True).text == text


@pytest.mark.parametrize(
    "text", ["[[dms_to_parquet]\n", 'postgres_to_dms = [{ type = "X" }]\n', "[dms_to_parquet]\na = 1\n"]
)
def test_a_file_that_cannot_be_kept_whole_is_refused(text: str) -> None:
    with pytest.raises(TypeMapError, match=r"o\.toml"):
        merge(text, [DATETIME], "o.toml")
