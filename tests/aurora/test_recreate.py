"""A catalog made again elsewhere is the same catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from driftguard.aurora.connect import connect
from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.aurora.introspect import introspect
from driftguard.aurora.recreate import recreate, run
from driftguard.errors import MigrationError
from driftguard.model.catalog import Catalog, Column, PgType, Table
from driftguard.model.snapshot import dumps, load_catalog


def read(url: str) -> Catalog:
    with connect(url) as conn:
        return introspect(conn)


@pytest.fixture
def empty(any_postgres: EmbeddedPostgres) -> Iterator[str]:
    """Another database on the same server."""
    yield any_postgres.create_database("recreated")
    any_postgres.drop_database("recreated")


def remake(catalog: Catalog, url: str) -> list[str]:
    with psycopg.connect(url, autocommit=True) as conn:
        return run(conn, catalog)


def comparable(catalog: Catalog) -> list[Table]:
    """What must be equal: all but oids, and the constants that only a table with a history has."""
    return [
        replace(table, oid=0, columns=tuple(replace(c, missing_value=None) for c in table.columns))
        for table in catalog.tables
    ]


def test_a_rich_schema_comes_out_the_same(rich: str, empty: str) -> None:
    original = read(rich)
    # By way of a snapshot, as in CI.
    notes = remake(load_catalog(dumps(original)), empty)
    assert notes == []
    again = read(empty)
    for ours, theirs in zip(comparable(again), comparable(original), strict=True):
        assert ours == theirs


def test_making_it_twice_gives_the_same_statements(rich: str) -> None:
    assert recreate(read(rich)) == recreate(read(rich))


def test_an_old_schema_comes_out_on_a_newer_server(postgres_16: EmbeddedPostgres, database: str) -> None:
    url = postgres_16.create_database("old")
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k)")
            conn.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
        original = read(url)
    finally:
        postgres_16.drop_database("old")
    assert remake(original, database) == []
    assert [t.partition_bound for t in read(database).tables] == ["", "FOR VALUES IN (1)"]


def test_extension_types_come_with_their_extension(
    any_postgres: EmbeddedPostgres, any_database: str, empty: str
) -> None:
    with psycopg.connect(any_database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA ext")
        conn.execute("CREATE EXTENSION vector SCHEMA ext")
        conn.execute("CREATE TABLE t (a ext.vector(3), b ext.vector[])")
    assert remake(read(any_database), empty) == []
    assert comparable(read(empty)) == comparable(read(any_database))


def test_a_type_the_server_does_not_have_is_one_clear_line(database: str) -> None:
    citext = PgType("citext", "public.citext", schema="public")
    catalog = Catalog((Table(1, "public", "t", (Column("a", 1, citext),)),))
    with pytest.raises(MigrationError, match=r'extension "citext" is not available.*--shadow-url') as caught:
        remake(catalog, database)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_had_is_noted_and_the_rest_is_there(database: str) -> None:
    integer = PgType("int4", "integer")
    tables = (
        Table(1, "s", "a", (Column("x", 1, integer, default="s.gone()"), Column("y", 2, integer))),
        Table(2, "s", "b", (Column("x", 1, integer, default="s.gone()", generated="s"),)),
        Table(3, "s", "c", (Column("x", 1, integer),), partition_of=None, kind="p"),
        Table(4, "s", "d", (Column("x", 1, integer),), kind="p", partition_key="RANGE (s.gone(x))"),
    )
    notes = remake(Catalog(tables), database)
    assert sorted(notes) == [
        "s.a.x: without its default s.gone()",
        "s.b: made without its generated columns and its partitioning",
        "s.c: made as a plain table, its partition key is not known",
        "s.d: made without its generated columns and its partitioning",
    ]
    assert [[c.name for c in t.columns] for t in read(database).tables] == [["x", "y"], ["x"], ["x"], ["x"]]


def test_many_tables_do_not_run_out_of_locks(database: str) -> None:
    integer = PgType("int4", "integer")
    columns = tuple(Column(f"c{n}", n, integer) for n in range(1, 4))
    catalog = Catalog(tuple(Table(n, "s", f"t{n:04}", columns) for n in range(3000)))
    remake(catalog, database)
    assert len(read(database).tables) == 3000


def test_placeholders_avoid_the_names_of_columns(database: str) -> None:
    catalog = Catalog((Table(1, "s", "t", (Column("dropped_1", 2, PgType("int4", "integer")),)),))
    remake(catalog, database)
    assert [(c.name, c.attnum) for c in read(database).tables[0].columns] == [("dropped_1", 2)]
    assert all(re.match(r"[A-Z]", step.sql) for step in recreate(catalog))
