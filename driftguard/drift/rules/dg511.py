"""DG511: deletes arrive without the key."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_aurora
from driftguard.drift.rules.dg510 import replica_index
from driftguard.model.finding import Finding, Severity

CODE = "DG511"
TITLE = "deletes arrive without the key"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """PostgreSQL logs the columns of the replica identity with a delete, and no others."""
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    for task, emission in emissions(context):
        table = tables.get(emission.source.table)
        if table is None or table.kind != "r" or table.replica_identity != "i" or task.migration_type == "full-load":
            continue
        index = replica_index(table)
        key = table.primary_key.columns if table.primary_key else ()
        missing = [name for name in key if index is not None and name not in index.columns]
        if missing and index is not None:
            yield Finding(
                CODE,
                SEVERITY,
                f"{table.id}: a delete arrives without {', '.join(missing)}, which the key needs",
                f"the REPLICA IDENTITY is {index.name} ({', '.join(index.columns)}): the merge finds no row by it",
                "ALTER TABLE … REPLICA IDENTITY DEFAULT, or FULL (not with the pglogical plug-in)",
                table=table.id,
                place=on_aurora(table.id),
            )
