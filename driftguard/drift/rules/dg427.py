"""DG427: rows of different tables can have the same key in one landing."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake
from driftguard.drift.sources import discriminators, family
from driftguard.model.finding import Finding, Severity

CODE = "DG427"
TITLE = "rows of different tables can have the same key in one landing"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        landing = pair.landing
        if len(landing.emissions) < 2 or discriminators(landing.emissions) is not None:
            continue
        tables = list({family(e.source): str(e.source.table) for e in landing.emissions}.values())
        yield Finding(
            CODE,
            SEVERITY,
            f"{', '.join(tables)} meet in {landing.final}, and nothing tells their rows apart",
            "rows of one key overwrite each other, and a delete in one table removes the row of the other",
            "add a column to each by an add-column rule, with $AR_M_SOURCE_SCHEMA, $AR_M_SOURCE_TABLE_NAME or another "
            "literal each as expression: driftguard makes it part of the key; or waive it where the keys never meet",
            table=landing.emissions[0].source.table,
            place=on_snowflake(landing.final),
        )
