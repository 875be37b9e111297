"""DG514: REPLICA IDENTITY FULL with a plug-in that does not take it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG514"
TITLE = "REPLICA IDENTITY FULL with a plug-in that does not take it"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    """DMS takes pglogical where it is installed, unless PluginName says test-decoding."""
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    for task, emission in emissions(context):
        table = tables.get(emission.source.table)
        if table is None or table.replica_identity != "f" or task.migration_type == "full-load":
            continue
        if task.endpoint.plugin_name != "test-decoding":
            yield Finding(
                CODE,
                SEVERITY,
                f"{table.id} has REPLICA IDENTITY FULL, and DMS task {task.name} may use the pglogical plug-in",
                "AWS does not support it with pglogical, which DMS takes where it is installed: updates and deletes of "
                "the table may not arrive",
                "set PluginName in the settings of the source endpoint to test-decoding",
                table=table.id,
                place=on_aurora(table.id),
            )
