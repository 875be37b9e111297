"""Small catalogs, landings and estates for the tests of the pure rooms."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from driftguard.drift.context import Context, pair_up
from driftguard.drift.expect import expect
from driftguard.emission.emit import emit
from driftguard.emission.mapping_document import parse_mappings
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table, partition_roots
from driftguard.model.policy import Policy
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.model.snowflake import CONSUMERS, POLICIES, TAGS, Estate
from driftguard.plan.planner import Plan, make_plan
from driftguard.typemap.load import TypeMaps, shipped
from driftguard.typemap.resolve import Resolver

POLICY = Policy("DB", warehouse="WH")
RULES: list[dict[str, object]] = [
    {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "all",
        "rule-action": "include",
        "object-locator": {"schema-name": "shop", "table-name": "%"},
    },
    {
        "rule-type": "transformation",
        "rule-id": "2",
        "rule-name": "sequence",
        "rule-target": "column",
        "rule-action": "add-column",
        "value": "seq",
        "expression": "$AR_H_CHANGE_SEQ",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "data-type": {"type": "string", "length": 35},
    },
]
ENDPOINT = EndpointSettings(timestamp_column_name="commit_ts", use_task_start_time_for_full_load_timestamp=True)


KNOWN = TaskSettings(given=frozenset(("support_lobs",)))


def numeric(precision: int, scale: int) -> PgType:
    return PgType("numeric", f"numeric({precision},{scale})", typmod=((precision << 16) | (scale & 0x7FF)) + 4)


def varchar(length: int) -> PgType:
    return PgType("varchar", f"character varying({length})", typmod=length + 4)


def plain(name: str) -> PgType:
    return PgType(name, name)


def table(
    name: str = "orders",
    *columns: tuple[str, PgType],
    key: tuple[str, ...] = ("id",),
    schema: str = "shop",
    oid: int = 1000,
) -> Table:
    """A table with a bigint `id` first, GENERATED ALWAYS AS IDENTITY, then `columns`."""
    all_columns = (("id", plain("int8")), *columns)
    return Table(
        oid,
        schema,
        name,
        tuple(
            Column(n, i, t, nullable=n not in key, identity="a" if n == "id" else "")
            for i, (n, t) in enumerate(all_columns, start=1)
        ),
        primary_key=Key(f"{name}_pkey", key) if key else None,
    )


def task(
    *more: dict[str, object], endpoint: EndpointSettings = ENDPOINT, settings: TaskSettings | None = None
) -> DmsTask:
    return DmsTask("dms", parse_mappings({"rules": [*RULES, *more]}), endpoint, settings or KNOWN)


def context(
    *tables: Table,
    estate: Estate | None = None,
    dms: DmsTask | None = None,
    policy: Policy = POLICY,
    maps: TypeMaps | None = None,
    before: Catalog | None = None,
    more: Sequence[DmsTask] = (),
) -> Context:
    """Emit and expect `tables`, beside `estate`; `more` are tasks beside `dms`."""
    tasks = (dms or task(), *more)
    maps = maps or shipped()
    estate = estate or Estate()
    types = [(one, Resolver(maps, one.endpoint)) for one in tasks]
    roots = partition_roots(tables)
    emissions = [e for t in tables for one, r in types if (e := emit(t, one, r, root=roots.get(t.id))) is not None]
    expectation = expect(emissions, tasks, maps, policy)
    was = [e for t in before.tables for one, r in types if (e := emit(t, one, r))] if before else []
    return Context(
        expectation,
        pair_up(expectation.landings, estate),
        tasks,
        policy,
        estate,
        catalog=Catalog(tables),
        before=before,
        landed_before=expect(was, tasks, maps, policy).landings,
    )


def landed(*tables: Table, dms: DmsTask | None = None, policy: Policy = POLICY) -> Estate:
    """The estate that driftguard itself makes for `tables`, from nothing."""
    return applied(Estate(), make_plan(context(*tables, dms=dms, policy=policy)))


def applied(estate: Estate, plan: Plan) -> Estate:
    for operation in plan.operations:
        estate = operation.effect(estate)
    return as_shown(estate)


def as_shown(estate: Estate) -> Estate:
    """With what Snowflake prints for NULL_IF = ()."""
    formats = tuple(
        dataclasses.replace(f, options=tuple((k, "[]" if k == "NULL_IF" else v) for k, v in f.options))
        for f in estate.file_formats
    )
    return dataclasses.replace(estate, file_formats=formats, looked=(CONSUMERS, POLICIES, TAGS))
