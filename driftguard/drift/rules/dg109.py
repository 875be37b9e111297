"""DG109: DMS does not deliver this column."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.emission.emit import CHOSEN
from driftguard.model.finding import Finding, Severity

CODE = "DG109"
TITLE = "DMS does not deliver this column"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            table = emission.source.table
            for name, reason in emission.dropped:
                chosen = reason.startswith(CHOSEN)
                yield Finding(
                    CODE,
                    Severity.INFO if chosen else SEVERITY,
                    f"{table}.{name} is not in the files: {reason}",
                    "the column never reaches Snowflake",
                    "nothing to do if the mapping is meant so" if chosen else "move the column to a type DMS delivers",
                    table=table,
                    column=name,
                    place=on_aurora(table),
                )
