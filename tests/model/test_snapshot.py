"""Snapshots: nothing is lost on the way to the file and back, and a bad file is one clear line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftguard.errors import SnapshotError
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table, Unseen
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.snapshot import dumps, kind_of, load_catalog, load_estate
from driftguard.model.snowflake import (
    Ancestor,
    Consumer,
    Estate,
    FileFormat,
    Milestone,
    Pipe,
    Procedure,
    SfColumn,
    SfTable,
    SfType,
    Stage,
    Tag,
    Task,
)

text = st.text(max_size=8)
maybe = st.none() | text
number = st.integers(0, 2**63)
texts = st.lists(text, max_size=3).map(tuple)
table_names = st.builds(TableName, text, text)
object_names = st.builds(ObjectName, text, text, text)
unseen = st.lists(st.builds(Unseen, text, text), max_size=2).map(
    lambda u: tuple(sorted(u, key=lambda x: (x.what, x.reason)))
)

pg_types = st.builds(PgType, text, text, text, st.integers(-1, 2**31), text, text, texts, text, text)
columns = st.builds(Column, text, st.integers(1, 1600), pg_types, st.booleans(), maybe, maybe, text, text, text, maybe)
keys = st.builds(Key, text, texts, st.booleans(), st.booleans())
tables = st.builds(
    Table,
    oid=number,
    schema=text,
    name=text,
    columns=st.lists(columns, max_size=4).map(tuple),
    kind=st.sampled_from("rp"),
    persistence=text,
    primary_key=st.none() | keys,
    unique_keys=st.lists(keys, max_size=2).map(tuple),
    replica_identity=text,
    replica_index=text,
    partition_of=st.none() | table_names,
    partition_key=text,
    partition_bound=text,
    inherits=st.lists(table_names, max_size=2).map(tuple),
    comment=maybe,
)
catalogs = st.builds(
    Catalog,
    tables=st.lists(tables, max_size=3, unique_by=lambda t: (t.schema, t.name)).map(
        lambda ts: tuple(sorted(ts, key=lambda t: (t.schema, t.name)))
    ),
    database=text,
    database_oid=number,
    system_identifier=text,
    server_version=text,
    captured_at=text,
    unseen=unseen,
)


def named(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """Lists of things with different names, in the order a snapshot has them."""
    return st.lists(strategy, max_size=3, unique_by=lambda x: x.name).map(
        lambda xs: tuple(sorted(xs, key=lambda x: x.name))
    )


optional_number = st.none() | number
sf_types = st.builds(SfType, text, optional_number, optional_number, optional_number)
tags = st.lists(st.builds(Tag, object_names, text), max_size=2).map(tuple)
sf_columns = st.builds(
    SfColumn, text, sf_types, st.booleans(), maybe, maybe, st.booleans(), st.none() | object_names, tags
)
estates = st.builds(
    Estate,
    tables=named(
        st.builds(
            SfTable,
            object_names,
            st.lists(sf_columns, max_size=4).map(tuple),
            text,
            texts,
            maybe,
            st.booleans(),
            optional_number,
            optional_number,
            st.none() | object_names,
        )
    ),
    consumers=named(st.builds(Consumer, object_names, text, object_names)),
    looked=st.lists(text, max_size=3, unique=True).map(lambda r: tuple(sorted(r))),
    pipes=named(st.builds(Pipe, object_names, text, maybe, maybe, maybe)),
    tasks=named(st.builds(Task, object_names, text, text, maybe, maybe, texts, maybe)),
    procedures=named(st.builds(Procedure, object_names, text, maybe, maybe)),
    file_formats=named(
        st.builds(FileFormat, object_names, text, st.lists(st.tuples(text, text), max_size=2).map(tuple))
    ),
    stages=named(st.builds(Stage, object_names, text)),
    schemas=st.lists(st.tuples(text, text), max_size=2).map(lambda s: tuple(sorted(s))),
    revisions=st.lists(text, max_size=3, unique=True).map(lambda r: tuple(sorted(r))),
    unseen=unseen,
    account=text,
    role=text,
    captured_at=text,
)
relaxed = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@given(catalogs)
@relaxed
def test_a_catalog_comes_back_as_it_went(catalog: Catalog) -> None:
    written = dumps(catalog)
    assert load_catalog(written) == catalog
    assert dumps(load_catalog(written)) == written
    assert kind_of(written) == "aurora"


@given(estates)
@relaxed
def test_an_estate_comes_back_as_it_went(estate: Estate) -> None:
    written = dumps(estate)
    assert load_estate(written) == estate
    assert dumps(load_estate(written)) == written
    assert kind_of(written) == "snowflake"


INT = PgType("int4", "integer")
ORDERS = Table(
    10, "shop", "orders", (Column("id", 1, INT, nullable=False), Column("note", 2, PgType("text", "text"), storage="x"))
)
CATALOG = Catalog(
    (dataclasses.replace(ORDERS, oid=11, name="a"), ORDERS), database="d", captured_at="2026-01-01T00:00:00Z"
)


def test_what_the_control_schema_knows_comes_back_in_order() -> None:
    """Columns of one landing, and what has passed."""
    orders = TableName("shop", "orders")
    ancestors = tuple(Ancestor("DB.FINAL.ORDERS", "1", 5, orders, 1000, f"c{n}", n) for n in range(3))
    estate = Estate(ancestors=ancestors, milestones=(Milestone("a", "2026-01-01"), Milestone("b")))
    assert load_estate(dumps(dataclasses.replace(estate, ancestors=ancestors[::-1]))) == estate


def test_the_order_in_which_tables_come_makes_no_difference() -> None:
    assert dumps(dataclasses.replace(CATALOG, tables=CATALOG.tables[::-1])) == dumps(CATALOG)


def test_one_changed_column_is_one_changed_line() -> None:
    changed = dataclasses.replace(ORDERS, columns=(*ORDERS.columns, Column("more", 3, INT)))
    before = dumps(CATALOG).splitlines()
    after = dumps(dataclasses.replace(CATALOG, tables=(CATALOG.tables[0], changed))).splitlines()
    assert len(after) == len(before) + 1
    assert len([line for line in after if line.rstrip(",") not in {b.rstrip(",") for b in before}]) == 1


def test_default_values_are_left_out() -> None:
    document = json.loads(dumps(CATALOG))
    assert document["tables"][0]["columns"][0] == {"name": "id", "attnum": 1, "type": "integer", "nullable": False}
    assert "unseen" not in document


def test_two_types_of_one_text_stay_two() -> None:
    one, two = PgType("t", "s.t", schema="s"), PgType("t", "s.t", schema="s", enum_labels=("a",))
    table = dataclasses.replace(ORDERS, columns=(Column("a", 1, one), Column("b", 2, two)))
    catalog = dataclasses.replace(CATALOG, tables=(table,))
    assert load_catalog(dumps(catalog)) == catalog


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: "", "f.json is not JSON (line 1 column 1)"),
        (lambda d: dumps(CATALOG)[:-40], "f.json is not JSON"),
        (lambda d: "{\n<<<<<<< HEAD\n}", "merge conflict"),
        (lambda d: "[]", "f.json is not a driftguard snapshot"),
        (lambda d: "[" * 100_000, "f.json is"),
        (lambda d: "1" * 10_000, "f.json is not"),
        (lambda d: json.dumps({"tables": []}), "f.json is not a driftguard snapshot"),
        (lambda d: json.dumps(d | {"driftguard_snapshot": 2}), "version 2, this driftguard reads version 1"),
        (lambda d: json.dumps(d | {"driftguard_snapshot": "1"}), 'version "1"'),
        (lambda d: json.dumps(d | {"driftguard_snapshot": True}), "version true"),
        (lambda d: json.dumps(d | {"kind": "oracle"}), 'kind "oracle"'),
        (lambda d: json.dumps(d | {"kind": "snowflake"}), "kind snowflake, and one of kind aurora is needed"),
        (lambda d: json.dumps(d | {"kind": ["aurora"]}), "kind"),
        (lambda d: json.dumps(d | {"sparkle": 1}), 'no field "sparkle"'),
        (lambda d: json.dumps(d | {"database_oid": "1"}), '"1" is not of type int'),
        (lambda d: json.dumps(d | {"database_oid": True}), "true is not of type int"),
        (lambda d: json.dumps(d | {"database": None}), "null is not a text"),
        (lambda d: json.dumps(d | {"tables": {}}), "not a list"),
        (lambda d: json.dumps(d | {"tables": [1]}), "1 is not a table"),
        (lambda d: json.dumps(d | {"tables": [{"name": "t", "schema": "s"}]}), "a table lacks oid, columns"),
        (lambda d: json.dumps(d | {"types": []}), "types: not an object"),
        (lambda d: json.dumps(d | {"types": {}}), 'type "integer" is not under types'),
        (lambda d: json.dumps(d | {"types": {"integer": {"name": 1}}}), "types.integer"),
    ],
)
def test_a_bad_file_is_one_clear_line(damage: object, message: str) -> None:
    bad = damage(json.loads(dumps(CATALOG)))  # type: ignore[operator]
    with pytest.raises(SnapshotError) as caught:
        load_catalog(bad, "f.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("f.json")


def test_a_place_in_a_damaged_file_is_named() -> None:
    document = json.loads(dumps(CATALOG))
    document["tables"][1]["columns"][0]["attnum"] = "one"
    with pytest.raises(SnapshotError, match=r"tables: columns of orders: attnum of id: \"one\" is not of type int"):
        load_catalog(json.dumps(document))


def test_importing_the_module_loads_nothing_heavy() -> None:
    code = (
        "import sys, driftguard.model.snapshot;"
        "print([m for m in ('pydantic', 'psycopg', 'sqlalchemy', 'alembic', 'snowflake', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
