"""DG706: a table goes, is made anew, or leaves the WAL, and FINAL keeps its rows."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import common_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Table
from driftguard.model.finding import Finding, Severity

CODE = "DG706"
TITLE = "a table goes, is made anew, or leaves the WAL, and FINAL keeps its rows"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    if context.before is None or context.catalog is None:
        return
    kept = {t.oid for t in context.catalog.tables}
    names = {t.id for t in context.catalog.tables}
    for old in context.before.tables:
        if old.oid in kept or old.persistence != "p":
            continue
        if old.id in names:
            yield _finding(
                old,
                f"{old.id} is dropped and made anew",
                "DMS sends no delete for the rows of the old table: FINAL keeps them beside the new ones",
                "empty FINAL and STAGING once the old table's changes are merged, then reload the table in DMS",
            )
        else:
            yield _finding(
                old,
                f"{old.id} is dropped",
                "DMS sends no delete for its rows: FINAL keeps them, and its pipe and task go on without work",
                "nothing to do if FINAL is to be kept. To retire the landing by hand, once the merge has nothing left: "
                "suspend and drop the task, drop the pipe, then STAGING; look who reads FINAL before you drop it",
                Severity.INFO,
            )
    for old, new in common_tables(context):
        if old.persistence == "p" and new.persistence != "p":
            yield _finding(
                new,
                f"{new.id} becomes unlogged",
                "an unlogged table is not in the WAL: DMS sees no change of it any more, and FINAL stands still",
                "keep the table logged, or take it out of the table mappings",
            )


def _finding(table: Table, message: str, reason: str, remedy: str, severity: Severity = SEVERITY) -> Finding:
    return Finding(CODE, severity, message, reason, remedy, table=table.id, place=on_aurora(table.id))
