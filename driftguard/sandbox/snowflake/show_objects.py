"""SHOW PIPES, TASKS, PROCEDURES, FILE FORMATS, STAGES, STREAMS, SCHEMAS, DATABASES, WAREHOUSES, ROLES.

The columns follow the SHOW pages; those that the stand-in has nothing to say about (budget, …) are there and NULL.
"""

from __future__ import annotations

import json
from typing import Any

from driftguard.sandbox.snowflake import pipes as pipe_state
from driftguard.sandbox.snowflake.asked import Asked, cut, flag
from driftguard.sandbox.snowflake.catalog import Located, Procedure, Task
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import Row, predecessors, visible
from driftguard.sandbox.snowflake.listing import schemas as visible_schemas
from driftguard.sandbox.snowflake.results import Result
from driftguard.sandbox.snowflake.streams import is_stale, stale_after


def pipes(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            one.thing.definition,
            one.thing.owner,
            "arn:aws:sqs:eu-central-1:000000000000:driftguard-sandbox" if one.thing.auto_ingest else None,
            one.thing.comment or "",
            one.thing.integration,
            None,
            one.thing.error_integration,
            "ROLE",
            pipe_state.state(ex, one)[1],
            "STAGE",
        )
        for one in visible(ex, "PIPE", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )
    return cut(
        "created_on@ name database_name schema_name definition owner notification_channel comment integration pattern "
        "error_integration owner_role_type invalid_reason kind",
        rows,
        asked,
    )


TASK_COLUMNS = (
    "created_on@ name id database_name schema_name owner comment warehouse schedule predecessors state "
    "definition condition "
    "allow_overlapping_execution error_integration last_committed_on@ last_suspended_on@ owner_role_type config budget "
    "task_relations last_suspended_reason target_completion_interval"
)


def task_row(ex: Execution, one: Located[Task]) -> Row:
    task = one.thing
    before = predecessors(ex, task)
    return (
        task.created,
        task.name,
        task.task_id,
        one.database.name,
        one.schema.name,
        task.owner,
        task.comment or "",
        task.warehouse,
        task.schedule,
        json.dumps(before),
        task.state,
        task.definition,
        task.condition,
        flag(task.allow_overlapping),
        None,
        task.last_committed,
        task.last_suspended,
        "ROLE",
        task.config,
        None,
        json.dumps({"Predecessors": before}, separators=(",", ":")),
        task.last_suspended_reason,
        None,
    )


def tasks(ex: Execution, asked: Asked) -> Result:
    rows = (
        task_row(ex, one) for one in visible(ex, "TASK", asked.database, asked.schema) if asked.fits(one.thing.name)
    )
    return cut(TASK_COLUMNS, rows, asked)


def procedures(ex: Execution, asked: Asked) -> Result:
    def row(one: Located[Procedure]) -> Row:
        procedure = one.thing
        count = len(procedure.arguments)
        return (
            procedure.created,
            procedure.name,
            one.schema.name,
            "N",
            "N",
            "N",
            count,
            count,
            f"{procedure.signature} RETURN {procedure.returns.split('(')[0]}",
            procedure.comment or "user-defined procedure",
            one.database.name,
            "N",
            "N",
            "Y" if procedure.secure else "N",
            None,
            None,
        )

    rows = (row(one) for one in visible(ex, "PROCEDURE", asked.database, asked.schema) if asked.fits(one.thing.name))
    return cut(
        "created_on@ name schema_name is_builtin is_aggregate is_ansi min_num_arguments# max_num_arguments# "
        "arguments description "
        "catalog_name is_table_function valid_for_clustering is_secure secrets external_access_integrations",
        rows,
        asked,
    )


def formats(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            one.thing.type,
            one.thing.owner,
            one.thing.comment or "",
            json.dumps({"TYPE": one.thing.type, **one.thing.options}, separators=(",", ":")),
            "ROLE",
        )
        for one in visible(ex, "FILE FORMAT", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )
    return cut(
        "created_on@ name database_name schema_name type owner comment format_options owner_role_type", rows, asked
    )


def stages(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            one.thing.url,
            "N",
            "N",
            one.thing.owner,
            one.thing.comment or "",
            None,
            "EXTERNAL",
            None,
            None,
            None,
            "N",
            "ROLE",
        )
        for one in visible(ex, "STAGE", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )
    return cut(
        "created_on@ name database_name schema_name url has_credentials has_encryption_key owner comment region "
        "type cloud "
        "notification_channel storage_integration directory_enabled owner_role_type",
        rows,
        asked,
    )


def streams(ex: Execution, asked: Asked) -> Result:
    def row(one: Located[Any]) -> Row:
        table = ex.catalog.by_id("TABLE", one.thing.table_id)
        after = stale_after(one.thing, table.thing if table is not None else None)  # type: ignore[arg-type]
        return (
            one.thing.created,
            one.thing.name,
            one.database.name,
            one.schema.name,
            one.thing.owner,
            one.thing.comment or "",
            table.full_name if table is not None else None,
            "Table",
            table.full_name if table is not None else None,
            "DELTA",
            flag(is_stale(ex, one.thing)),
            "APPEND_ONLY" if one.thing.append_only else "DEFAULT",
            after,
            "N/A",
            "ROLE",
        )

    rows = (row(one) for one in visible(ex, "STREAM", asked.database, asked.schema) if asked.fits(one.thing.name))
    return cut(
        "created_on@ name database_name schema_name owner comment table_name source_type base_tables type "
        "stale mode stale_after@ invalid_reason owner_role_type",
        rows,
        asked,
    )


def schemas(ex: Execution, asked: Asked) -> Result:
    found = [
        (
            schema.created,
            schema.name,
            "N",
            "Y" if schema.name == ex.session.schema else "N",
            database.name,
            schema.owner,
            schema.comment or "",
            "",
            "1",
            "ROLE",
            None,
        )
        for database, schema in visible_schemas(ex, asked.database)
        if asked.fits(schema.name)
    ]
    databases = {database.name for database, _ in visible_schemas(ex, asked.database)} | (
        {asked.database.name} if asked.database is not None else set()
    )
    system = [
        (
            0,
            "INFORMATION_SCHEMA",
            "N",
            "N",
            name,
            "",
            "Views describing the contents of schemas in this database",
            "",
            "1",
            "",
            None,
        )
        for name in sorted(databases)
        if asked.fits("INFORMATION_SCHEMA")
    ]
    rows = sorted([*found, *system], key=lambda row: (str(row[4]), str(row[1])))
    return cut(
        "created_on@ name is_default is_current database_name owner comment options retention_time "
        "owner_role_type budget",
        rows,
        asked,
    )


def databases(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.created,
            one.name,
            "N",
            "Y" if one.name == ex.session.database else "N",
            "",
            one.owner,
            one.comment or "",
            "",
            "1",
            "STANDARD",
            None,
            "ROLE",
        )
        for one in sorted(ex.catalog.databases.values(), key=lambda one: one.name)
        if ex.grants.enters(ex.role, one, None) and asked.fits(one.name)
    )
    return cut(
        "created_on@ name is_default is_current origin owner comment options retention_time kind budget "
        "owner_role_type",
        rows,
        asked,
    )


def warehouses(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.name,
            one.state,
            "STANDARD",
            one.size,
            0,
            0,
            "N",
            "Y" if one.name == ex.session.warehouse else "N",
            one.created,
            one.owner,
            one.comment or "",
        )
        for one in sorted(ex.catalog.warehouses.values(), key=lambda one: one.name)
        if asked.fits(one.name)
    )
    return cut("name state type size running# queued# is_default is_current created_on@ owner comment", rows, asked)


def roles(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.created,
            one.name,
            "N",
            "Y" if one.name == ex.role else "N",
            "N",
            0,
            0,
            len(one.granted),
            "ACCOUNTADMIN",
            one.comment or "",
        )
        for one in sorted(ex.grants.roles.values(), key=lambda one: one.name)
        if asked.fits(one.name)
    )
    return cut(
        "created_on@ name is_default is_current is_inherited assigned_to_users# granted_to_roles# granted_roles# "
        "owner comment",
        rows,
        asked,
    )
