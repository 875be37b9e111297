"""DG703: a table is renamed or moved to another schema."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._changes import renamed_tables
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG703"
TITLE = "a table is renamed or moved to another schema"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for old, new in renamed_tables(context):
        yield Finding(
            CODE,
            SEVERITY,
            f"{old.id} becomes {new.id}",
            "DMS writes to another folder from then on: the old pipe goes silent, and the new landing lacks the "
            "rows of the old one",
            "land the new name beside the old one and reload the table after the deploy",
            table=new.id,
            place=on_aurora(new.id),
        )
