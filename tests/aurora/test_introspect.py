"""What one query on pg_catalog tells, checked on real servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from driftguard.aurora.connect import connect
from driftguard.aurora.introspect import _collect, introspect, read_rows
from driftguard.errors import UnreachableError
from driftguard.model.catalog import Catalog, Column, Key, Table, Unseen
from driftguard.model.identifiers import TableName


@pytest.fixture
def catalog(rich: str) -> Catalog:
    with connect(rich) as conn:
        return introspect(conn)


def table(catalog: Catalog, schema: str, name: str) -> Table:
    found = catalog.table(TableName(schema, name))
    assert found is not None, f"{schema}.{name} not in {[str(t.id) for t in catalog.tables]}"
    return found


def column(table: Table, name: str) -> Column:
    found = table.column(name)
    assert found is not None
    return found


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def read(url: str, **options: object) -> Catalog:
    with connect(url) as conn:
        return introspect(conn, **options)  # type: ignore[arg-type]


def test_tables_are_sorted_and_artefacts_stay_out(catalog: Catalog) -> None:
    names = [(t.schema, t.name) for t in catalog.tables]
    assert names == sorted(names)
    assert ("public", "awsdms_ddl_audit") not in names
    assert ("public", "a_view") not in names
    assert {schema for schema, _ in names} == {"public", "shop", 'Sch "q" ü'}


def test_the_database_says_who_it_is(catalog: Catalog, rich: str) -> None:
    with psycopg.connect(rich) as conn:
        row = conn.execute(
            "SELECT current_database(), (SELECT oid FROM pg_database WHERE datname = current_database()), "
            "(SELECT system_identifier::text FROM pg_control_system()), current_setting('server_version')"
        ).fetchone()
    assert (catalog.database, catalog.database_oid, catalog.system_identifier, catalog.server_version) == row
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", catalog.captured_at)
    assert catalog.unseen == ()


def test_dropped_columns_leave_gaps_in_the_numbers(catalog: Catalog) -> None:
    orders = table(catalog, "shop", "orders")
    assert [c.attnum for c in orders.columns] == [1, *range(3, len(orders.columns) + 2)]
    assert orders.column("junk") is None


def test_types_with_their_limits(catalog: Catalog) -> None:
    orders = table(catalog, "shop", "orders")
    amount = column(orders, "amount").type
    assert (amount.name, amount.precision, amount.scale, amount.text) == ("numeric", 12, 4, "numeric(12,4)")
    assert column(orders, "bare").type.precision is None
    assert [column(orders, n).type.length for n in ("v", "c", "b", "vb")] == [20, 3, 4, 7]
    assert column(orders, "t").type.typmod == 3
    assert column(orders, "t0").type.typmod == 0
    assert column(orders, "t0").type.text == "timestamp(0) with time zone"
    assert (column(orders, "matrix").type.element, column(orders, "matrix").type.is_array) == ("int4", True)
    assert column(orders, "address").type.kind == "c"
    assert column(orders, "span").type.kind == "r"


def test_domains_show_the_type_that_holds_the_value(catalog: Catalog) -> None:
    price = column(table(catalog, "shop", "orders"), "price")
    assert (price.type.kind, price.type.name, price.type.text) == ("d", "special_price", "shop.special_price")
    assert (price.type.resolved, price.type.precision, price.type.scale) == ("numeric", 10, 2)
    assert price.type.base_text == "numeric(10,2)"
    assert not price.nullable, "the domain below the domain is NOT NULL"
    assert price.default == "1.5", "the domain's default is the column's"
    numbers = column(table(catalog, "shop", "orders"), "numbers").type
    assert (numbers.resolved, numbers.element) == ("_int4", "int4")
    state = column(table(catalog, "shop", "orders"), "state").type
    assert (state.resolved, state.enum_labels[:2]) == ("status", ("draft", "new"))


def test_enum_labels_come_in_their_own_order(catalog: Catalog) -> None:
    orders = table(catalog, "shop", "orders")
    status = column(orders, "status").type
    assert (status.kind, status.schema, status.enum_labels) == ("e", "shop", ("draft", "new", "paid", 'it\'s "x"'))
    statuses = column(orders, "statuses").type
    assert (statuses.is_array, statuses.element, statuses.enum_labels) == (True, "status", status.enum_labels)


def test_defaults_identity_and_generated_columns(catalog: Catalog) -> None:
    orders = table(catalog, "shop", "orders")
    assert column(orders, "id").identity == "a"
    assert (column(orders, "doubled").generated, column(orders, "doubled").default) == ("s", "(1 + 1)")
    assert column(orders, "status").default == "'new'::shop.status"
    assert column(orders, "tz").default == "now()"
    assert column(table(catalog, "shop", "serials"), "id").default == "nextval('shop.serials_id_seq'::regclass)"
    assert column(table(catalog, "public", "numbered"), "id").identity == "d"


def test_comments_and_storage(catalog: Catalog) -> None:
    orders = table(catalog, "shop", "orders")
    assert orders.comment == "the orders"
    assert column(orders, "v").comment == "a 'v' \\ and\na line"
    assert [column(orders, n).storage for n in ("id", "v", "big", "amount")] == ["p", "x", "e", "m"]


def test_keys_in_key_order(catalog: Catalog) -> None:
    hostile = table(catalog, 'Sch "q" ü', "T a.b")
    assert hostile.primary_key == Key("T a.b_pkey", ("ü", "Id"))
    assert hostile.unique_keys == (Key('ix "q', ("a" * 63,), constraint=False),)
    orders = table(catalog, "shop", "orders")
    assert orders.primary_key == Key("orders_pkey", ("id",))
    assert orders.unique_keys == (
        Key("orders_amount", ("amount",), deferrable=True),
        Key("orders_c_v", ("c", "v"), constraint=False),
        Key("orders_v_c", ("v", "c")),
    ), "an index with WHERE or on an expression is no key, an INCLUDE column is no part of one"


def test_replica_identity(catalog: Catalog) -> None:
    hostile = table(catalog, 'Sch "q" ü', "T a.b")
    assert (hostile.replica_identity, hostile.replica_index) == ("i", 'ix "q')
    assert table(catalog, "shop", "serials").replica_identity == "f"
    assert table(catalog, "public", "cache").replica_identity == "n"
    assert table(catalog, "shop", "orders").replica_identity == "d"


def test_partitions_know_their_parent_and_their_bound(catalog: Catalog) -> None:
    assert (table(catalog, "public", "events").kind, table(catalog, "public", "events").partition_key) == (
        "p",
        "RANGE (at)",
    )
    rest = table(catalog, "public", "events_rest")
    assert (rest.kind, rest.partition_of, rest.partition_bound) == ("p", TableName("public", "events"), "DEFAULT")
    leaf = table(catalog, "public", "events_rest_0")
    assert leaf.partition_of == TableName("public", "events_rest")
    assert leaf.partition_bound == "FOR VALUES WITH (modulus 1, remainder 0)"
    assert leaf.inherits == ()


def test_inheritance_is_not_partitioning(catalog: Catalog) -> None:
    kid = table(catalog, "public", "kid")
    assert (kid.partition_of, kid.inherits) == (None, (TableName("public", "parent"),))
    assert [c.name for c in kid.columns] == ["a", "b", "c"]


def test_persistence(catalog: Catalog) -> None:
    assert table(catalog, "public", "cache").persistence == "u"
    assert table(catalog, "public", "no_columns").columns == ()


@pytest.mark.parametrize(
    ("addition", "shown"),
    [
        ("timestamptz DEFAULT '2020-01-01 02:00+02'", "2020-01-01 00:00:00+00"),
        ("int[] DEFAULT '{1,2}'", "{1,2}"),
        ("text DEFAULT 'a,\"b\" \\ {}'", 'a,"b" \\ {}'),
        ("text DEFAULT ''", ""),
        ("text DEFAULT 'NULL'", "NULL"),
        ("bytea DEFAULT '\\x00ff'", "\\x00ff"),
        ("float8 DEFAULT 0.1", "0.1"),
        ("interval DEFAULT '1 day 2 hours'", "1 day 02:00:00"),
        ("timestamptz DEFAULT clock_timestamp()", None),
        ("int", None),
    ],
)
def test_the_constant_that_old_rows_show(any_database: str, addition: str, shown: str | None) -> None:
    with psycopg.connect(any_database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int)")
        conn.execute("INSERT INTO t VALUES (1)")
        conn.execute(f"ALTER TABLE t ADD COLUMN c {addition}".encode())
        conn.execute("SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'iso_8601'")
        catalog = introspect(conn)
        assert column(table(catalog, "public", "t"), "c").missing_value == shown
        assert conn.execute("SHOW DateStyle").fetchone() == ("German, DMY",), "the session is as it was"


def test_names_are_qualified_whatever_the_search_path(any_database: str) -> None:
    run(any_database, "CREATE SCHEMA s", "CREATE TYPE s.e AS ENUM ('a')", "CREATE TABLE s.t (c s.e DEFAULT 'a')")
    with psycopg.connect(any_database) as conn:
        conn.execute("SET search_path = s, public")
        found = column(table(introspect(conn), "s", "t"), "c")
        assert (found.type.text, found.default) == ("s.e", "'a'::s.e")
        assert conn.execute("SHOW search_path").fetchone() == ("s, public",)


def test_it_sees_the_callers_open_transaction_and_leaves_it_open(any_database: str) -> None:
    with psycopg.connect(any_database) as conn:
        conn.execute("CREATE TABLE mine (a int)")
        assert introspect(conn).table(TableName("public", "mine")) is not None
        conn.rollback()
        assert introspect(conn).table(TableName("public", "mine")) is None


def test_only_the_named_schemas_and_a_missing_one_is_told(rich: str) -> None:
    catalog = read(rich, schemas=["shop", "no such"])
    assert {t.schema for t in catalog.tables} == {"shop"}
    assert catalog.unseen == (Unseen("schema no such", "there is no such schema in this database"),)
    assert read(rich, schemas=[]).tables == ()


def test_temporary_tables_and_tables_of_extensions_stay_out(any_database: str) -> None:
    with psycopg.connect(any_database, autocommit=True) as conn:
        conn.execute("CREATE TABLE owned (a int)")
        conn.execute("CREATE EXTENSION vector")
        conn.execute("ALTER EXTENSION vector ADD TABLE owned")
        conn.execute("CREATE TEMP TABLE gone (a int)")
        conn.execute("CREATE TABLE kept (v vector(3))")
        catalog = introspect(conn)
    assert [t.name for t in catalog.tables] == ["kept"]
    kept = column(catalog.tables[0], "v").type
    assert (kept.name, kept.schema, kept.text) == ("vector", "public", "public.vector(3)")


@pytest.fixture
def reader(rich: str) -> Iterator[str]:
    """The URL of the same database for a role that may read little."""
    name = "dms_reader"
    parts = urlsplit(rich)
    run(rich, f"CREATE ROLE {name} LOGIN PASSWORD 'pw'", f"GRANT USAGE ON SCHEMA shop TO {name}")
    run(rich, f"GRANT SELECT ON shop.orders TO {name}", f"GRANT SELECT (id) ON shop.serials TO {name}")
    run(rich, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    yield f"postgresql://{name}:pw@{parts.hostname}:{parts.port}{parts.path}"
    run(rich, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_what_the_role_may_not_read_is_listed_and_told(reader: str) -> None:
    catalog = read(reader)
    unseen = {u.what: u.reason for u in catalog.unseen}
    assert unseen['schema Sch "q" ü'] == "role dms_reader has no USAGE on it"
    assert unseen["table shop.serials"] == "role dms_reader may SELECT only some of its columns"
    assert unseen["table public.events"] == "role dms_reader may not SELECT it"
    assert "table shop.orders" not in unseen
    assert table(catalog, 'Sch "q" ü', "T a.b").columns, "pg_catalog shows it without any grant"
    assert catalog.system_identifier == "", "refused, and not an error"


def test_a_unique_index_whose_build_failed_is_no_key(any_database: str) -> None:
    run(any_database, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(any_database, "CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    assert read(any_database).tables[0].unique_keys == ()


def test_a_virtual_generated_column(database: str) -> None:
    run(database, "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)")
    found = column(read(database).tables[0], "b")
    assert (found.generated, found.default) == ("v", "(a * 2)")


def test_one_statement_reads_the_catalog(rich: str) -> None:
    with connect(rich) as conn:
        kinds = {row[0] for row in read_rows(conn)}
    assert kinds == {"c", "d", "k", "r", "y"}


def test_a_connection_that_broke_is_one_clear_line(any_database: str) -> None:
    with connect(any_database) as conn:
        with psycopg.connect(any_database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])
        with pytest.raises(UnreachableError) as caught:
            introspect(conn)
    assert "\n" not in str(caught.value)


def test_rows_may_come_in_any_order(rich: str) -> None:
    with connect(rich) as conn:
        rows = read_rows(conn)
        expected = _collect(rows)
        assert _collect(rows[::-1])[0] == expected[0]
        for oid, raw in _collect(sorted(rows, key=lambda row: (row[0], row[2]))[::-1])[1].items():
            same = expected[1][oid]
            assert sorted(raw.columns, key=lambda c: c.attnum) == sorted(same.columns, key=lambda c: c.attnum)
            assert raw.cells == same.cells
