"""ENABLE_SCHEMA_EVOLUTION: a load that matches columns by name gives the table what the file has and the table lacks.

"Table schema evolution" on docs.snowflake.com: columns are added, and NOT NULL is dropped from those that a file lacks;
the loading role needs OWNERSHIP or EVOLVE SCHEMA; at most 100 columns a COPY. The record of it: behavior change 1377.
"""

from __future__ import annotations

import json

from driftguard.sandbox.snowflake import errors, streams
from driftguard.sandbox.snowflake.catalog import Column, Located, Table
from driftguard.sandbox.snowflake.clock import iso
from driftguard.sandbox.snowflake.copy_plan import CopyPlan
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import quote
from driftguard.sandbox.snowflake.parquet import names, read
from driftguard.sandbox.snowflake.stages import StageFile
from driftguard.sandbox.snowflake.types import SfType, from_duck, number

_MOST = 100
_PRIVILEGES = {"OWNERSHIP", "EVOLVE SCHEMA"}


def evolve(ex: Execution, plan: CopyPlan, file: StageFile, role: str, by: dict[str, str]) -> None:
    """Changes the plan's table for a file that `role` is about to load; `by` is for the record."""
    table = plan.table.thing
    if plan.match is None or not table.schema_evolution or not _may(ex, plan.table, role):
        return
    try:
        data = read(file.path, plan.scanner)
    except errors.SnowflakeError:
        return  # the load itself says so
    in_file = names(data)
    same = str.upper if plan.match == "CASE_INSENSITIVE" else str
    known = {same(column.name) for column in table.columns}
    new = {same(name): position for position, name in enumerate(in_file) if same(name) not in known}
    if len(new) > _MOST:
        raise errors.unsupported(f"a file with more than {_MOST} new columns")
    record = {"fileName": file.name, "triggeringTime": iso(ex.now), **by}
    for name, position in new.items():
        column = Column(
            name, _kind(ex, data, position), evolution=json.dumps({"evolutionType": "ADD_COLUMN", **record})
        )
        streams.alter(ex, table, f"ADD COLUMN {quote(name)} {column.type.duck}")
        table.columns.append(column)
    there = {same(name) for name in in_file} | {same(name) for name in plan.metadata}
    key = table.primary_key()
    for column in table.columns:
        if not column.nullable and same(column.name) not in there and (key is None or column.name not in key.columns):
            column.nullable = True
            column.evolution = json.dumps({"evolutionType": "DROP_NOT_NULL", **record})
    if new:
        table.last_ddl = ex.now
        ex.catalog.changed()


def _may(ex: Execution, found: Located[Table], role: str) -> bool:
    schema, table = found.schema, found.thing
    held = ex.grants.held(role, "TABLE", table.id, table.owner) | ex.grants.held(
        role, "SCHEMA", schema.id, schema.owner
    )
    return bool(held & _PRIVILEGES)


def _kind(ex: Execution, data: object, position: int) -> SfType:
    cursor = ex.engine.root.cursor()
    try:
        cursor.register("dg_evolving", data)
        found = cursor.execute(f"SELECT typeof(r.c{position}) FROM (SELECT 1) LEFT JOIN dg_evolving AS r ON FALSE")
        (name,) = found.fetchone() or ("",)
        return number() if name.endswith("INT") or name == "INTEGER" else from_duck(name)
    finally:
        cursor.close()
