"""DG111: a service column is missing from STAGING."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import STAGING_SERVICE

CODE = "DG111"
TITLE = "a service column is missing from STAGING"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.staging is None:
            continue
        for name in STAGING_SERVICE:
            if pair.staging.column(name) is None:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{pair.staging.name} has no column {name}",
                    "without the file, the row in it and the time of loading, changes of one transaction cannot be put "
                    "in order and new rows cannot be told from old ones; rows loaded before it exists never get it",
                    managed(context.policy.staging_managed_by, "STAGING tables"),
                    table=source_table(pair.landing),
                    place=on_snowflake(pair.staging.name),
                )
