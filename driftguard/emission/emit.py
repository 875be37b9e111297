"""Table, mappings and settings in; the columns of the Parquet files out."""

from __future__ import annotations

from functools import lru_cache

from driftguard.emission.mappings import select, transform
from driftguard.emission.retype import override_text, retyped
from driftguard.model.catalog import Column, Table
from driftguard.model.emission import Emission, EmittedColumn, Hop, Loss, Role, Source
from driftguard.model.identifiers import TableName
from driftguard.model.mappings import SourceColumn, TargetColumn
from driftguard.model.settings import DmsTask, EndpointSettings
from driftguard.typemap.resolve import Delivery, Resolver

OP = "Op"
OP_SOURCE = 'AWS DMS User Guide, "Using Amazon S3 as a target", indicating source DB operations'
TIME_SOURCE = "AWS DMS API, S3Settings.TimestampColumnName"
CHANGE_SEQ = "$AR_H_CHANGE_SEQ"
TOASTABLE = ("x", "e", "m")  # pg_attribute.attstorage: PostgreSQL may move such a value out of the row
CHOSEN = "left out by a mapping rule "  # how the reason of a dropped column begins when somebody wrote it so


def emit(
    table: Table,
    task: DmsTask,
    types: Resolver,
    *,
    database: str = "",
    pipeline: str = "",
    root: TableName | None = None,
) -> Emission | None:
    """What `task` writes for `table`; None where its selection rules leave the table out.

    `root` is the partitioned table at the top, for a partition of a partition; by default the table's own parent.

    Partitioned parents hold no rows of their own in the WAL; views, foreign and unlogged tables have no WAL at all.
    """
    if table.persistence != "p" or table.kind not in ("r", "p"):
        return None
    if not select(task.mappings, table.schema, table.name).selected:
        return None
    settings = task.endpoint
    deliveries = {c.name: types.deliver(c.type) for c in table.columns}
    in_key = set(table.primary_key.columns) if table.primary_key else set()
    source_columns = [
        SourceColumn(c.name, deliveries[c.name].lob, c.name in in_key, _word(deliveries[c.name].dms))
        for c in table.columns
    ]
    target = transform(task.mappings, table.schema, table.name, source_columns)
    schema = task.settings.target_schema or target.schema
    dropped = [(d.name, f"{CHOSEN}{d.rule_id or ''}: {d.reason}") for d in target.dropped]
    warnings = [w.message for w in target.warnings]

    by_name = {c.name: c for c in table.columns}
    data: list[EmittedColumn] = []
    key_names: dict[str, str] = {}
    for column in target.columns:
        source = by_name.get(column.source) if column.source else None
        if source is None or column.before_image:
            data.append(_made_up(column, source, types))
            continue
        delivery = deliveries[source.name]
        reason = _not_delivered(delivery, table, task)
        if reason:
            dropped.append((source.name, reason))
            continue
        plain = _plain(column.name, source.name, delivery, source.storage in TOASTABLE)
        data.append(retyped(column, plain, types) if column.data_type or column.masking else plain)
        key_names[source.name] = column.name

    full_load, cdc = _with_service_columns(tuple(data), settings)
    key = table.primary_key.columns if table.primary_key else ()
    emitted_key = tuple(key_names[k] for k in key if k in key_names)
    return Emission(
        source=Source(table.id, task=task.name, pipeline=pipeline, database=database, root=root or table.partition_of),
        target=TableName(schema, target.table),
        path="/".join(part for part in (settings.bucket_folder.strip("/"), schema, target.table) if part) + "/",
        full_load=full_load,
        cdc=cdc,
        key=emitted_key if len(emitted_key) == len(key) else (),
        dropped=tuple(dropped),
        warnings=tuple(warnings),
        deferrable_key=table.primary_key is not None and table.primary_key.deferrable,
    )


def _not_delivered(delivery: Delivery, table: Table, task: DmsTask) -> str:
    if delivery.parquet == "-":
        return delivery.hops[0].note
    if delivery.lob and not task.settings.support_lobs:
        return "SupportLobs is false and the column is a LOB for DMS"
    if delivery.lob and table.primary_key is None:
        return "the column is a LOB for DMS, and DMS migrates LOBs only for tables with a primary key"
    return ""


@lru_cache(maxsize=100_000)
def _plain(name: str, source: str, delivery: Delivery, toastable: bool) -> EmittedColumn:
    """A column whose type no rule changes. Made once for all tables: large databases repeat their names."""
    return EmittedColumn(
        name=name,
        role=Role.DATA,
        dms_type=delivery.dms,
        parquet_type=delivery.parquet,
        source=source,
        pg_type=delivery.pg,
        lob=delivery.lob,
        toastable=toastable,
        hops=delivery.hops,
    )


def _made_up(target: TargetColumn, source: Column | None, types: Resolver) -> EmittedColumn:
    """A column that no source column stands behind: add-column, or a before-image."""
    role = Role.ADDED
    dms = override_text(target) if target.data_type else "STRING"
    if target.before_image and source is not None:
        role = Role.BEFORE_IMAGE
        dms = dms if target.data_type else types.deliver(source.type).dms  # a changed type holds for both images
    elif target.expression == CHANGE_SEQ:
        role = Role.CHANGE_SEQ
    parquet, hop = types.parquet_type(dms)
    return EmittedColumn(
        name=target.name,
        role=role,
        dms_type=dms,
        parquet_type=parquet,
        source=source.name if source else None,
        pg_type=source.type if source else None,
        hops=(hop,),
        expression=target.expression or "",
    )


def _with_service_columns(
    data: tuple[EmittedColumn, ...], settings: EndpointSettings
) -> tuple[tuple[EmittedColumn, ...], tuple[EmittedColumn, ...]]:
    """Op first and the commit time last, for full-load files and for CDC files by the documented truth table."""
    op = EmittedColumn(OP, Role.OP, "STRING", "STRING", hops=(_OP_HOP,))
    head_full = (op,) if settings.op_in_full_load else ()
    head_cdc = (op,) if settings.op_in_cdc else ()
    tail: tuple[EmittedColumn, ...] = ()
    if settings.timestamp_column_name:
        name = settings.timestamp_column_name
        tail = (EmittedColumn(name, Role.COMMIT_TIME, "STRING", "STRING", hops=(_exact(name, TIME_SOURCE),)),)
    return head_full + data + tail, head_cdc + data + tail


def _word(dms: str) -> str:
    """`NUMERIC(10,2)` → `numeric`: how a mapping rule names a data type."""
    return dms.partition("(")[0].lower()


def _exact(name: str, source: str) -> Hop:
    return Hop("dms_to_parquet", name, "STRING", Loss.EXACT, "", source, "AWS text")


_OP_NOTE = "AWS calls it the first field and gives its letters, neither its name nor its type"
_OP_HOP = Hop("dms_to_parquet", OP, "STRING", Loss.ASSUMED_EXACT, _OP_NOTE, OP_SOURCE, "stand-in only")
