"""DG406: mapping rules disagree."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG406"
TITLE = "mapping rules disagree"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            for message in emission.warnings:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{emission.source.table}: {message}",
                    "DMS applies one transformation rule to an object, the one with the lowest rule-id",
                    "leave one rule for the object",
                    table=emission.source.table,
                    place=Place("dms", emission.source.task),
                )
