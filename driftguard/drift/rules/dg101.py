"""DG101: a table that DMS emits has no STAGING table."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG101"
TITLE = "a table that DMS emits has no STAGING table"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.staging is None and pair.saw("tables"):
            landing = pair.landing
            yield Finding(
                CODE,
                SEVERITY,
                f"{source_table(landing)} has no {'landing' if pair.new else 'staging table'} {landing.staging}",
                "DMS writes files for this table and nothing loads them; its rows never reach Snowflake",
                managed(context.policy.staging_managed_by, "STAGING tables"),
                table=source_table(landing),
                place=on_snowflake(landing.staging),
            )
