"""The views of INFORMATION_SCHEMA: whole databases in one statement, only what the role may see.

"Snowflake Information Schema" and the page of each view on docs.snowflake.com. A view answers for the database that
qualifies it; COLUMNS.DATETIME_PRECISION is documented as not applicable and is filled here as the account's SHOW says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Column, Database, Table, View
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import Row, fields, rows_of, schemas, visible
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.results import Field
from driftguard.sandbox.snowflake.types import TEXT, VARCHAR_DEFAULT, VARCHAR_MAX, SfType

Answer = tuple[list[Field], list[Row]]


def asked_for(ex: Execution, name: QName) -> Answer | None:
    """The view, if the name is one of INFORMATION_SCHEMA's."""
    parts = name.parts
    if len(parts) == 1 and ex.session.schema != "INFORMATION_SCHEMA":
        return None
    if len(parts) >= 2 and parts[-2] != "INFORMATION_SCHEMA":
        return None
    database_name = parts[0] if len(parts) == 3 else ex.session.database
    if database_name is None:
        raise errors.no_database("SELECT")
    database = ex.catalog.databases.get(database_name)
    if database is None or not ex.grants.enters(ex.role, database, None):
        raise errors.not_exists("Database", database_name)
    view = _VIEWS.get(parts[-1])
    if view is None:
        raise errors.compilation(2003, "42S02", f"Object '{'.'.join(parts)}' does not exist or not authorized.")
    return view(ex, database)


def _tables(ex: Execution, database: Database) -> Answer:
    tables = list(visible(ex, "TABLE", database))
    counts = rows_of(ex, (one.thing for one in tables))
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.owner,
            "BASE TABLE",
            "YES" if one.thing.transient else "NO",
            one.thing.cluster_by,
            counts[one.thing.id],
            0,
            one.thing.retention,
            one.thing.created,
            one.thing.last_ddl,
            one.thing.last_ddl,
            one.thing.comment,
        )
        for one in tables
    ]
    rows += [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.owner,
            "VIEW",
            None,
            None,
            None,
            None,
            None,
            one.thing.created,
            one.thing.created,
            one.thing.created,
            one.thing.comment,
        )
        for one in visible(ex, "VIEW", database)
    ]
    return fields(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT CLUSTERING_KEY ROW_COUNT# BYTES# "
        "RETENTION_TIME# CREATED@ LAST_ALTERED@ LAST_DDL@ COMMENT"
    ), rows


@functools.lru_cache(maxsize=1024)
def _of_type(kind: SfType) -> Row:
    """DATA_TYPE to DATETIME_PRECISION."""
    text = kind.length if kind.base in ("TEXT", "BINARY") else None
    octets = min((text or 0) * 4, VARCHAR_MAX) if kind.base == "TEXT" and (text or 0) < VARCHAR_DEFAULT else text
    return (
        kind.name,
        text,
        octets,
        kind.precision if kind.base == "FIXED" else None,
        10 if kind.base == "FIXED" else None,
        kind.scale if kind.base == "FIXED" else None,
        kind.scale if kind.base.startswith("TIME") else None,
    )


def _columns_of(thing: Table | View) -> list[Column]:
    if isinstance(thing, Table):
        return thing.columns
    types = [*thing.types, *[TEXT] * len(thing.columns)]
    return [Column(name, kind) for name, kind in zip(thing.columns, types, strict=False)]


def _columns(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = []
    for one in (*visible(ex, "TABLE", database), *visible(ex, "VIEW", database)):
        for position, column in enumerate(_columns_of(one.thing), start=1):
            rows.append(
                (
                    database.name,
                    one.schema.name,
                    one.thing.name,
                    column.name,
                    position,
                    column.default,
                    "YES" if column.nullable else "NO",
                    *_of_type(column.type),
                    "YES" if column.autoincrement else "NO",
                    "1" if column.autoincrement else None,
                    "1" if column.autoincrement else None,
                    column.comment,
                    None,
                    column.evolution,
                    None,
                    "COLUMN",
                    None,
                )
            )
    return fields(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION# COLUMN_DEFAULT IS_NULLABLE DATA_TYPE "
        "CHARACTER_MAXIMUM_LENGTH# CHARACTER_OCTET_LENGTH# NUMERIC_PRECISION# NUMERIC_PRECISION_RADIX# NUMERIC_SCALE# "
        "DATETIME_PRECISION# IS_IDENTITY IDENTITY_START IDENTITY_INCREMENT COMMENT COLLATION_NAME "
        "SCHEMA_EVOLUTION_RECORD "
        "DATA_TYPE_ALIAS KIND EXPRESSION"
    ), rows


def _constraints(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            key.name,
            database.name,
            one.schema.name,
            one.thing.name,
            key.kind,
            "NO",
            "NO",
            "NO",
            None,
            key.created,
            key.created,
        )
        for one in visible(ex, "TABLE", database)
        for key in one.thing.constraints
    ]
    return fields(
        "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME "
        "CONSTRAINT_TYPE IS_DEFERRABLE "
        "INITIALLY_DEFERRED ENFORCED COMMENT CREATED@ LAST_ALTERED@"
    ), rows


def _pipes(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.owner,
            one.thing.definition,
            "YES" if one.thing.auto_ingest else "NO",
            None,
            one.thing.created,
            one.thing.created,
            one.thing.comment,
            None,
        )
        for one in visible(ex, "PIPE", database)
    ]
    return fields(
        "PIPE_CATALOG PIPE_SCHEMA PIPE_NAME PIPE_OWNER DEFINITION IS_AUTOINGEST_ENABLED "
        "NOTIFICATION_CHANNEL_NAME CREATED@ "
        "LAST_ALTERED@ COMMENT PATTERN"
    ), rows


def _stages(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.url,
            None,
            "External Named",
            one.thing.owner,
            one.thing.comment,
            one.thing.created,
            one.thing.created,
        )
        for one in visible(ex, "STAGE", database)
    ]
    return fields(
        "STAGE_CATALOG STAGE_SCHEMA STAGE_NAME STAGE_URL STAGE_REGION STAGE_TYPE STAGE_OWNER COMMENT CREATED@ "
        "LAST_ALTERED@"
    ), rows


def _formats(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.owner,
            one.thing.type,
            one.thing.created,
            one.thing.created,
            one.thing.comment,
        )
        for one in visible(ex, "FILE FORMAT", database)
    ]
    return fields(
        "FILE_FORMAT_CATALOG FILE_FORMAT_SCHEMA FILE_FORMAT_NAME FILE_FORMAT_OWNER FILE_FORMAT_TYPE CREATED@ "
        "LAST_ALTERED@ COMMENT"
    ), rows


def _procedures(ex: Execution, database: Database) -> Answer:
    from driftguard.sandbox.snowflake.procedures import sees_body

    rows: list[Row] = []
    for one in visible(ex, "PROCEDURE", database):
        procedure = one.thing
        arguments = "(" + ", ".join(f"{argument} {kind.sql}" for argument, kind in procedure.arguments) + ")"
        rows.append(
            (
                database.name,
                one.schema.name,
                procedure.name,
                procedure.owner,
                arguments,
                procedure.returns,
                None,
                None,
                None,
                None,
                None,
                procedure.language,
                procedure.body if sees_body(ex, one) else None,
                procedure.created,
                procedure.created,
                procedure.comment,
            )
        )
    return fields(
        "PROCEDURE_CATALOG PROCEDURE_SCHEMA PROCEDURE_NAME PROCEDURE_OWNER ARGUMENT_SIGNATURE DATA_TYPE "
        "CHARACTER_MAXIMUM_LENGTH# "
        "CHARACTER_OCTET_LENGTH# NUMERIC_PRECISION# NUMERIC_PRECISION_RADIX# NUMERIC_SCALE# PROCEDURE_LANGUAGE "
        "PROCEDURE_DEFINITION "
        "CREATED@ LAST_ALTERED@ COMMENT"
    ), rows


def _schemata(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (database.name, schema.name, schema.owner, "NO", "NO", 1, schema.created, schema.created, schema.comment)
        for _, schema in schemas(ex, database)
    ]
    rows.append(
        (
            database.name,
            "INFORMATION_SCHEMA",
            "",
            "NO",
            "NO",
            1,
            0,
            0,
            "Views describing the contents of schemas in this database",
        )
    )
    return fields(
        "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER IS_TRANSIENT IS_MANAGED_ACCESS RETENTION_TIME# CREATED@ "
        "LAST_ALTERED@ COMMENT"
    ), rows


def _databases(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (one.name, one.owner, "NO", one.comment, one.created, one.created, 1, "STANDARD")
        for one in sorted(ex.catalog.databases.values(), key=lambda one: one.name)
        if ex.grants.enters(ex.role, one, None)
    ]
    _ = database
    return fields("DATABASE_NAME DATABASE_OWNER IS_TRANSIENT COMMENT CREATED@ LAST_ALTERED@ RETENTION_TIME# TYPE"), rows


def _views(ex: Execution, database: Database) -> Answer:
    rows: list[Row] = [
        (
            database.name,
            one.schema.name,
            one.thing.name,
            one.thing.owner,
            one.thing.text,
            "NONE",
            "NO",
            "NO",
            one.thing.created,
            one.thing.created,
            one.thing.comment,
        )
        for one in visible(ex, "VIEW", database)
    ]
    return fields(
        "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE IS_SECURE "
        "CREATED@ LAST_ALTERED@ COMMENT"
    ), rows


def _load_history(ex: Execution, database: Database) -> Answer:
    """LOAD_HISTORY: COPY alone, not Snowpipe; at most 10,000 rows."""
    seen = {one.thing.id for one in visible(ex, "TABLE", database)}
    rows: list[Row] = []
    for one in ex.engine.history.loads:
        if one.pipe is None and one.table_id in seen:
            rows.append(
                (
                    one.table[1],
                    one.stage_location + one.file_name,
                    one.table[2],
                    one.loaded,
                    one.status.upper().replace(" ", "_"),
                    one.rows,
                    one.parsed,
                    one.error,
                    one.error_line,
                    None,
                    one.error_column,
                    one.errors,
                    one.error_limit,
                )
            )
    return fields(
        "SCHEMA_NAME FILE_NAME TABLE_NAME LAST_LOAD_TIME@ STATUS ROW_COUNT# ROW_PARSED# FIRST_ERROR_MESSAGE "
        "FIRST_ERROR_LINE_NUMBER# "
        "FIRST_ERROR_CHARACTER_POSITION# FIRST_ERROR_COL_NAME ERROR_COUNT# ERROR_LIMIT#"
    ), rows[-10_000:]


_VIEWS: dict[str, Callable[[Execution, Database], Answer]] = {
    "TABLES": _tables,
    "COLUMNS": _columns,
    "TABLE_CONSTRAINTS": _constraints,
    "PIPES": _pipes,
    "STAGES": _stages,
    "FILE_FORMATS": _formats,
    "PROCEDURES": _procedures,
    "SCHEMATA": _schemata,
    "DATABASES": _databases,
    "VIEWS": _views,
    "LOAD_HISTORY": _load_history,
}
