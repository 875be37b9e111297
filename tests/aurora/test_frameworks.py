"""Which files of a folder run, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.aurora.frameworks import FRAMEWORKS, Dbmate, Diesel, Flyway, Goose, Plain, Pop, Prisma, choose
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
    with pytest.raises(UsageError, match=r"one of .*flyway.*plain"):
        choose(tmp_path, "nope")


def test_flyway_versions_must_differ(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"V1\.0__b\.sql and V1__a\.sql"):
        Flyway().read(folder(tmp_path, "V1__a.sql", "V1.0__b.sql"))


def test_a_flyway_placeholder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "V1__a.sql").write_text("SELECT 1;\nSELECT '${user}'", encoding="utf-8")
    with pytest.raises(MigrationError, match=r"V1__a\.sql:2: \$\{user\}"):
        Flyway().read(tmp_path)


GOOSE = """-- of last spring
-- +goose Up
-- +goose StatementBegin
CREATE TABLE a (b int);
-- +goose StatementEnd

-- +goose Down
DROP TABLE a;
"""


def test_goose_runs_the_way_up_and_keeps_the_lines(tmp_path: Path) -> None:
    (tmp_path / "2_a.sql").write_text(GOOSE)
    (tmp_path / "10_b.sql").write_text("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n")
    (tmp_path / "3_c.go").write_text("package migrations")
    (tmp_path / "3_c_test.go").write_text("package migrations")
    (tmp_path / "notes.sql").write_text("DROP TABLE b;")
    found, skipped = Goose().read(tmp_path)
    assert [(m.name, m.transaction) for m in found] == [("2_a.sql", True), ("10_b.sql", False)]
    assert "DROP" not in found[0].sql
    assert found[0].sql.splitlines()[3] == "CREATE TABLE a (b int);"
    assert {s.path.name: s.reason for s in skipped} == {
        "3_c.go": "written in Go, and only SQL is run: what it changes is not seen",
        "notes.sql": "not a name that goose runs",
    }


def test_dbmate_runs_the_way_up(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text("-- migrate:up transaction:false\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n")
    found, _ = Dbmate().read(tmp_path)
    assert not found[0].transaction
    assert "SELECT 2" not in found[0].sql


@pytest.mark.parametrize(
    ("framework", "text", "message"),
    [
        ("goose", "CREATE TABLE a (b int);", "1_a.sql: no line `-- \\+goose Up`"),
        ("goose", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT ${A};", "1_a.sql:1: .*environment"),
        ("dbmate", "-- migrate:down\nSELECT 1;", "no line `-- migrate:up`"),
        ("pop", "CREATE TABLE a ();\nINSERT INTO {{ .Parameters.a }} DEFAULT VALUES", "1_a.up.sql:2: {{ .Parameters"),
    ],
)
def test_a_file_that_its_tool_does_not_run_as_it_is_is_refused(
    tmp_path: Path, framework: str, text: str, message: str
) -> None:
    (tmp_path / ("1_a.up.sql" if framework == "pop" else "1_a.sql")).write_text(text)
    with pytest.raises(MigrationError, match=message):
        choose(tmp_path, framework).read(tmp_path)


def test_diesel_orders_by_version_without_hyphens(tmp_path: Path) -> None:
    folder(tmp_path, "2017-08-31-230457_b/up.sql", "2017-08-31-230457_b/down.sql", "20170830000000_a/up.sql")
    folder(tmp_path, "00000000000000_setup/up.sql", "20170901000000_empty/notes.txt")
    (tmp_path / "20170830000000_a" / "metadata.toml").write_text("run_in_transaction = false")
    found, skipped = Diesel().read(tmp_path)
    assert [(m.name, m.transaction) for m in found] == [
        ("00000000000000_setup/up.sql", True),
        ("20170830000000_a/up.sql", False),
        ("2017-08-31-230457_b/up.sql", True),
    ]
    assert [s.path.name for s in skipped] == ["20170901000000_empty"]
    (tmp_path / "20170830000000_a" / "metadata.toml").write_text("run_in_transaction =")
    with pytest.raises(MigrationError, match=r"20170830000000_a/metadata\.toml: not TOML"):
        Diesel().read(tmp_path)


def test_prisma_orders_by_name_as_text(tmp_path: Path) -> None:
    """A date alone comes after a date with a time of the same day."""
    folder(tmp_path, "20250625_x/migration.sql", "20250625101112_y/migration.sql", "migration_lock.toml")
    assert [m.name for m in Prisma().read(tmp_path)[0]] == [
        "20250625101112_y/migration.sql",
        "20250625_x/migration.sql",
    ]


def test_pop_takes_the_file_for_postgresql(tmp_path: Path) -> None:
    folder(tmp_path, "1_a.up.sql", "1_a.postgres.up.sql", "1_a.mysql.up.sql", "1_a.down.sql", "2_b.sqlite3.up.sql")
    folder(tmp_path, "3_c.autocommit.up.sql", "10_d.pg.up.sql", "10_d.up.sql", "4_e.fizz", "README.sql")
    found, skipped = Pop().read(tmp_path)
    assert [(m.name, m.transaction) for m in found] == [
        ("1_a.postgres.up.sql", True),
        ("3_c.autocommit.up.sql", False),
        ("10_d.pg.up.sql", True),
    ]
    reasons = {s.path.name: s.reason for s in skipped}
    assert reasons["1_a.up.sql"] == reasons["10_d.up.sql"] == "there is a file for PostgreSQL"
    assert reasons["2_b.sqlite3.up.sql"] == "for sqlite3"
    assert "written in fizz" in reasons["4_e.fizz"]
    with pytest.raises(UsageError, match=r"1_a\.up\.sql and 1_b\.up\.sql"):
        Pop().read(folder(tmp_path / "twice", "1_a.up.sql", "1_b.up.sql"))


def test_sqlx_and_flyway_say_what_runs_outside_a_transaction(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text("-- no-transaction\nVACUUM;")
    (tmp_path / "2_b.sql").write_text("SELECT 1; -- no-transaction")
    assert [m.transaction for m in Plain().read(tmp_path)[0]] == [False, True]
    place = folder(tmp_path / "flyway", "V1__a.sql", "V2__b.sql")
    (place / "V1__a.sql.conf").write_text("executeInTransaction=false\n")
    assert [m.transaction for m in Flyway().read(place)[0]] == [False, True]


@pytest.mark.parametrize(
    ("framework", "files"),
    [
        ("prisma", {"1_a/migration.sql": "SELECT 1"}),
        ("diesel", {"1_a/up.sql": "SELECT 1", "1_a/down.sql": ""}),
        ("pop", {"1_a.cockroach.up.sql": "", "1_a.up.sql": "SELECT 1"}),
        ("goose", {"0_z.sql": "", "1_a.sql": GOOSE}),
        ("dbmate", {"1_a.sql": "-- migrate:up\nSELECT 1"}),
        ("plain", {"1_a.up.sql": "SELECT 1", "1_a.down.sql": "", "2_b.sql": "SELECT '+goose Up'"}),
    ],
)
def test_the_framework_is_told_by_names_and_marks(tmp_path: Path, framework: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert choose(tmp_path).name == framework
    assert FRAMEWORKS[framework]().name == framework


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_a_folder_with_nothing_to_run_is_refused(tmp_path: Path, framework: str) -> None:
    with pytest.raises(UsageError, match="to run in"):
        FRAMEWORKS[framework]().read(tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        FRAMEWORKS[framework]().read(tmp_path / "nope")
