"""DG721: a partition is attached, detached or made, and DMS sends no row for it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import common_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName

CODE = "DG721"
TITLE = "a partition is attached, detached or made, and DMS sends no row for it"
SEVERITY = Severity.WARNING
_AWS = "AWS: partition changes (ADD, DROP, TRUNCATE) are not replicated"


def find(context: Context) -> Iterator[Finding]:
    """Info where a partition with a landing of its own is attached or detached: nothing is missing there."""
    if context.before is None or context.catalog is None:
        return
    shared = {
        emission.source.table
        for pair in context.pairs
        if len(pair.landing.emissions) > 1
        for emission in pair.landing.emissions
    }
    for old, new in common_tables(context):
        if old.partition_of == new.partition_of:
            continue
        if new.partition_of is not None:
            what = f"{new.id} becomes a partition of {new.partition_of}"
            reason = f"{_AWS}: the rows that it holds already are not sent to a landing that they have not been in"
            remedy = "reload the table in DMS if its landing is shared with the other partitions"
        else:
            what = f"{new.id} is no partition of {old.partition_of} any more"
            reason = f"{_AWS}: no delete is sent, so FINAL keeps its rows wherever they landed"
            remedy = "delete its rows from the shared FINAL by hand if they are to go"
        yield _finding(new.id, what, reason, remedy, SEVERITY if new.id in shared else Severity.INFO)
    known = {t.oid for t in context.before.tables}
    parents = {t.id for t in context.before.tables}
    for table in context.catalog.tables:
        if table.oid not in known and table.partition_of in parents and table.kind == "r":
            yield _finding(
                table.id,
                f"{table.id} is a new partition of {table.partition_of}",
                f"{_AWS}: whether a running task takes its rows is not documented",
                "once it has rows, look whether files come for it (`check --observed`); if not, stop and resume the "
                "DMS task, and reload the partition",
                SEVERITY,
            )


def _finding(table: TableName, message: str, reason: str, remedy: str, severity: Severity) -> Finding:
    return Finding(CODE, severity, message, reason, remedy, table=table, place=on_aurora(table))
