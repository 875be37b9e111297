"""DG102: a column that DMS emits is missing from STAGING."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG102"
TITLE = "a column that DMS emits is missing from STAGING"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.staging is None or pair.landing.record:
            continue
        there = {c.name for c in pair.staging.columns}
        for column in pair.landing.staging_columns:
            if column.emitted_as is None or column.name in there:
                continue
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.staging.name} has no column {column.name} for {column.emitted_as}",
                "Snowpipe does not load Parquet columns that the table lacks, and reports success: the values are lost "
                "without an error",
                managed(context.policy.staging_managed_by, "STAGING tables"),
                table=source_table(pair.landing),
                column=column.emitted_as,
                place=on_snowflake(pair.staging.name),
            )
