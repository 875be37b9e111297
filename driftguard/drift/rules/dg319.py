"""DG319: Snowflake adds columns to STAGING by itself."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG319"
TITLE = "Snowflake adds columns to STAGING by itself"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        staging = pair.staging
        if staging is None:
            continue
        evolved = [f"{column.name} {column.type}" for column in staging.columns if column.evolved]
        if staging.schema_evolution or evolved:
            added = f"; it added {', '.join(evolved)}" if evolved else ""
            yield Finding(
                CODE,
                SEVERITY,
                f"{staging.name} {'has' if staging.schema_evolution else 'had'} ENABLE_SCHEMA_EVOLUTION{added}",
                "a new column appears with a type guessed from one file, before FINAL and the merge know it",
                "ALTER TABLE … SET ENABLE_SCHEMA_EVOLUTION = FALSE, and let driftguard add the columns"
                if staging.schema_evolution
                else "compare the types with those that `driftguard explain` shows; a column that is changed by hand "
                "is no longer listed",
                table=source_table(pair.landing),
                place=on_snowflake(staging.name),
            )
