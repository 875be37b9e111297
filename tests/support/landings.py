"""Catalogs that are hard on whoever writes SQL: hostile names, every kind of key, every cast."""

from __future__ import annotations

import dataclasses

from builders import ENDPOINT, POLICY, RULES, context, landed, numeric, plain, table, varchar
from driftguard.drift.context import Context
from driftguard.emission.mapping_document import parse_mappings
from driftguard.model.catalog import Key, PgType, Table
from driftguard.model.emission import Loss
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.policy import Masking, Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import Estate, SfColumn, SfTable, SfType
from driftguard.typemap.load import Match, Override, Row, TypeMaps, shipped

LONG = "ein langer Name mit „Anführung“ und Blanks, 63 Bytes "
LONG += "x" * (63 - len(LONG.encode()))
assert len(LONG.encode()) == 63
NAMES = ('o"dd ', "Ünïcode'ß 日本", "select", "a\nb", "back\\slash", "per%cent%s", ":since", "semi;colon -- no", LONG)
TYPES: tuple[tuple[str, PgType], ...] = (
    ("flag", plain("bool")),
    ("doc", plain("jsonb")),
    ("at", plain("timestamptz")),
    ("total", numeric(10, 2)),
    ("huge", numeric(50, 3)),
    ("name", varchar(40)),
    ("bytes", plain("bytea")),
    ("day", plain("date")),
    ("clock", plain("time")),
    ("ratio", plain("float8")),
    ("stamp", plain("timestamp")),
    ("order", plain("text")),
)


def hostile(name: str, oid: int) -> Table:
    """A table of that name, with a column and a key column of that name too."""
    return table(name, ("flag", plain("bool")), (name, varchar(30)), key=("id", name), oid=oid)


TABLES: tuple[Table, ...] = (
    table("orders", *TYPES),
    dataclasses.replace(
        table("all_key", ("b", varchar(10)), key=("b", "id")), primary_key=Key("pk", ("b", "id")), oid=1001
    ),
    table("Quoted Key", ('k"1', varchar(8)), key=('k"1',), oid=1002),
    *(hostile(name, 2000 + index) for index, name in enumerate(NAMES)),
)

# Casts that the shipped type maps do not ask for, but a project's own overrides can.
_FORCED = {
    Cast.BOOLEAN: "BOOLEAN",
    Cast.JSON: "VARIANT",
    Cast.NUMBER: "NUMBER(38,4)",
    Cast.FLOAT: "FLOAT",
    Cast.DATE: "DATE",
    Cast.TIME: "TIME(9)",
    Cast.TIMESTAMP: "TIMESTAMP_NTZ(9)",
    Cast.HEX: "BINARY(67108864)",
}
_TYPES = {Cast.UTC: "timestamptz", Cast.MOMENT: "timestamptz", Cast.WALL_CLOCK: "timestamp"}
CASTS = table("casts", *((f"c_{cast.value}", plain(_TYPES.get(cast, "text"))) for cast in Cast), oid=3000)
_MARKED = Row(
    match=Match(dms=("DATETIME",)),
    type="TIMESTAMP_UTC({p})",
    loss=Loss.EXACT,
    source="a test",
    proven_by="footer sample",
)


def every_cast(*, marked: bool = False) -> TypeMaps:
    """The shipped maps, and an override of `shop.casts` for each cast that they do not ask for. `marked`: a footer
    showed timestamps adjusted to UTC, which asks for the casts of moments."""
    overrides = [
        Override(column=f"shop.casts.c_{cast.value}", final=final, cast=cast, reason="to see its SQL")
        for cast, final in _FORCED.items()
    ]
    rows = shipped().rows
    if marked:
        rows = rows | {"dms_to_parquet": (_MARKED, *rows["dms_to_parquet"])}
    return TypeMaps(rows, tuple(overrides))


def kept(estate: Estate) -> Estate:
    """The estate after Aurora dropped columns of `orders`: Snowflake still has them, staged as text."""
    extra = {f"OLD_{t.base}": t for t in _KEPT}

    def grown(item: SfTable) -> SfTable:
        if not item.name.name.startswith("ORDERS"):
            return item
        text = SfType("VARCHAR", length=134_217_728)
        staged = item.name.schema == POLICY.staging_schema
        added = tuple(SfColumn(name, text if staged else type_) for name, type_ in extra.items())
        return dataclasses.replace(item, columns=item.columns + added)

    return dataclasses.replace(estate, tables=tuple(grown(t) for t in estate.tables))


_KEPT = (
    SfType("DATE"),
    SfType("TIME", precision=9),
    SfType("TIMESTAMP_NTZ", precision=9),
    SfType("FLOAT"),
    SfType("BINARY", length=67_108_864),
    SfType("VARIANT"),
    SfType("BOOLEAN"),
    SfType("NUMBER", precision=38, scale=3),
)


def dms(*, at_start: bool = True, change_seq: bool = True) -> DmsTask:
    """A task with or without the start of the load as commit time, with or without a change sequence."""
    endpoint = dataclasses.replace(ENDPOINT, use_task_start_time_for_full_load_timestamp=at_start)
    rules = RULES if change_seq else RULES[:1]
    return DmsTask("dms", parse_mappings({"rules": rules}), endpoint)


def policies() -> tuple[Policy, ...]:
    """With and without a warehouse; with ordinary and with hostile schema names."""
    serverless = dataclasses.replace(POLICY, warehouse="")
    odd = dataclasses.replace(
        POLICY,
        database='d"b',
        staging_schema="stage 1",
        final_schema="final'ly",
        control_schema='dr"ift',
        stage="Raw.dms stage",
        stage_path="a b/c'd",
        warehouse='w"h',
        masking=(Masking("flag", ObjectName('d"b', "g", "it's")), Masking("*", None)),
    )
    return POLICY, serverless, odd


def contexts() -> list[tuple[Context, Estate]]:
    """Contexts to plan in, with the estate that each is about."""
    grown = dataclasses.replace(
        TABLES[0], columns=(*TABLES[0].columns, dataclasses.replace(TABLES[0].columns[1], name="late", attnum=99))
    )
    plain_, serverless, odd = policies()
    found = [context(*TABLES, policy=plain_), context(TABLES[1], policy=serverless), context(*TABLES[1:4], policy=odd)]
    found += [context(CASTS, maps=every_cast()), context(CASTS, maps=every_cast(marked=True))]
    found += [
        context(TABLES[1], dms=dms(at_start=at_start, change_seq=change_seq))
        for at_start in (True, False)
        for change_seq in (True, False)
    ]
    found.append(_uncertain(TABLES[0]))
    found.append(_uncertain(*TABLES[3:6]))
    soft = dataclasses.replace(plain_, soft_delete=True, on_null_update="keep")
    found.append(context(TABLES[0], policy=soft))
    there = landed(TABLES[0])
    found.append(context(grown, estate=there))
    found.append(context(TABLES[0], estate=kept(there)))
    found.append(context(TABLES[0], estate=_narrow(there)))
    return [(item, item.estate) for item in found]


def _uncertain(*items: Table) -> Context:
    """Everything that makes a merge long: large values that are kept, before-images, a key checked at the end."""
    before: dict[str, object] = {
        "rule-type": "transformation",
        "rule-id": "9",
        "rule-name": "9",
        "rule-target": "column",
        "rule-action": "add-before-image-columns",
        "object-locator": {"schema-name": "%", "table-name": "%"},
    }
    task = DmsTask("dms", parse_mappings({"rules": [*RULES, before]}), ENDPOINT)
    tables = (
        dataclasses.replace(
            item,
            columns=tuple(dataclasses.replace(c, storage="x") for c in item.columns),
            primary_key=dataclasses.replace(item.primary_key, deferrable=True) if item.primary_key else None,
        )
        for item in items
    )
    return context(*tables, dms=task, policy=dataclasses.replace(POLICY, on_null_update="keep"))


def _narrow(estate: Estate) -> Estate:
    """As somebody would have typed it: too short, and NOT NULL."""
    tables = tuple(
        dataclasses.replace(
            t,
            columns=tuple(
                dataclasses.replace(c, nullable=False, type=SfType("VARCHAR", length=2))
                if c.type.base == "VARCHAR"
                else c
                for c in t.columns
            ),
        )
        for t in estate.tables
    )
    return dataclasses.replace(estate, tables=tables)
