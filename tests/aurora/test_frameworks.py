"""Which files of a folder run, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.aurora.frameworks import Flyway, Plain, choose
from driftguard.errors import MigrationError, UsageError


def folder(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"SELECT '{name}';", encoding="utf-8")
    return place


def names(place: Path) -> list[str]:
    return [migration.name for migration in Plain().read(place)[0]]


def test_files_run_in_the_order_of_their_names(tmp_path: Path) -> None:
    assert names(folder(tmp_path, "b.sql", "a.sql", "C.SQL", "readme.md")) == ["C.SQL", "a.sql", "b.sql"]


def test_numbers_in_front_are_numbers(tmp_path: Path) -> None:
    assert names(folder(tmp_path, "10_x.sql", "9_x.sql", "001_x.sql")) == ["001_x.sql", "9_x.sql", "10_x.sql"]


def test_undo_files_are_left_out_with_a_reason(tmp_path: Path) -> None:
    folder(tmp_path, "1_a.up.sql", "1_a.down.sql", "2_b.sql", "2_b_down.sql", "3.sql", "3_rollback.sql", "undo_4.sql")
    folder(tmp_path, "5_slow_down_users.sql", "6_countdown.sql", "V7__x.sql", "U7__x.sql", "U8__only.sql", "9.undo.sql")
    found, skipped = Plain().read(tmp_path)
    assert [s.path.name for s in skipped] == [
        "1_a.down.sql",
        "2_b_down.sql",
        "3_rollback.sql",
        "9.undo.sql",
        "U7__x.sql",
        "undo_4.sql",
    ]
    assert all(s.reason for s in skipped)
    assert {"5_slow_down_users.sql", "6_countdown.sql", "U8__only.sql"} <= {m.name for m in found}


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;", "goose"),
        ("-- migrate:up\n-- migrate:down", "dbmate"),
        ("--liquibase formatted sql\n", "Liquibase"),
    ],
)
def test_a_file_that_would_undo_itself_is_refused(tmp_path: Path, text: str, tool: str) -> None:
    (tmp_path / "1.sql").write_text(text, encoding="utf-8")
    with pytest.raises(MigrationError, match=f"1.sql:.*{tool}"):
        Plain().read(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_bytes(b"\xef\xbb\xbfSELECT 1")
    assert Plain().read(tmp_path)[0][0].sql == "SELECT 1"


@pytest.mark.parametrize(("raw", "message"), [(b"SELECT '\xff'", "not UTF-8"), (b"a;\n\0b", r"1.sql:2: a NUL")])
def test_a_file_that_cannot_be_text_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "1.sql").write_bytes(raw)
    with pytest.raises(MigrationError, match=message):
        Plain().read(tmp_path)


def test_an_empty_folder_says_where_files_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.sql file"):
        Plain().read(tmp_path)
    folder(tmp_path, "2024_x/up.sql")
    with pytest.raises(UsageError, match="such as 2024_x"):
        Plain().read(tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        Plain().read(tmp_path / "nope")


def test_flyway_orders_by_version_number_and_not_by_name(tmp_path: Path) -> None:
    folder(tmp_path, "V1_10__c.sql", "V1_2__b.sql", "V1__a.sql", "deep/V2.0.1__e.sql", "V2__d.sql", "R__b.sql")
    folder(tmp_path, "R__a.sql", "U1__a.sql", "afterMigrate__x.sql", "B2__base.sql", "V20230101120000__f.sql")
    found, skipped = Flyway().read(tmp_path)
    assert [m.name for m in found] == [
        "V1__a.sql",
        "V1_2__b.sql",
        "V1_10__c.sql",
        "V2__d.sql",
        "V2.0.1__e.sql",
        "V20230101120000__f.sql",
        "R__a.sql",
        "R__b.sql",
    ]
    assert {s.path.name for s in skipped} == {"U1__a.sql", "afterMigrate__x.sql", "B2__base.sql"}


def test_flyway_files_are_told_by_their_names(tmp_path: Path) -> None:
    assert choose(folder(tmp_path, "V1__a.sql")).name == "flyway"
    assert choose(folder(tmp_path / "other", "V1.sql", "001_a.sql", "R__x.sql")).name == "plain"
    assert choose(tmp_path, "plain").name == "plain"
    with pytest.raises(UsageError, match="one of flyway, plain"):
        choose(tmp_path, "nope")


def test_flyway_versions_must_differ(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"V1\.0__b\.sql and V1__a\.sql"):
        Flyway().read(folder(tmp_path, "V1__a.sql", "V1.0__b.sql"))


def test_a_flyway_placeholder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "V1__a.sql").write_text("SELECT 1;\nSELECT '${user}'", encoding="utf-8")
    with pytest.raises(MigrationError, match=r"V1__a\.sql:2: \$\{user\}"):
        Flyway().read(tmp_path)
