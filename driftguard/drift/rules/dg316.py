"""DG316: a hand-written merge does not pick the newest change of each row."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import dedupe, judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG316"
TITLE = "a hand-written merge does not pick the newest change of each row"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        found = dedupe(pair, merge)
        if found is not None:
            severity, what, why = found
            yield Finding(
                CODE,
                severity,
                f"{merge.place}: {what}",
                why,
                "QUALIFY ROW_NUMBER() OVER (PARTITION BY the key ORDER BY the commit time as a timestamp DESC, "
                "the change sequence DESC) = 1",
                table=source_table(pair.landing),
                place=on_snowflake(merge.place),
            )
