"""DG510: the replica identity of a table is NOTHING."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_aurora
from driftguard.model.catalog import Key, Table
from driftguard.model.finding import Finding, Severity

CODE = "DG510"
TITLE = "the replica identity of a table is NOTHING"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """A deferrable key does not serve as identity, and an index that is gone serves no more ("ALTER TABLE")."""
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    for task, emission in emissions(context):
        table = tables.get(emission.source.table)
        if table is None or table.kind != "r" or task.migration_type == "full-load":
            continue
        key = table.primary_key
        why = ""
        if table.replica_identity == "n":
            why = "its REPLICA IDENTITY is NOTHING"
        elif table.replica_identity == "d" and key is not None and key.deferrable:
            why = "its primary key is deferrable, and there is no other REPLICA IDENTITY"
        elif table.replica_identity == "i" and replica_index(table) is None:
            why = "the index of its REPLICA IDENTITY is gone"
        if why:
            yield Finding(
                CODE,
                SEVERITY,
                f"{table.id}: deletes do not leave Aurora, because {why}",
                "PostgreSQL then logs no key with a delete: DMS cannot say which row is gone, and FINAL keeps it",
                "ALTER TABLE … REPLICA IDENTITY DEFAULT; FULL or USING INDEX where the primary key is deferrable",
                table=table.id,
                place=on_aurora(table.id),
            )


def replica_index(table: Table) -> Key | None:
    """The index that a table with replica identity `i` uses."""
    keys = (*table.unique_keys, *((table.primary_key,) if table.primary_key else ()))
    return next((key for key in keys if key.name == table.replica_index), None)
