"""DG201: a table has no FINAL table."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG201"
TITLE = "a table has no FINAL table"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.final is None and pair.saw("tables") and not pair.new:
            landing = pair.landing
            yield Finding(
                CODE,
                SEVERITY,
                f"{source_table(landing)} has no table {landing.final}",
                "there is nothing to merge its changes into",
                managed(context.policy.final_managed_by, "FINAL tables"),
                table=source_table(landing),
                place=on_snowflake(landing.final),
            )
