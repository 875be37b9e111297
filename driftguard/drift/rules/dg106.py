"""DG106: a column is no longer emitted and is kept by policy."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.merging import kept_columns
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG106"
TITLE = "a column is no longer emitted and is kept by policy"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for column in kept_columns(pair):
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.final}.{column.final} is no longer emitted by DMS and is kept",
                "rows that still hold a value may be on their way; rows without one do not erase what FINAL has",
                "nothing to do; drop the column by hand once nobody reads it",
                table=source_table(pair.landing),
                column=column.final,
                place=on_snowflake(pair.landing.final),
            )
