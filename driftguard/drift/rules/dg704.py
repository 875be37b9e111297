"""DG704: a primary key changes."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import common_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG704"
TITLE = "a primary key changes"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for old, new in common_tables(context):
        before = old.primary_key.columns if old.primary_key else ()
        after = new.primary_key.columns if new.primary_key else ()
        if before == after:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"the primary key of {new.id} changes from ({text(before)}) to ({text(after)})",
            "AWS: after a change of the primary key, later changes of the table are not replicated; FINAL is merged by "
            "the old key",
            "stop the DMS task for the change and reload the table",
            table=new.id,
            place=on_aurora(new.id),
        )


def text(columns: tuple[str, ...]) -> str:
    return ", ".join(columns) or "none"
