"""DG503: part of Aurora could not be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG503"
TITLE = "part of Aurora could not be looked at"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    for unseen in context.catalog.unseen if context.catalog else ():
        yield Finding(
            CODE,
            SEVERITY,
            f"{unseen.what} on Aurora could not be looked at: {unseen.reason}",
            "what is not seen may still be emitted by DMS; nothing is concluded from it",
            "grant the role USAGE on the schema and SELECT on its tables, or leave the schema out in [aurora] schemas",
            place=Place("aurora", unseen.what),
        )
