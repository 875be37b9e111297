"""DG105: a STAGING column is NOT NULL."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG105"
TITLE = "a STAGING column is NOT NULL"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.staging is None:
            continue
        for column in pair.staging.columns:
            if column.nullable:
                continue
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.staging.name}.{column.name} is NOT NULL",
                "files without the column, and deletes that carry the key alone, fail to load as a whole",
                managed(context.policy.staging_managed_by, "STAGING tables"),
                table=source_table(pair.landing),
                column=column.name,
                place=on_snowflake(pair.staging.name),
            )
