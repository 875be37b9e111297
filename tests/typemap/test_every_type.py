"""There is a decision for everything that a fresh PostgreSQL has, and for what can be made of it."""

from __future__ import annotations

import psycopg

from driftguard.aurora.introspect import introspect
from driftguard.model.catalog import PgType
from driftguard.model.emission import Loss
from driftguard.model.settings import EndpointSettings
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import deliver, first_row, land

# Types that no table of a business has; they fall to the last row, which says that nobody knows.
SYSTEM = {
    "aclitem", "gtsvector", "int2vector", "oidvector", "pg_snapshot", "refcursor", "regclass", "regcollation", "regconfig",
    "regdictionary", "regnamespace", "regoper", "regoperator", "regproc", "regprocedure", "regrole", "regtype",
    "pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
}  # fmt: skip
EVERY = """
SELECT format_type(oid, NULL), typarray <> 0 FROM pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A' ORDER BY 1
"""


def _all(database: str) -> list[PgType]:
    """Every type as a column, and a domain, an array, and a composite over each that allows it."""
    with psycopg.connect(database, autocommit=True) as connection:
        names = connection.execute(EVERY).fetchall()
        for number, (name, has_array) in enumerate(names):
            connection.execute(f"CREATE DOMAIN d{number} AS {name}".encode())
            connection.execute(f"CREATE TYPE c{number} AS (a {name})".encode())
            array = f", b {name}[]" if has_array else ""
            connection.execute(
                f"CREATE TABLE t{number} (a {name}{array}, c d{number}, d c{number}, e d{number}[])".encode()
            )
        assert len(names) > 60
        return [column.type for table in introspect(connection).tables for column in table.columns]


def test_every_type_has_a_decision_with_its_loss_and_who_says_so(database: str) -> None:
    types = _all(database)
    undecided = set()
    for pg in types:
        row = first_row(shipped(), pg, EndpointSettings())
        delivery = deliver(shipped(), pg, EndpointSettings())
        found = land(shipped(), delivery.parquet, pg, EndpointSettings())
        hops = delivery.hops + (found.hops if found else ())
        assert all(hop.source and hop.proven_by for hop in hops), pg
        assert found is not None or hops[0].loss is Loss.NOT_DELIVERED, pg
        if row is shipped().rows["postgres_to_dms"][-1]:
            if pg.kind != "d":  # a domain over a range or an enum is one more thing that AWS does not list
                undecided.add(pg.name)
            assert delivery.hops[0].loss is Loss.UNKNOWN
    assert undecided <= SYSTEM, undecided - SYSTEM


def test_a_domain_is_never_called_certain(database: str) -> None:
    """AWS does not list domains, whatever they are made of."""
    for pg in _all(database):
        if pg.kind == "d":
            hop = deliver(shipped(), pg, EndpointSettings()).hops[0]
            assert (hop.loss is not Loss.EXACT, hop.proven_by) == (True, "stand-in only"), pg
