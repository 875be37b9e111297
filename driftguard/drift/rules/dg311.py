"""DG311: a column is staged but a hand-written merge does not carry it."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import how, judged, missing
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG311"
TITLE = "a column is staged but a hand-written merge does not carry it"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        for column in missing(pair, merge):
            yield Finding(
                CODE,
                SEVERITY,
                f"{column.name} is in {pair.landing.staging} and {pair.landing.final}, {merge.place} lacks it",
                "its values arrive in STAGING and never reach FINAL, and nothing fails",
                how(pair, merge, [column]),
                table=source_table(pair.landing),
                column=column.source,
                place=on_snowflake(merge.place),
            )
