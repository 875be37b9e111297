"""DG513: the load of a table contains the rows of the tables that inherit from it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG513"
TITLE = "the load of a table contains the rows of the tables that inherit from it"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    """Partitions are not meant: a partitioned parent has no rows of its own, and no changes in the WAL."""
    children: dict[object, list[str]] = {}
    for table in context.catalog.tables if context.catalog else ():
        for parent in table.inherits:
            children.setdefault(parent, []).append(str(table.id))
    for task, emission in emissions(context):
        name = emission.source.table
        if name not in children or task.migration_type == "cdc":
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"{name} is loaded with the rows of {', '.join(children[name])}, which inherit from it",
            "DMS loads a parent without ONLY, while changes of a child's rows arrive under the child's name: FINAL "
            "keeps the child's rows in the parent's table as they were at the load",
            "exclude the parent or the children from the DMS task, or delete the children's rows from FINAL",
            table=name,
            place=on_aurora(name),
        )
