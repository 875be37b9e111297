"""Markers: written on Aurora for the changes that are deployed, so that it shows in FINAL when they have passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg

from driftguard.aurora.connect import connect
from driftguard.aurora.introspect import introspect
from driftguard.aurora.markers import not_deployed, statement, write
from driftguard.config import Config
from driftguard.errors import DriftguardError
from driftguard.model.identifiers import TableName
from driftguard.operations.await_marker import AwaitMarker


def line(config: Config, name: str) -> str:
    """The SQL that writes a marker, to stand at the end of the migration itself."""
    return statement(_table(config), config.settings.marker.column, name)


def write_markers(config: Config, operations: Iterable[AwaitMarker], say: Callable[[str], None]) -> None:
    """Write each marker whose change is on Aurora; say why for those that were not written.

    Nothing here stops an apply: what waits for a marker goes on waiting.
    """
    wanted = tuple(operations)
    if not wanted:
        return
    try:
        with connect(config.settings.aurora.url, read_only=False) as connection:
            catalog = introspect(connection, schemas=config.settings.aurora.schemas or None)
            connection.rollback()
            for operation in wanted:
                lacks = not_deployed(operation, catalog)
                if lacks:
                    say(f"{operation.final}: not deployed on Aurora yet: {lacks}")
                    continue
                write(connection, _table(config), config.settings.marker.column, operation.name)
    except (DriftguardError, psycopg.Error) as error:
        why = " ".join(str(error).split())
        say(f"no marker was written on Aurora ({why}); run there, after the migration: {line(config, wanted[0].name)}")


def _table(config: Config) -> TableName:
    schema, _, name = config.settings.marker.table.partition(".")
    return TableName(schema, name)
