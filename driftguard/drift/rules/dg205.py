"""DG205: a FINAL column is NOT NULL where Aurora allows NULL."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.lineage import changed_key
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG205"
TITLE = "a FINAL column is NOT NULL where Aurora allows NULL"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.final is None:
            continue
        key = {c.name for c in pair.landing.key}
        if not changed_key(pair, context):  # under a name of its own until a rename is complete
            key |= set(pair.final.primary_key)
        for column in pair.final.columns:
            if column.nullable or column.name in key:
                continue
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.final.name}.{column.name} is NOT NULL",
                "a row without a value makes the merge fail, for all rows of its batch",
                managed(context.policy.final_managed_by, "FINAL tables"),
                table=source_table(pair.landing),
                column=column.name,
                place=on_snowflake(pair.final.name),
            )
