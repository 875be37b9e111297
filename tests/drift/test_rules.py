"""Every rule: one context in which it fires, with what it says, and one in which it stays silent."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from builders import ENDPOINT, POLICY, RULES, context, landed, numeric, plain, table, task, varchar
from byhand_texts import WITHOUT_TOTAL, hand
from driftguard.drift.compare import all_rules, compare
from driftguard.drift.context import Context
from driftguard.drift.merging import merge_spec
from driftguard.emission.mapping_document import parse_mappings
from driftguard.merge.generate import generate
from driftguard.model.catalog import Catalog, Key, PgType, Table, Unseen
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.observed import Footer, NotSeen, Observed, ObservedColumn, Sighting
from driftguard.model.policy import ColumnPolicy, Masking, Named, Policy
from driftguard.model.settings import DmsTask, Remark, TaskSettings
from driftguard.model.snowflake import CastFailure, Estate, SfColumn, SfTable, SfType, Tag, ToRepair, View

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
STAGING, FINAL = "DB.STAGING.ORDERS_CDC", "DB.FINAL.ORDERS"
TEXT = SfType("VARCHAR", length=134_217_728)
CLEAN = landed(ORDERS)
RECORDS = dataclasses.replace(POLICY, staging_style="record")
RECORDED = landed(ORDERS, policy=RECORDS)
STARRED_NAME = ObjectName("DB", "FINAL", "V")
STARRED = dataclasses.replace(CLEAN, tables=(*CLEAN.tables, SfTable(STARRED_NAME, (SfColumn("ID", TEXT),), "VIEW")))
WITH_FLAG = table("orders", ("paid", plain("bool")))
FLAGGED = landed(WITH_FLAG)


# -- small changes of an estate -------------------------------------------------------------------------------------


def change_table(estate: Estate, name: str, change: Callable[[SfTable], SfTable | None]) -> Estate:
    """The estate with one table changed, or gone where `change` gives None."""
    tables = tuple(changed for t in estate.tables if (changed := change(t) if str(t.name) == name else t) is not None)
    return dataclasses.replace(estate, tables=tables)


def without_table(name: str, estate: Estate = CLEAN) -> Estate:
    return change_table(estate, name, lambda _: None)


def without_column(name: str, column: str, estate: Estate = CLEAN) -> Estate:
    return change_table(
        estate, name, lambda t: dataclasses.replace(t, columns=tuple(c for c in t.columns if c.name != column))
    )


def alter(name: str, column: str, estate: Estate = CLEAN, **change: Any) -> Estate:
    return change_table(
        estate,
        name,
        lambda t: dataclasses.replace(
            t, columns=tuple(dataclasses.replace(c, **change) if c.name == column else c for c in t.columns)
        ),
    )


def with_column(name: str, column: SfColumn, estate: Estate = CLEAN) -> Estate:
    return change_table(estate, name, lambda t: dataclasses.replace(t, columns=(*t.columns, column)))


def pipes(estate: Estate = CLEAN, **change: Any) -> Estate:
    return dataclasses.replace(estate, pipes=tuple(dataclasses.replace(p, **change) for p in estate.pipes))


def tasks(estate: Estate = CLEAN, **change: Any) -> Estate:
    return dataclasses.replace(estate, tasks=tuple(dataclasses.replace(t, **change) for t in estate.tasks))


def rekeyed(key: tuple[str, ...]) -> Estate:
    tables = (dataclasses.replace(t, primary_key=key if t.name.schema == "FINAL" else ()) for t in CLEAN.tables)
    return dataclasses.replace(CLEAN, tables=tuple(tables))


def option(key: str, value: str, estate: Estate = CLEAN) -> Estate:
    formats = tuple(
        dataclasses.replace(f, options=tuple((k, value if k == key else v) for k, v in f.options))
        for f in estate.file_formats
    )
    return dataclasses.replace(estate, file_formats=formats)


def on(estate: Estate, *items: Table, **more: Any) -> Context:
    return context(*(items or (ORDERS,)), estate=estate, **more)


def endpoint(**settings: Any) -> DmsTask:
    return task(endpoint=dataclasses.replace(ENDPOINT, **settings))


def settings(**values: Any) -> DmsTask:
    """A task with these settings read, and no others."""
    return task(settings=TaskSettings(**values, given=frozenset(values)))


def filtered(*columns: str) -> DmsTask:
    """A task that takes the rows that pass a filter on these columns."""
    condition = [{"filter-operator": "gte", "value": "1"}]
    filters = [{"filter-type": "source", "column-name": c, "filter-conditions": condition} for c in columns]
    return DmsTask("dms", parse_mappings({"rules": [RULES[0] | {"filters": filters}, RULES[1]]}), ENDPOINT)


def _on(column: str, action: str, number: str = "10", table: str = "orders") -> dict[str, object]:
    return {
        "rule-type": "transformation",
        "rule-id": number,
        "rule-name": number,
        "rule-target": "column",
        "rule-action": action,
        "object-locator": {"schema-name": "shop", "table-name": table, "column-name": column},
    }


def masked(column: str, action: str) -> DmsTask:
    return task(_on(column, action))


def identified_by(*columns: str) -> Table:
    """ORDERS with a unique index on these columns as replica identity."""
    index = Key("orders_identity", columns, constraint=False)
    return dataclasses.replace(ORDERS, unique_keys=(index,), replica_identity="i", replica_index="orders_identity")


def migrated(before: Table, after: Table | None) -> Context:
    """A proposal: the same database before and after a migration, and Snowflake as it is for `before`."""
    items = () if after is None else (after,)
    return context(*items, estate=landed(before), before=Catalog((before,)))


def footer(*columns: tuple[str, str], name: str = "20261122-100000000.parquet", **more: Any) -> Footer:
    """A file of shop.orders; a type that begins with ! is one that driftguard does not know."""
    made = tuple(ObservedColumn(n, "" if t.startswith("!") else t, t.strip("!")) for n, t in columns)
    return Footer(
        f"dms/shop/orders/{name}", made, 10, "a writer", more.pop("modified", "2026-11-22T10:00:00+00:00"), **more
    )


FILE = (
    ("Op", "STRING"),
    ("id", "INT64"),
    ("note", "STRING"),
    ("total", "DECIMAL(10,2)"),
    ("seq", "STRING"),
    ("commit_ts", "STRING"),
)
NONE = NotSeen("no file below dms/shop/orders/", empty=True)


def file_with(**types: str | None) -> tuple[tuple[str, str], ...]:
    """FILE with other types; None takes a column out."""
    merged: dict[str, str | None] = {**dict(FILE), **types}
    return tuple((n, t) for n, t in merged.items() if t is not None)


def looked(cdc: Footer | NotSeen, load: Footer | NotSeen = NONE, estate: Estate = CLEAN) -> Context:
    """The clean pair, with these files on the lake."""
    ctx = on(estate)
    (emission,) = ctx.pairs[0].landing.emissions
    return dataclasses.replace(ctx, observed=(Sighting(Observed(emission.path, load, cdc), (emission,)),))


def column(name: str, type_: Any, attnum: int, **more: Any) -> Any:
    return dataclasses.replace(ORDERS.columns[1], name=name, type=type_, attnum=attnum, **more)


def plus(item: Table, *columns: Any) -> Table:
    return dataclasses.replace(item, columns=(*item.columns, *columns))


def large(item: Table) -> Table:
    """The table with a column that PostgreSQL can move out of the row."""
    columns = (dataclasses.replace(c, storage="x") if c.name == "note" else c for c in item.columns)
    return dataclasses.replace(item, columns=tuple(columns))


CODED = dataclasses.replace(table("orders", ("code", varchar(8))), primary_key=Key("orders_pkey", ("code",)))


def before_images(columns: str = "pk-only") -> dict[str, object]:
    return {
        "rule-type": "transformation",
        "rule-id": "7",
        "rule-name": "7",
        "rule-target": "column",
        "rule-action": "add-before-image-columns",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "before-image-def": {"column-prefix": "OLD_", "column-suffix": "_WAS", "column-filter": columns},
    }


def keeping(table_: str, column_: str, default: str = "overwrite") -> Policy:
    return dataclasses.replace(POLICY, on_null_update=default, columns=(ColumnPolicy(table_, column_, "keep"),))


def renamed_column() -> Table:
    columns = tuple(dataclasses.replace(c, name="remark") if c.name == "note" else c for c in ORDERS.columns)
    return dataclasses.replace(ORDERS, columns=columns)


def retyped(name: str, type_: Any) -> Table:
    columns = tuple(dataclasses.replace(c, type=type_) if c.name == name else c for c in ORDERS.columns)
    return dataclasses.replace(ORDERS, columns=columns)


MASKED = alter(FINAL, "NOTE", masking_policy=ObjectName("DB", "G", "MASK"))
TIER = column("tier", plain("text"), 4)


def deciding(pattern: str) -> Policy:
    """Nothing needs a policy where the pattern fits."""
    return dataclasses.replace(POLICY, masking=(Masking(pattern, None),), exempt_role=True)


EVENTS_PARENT = dataclasses.replace(table("events", oid=9), kind="p", partition_key="RANGE (id)")
PARTITION = TableName("shop", "events")


def partitioned(before: TableName | None, after: TableName | None, dms: DmsTask | None = None) -> Context:
    """A migration of a table that is, or was, a partition, beside another one."""
    other = dataclasses.replace(table("events_2", oid=2), partition_of=PARTITION)
    was, now = (dataclasses.replace(table("events_1", oid=1), partition_of=parent) for parent in (before, after))
    return context(EVENTS_PARENT, now, other, dms=dms, before=Catalog((EVENTS_PARENT, was, other)))


# -- the registry ------------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """`fires` gives a finding of the code with these properties, `silent` gives none."""

    fires: Context
    silent: Context
    message: str
    table: str | None = "shop.orders"
    column: str | None = None
    severity: Severity | None = None  # None: the rule's usual one
    system: str = "snowflake"


EVENTS = (table("events_1", oid=1), table("events_2", oid=2))
ONE_NAME: dict[str, object] = {
    "rule-type": "transformation",
    "rule-id": "9",
    "rule-name": "one name",
    "rule-target": "table",
    "rule-action": "rename",
    "value": "events",
    "object-locator": {"schema-name": "shop", "table-name": "events%"},
}
TOLD_APART: dict[str, object] = {
    "rule-type": "transformation",
    "rule-id": "20",
    "rule-name": "where from",
    "rule-target": "column",
    "rule-action": "add-column",
    "value": "shard",
    "expression": "$AR_M_SOURCE_TABLE_NAME",
    "object-locator": {"schema-name": "%", "table-name": "%"},
    "data-type": {"type": "string", "length": 63},
}
NOTES = table("orders", ("body", plain("text")), ("doc", plain("jsonb")), ("note", varchar(40)))


def _byhand_cases() -> dict[str, Case]:
    """Merges and pipes that people wrote: each case has one thing wrong."""
    right = on(tasks(definition=hand()))
    merge, pipe = "DB.STAGING.ORDERS_MERGE", "DB.STAGING.ORDERS_PIPE"
    copy = CLEAN.pipes[0].definition
    listed = "COPY INTO STAGING.ORDERS_CDC (OP, COMMIT_TS, SEQ, ID, NOTE{}) FROM (SELECT $1:a, $1:b, $1:c, $1:d, $1:e{} FROM @S)"

    def wrong(*changes: tuple[str, str]) -> Context:
        return on(tasks(definition=hand(*changes)))

    return {
        "DG311": Case(
            wrong(*WITHOUT_TOTAL),
            right,
            f"TOTAL is in {STAGING} and {FINAL}, {merge} lacks it",
            column="total",
        ),
        "DG312": Case(wrong(("t.TOTAL =", "t.TOTALS =")), right, f"{merge} writes TOTALS, which {FINAL} does not have"),
        "DG313": Case(
            wrong(("s.NOTE, s.TOTAL)", "s.NOTE)")),
            right,
            f"the lists of {merge} disagree: an INSERT fills 3 columns with 2 values",
        ),
        "DG314": Case(
            wrong(("INSERT (ID, NOTE, TOTAL)", "INSERT"), ("s.TOTAL)", "s.TOTAL, NULL, NULL)")),
            right,
            f"{merge} inserts into {FINAL} without a list of columns",
        ),
        "DG315": Case(
            wrong(("ON t.ID = s.ID", "ON t.ID = s.ID AND t.NOTE = s.NOTE")),
            right,
            f"{merge} joins by ID, NOTE; the key of {FINAL} is ID",
        ),
        "DG316": Case(
            wrong(("ROW_NUMBER", "RANK")),
            right,
            f"{merge}: it picks the newest change by RANK",
            severity=Severity.ERROR,
        ),
        "DG317": Case(
            wrong(("WHEN MATCHED AND s.OP = 'D' THEN DELETE\n", ""), (" AND s.OP <> 'D'", "")),
            right,
            f"{merge} has no branch for deletes",
        ),
        "DG318": Case(
            on(pipes(definition=listed.format("", ""))),
            on(pipes(definition=listed.format(", TOTAL", ", $1:f"))),
            f"{pipe} lists the columns that it loads, and TOTAL are not among them",
        ),
        "DG319": Case(
            on(alter(STAGING, "NOTE", evolved=True)),
            on(CLEAN),
            f"{STAGING} had ENABLE_SCHEMA_EVOLUTION; it added NOTE VARCHAR(134217728)",
        ),
        "DG320": Case(
            on(pipes(definition=f"{copy} ON_ERROR = CONTINUE")),
            on(pipes(definition=f"{copy} ON_ERROR = 'SKIP_FILE'")),
            f"{pipe} has ON_ERROR = CONTINUE",
        ),
        "DG324": Case(
            on(_two_pipes("@STAGING.DMS_STAGE/shop/orders_items/", estate=_own_pipe_reads("/shop/orders"))),
            on(_two_pipes("@STAGING.DMS_STAGE/shop/orders_items/")),
            f"{pipe} reads @DB.STAGING.DMS_STAGE/shop/orders, and with it files of DB.STAGING.OTHER",
        ),
    }


def _two_pipes(more: str, *, estate: Estate = CLEAN, target: str = "STAGING.ELSEWHERE") -> Estate:
    """The estate with a second pipe beside the landing's own, which reads shop/orders/."""
    copy = f"COPY INTO {target} FROM {more}"
    other = dataclasses.replace(CLEAN.pipes[0], name=ObjectName("DB", "STAGING", "OTHER"), definition=copy)
    return dataclasses.replace(estate, pipes=(*estate.pipes, other))


def _own_pipe_reads(place: str) -> Estate:
    return pipes(definition=CLEAN.pipes[0].definition.replace("/shop/orders/'", f"{place}'"))


def streams(**change: Any) -> Estate:
    return dataclasses.replace(CLEAN, streams=tuple(dataclasses.replace(s, **change) for s in CLEAN.streams))


def _consuming() -> dict[str, Case]:
    clean, merge = on(CLEAN), "DB.STAGING.ORDERS_MERGE"
    by_files = dataclasses.replace(POLICY, consumption="files")
    noon = {"captured_at": "2026-03-01T12:00:00+00:00"}
    return {
        "DG321": Case(on(streams(stale=True)), clean, f"the stream DB.STAGING.ORDERS_STREAM of {merge} is stale"),
        "DG322": Case(
            on(dataclasses.replace(streams(stale_after="2026-03-04T10:00:00+00:00"), **noon)),
            on(dataclasses.replace(streams(stale_after="2026-03-14T10:00:00+00:00"), **noon)),
            "the stream DB.STAGING.ORDERS_STREAM becomes stale after 2026-03-04T10:00:00+00:00",
        ),
        "DG323": Case(
            on(landed(ORDERS, policy=by_files)),
            on(landed(ORDERS, policy=by_files), policy=by_files),
            f"{merge} does not learn of new files as `[policy] consumption` says: by the stream",
        ),
    }


def _cases() -> dict[str, Case]:
    clean = on(CLEAN)
    note = dataclasses.replace(merge_spec(clean.pairs[0], POLICY).columns[1], marker=f"{FINAL}:1:abc", becomes="REMARK")
    passing = merge_spec(clean.pairs[0], POLICY, [note])
    wide = table("orders", ("note", varchar(80)), ("total", numeric(10, 2)))
    short = alter(STAGING, "NOTE", type=SfType("VARCHAR", length=40))
    short_final = alter(FINAL, "NOTE", type=SfType("VARCHAR", length=40))
    scaled = SfType("NUMBER", precision=38, scale=1)
    geo = table("orders", ("place", plain("geometry")))
    return {
        "DG101": Case(on(Estate()), clean, f"shop.orders has no landing {STAGING}"),
        "DG102": Case(
            on(without_column(STAGING, "NOTE")), clean, f"{STAGING} has no column NOTE for note", column="note"
        ),
        "DG103": Case(
            on(short, wide),
            on(short),
            f"{STAGING}.NOTE is VARCHAR(40); the values need VARCHAR(80)",
            column="note",
        ),
        "DG104": Case(
            on(alter(STAGING, "TOTAL", type=scaled)),
            clean,
            f"{STAGING}.TOTAL is NUMBER(38,1); the values need NUMBER(10,2)",
            column="total",
        ),
        "DG105": Case(on(alter(STAGING, "NOTE", nullable=False)), clean, f"{STAGING}.NOTE is NOT NULL", column="NOTE"),
        "DG106": Case(
            on(with_column(FINAL, SfColumn("OLD", TEXT), with_column(STAGING, SfColumn("OLD", TEXT)))),
            on(with_column(FINAL, SfColumn("COMPUTED", TEXT))),
            f"{FINAL}.OLD is no longer emitted by DMS and is kept",
            column="OLD",
        ),
        "DG115": Case(
            on(with_column(FINAL, SfColumn("TOTAL__OLD", TEXT))),
            on(with_column(FINAL, SfColumn("OTHER__OLD", TEXT))),
            f"{FINAL} still has TOTAL__OLD",
        ),
        "DG116": Case(
            on(CLEAN, policy=RECORDS),
            clean,
            f"{STAGING} keeps columns; [policy] staging_style is 'record' for its table",
        ),
        "DG118": Case(
            on(CLEAN, policy=dataclasses.replace(POLICY, named=(Named("shop.order", task="LOAD"),))),
            on(CLEAN, policy=dataclasses.replace(POLICY, named=(Named("shop.orders", final_table="ORDERS"),))),
            "[landing.named] 'shop.order' names no landing",
            table=None,
            system="file",
        ),
        "DG117": Case(
            on(RECORDED, policy=RECORDS),
            on(CLEAN, policy=RECORDS),
            "1 landing stages whole records; the typing of decimals, timestamps, binaries and nulls",
            table=None,
        ),
        "DG107": Case(
            on(Estate(), table("orders", ("at", plain("tstzrange")))),
            clean,
            "shop.orders.at: what DMS writes for tstzrange is not documented",
            column="at",
            system="aurora",
        ),
        "DG108": Case(
            on(Estate(), table("orders", ("weight", plain("numeric")))),
            clean,
            "shop.orders.weight: numeric without (p,s) is rounded by DMS to 6 decimals",
            column="weight",
            system="aurora",
        ),
        "DG109": Case(
            on(Estate(), geo), clean, "shop.orders.place is not in the files: PostGIS", column="place", system="aurora"
        ),
        "DG110": Case(
            on(Estate(), table("orders", ("Note", plain("text")), ("note", plain("text")))),
            clean,
            "shop.orders emits 'Note' and 'note', which differ only by case",
            column="note",
            system="aurora",
        ),
        "DG111": Case(on(without_column(STAGING, "_DG_FILE")), clean, f"{STAGING} has no column _DG_FILE"),
        "DG113": Case(
            on(landed(table("100%", ("note", varchar(40)))), table("100%", ("note", varchar(40)))),
            clean,
            "shop.100%: the files are expected in shop/100%/, and the name has '%'",
            table="shop.100%",
            system="aurora",
        ),
        "DG114": Case(
            dataclasses.replace(clean, idle=("typemaps/overrides.toml: override 1 (type integer)",)),
            clean,
            "typemaps/overrides.toml: override 1 (type integer) decides about no column",
            table=None,
            system="file",
        ),
        "DG201": Case(on(without_table(FINAL)), on(Estate()), f"shop.orders has no table {FINAL}"),
        "DG202": Case(on(without_column(FINAL, "NOTE")), clean, f"{FINAL} has no column NOTE", column="note"),
        "DG203": Case(
            on(short_final, wide),
            on(short_final),
            f"{FINAL}.NOTE is VARCHAR(40); the values need VARCHAR(80)",
            column="note",
        ),
        "DG204": Case(
            on(alter(FINAL, "TOTAL", type=scaled)),
            clean,
            f"{FINAL}.TOTAL is NUMBER(38,1); the values need NUMBER(10,2)",
            column="total",
        ),
        "DG205": Case(on(alter(FINAL, "NOTE", nullable=False)), clean, f"{FINAL}.NOTE is NOT NULL", column="NOTE"),
        "DG206": Case(
            on(CLEAN, table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), key=("id", "note"))),
            clean,
            f"{FINAL} has the key (ID), shop.orders has (ID, NOTE)",
        ),
        "DG310": Case(
            on(tasks(definition=generate(passing))),
            clean,
            f"{FINAL}: REMARK of {FINAL}:1:abc under way; its marker has not passed yet",
        ),
        "DG301": Case(
            on(dataclasses.replace(CLEAN, pipes=())),
            on(dataclasses.replace(CLEAN, pipes=(), unseen=(Unseen("pipes in DB.STAGING", "no privilege"),))),
            f"{STAGING} has no pipe DB.STAGING.ORDERS_PIPE",
        ),
        "DG302": Case(
            on(pipes(state="PAUSED")),
            on(pipes(state="RUNNING")),
            "DB.STAGING.ORDERS_PIPE does not load files: its state is PAUSED",
        ),
        "DG309": Case(
            on(pipes(definition=CLEAN.pipes[0].definition.replace("/shop/orders/", "/shop/other/"))),
            clean,
            "DB.STAGING.ORDERS_PIPE does not feed DB.STAGING.ORDERS_CDC as it should: it reads",
        ),
        "DG112": Case(
            on(change_table(CLEAN, FINAL, lambda t: dataclasses.replace(t, kind="VIEW"))),
            clean,
            f"{FINAL} is a view, not a standard table",
        ),
        "DG705": Case(
            migrated(ORDERS, retyped("total", numeric(10, 0))),
            migrated(ORDERS, retyped("total", numeric(12, 2))),
            "shop.orders.total changes from numeric(10,2) to numeric(10,0)",
            column="total",
            system="aurora",
        ),
        "DG706": Case(
            migrated(ORDERS, dataclasses.replace(ORDERS, oid=4711)),
            migrated(ORDERS, ORDERS),
            "shop.orders is dropped and made anew",
            system="aurora",
        ),
        "DG303": Case(
            on(dataclasses.replace(CLEAN, tasks=())),
            on(dataclasses.replace(CLEAN, tasks=(), unseen=(Unseen("tasks in DB.STAGING", "no privilege"),))),
            f"{FINAL} has no merge task DB.STAGING.ORDERS_MERGE",
        ),
        "DG304": Case(
            on(tasks(definition=CLEAN.tasks[0].definition.replace("s.op", "s.OP").replace('"NOTE"', '"N"'))),
            on(tasks(definition=f"\n{CLEAN.tasks[0].definition}\n")),
            "the merge of DB.STAGING.ORDERS_MERGE is not the one that this schema needs",
        ),
        "DG305": Case(on(tasks(state="suspended")), clean, "DB.STAGING.ORDERS_MERGE is suspended"),
        "DG306": Case(
            on(tasks(definition="CALL MERGE_ORDERS()")), clean, "DB.STAGING.ORDERS_MERGE runs a merge that driftguard"
        ),
        **_byhand_cases(),
        **_consuming(),
        "DG307": Case(
            on(option("BINARY_AS_TEXT", "TRUE")),
            on(option("BINARY_AS_TEXT", "false")),
            "DB.STAGING.DRIFTGUARD_PARQUET has BINARY_AS_TEXT = TRUE, not FALSE",
            table=None,
        ),
        "DG308": Case(
            on(dataclasses.replace(CLEAN, timezone="Europe/Berlin"), plus(ORDERS, column("at", plain("timestamp"), 9))),
            on(dataclasses.replace(CLEAN, timezone="Etc/UTC"), plus(ORDERS, column("at", plain("timestamp"), 9))),
            "the account's TIMEZONE is Europe/Berlin: the timestamps of 1 tables",
            table=None,
        ),
        "DG401": Case(
            on(CLEAN, dms=endpoint(timestamp_column_name=None)),
            clean,
            "DMS task dms: TimestampColumnName is not set",
            table=None,
            system="dms",
        ),
        "DG402": Case(
            on(CLEAN, dms=endpoint(data_format="csv")),
            clean,
            "DMS task dms: DataFormat is csv",
            table=None,
            system="dms",
        ),
        "DG403": Case(
            on(CLEAN, dms=endpoint(cdc_inserts_and_updates=True)),
            clean,
            "DMS task dms: CdcInsertsAndUpdates leaves out deletes",
            table=None,
            system="dms",
        ),
        "DG404": Case(
            on(CLEAN, dms=endpoint(use_task_start_time_for_full_load_timestamp=False)),
            clean,
            "DMS task dms: UseTaskStartTimeForFullLoadTimestamp is not set",
            table=None,
            system="dms",
        ),
        "DG405": Case(
            on(CLEAN, dms=DmsTask("dms", parse_mappings({"rules": RULES[:1]}), ENDPOINT)),
            clean,
            "DMS task dms: no change sequence in the files of 1 of 1 tables",
            table=None,
            system="dms",
        ),
        "DG406": Case(
            on(Estate(), dms=task(_rename("10", "a"), _rename("11", "b"))), clean, "shop.orders: ", system="dms"
        ),
        "DG407": Case(
            dataclasses.replace(clean, unselected=("shop.log",)),
            clean,
            "shop.log is selected by no DMS task",
            table=None,
            system="aurora",
        ),
        "DG408": Case(
            on(CLEAN, table("orders", schema="other")),
            clean,
            "none of the 1 tables that were seen on Aurora is selected",
            table=None,
            system="dms",
        ),
        "DG440": Case(
            looked(footer(*file_with(coupon="STRING"), age_days=12)),
            looked(footer(*FILE), footer(*file_with(coupon="STRING", Op=None), modified="2026-11-01T10:00:00+00:00")),
            "shop.orders: the newest CDC file dms/shop/orders/20261122-100000000.parquet, 12 days old has a column coupon",
            column="coupon",
            system="dms",
        ),
        "DG441": Case(
            looked(footer(*file_with(note=None))),
            looked(footer(*FILE), footer(("id", "INT64"), modified="2026-11-01T10:00:00+00:00")),
            "shop.orders: the newest CDC file dms/shop/orders/20261122-100000000.parquet has no column note",
            column="note",
            system="dms",
        ),
        "DG442": Case(
            looked(footer(*file_with(id="INT32"))),
            looked(footer(*FILE)),
            "shop.orders: the newest CDC file dms/shop/orders/20261122-100000000.parquet has id as INT32; INT64 was predicted",
            column="id",
            system="dms",
        ),
        "DG443": Case(
            looked(footer(*file_with(Op=None))),
            looked(footer(*FILE), footer(*file_with(Op=None))),
            "shop.orders: the newest CDC file dms/shop/orders/20261122-100000000.parquet has no column Op",
            column="Op",
            system="dms",
        ),
        "DG444": Case(
            looked(NONE), looked(NONE, footer(*file_with(Op=None))), f"shop.orders: {NONE.reason}", system="dms"
        ),
        "DG445": Case(
            looked(footer(*file_with(note="!INT96"))),
            looked(footer(*FILE)),
            "shop.orders: the newest CDC file dms/shop/orders/20261122-100000000.parquet has note as INT96",
            column="note",
            system="dms",
        ),
        "DG409": Case(
            on(
                CLEAN,
                dms=endpoint(remarks=(Remark("contradiction", "maxFileSize", "maxFileSize is 1, and 2 elsewhere"),)),
            ),
            clean,
            "DMS task dms: maxFileSize is 1, and 2 elsewhere",
            table=None,
            system="dms",
        ),
        "DG410": Case(
            on(CLEAN, dms=endpoint(remarks=(Remark("unknown", "colour", "there is the attribute colour"),))),
            clean,
            "DMS task dms: there is the attribute colour",
            table=None,
            system="dms",
        ),
        "DG411": Case(
            on(CLEAN, more=[dataclasses.replace(task(), name="again")]),
            on(
                CLEAN,
                more=[dataclasses.replace(task(RULES[0] | {"rule-id": "50", "rule-action": "exclude"}), name="again")],
            ),
            "shop.orders is in the DMS tasks dms and again, which write to one folder",
            system="aurora",
        ),
        "DG412": Case(
            on(CLEAN, dms=dataclasses.replace(task(), migration_type="full-load")),
            on(CLEAN, dms=dataclasses.replace(task(), migration_type="full-load-and-cdc")),
            "DMS task dms is full-load only: no changes of shop.orders arrive",
            table=None,
            system="dms",
        ),
        "DG427": Case(
            on(Estate(), *EVENTS, dms=task(ONE_NAME)),
            on(Estate(), *EVENTS, dms=task(ONE_NAME, TOLD_APART)),
            "shop.events_1, shop.events_2 meet in DB.FINAL.EVENTS, and nothing tells their rows apart",
            table="shop.events_1",
        ),
        "DG430": Case(
            on(Estate(), *EVENTS, dms=task(ONE_NAME, TOLD_APART)),
            on(Estate(), *EVENTS),
            "shop.events_1, shop.events_2 are written to one folder, dms/shop/events/",
            table="shop.events_1",
            system="dms",
        ),
        "DG413": Case(
            on(CLEAN, dms=endpoint(capture_ddls=False)),
            clean,
            "DMS task dms: CaptureDdls is false",
            table=None,
            system="dms",
        ),
        "DG414": Case(
            on(CLEAN, dms=settings(handle_source_table_dropped=True, handle_source_table_truncated=False)),
            clean,
            "DMS task dms: HandleSourceTableDropped is true",
            table=None,
            system="dms",
        ),
        "DG415": Case(
            on(CLEAN, dms=settings(target_table_prep_mode="DROP_AND_CREATE")),
            on(
                CLEAN, dms=dataclasses.replace(settings(target_table_prep_mode="DROP_AND_CREATE"), migration_type="cdc")
            ),
            "DMS task dms: TargetTablePrepMode is DROP_AND_CREATE",
            table=None,
            system="dms",
        ),
        "DG416": Case(
            on(Estate(), NOTES, dms=settings(lob_max_size_kb=64)),
            on(Estate(), NOTES, dms=endpoint(fail_tasks_on_lob_truncation=True)),
            "shop.orders: values of body, doc are cut at 64 KB (LobMaxSize)",
            system="dms",
        ),
        "DG417": Case(
            on(CLEAN, dms=settings(full_lob_mode=True, limited_size_lob_mode=False)),
            on(CLEAN, dms=settings(full_lob_mode=True, support_lobs=False)),
            "DMS task dms: FullLobMode is true",
            table=None,
            system="dms",
        ),
        "DG419": Case(
            on(CLEAN, dms=endpoint(add_trailing_padding_character=True)),
            clean,
            "DMS task dms: AddTrailingPaddingCharacter is true",
            table=None,
            system="dms",
        ),
        "DG420": Case(
            on(CLEAN, dms=settings(before_image=True)),
            clean,
            "DMS task dms: BeforeImageSettings are on",
            table=None,
            system="dms",
        ),
        "DG421": Case(
            on(CLEAN, dms=settings(data_error_policy="log_error")),
            on(CLEAN, dms=settings(data_error_policy="STOP_TASK", table_error_policy="STOP_TASK")),
            "DMS task dms: DataErrorPolicy is LOG_ERROR",
            table=None,
            system="dms",
        ),
        "DG422": Case(
            on(CLEAN, dms=filtered("note")),
            clean,
            "shop.orders: the filter of rule 1 on note does not contain the key (id is missing)",
            system="dms",
        ),
        "DG423": Case(
            on(Estate(), dms=masked("id", "data-masking-digits-mask")),
            on(Estate(), dms=masked("note", "data-masking-digits-mask")),
            "shop.orders.id is part of the key and masked by data-masking-digits-mask",
            column="id",
            system="dms",
        ),
        "DG424": Case(
            on(CLEAN, dms=settings(target_schema="lake")),
            clean,
            "DMS task dms: TargetSchema is lake",
            table=None,
            system="dms",
        ),
        "DG425": Case(
            on(CLEAN, dms=dataclasses.replace(task(), engine_version="3.4.7")),
            on(CLEAN, dms=dataclasses.replace(task(), engine_version="3.5.4")),
            "DMS task dms: its replication instance runs engine version 3.4.7",
            table=None,
            system="dms",
        ),
        "DG426": Case(
            on(CLEAN, dms=endpoint(date_partition_enabled=True)),
            clean,
            "DMS task dms: DatePartitionEnabled puts the files of changes into folders by date (YYYYMMDD)",
            table=None,
            system="dms",
        ),
        "DG428": Case(
            on(CLEAN, dms=task(settings=TaskSettings())),
            clean,
            "DMS task dms: no task settings were given",
            table=None,
            system="dms",
        ),
        "DG429": Case(
            on(CLEAN, dms=task(*(_on(c, "include-column", str(n)) for n, c in enumerate(("id", "note"), start=10)))),
            on(CLEAN, dms=task(_on("id", "include-column", "10", table="other"))),
            "shop.orders: only the columns of include-column rule 10, 11 are replicated",
            system="dms",
        ),
        "DG510": Case(
            on(CLEAN, dataclasses.replace(ORDERS, replica_identity="n")),
            on(CLEAN, dataclasses.replace(ORDERS, replica_identity="i", replica_index="orders_pkey")),
            "shop.orders: deletes do not leave Aurora, because its REPLICA IDENTITY is NOTHING",
            system="aurora",
        ),
        "DG511": Case(
            on(CLEAN, identified_by("note")),
            on(CLEAN, identified_by("id", "note")),
            "shop.orders: a delete arrives without id, which the key needs",
            system="aurora",
        ),
        "DG512": Case(
            on(Estate(), ORDERS, table("Orders", oid=7)),
            on(Estate(), ORDERS, table("orders_", oid=7)),
            "shop.Orders and shop.orders differ only by case",
            table="shop.Orders",
            system="aurora",
        ),
        "DG513": Case(
            on(Estate(), ORDERS, dataclasses.replace(table("returns", oid=7), inherits=(ORDERS.id,))),
            on(Estate(), ORDERS, dataclasses.replace(table("returns", oid=7), partition_of=ORDERS.id)),
            "shop.orders is loaded with the rows of shop.returns, which inherit from it",
            system="aurora",
        ),
        "DG514": Case(
            on(CLEAN, dataclasses.replace(ORDERS, replica_identity="f")),
            on(CLEAN, dataclasses.replace(ORDERS, replica_identity="f"), dms=endpoint(plugin_name="test-decoding")),
            "shop.orders has REPLICA IDENTITY FULL, and DMS task dms may use the pglogical plug-in",
            system="aurora",
        ),
        "DG501": Case(
            on(Estate(), table("log", key=())),
            clean,
            "shop.log has no primary key that DMS delivers",
            table="shop.log",
            system="aurora",
        ),
        "DG502": Case(
            on(Estate(), _keyed_by_text()),
            clean,
            "shop.coupons.code is part of the key and NCLOB for DMS",
            table="shop.coupons",
            column="code",
            system="aurora",
        ),
        "DG504": Case(
            on(CLEAN, large(ORDERS)),
            on(
                CLEAN,
                dataclasses.replace(large(ORDERS), replica_identity="f"),
                dms=endpoint(plugin_name="test-decoding"),
            ),
            "shop.orders: an update can arrive without the unchanged large values of note",
            system="aurora",
        ),
        "DG505": Case(
            on(landed(CODED), CODED),
            on(landed(CODED, dms=task(before_images())), CODED, dms=task(before_images())),
            "shop.orders: an update of its key (code) leaves the old row in FINAL",
            system="aurora",
        ),
        "DG506": Case(
            on(CLEAN, policy=keeping("shop.orders", "note")),
            on(CLEAN, large(ORDERS), policy=keeping("shop.*", "no?e")),
            "[[policy.columns]] shop.orders.note: PostgreSQL always sends shop.orders.note",
            table=None,
            system="file",
        ),
        "DG503": Case(
            dataclasses.replace(clean, catalog=Catalog((ORDERS,), unseen=(Unseen("schema billing", "no USAGE"),))),
            clean,
            "schema billing on Aurora could not be looked at: no USAGE",
            table=None,
            system="aurora",
        ),
        "DG601": Case(
            on(dataclasses.replace(CLEAN, unseen=(Unseen("tables in DB.FINAL", "no privilege"),))),
            clean,
            "tables in DB.FINAL on Snowflake could not be looked at: no privilege",
            table=None,
        ),
        "DG605": Case(
            on(dataclasses.replace(FLAGGED, cast_failures=(CastFailure("DB.FINAL.ORDERS", "PAID", 12),)), WITH_FLAG),
            on(dataclasses.replace(CLEAN, cast_failures=(CastFailure("DB.FINAL.ELSEWHERE", "PAID", 12),))),
            f"{FINAL}.PAID: 12 values of the last 7 days did not fit",
            column="paid",
        ),
        "DG606": Case(
            on(dataclasses.replace(CLEAN, to_repair=(ToRepair(FINAL, 3), ToRepair("DB.FINAL.ELSEWHERE", 9)))),
            on(dataclasses.replace(CLEAN, to_repair=(ToRepair("DB.FINAL.ELSEWHERE", 9),))),
            f"{FINAL}: 3 rows have values that nothing told",
        ),
        "DG604": Case(
            dataclasses.replace(clean, stale=("snapshot s.json is 9 days old",)),
            clean,
            "snapshot s.json is 9 days old",
            table=None,
            system="file",
        ),
        "DG701": Case(
            migrated(ORDERS, plus(ORDERS, column("tier", plain("int4"), 4, default="0", missing_value="0"))),
            migrated(ORDERS, plus(ORDERS, column("tier", plain("int4"), 4))),
            "shop.orders.tier is added with the default 0, which existing rows do not send",
            column="tier",
            system="aurora",
        ),
        "DG702": Case(
            migrated(ORDERS, renamed_column()),
            migrated(ORDERS, plus(ORDERS, column("remark", varchar(40), 4))),
            "shop.orders.note is renamed to remark",
            column="remark",
            system="aurora",
        ),
        "DG703": Case(
            migrated(ORDERS, dataclasses.replace(ORDERS, name="purchases")),
            migrated(ORDERS, dataclasses.replace(ORDERS, name="purchases", oid=4711)),
            "shop.orders becomes shop.purchases",
            table="shop.purchases",
            system="aurora",
        ),
        "DG704": Case(
            migrated(ORDERS, dataclasses.replace(ORDERS, primary_key=Key("pk", ("id", "note")))),
            migrated(ORDERS, dataclasses.replace(ORDERS, primary_key=Key("another_name", ("id",)))),
            "the primary key of shop.orders changes from (id) to (id, note)",
            system="aurora",
        ),
        "DG720": Case(
            migrated(ORDERS, retyped("note", varchar(20))),
            migrated(ORDERS, retyped("note", plain("jsonb"))),
            "shop.orders: note is character varying(20) now, character varying(40) before: nothing to do on Snowflake",
            system="aurora",
        ),
        "DG721": Case(
            partitioned(PARTITION, None),
            partitioned(PARTITION, PARTITION),
            "shop.events_1 is no partition of shop.events any more",
            table="shop.events_1",
            severity=Severity.INFO,
            system="aurora",
        ),
        "DG802": Case(
            on(MASKED, plus(ORDERS, TIER)),
            on(MASKED, plus(ORDERS, TIER), policy=deciding("*tier")),
            f"{FINAL}.TIER is new and would have no policy, beside NOTE, masked by DB.G.MASK",
            column="tier",
        ),
        "DG804": Case(
            on(dataclasses.replace(STARRED, views=(View(STARRED_NAME, f"CREATE VIEW V AS SELECT * FROM {FINAL}"),))),
            on(dataclasses.replace(STARRED, views=(View(STARRED_NAME, f"CREATE VIEW V AS SELECT ID FROM {FINAL}"),))),
            f"DB.FINAL.V is made with * of {FINAL}: it does not list NOTE, TOTAL",
        ),
        "DG803": Case(
            on(MASKED),
            on(MASKED, policy=dataclasses.replace(POLICY, exempt_role=True)),
            f"{FINAL}.NOTE is masked by DB.G.MASK; whether it binds the role of the merge is not known",
        ),
    }


def _rename(number: str, value: str) -> dict[str, object]:
    return {
        "rule-type": "transformation",
        "rule-id": number,
        "rule-name": number,
        "rule-target": "column",
        "rule-action": "rename",
        "value": value,
        "object-locator": {"schema-name": "shop", "table-name": "orders", "column-name": "note"},
    }


def _keyed_by_text() -> Table:
    item = table("coupons", ("code", plain("text")))
    return dataclasses.replace(item, primary_key=Key("coupons_pkey", ("code",)))


CASES = _cases()


def of(code: str, ctx: Context) -> list[Finding]:
    return [f for f in compare(ctx) if f.code == code]


def test_every_rule_has_a_case() -> None:
    """DG801 is about other findings: tests/drift/test_waivers.py."""
    assert set(CASES) | {"DG801"} == set(all_rules())


@pytest.mark.parametrize("code", CASES)
def test_it_fires_and_says_what_and_where(code: str) -> None:
    case = CASES[code]
    found = of(code, case.fires)
    assert found, f"{code} did not fire"
    finding = next((f for f in found if f.message.startswith(case.message)), None)
    assert finding is not None, [f.message for f in found]
    assert finding.severity is (case.severity or all_rules()[code].SEVERITY)
    assert (str(finding.table) if finding.table else None) == case.table
    assert finding.column == case.column
    assert finding.place is not None
    assert finding.place.system == case.system
    assert finding.reason
    assert finding.remedy
    assert finding.message == finding.message.strip()
    assert "\n" not in finding.message


@pytest.mark.parametrize("code", CASES)
def test_it_stays_silent_where_nothing_is_wrong(code: str) -> None:
    assert of(code, CASES[code].silent) == []


@pytest.mark.parametrize("code", CASES)
def test_it_says_the_same_each_time(code: str) -> None:
    """Same input, same findings in the same order, with ids that differ from each other."""
    fires = CASES[code].fires
    assert compare(fires) == compare(fires)
    found = of(code, fires)
    assert len({f.id for f in found}) == len(found)


def test_a_clean_schema_has_no_finding_above_info() -> None:
    everything = table(
        "orders",
        ("note", varchar(40)),
        ("total", numeric(10, 2)),
        ("flag", plain("bool")),
        ("doc", plain("jsonb")),
        ("at", plain("timestamptz")),
        ("day", plain("date")),
        ("key", plain("uuid")),
        ("raw", plain("bytea")),
        ("ratio", plain("float8")),
    )
    other = table("Quoted Name", ('c"1', plain("text")), oid=1001)
    estate = dataclasses.replace(landed(everything, other), timezone="UTC")
    found = compare(context(everything, other, estate=estate))
    assert [f.message for f in found if f.severity is not Severity.INFO] == []


def test_a_column_left_out_on_purpose_is_a_note_and_one_that_dms_cannot_write_is_an_error() -> None:
    drop = _rename("10", "") | {"rule-action": "remove-column"}
    drop.pop("value")
    (chosen,) = of("DG109", on(Estate(), dms=task(drop)))
    assert chosen.severity is Severity.INFO
    (lost,) = of("DG109", CASES["DG109"].fires)
    assert lost.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("pipe", "why"),
    [
        ({"state": "STALLED_COMPILATION_ERROR"}, "STALLED_COMPILATION_ERROR"),
        ({"state": "RUNNING", "invalid_reason": "Stage was dropped"}, "Stage was dropped"),
        ({"state": "STOPPED_STAGE_DROPPED"}, "STOPPED_STAGE_DROPPED"),
    ],
)
def test_a_pipe_in_any_state_but_running_does_not_load(pipe: dict[str, str], why: str) -> None:
    (finding,) = of("DG302", on(pipes(**pipe)))
    assert finding.message.endswith(why)


def test_a_second_pipe_that_does_not_load_is_found_too() -> None:
    """Nobody else reads its folder."""
    (own,) = (p for p in CLEAN.pipes if p.name.name == "ORDERS_PIPE")
    stalled = dataclasses.replace(
        own, name=ObjectName("DB", "STAGING", "ORDERS_PIPE__NEW"), state="STALLED_INTERNAL_ERROR"
    )
    (finding,) = of("DG302", on(dataclasses.replace(CLEAN, pipes=(own, stalled))))
    assert finding.message.startswith("DB.STAGING.ORDERS_PIPE__NEW does not load")


def test_a_pipe_whose_state_was_not_asked_for_is_not_judged() -> None:
    assert of("DG302", on(pipes(state=None))) == []


COPY = CLEAN.pipes[0].definition


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        (COPY.replace("ORDERS_CDC", "ORDERS_OLD"), "it loads into DB.STAGING.ORDERS_OLD"),
        (COPY.replace('"DMS_STAGE"', '"OTHER"'), "it reads @DB.STAGING.OTHER/shop/orders, not"),
        (COPY.replace("CASE_INSENSITIVE", "CASE_SENSITIVE"), "MATCH_BY_COLUMN_NAME is not CASE_INSENSITIVE"),
        (COPY.replace("MATCH_BY_COLUMN_NAME", "-- MATCH_BY_COLUMN_NAME"), "MATCH_BY_COLUMN_NAME is not"),
        (COPY + "\nPATTERN = '.*CDC.*'", "its PATTERN leaves files out"),
        (COPY.replace("$FILENAME", "$FILE_CONTENT_KEY"), "does not fill _DG_FILE"),
        (COPY.partition("INCLUDE_METADATA")[0], "does not fill _DG_FILE, _DG_ROW, _DG_LOADED_AT"),
    ],
)
def test_a_pipe_that_does_not_feed_its_landing_is_an_error(definition: str, why: str) -> None:
    (finding,) = of("DG309", on(pipes(definition=definition)))
    assert why in finding.message
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    "definition",
    [
        "copy into orders_cdc from @dms_stage/shop/orders/ match_by_column_name = case_insensitive "
        "include_metadata = (_dg_file = metadata$filename, _dg_row = metadata$file_row_number, "
        "_dg_loaded_at = metadata$start_scan_time) file_format = (type = parquet)",
        COPY.replace("COPY INTO", "/* nightly's */ COPY INTO -- don't\n"),
        COPY + ";",
    ],
)
def test_a_pipe_may_be_written_otherwise(definition: str) -> None:
    assert of("DG309", on(pipes(definition=definition))) == []


@pytest.mark.parametrize("definition", ["", "COPY INTO ORDERS_CDC FROM (SELECT $1 FROM @DMS_STAGE)", "CALL X()"])
def test_a_pipe_that_cannot_be_followed_is_unknown(definition: str) -> None:
    (finding,) = of("DG309", on(pipes(definition=definition)))
    assert finding.severity is Severity.UNKNOWN


def test_a_column_made_anew_under_its_old_name_is_an_error() -> None:
    columns = tuple(dataclasses.replace(c, attnum=9) if c.name == "note" else c for c in ORDERS.columns)
    (finding,) = of("DG705", migrated(ORDERS, dataclasses.replace(ORDERS, columns=columns)))
    assert finding.severity is Severity.ERROR
    assert "note is dropped and added again" in finding.message


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (varchar(10), plain("text"), False),
        (plain("int4"), plain("int8"), False),
        (plain("text"), plain("uuid"), True),
        (plain("timestamp"), plain("timestamptz"), True),
        (numeric(10, 2), plain("numeric"), True),
        (plain("int4"), numeric(10, 2), True),
    ],
)
def test_a_changed_type_is_told_where_a_value_could_read_differently(was: Any, now: Any, told: bool) -> None:
    before, after = table("orders", ("x", was)), table("orders", ("x", now))
    assert bool(of("DG705", context(after, before=Catalog((before,))))) is told


def test_a_table_that_is_dropped_is_a_note_and_one_that_leaves_the_wal_an_error() -> None:
    (dropped,) = of("DG706", migrated(ORDERS, None))
    assert dropped.severity is Severity.INFO
    (unlogged,) = of("DG706", migrated(ORDERS, dataclasses.replace(ORDERS, persistence="u")))
    assert unlogged.severity is Severity.ERROR


def test_every_change_that_needs_nothing_is_named_once_for_its_table() -> None:
    columns = (
        dataclasses.replace(ORDERS.columns[0], identity=""),
        dataclasses.replace(ORDERS.columns[1], nullable=False, default="'none'", comment="for the customer"),
        dataclasses.replace(ORDERS.columns[2], type=numeric(14, 2)),
    )
    keyed = dataclasses.replace(ORDERS, columns=columns, unique_keys=(Key("u", ("note",)),), comment="all")
    (there,) = of("DG720", migrated(ORDERS, keyed))
    assert there.message == (
        "shop.orders: id is no identity column now; note is NOT NULL now; note has the default 'none' now; note has "
        "another comment; total is numeric(14,2) now, numeric(10,2) before; another comment; other unique keys: nothing "
        "to do on Snowflake"
    )
    (back,) = of("DG720", migrated(keyed, ORDERS))
    assert "note may be NULL now; note has no default now" in back.message
    assert of("DG720", migrated(ORDERS, ORDERS)) == []


def test_a_column_that_is_too_narrow_on_snowflake_is_not_said_to_need_nothing() -> None:
    wide = retyped("note", varchar(80))
    narrow = alter(FINAL, "NOTE", type=SfType("VARCHAR", length=40))
    assert of("DG720", context(wide, estate=narrow, before=Catalog((ORDERS,)))) == []


def test_a_new_enum_label_needs_nothing_and_a_lost_one_is_another_matter() -> None:
    mood = [
        table("orders", ("m", PgType("mood", "mood", kind="e", enum_labels=labels))) for labels in (("a",), ("a", "b"))
    ]
    (finding,) = of("DG720", migrated(*mood))
    assert "m can be 'b' too" in finding.message
    assert of("DG720", migrated(*reversed(mood))) == []


def test_partitions_that_share_a_landing_miss_rows_or_keep_them() -> None:
    together = task(ONE_NAME)
    (gone,) = of("DG721", partitioned(PARTITION, None, together))
    assert (gone.severity, "by hand" in gone.remedy) == (Severity.WARNING, True)
    (come,) = of("DG721", partitioned(None, PARTITION, together))
    assert (come.severity, "reload" in come.remedy) == (Severity.WARNING, True)
    new = dataclasses.replace(table("events_3", oid=3), partition_of=PARTITION)
    ctx = context(EVENTS_PARENT, new, before=Catalog((EVENTS_PARENT,)))
    assert [f.message for f in of("DG721", ctx)] == ["shop.events_3 is a new partition of shop.events"]


def test_tags_and_row_policies_govern_a_table_too() -> None:
    tag = Tag(ObjectName("DB", "G", "PII"), "high")
    (tagged,) = of("DG802", on(alter(FINAL, "NOTE", tags=(tag,)), plus(ORDERS, TIER)))
    assert "beside NOTE, tagged DB.G.PII = 'high'" in tagged.message
    policy = ObjectName("DB", "G", "ROWS")
    hidden = change_table(CLEAN, FINAL, lambda t: dataclasses.replace(t, row_policy=policy))
    assert "its row access policy DB.G.ROWS" in of("DG802", on(hidden, plus(ORDERS, TIER)))[0].message
    (finding,) = of("DG803", on(hidden))
    assert finding.message.startswith(f"{FINAL} has the row access policy DB.G.ROWS")


def test_a_new_column_where_nobody_could_look_for_policies_is_unknown_and_said_once() -> None:
    """Unknown is not absent: an old snapshot, or a role without the grant. Nothing is said where nothing is added."""
    unseen = (Unseen("policies in DB", "Object does not exist or not authorized"),)
    refused = dataclasses.replace(CLEAN, looked=("consumers",), unseen=unseen)
    ctx = on(refused, plus(ORDERS, TIER, column("more", plain("text"), 5)))
    (finding,) = of("DG802", ctx)
    assert finding.severity is Severity.UNKNOWN
    assert "not authorized" in finding.message
    (old,) = of("DG802", on(dataclasses.replace(CLEAN, looked=()), plus(ORDERS, TIER)))
    assert "the snapshot is older" in old.message
    assert of("DG802", on(refused, plus(ORDERS, TIER), policy=deciding("*"))) == []
    assert compare(on(refused)) == ()


def test_failed_casts_that_could_not_be_read_are_unknown_where_a_merge_writes_them() -> None:
    unread = (Unseen("cast failures in DB.DRIFTGUARD", "not authorized"),)
    (finding,) = compare(on(dataclasses.replace(FLAGGED, unseen=unread), WITH_FLAG))
    assert (finding.code, finding.severity) == ("DG605", Severity.UNKNOWN)
    assert compare(on(dataclasses.replace(CLEAN, unseen=unread))) == ()  # no cast of it can fail
    assert of("DG605", on(dataclasses.replace(Estate(), unseen=unread))) == []


def test_rows_to_repair_that_could_not_be_counted_are_unknown() -> None:
    refused = Unseen(f"rows to repair in {FINAL}", "not authorized"), Unseen("rows to repair in DB.FINAL.X", "no")
    (finding,) = compare(on(dataclasses.replace(CLEAN, unseen=refused)))
    assert (finding.code, finding.severity) == ("DG606", Severity.UNKNOWN)
    assert "not authorized" in finding.message


def test_what_an_update_erases_depends_on_the_replica_identity_and_says_so_with_the_plug_in() -> None:
    (finding,) = of("DG504", on(CLEAN, large(ORDERS)))
    assert finding.reason.startswith("REPLICA IDENTITY is DEFAULT, the plug-in pglogical; ")
    assert "test-decoding" in finding.remedy
    (finding,) = of("DG504", on(CLEAN, large(ORDERS), dms=endpoint(plugin_name="test-decoding")))
    assert "the plug-in test-decoding; " in finding.reason


def test_a_column_that_is_kept_is_a_note_and_the_others_of_its_table_a_warning() -> None:
    both = plus(large(ORDERS), dataclasses.replace(large(ORDERS).columns[1], name="body", attnum=9))
    kept, erased = sorted(of("DG504", on(CLEAN, both, policy=keeping("shop.orders", "body"))), key=lambda f: f.severity)
    assert (kept.severity, erased.severity) == (Severity.INFO, Severity.WARNING)
    assert kept.message.endswith("does not reach body")
    assert erased.message.endswith("values of note")


def test_the_policy_of_a_column_wins_over_the_default_and_the_first_that_covers_it_counts() -> None:
    policy = dataclasses.replace(
        keeping("*", "never"),
        on_null_update="keep",
        columns=(ColumnPolicy("shop.orders", "n*", "overwrite"), ColumnPolicy("shop.*", "*", "keep")),
    )
    (pair,) = on(CLEAN, large(ORDERS), policy=policy).pairs
    assert [c.final for c in merge_spec(pair, policy).columns if c.keep_on_null_update] == []
    policy = dataclasses.replace(policy, columns=())
    (pair,) = on(CLEAN, large(ORDERS), policy=policy).pairs
    assert [c.final for c in merge_spec(pair, policy).columns if c.keep_on_null_update] == ["NOTE"]


def test_a_changed_policy_is_a_changed_merge() -> None:
    estate = landed(large(ORDERS))
    assert of("DG304", on(estate, large(ORDERS))) == []
    assert of("DG304", on(estate, large(ORDERS), policy=keeping("shop.orders", "note")))


def test_a_policy_for_a_column_that_nobody_knows_is_named() -> None:
    (finding,) = of("DG506", on(CLEAN, policy=keeping("shop.order", "note")))
    assert "no column that DMS writes is called so" in finding.message


def test_the_remedy_for_keys_is_a_rule_that_ends_the_finding() -> None:
    (finding,) = of("DG505", on(landed(CODED), CODED))
    rule = json.loads(finding.remedy.partition("the task: ")[2])
    assert rule["rule-id"] == "3"
    mended = task(rule)
    assert of("DG505", on(landed(CODED, dms=mended), CODED, dms=mended)) == []
    (pair,) = on(landed(CODED, dms=mended), CODED, dms=mended).pairs
    assert [c.before for c in merge_spec(pair, POLICY).columns if c.key] == ["BI_code"]


def test_a_before_image_of_a_part_of_the_key_is_named_as_such_and_not_used() -> None:
    """A LOB in the key gets no before-image."""
    mixed = dataclasses.replace(
        table("orders", ("code", varchar(8)), ("word", plain("text"))), primary_key=Key("pk", ("code", "word"))
    )
    dms = task(before_images())
    (finding,) = of("DG505", on(landed(mixed, dms=dms), mixed, dms=dms))
    assert "before-images are mapped for a part of it only, word has none" in finding.message
    (pair,) = on(landed(mixed, dms=dms), mixed, dms=dms).pairs
    assert {c.before for c in merge_spec(pair, POLICY).columns} == {None}


def test_a_key_that_nobody_can_set_needs_no_before_image() -> None:
    assert of("DG505", on(CLEAN)) == []
    by_default = dataclasses.replace(ORDERS.columns[0], identity="d")
    assert of("DG505", on(CLEAN, dataclasses.replace(ORDERS, columns=(by_default, *ORDERS.columns[1:]))))


# -- mutations: each way in which one side can be changed is named -----------------------------------------------------

WIDER = table("orders", ("note", varchar(41)), ("total", numeric(10, 2)))
MUTATIONS: dict[str, tuple[Context, set[str]]] = {
    "all gone": (on(Estate()), {"DG101"}),
    "staging table gone": (on(without_table(STAGING)), {"DG101"}),
    "final table gone": (on(without_table(FINAL)), {"DG201"}),
    "pipe gone": (on(dataclasses.replace(CLEAN, pipes=())), {"DG301"}),
    "task gone": (on(dataclasses.replace(CLEAN, tasks=())), {"DG303"}),
    "data column gone from staging": (on(without_column(STAGING, "NOTE")), {"DG102"}),
    "op gone from staging": (on(without_column(STAGING, "OP")), {"DG102"}),
    "commit time gone from staging": (on(without_column(STAGING, "COMMIT_TS")), {"DG102"}),
    "sequence gone from staging": (on(without_column(STAGING, "SEQ")), {"DG102"}),
    "file name gone from staging": (on(without_column(STAGING, "_DG_FILE")), {"DG111"}),
    "row number gone from staging": (on(without_column(STAGING, "_DG_ROW")), {"DG111"}),
    "load time gone from staging": (on(without_column(STAGING, "_DG_LOADED_AT")), {"DG111"}),
    "data column gone from final": (on(without_column(FINAL, "TOTAL")), {"DG202"}),
    "commit time gone from final": (on(without_column(FINAL, "_DG_COMMIT_TS")), {"DG202"}),
    "order gone from final": (on(without_column(FINAL, "_DG_SEQ")), {"DG202"}),
    "key column gone from final": (on(without_column(FINAL, "ID")), {"DG202"}),
    "staging text too short": (on(alter(STAGING, "NOTE", type=SfType("VARCHAR", length=39))), {"DG103"}),
    "final text too short": (on(alter(FINAL, "NOTE", type=SfType("VARCHAR", length=39))), {"DG203"}),
    "staging number too short": (on(alter(STAGING, "TOTAL", type=SfType("NUMBER", 9, 2))), {"DG103"}),
    "final number too short": (on(alter(FINAL, "TOTAL", type=SfType("NUMBER", 9, 2))), {"DG203"}),
    "staging of another family": (on(alter(STAGING, "TOTAL", type=SfType("FLOAT"))), {"DG104"}),
    "final of another family": (on(alter(FINAL, "NOTE", type=SfType("DATE"))), {"DG204", "DG304"}),
    "staging of another scale": (on(alter(STAGING, "TOTAL", type=SfType("NUMBER", 38, 0))), {"DG104"}),
    "final of another scale": (on(alter(FINAL, "TOTAL", type=SfType("NUMBER", 38, 0))), {"DG204"}),
    "staging column required": (on(alter(STAGING, "ID", nullable=False)), {"DG105"}),
    "final column required": (on(alter(FINAL, "TOTAL", nullable=False)), {"DG205"}),
    "key declared otherwise": (on(rekeyed(("ID", "NOTE"))), {"DG206"}),
    "merge edited": (on(tasks(definition=CLEAN.tasks[0].definition.replace("'D'", "'X'"))), {"DG304"}),
    "merge of somebody else": (on(tasks(definition="CALL X()")), {"DG306"}),
    "task suspended": (on(tasks(state="suspended")), {"DG305"}),
    "pipe paused": (on(pipes(state="PAUSED")), {"DG302"}),
    "file format changed": (on(option("USE_LOGICAL_TYPE", "FALSE")), {"DG307"}),
    "column added on Aurora": (on(CLEAN, plus(ORDERS, column("tier", varchar(5), 4))), {"DG102", "DG202", "DG304"}),
    "column dropped on Aurora": (on(CLEAN, table("orders", ("total", numeric(10, 2)))), {"DG106", "DG304"}),
    "column longer on Aurora": (
        on(alter(FINAL, "NOTE", alter(STAGING, "NOTE", type=SfType("VARCHAR", length=40)), type=SfType("VARCHAR", length=40)), WIDER),
        {"DG103", "DG203"},
    ),
    "type changed on Aurora": (on(CLEAN, table("orders", ("note", plain("date")), ("total", numeric(10, 2)))), {"DG204"}),
    "key dropped on Aurora": (on(CLEAN, dataclasses.replace(ORDERS, primary_key=None)), {"DG501"}),
    "key extended on Aurora": (on(CLEAN, dataclasses.replace(ORDERS, primary_key=Key("k", ("id", "note")))), {"DG206", "DG304", "DG505"}),
    "table renamed on Aurora": (on(CLEAN, dataclasses.replace(ORDERS, name="purchases")), {"DG101"}),
    "loads stamped late": (on(CLEAN, dms=endpoint(use_task_start_time_for_full_load_timestamp=False)), {"DG304", "DG404"}),
}  # fmt: skip


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_change_on_one_side_is_named(what: str) -> None:
    """Exactly the codes that fit: nothing is missed, and nothing is blamed on something else."""
    ctx, codes = MUTATIONS[what]
    assert {f.code for f in compare(ctx)} == codes


def test_the_merge_of_the_clean_estate_is_the_generated_one() -> None:
    (pair,) = on(CLEAN).pairs
    assert CLEAN.tasks[0].definition == generate(merge_spec(pair, POLICY))


def test_task_settings_that_can_lose_changes_are_errors() -> None:
    dms = task(settings=TaskSettings(batch_apply_enabled=True))
    (finding,) = of("DG403", on(CLEAN, dms=dms))
    assert "BatchApplyEnabled" in finding.message


# -- files on the lake -------------------------------------------------------------------------------------------------

LOAD = {"name": "LOAD00000001.parquet", "modified": "2026-11-01T10:00:00+00:00"}


def test_a_column_that_staging_still_has_is_not_lost() -> None:
    kept = with_column(STAGING, SfColumn("COUPON", TEXT))
    (finding,) = of("DG440", looked(footer(*file_with(coupon="STRING")), estate=kept))
    assert finding.severity is Severity.WARNING


def test_a_column_that_nobody_predicted_is_in_the_record() -> None:
    (finding,) = of("DG440", looked(footer(*file_with(coupon="STRING")), estate=RECORDED))
    assert finding.severity is Severity.WARNING
    assert finding.reason.startswith("STAGING keeps whole records, so its values are there")


def test_a_key_column_that_is_missing_is_an_error() -> None:
    (finding,) = of("DG441", looked(footer(*file_with(id=None))))
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("found", "severity", "why"),
    [
        ("INT32", Severity.WARNING, "the same column of STAGING takes both"),
        ("STRING", Severity.ERROR, "which AWS documents"),
        ("UINT8", Severity.WARNING, "the footer wins"),
    ],
)
def test_another_type_is_as_bad_as_what_it_does_to_a_load(found: str, severity: Severity, why: str) -> None:
    (finding,) = of("DG442", looked(footer(*file_with(id=found))))
    assert finding.severity is severity
    assert why in finding.reason


def test_another_type_in_an_older_full_load_file_is_a_note() -> None:
    (finding,) = of("DG442", looked(footer(*FILE), footer(*file_with(id="STRING", Op=None), **LOAD)))
    assert finding.severity is Severity.INFO


def test_a_missing_commit_time_is_an_error_and_an_op_that_nobody_asked_for_a_warning() -> None:
    (late,) = of("DG443", looked(footer(*file_with(commit_ts=None))))
    assert late.severity is Severity.ERROR
    (op,) = of("DG443", looked(footer(*FILE), footer(*FILE, **LOAD)))
    assert op.severity is Severity.WARNING
    assert "which the settings leave out" in op.message


def test_a_file_that_cannot_be_read_is_unknown_even_beside_one_that_can() -> None:
    (finding,) = of("DG444", looked(NotSeen("it is broken"), footer(*file_with(Op=None))))
    assert finding.severity is Severity.UNKNOWN
    assert finding.message == "shop.orders: it is broken"


def test_files_as_predicted_have_no_finding() -> None:
    assert compare(looked(footer(*FILE), footer(*file_with(Op=None), **LOAD))) == compare(on(CLEAN))


def test_a_contradiction_about_columns_or_types_leaves_them_unknown() -> None:
    remark = Remark("contradiction", "x", "x is true, and false elsewhere", decides=True)
    (finding,) = of("DG409", on(CLEAN, dms=endpoint(remarks=(remark,))))
    assert finding.severity is Severity.UNKNOWN


@pytest.mark.parametrize("rule", ["unlimited", "limited", "none"])
def test_a_lob_mode_of_one_table_is_not_for_s3(rule: str) -> None:
    """AWS DMS User Guide, "Table and collection settings rules and operations": S3 is not among the targets."""
    lobs = {"lob-settings": {"mode": rule, "bulk-max-size": "32"}}
    place = {"object-locator": {"schema-name": "shop", "table-name": "orders"}}
    table_settings = {"rule-type": "table-settings", "rule-id": "30", "rule-name": "30"} | place | lobs
    (finding,) = of("DG417", on(CLEAN, dms=task(table_settings)))
    assert finding.message == f"DMS task dms: rule 30 gives shop.orders the LOB mode {rule}"


def test_a_lob_size_that_is_not_known_is_a_note_of_the_task() -> None:
    (finding,) = of("DG416", on(Estate(), NOTES))
    assert (finding.severity, finding.message) == (
        Severity.INFO,
        "DMS task dms: 2 columns are LOBs for DMS, and LobMaxSize is not known",
    )
    assert of("DG416", on(Estate(), NOTES, dms=settings(support_lobs=False))) == []


def test_many_lob_columns_are_counted() -> None:
    wide = table("orders", *((f"c{n}", plain("text")) for n in range(7)))
    (finding,) = of("DG416", on(Estate(), wide, dms=settings(lob_max_size_kb=1)))
    assert "c0, c1, c2, c3, c4 and 2 more are cut at 1 KB" in finding.message
    assert "256 to 512 characters" in finding.reason


def test_policies_that_were_not_read_are_not_judged() -> None:
    """AWS states no default for the one, and a task without settings has a note of its own."""
    silent = on(CLEAN, dms=settings(support_lobs=True))
    assert of("DG414", silent) == of("DG421", silent) == []


def test_a_suspended_table_is_a_note() -> None:
    (finding,) = of("DG421", on(CLEAN, dms=settings(table_error_policy="SUSPEND_TABLE")))
    assert finding.severity is Severity.INFO


def test_a_filter_on_the_key_leaves_out_rows_and_says_so() -> None:
    (finding,) = of("DG422", on(CLEAN, dms=filtered("id", "total")))
    assert finding.severity is Severity.INFO
    (loaded,) = of("DG422", on(CLEAN, dms=dataclasses.replace(filtered("total"), migration_type="full-load")))
    assert loaded.severity is Severity.INFO


def test_a_filter_on_a_lob_is_a_risk() -> None:
    found = of("DG422", on(Estate(), NOTES, dms=filtered("id", "doc")))
    assert [(f.severity, "uses doc" in f.message) for f in found] == [(Severity.WARNING, True)]


def test_a_hashed_key_still_tells_rows_apart() -> None:
    (finding,) = of("DG423", on(Estate(), dms=masked("id", "data-masking-hash-mask")))
    assert finding.severity is Severity.WARNING


def test_ddl_that_the_task_does_not_follow_is_told_by_setting() -> None:
    (finding,) = of("DG413", on(CLEAN, dms=settings(handle_source_table_altered=False)))
    assert "HandleSourceTableAltered" in finding.message


@pytest.mark.parametrize("version", ["", "3.5.0", "3.10.1", "4.0", "latest"])
def test_newer_and_unknown_engines_are_not_judged(version: str) -> None:
    assert of("DG425", on(CLEAN, dms=dataclasses.replace(task(), engine_version=version))) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"primary_key": Key("orders_pkey", ("id",), deferrable=True)}, "its primary key is deferrable"),
        ({"replica_identity": "i", "replica_index": "gone"}, "the index of its REPLICA IDENTITY is gone"),
    ],
)
def test_an_identity_that_does_not_serve_is_none(change: dict[str, Any], why: str) -> None:
    """PostgreSQL manual, "ALTER TABLE", REPLICA IDENTITY."""
    (finding,) = of("DG510", on(CLEAN, dataclasses.replace(ORDERS, **change)))
    assert why in finding.message


def test_deletes_do_not_matter_to_a_task_that_only_loads() -> None:
    dms = dataclasses.replace(task(), migration_type="full-load")
    assert of("DG510", on(CLEAN, dataclasses.replace(ORDERS, replica_identity="n"), dms=dms)) == []
    assert of("DG511", on(CLEAN, identified_by("note"), dms=dms)) == []


def test_a_loss_by_a_mapping_rule_is_mended_in_the_mappings() -> None:
    narrow = _on("total", "change-data-type") | {"data-type": {"type": "int4"}}
    (finding,) = of("DG108", on(Estate(), dms=task(narrow)))
    assert "change-data-type by rule 10: values of NUMERIC(10,2) that do not fit INT4" in finding.message
    assert finding.remedy.startswith("take the rule out of the table mappings")


def test_a_folder_in_which_files_were_seen_is_no_question_any_more() -> None:
    odd = table("100%", ("note", varchar(40)))
    asked = on(landed(odd), odd)
    assert of("DG113", asked)
    (emission,) = asked.pairs[0].landing.emissions
    found = Sighting(Observed(emission.path, NONE, footer(*FILE)), (emission,))
    assert not of("DG113", dataclasses.replace(asked, observed=(found,)))
    empty = Sighting(Observed(emission.path, NONE, NONE), (emission,))
    assert of("DG113", dataclasses.replace(asked, observed=(empty,))), "an empty folder answers nothing"
