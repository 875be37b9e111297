"""Writes the marker of a change on Aurora, once the change is there."""

from __future__ import annotations

import psycopg

from driftguard.model.catalog import Catalog
from driftguard.model.identifiers import TableName
from driftguard.operations.await_marker import AwaitMarker
from driftguard.sql.postgres import literal, qualified, quote


def statement(table: TableName, column: str, name: str) -> str:
    """The INSERT of a marker: at the end of the migration, in its own transaction, or at any time after it."""
    return f"INSERT INTO {qualified(table)} ({quote(column)}) VALUES ({literal(name)}) ON CONFLICT DO NOTHING"


def write(connection: psycopg.Connection, table: TableName, column: str, name: str) -> None:
    """Insert the marker, unless it is there. Errors of psycopg pass through."""
    with connection.transaction():
        connection.execute(statement(table, column, name).encode())


def not_deployed(operation: AwaitMarker, catalog: Catalog) -> str:
    """What the change still lacks on Aurora; "" where it is there."""
    table = catalog.table(TableName(*operation.table))
    if table is None:
        return f"{'.'.join(operation.table)} is not there"
    for wanted in operation.deployed:
        found = table.column(wanted.column)
        if found is None:
            return f"{table.id}.{wanted.column} is not there"
        if found.type.text != wanted.type:
            return f"{table.id}.{wanted.column} is {found.type.text}, not {wanted.type}"
        if wanted.labels and found.type.enum_labels != wanted.labels:
            return f"{table.id}.{wanted.column} has other labels"
    key = table.primary_key.columns if table.primary_key else ()
    if operation.key and set(key) != set(operation.key):
        return f"the primary key of {table.id} is ({', '.join(key)}), not ({', '.join(operation.key)})"
    return ""
