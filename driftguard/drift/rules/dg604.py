"""DG604: a snapshot is old."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG604"
TITLE = "a snapshot is old"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for what in context.stale:
        yield Finding(
            CODE,
            SEVERITY,
            what,
            "a comparison with yesterday's estate says nothing about today's",
            "take it again with `driftguard snapshot`, or raise [snapshots] max_age_days",
            place=Place("file", what.partition(" is ")[0]),
        )
