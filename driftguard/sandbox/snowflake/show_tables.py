"""SHOW TABLES, VIEWS, OBJECTS, COLUMNS, PRIMARY KEYS, UNIQUE KEYS: their columns as the SHOW pages have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from driftguard.sandbox.snowflake.asked import Asked, cut, flag
from driftguard.sandbox.snowflake.catalog import Located, Table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import data_type, rows_of, visible
from driftguard.sandbox.snowflake.results import Result


def tables(ex: Execution, asked: Asked) -> Result:
    shown = [one for one in visible(ex, "TABLE", asked.database, asked.schema) if asked.fits(one.thing.name)]
    counts = rows_of(ex, (one.thing for one in shown))
    rows = (
        (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            "TRANSIENT" if one.thing.transient else "TABLE",
            one.thing.comment or "",
            one.thing.cluster_by or "",
            counts[one.thing.id],
            0,
            one.thing.owner,
            str(one.thing.retention),
            "ON" if one.thing.change_tracking else "OFF",
            "N",
            "Y" if one.thing.schema_evolution else "N",
            "ROLE",
            "N",
            None,
            "N",
            "N",
        )
        for one in shown
    )
    return cut(
        "created_on@ name database_name schema_name kind comment cluster_by rows# bytes# owner retention_time "
        "change_tracking "
        "is_external enable_schema_evolution owner_role_type is_event budget is_hybrid is_iceberg",
        rows,
        asked,
    )


def views(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created,
            one.thing.name,
            "",
            one.database.name,
            one.schema.name,
            one.thing.owner,
            one.thing.comment or "",
            one.thing.text,
            flag(False),
            flag(False),
            "ROLE",
            "OFF",
        )
        for one in visible(ex, "VIEW", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )
    return cut(
        "created_on@ name reserved database_name schema_name owner comment text is_secure is_materialized "
        "owner_role_type change_tracking",
        rows,
        asked,
    )


def _asked_tables(ex: Execution, asked: Asked) -> Iterable[Located[Table]]:
    return [asked.table] if asked.table is not None else visible(ex, "TABLE", asked.database, asked.schema)


def columns(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.name,
            one.schema.name,
            column.name,
            data_type(column),
            "true" if column.nullable else "NOT_NULL",
            column.default or "",
            "COLUMN",
            "",
            column.comment or "",
            one.database.name,
            "IDENTITY START 1 INCREMENT 1 NOORDER" if column.autoincrement else "",
            column.evolution,
        )
        for one in _asked_tables(ex, asked)
        for column in one.thing.columns
        if asked.fits(column.name)
    )
    return cut(
        "table_name schema_name column_name data_type null?? default kind expression comment database_name "
        "autoincrement "
        "schema_evolution_record",
        rows,
        asked,
    )


def keys(kind: str) -> Callable[[Execution, Asked], Result]:
    def listing(ex: Execution, asked: Asked) -> Result:
        rows = (
            (
                key.created,
                one.database.name,
                one.schema.name,
                one.thing.name,
                column,
                position,
                key.name,
                flag(False),
                None,
            )
            for one in _asked_tables(ex, asked)
            for key in one.thing.constraints
            if key.kind == kind
            for position, column in enumerate(key.columns, start=1)
        )
        return cut(
            "created_on@ database_name schema_name table_name column_name key_sequence# constraint_name rely comment",
            rows,
            asked,
        )

    return listing


def objects(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            kind,
            one.thing.comment or "",
            "",
            0,
            0,
            one.thing.owner,
            "1",
            "ROLE",
        )
        for kind in ("TABLE", "VIEW")
        for one in visible(ex, kind, asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )
    return cut(
        "created_on@ name database_name schema_name kind comment cluster_by rows# bytes# owner retention_time "
        "owner_role_type",
        rows,
        asked,
    )
