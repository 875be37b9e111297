"""DG304: a generated merge is out of date."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.merging import merge_spec
from driftguard.drift.rules._common import PLAN, on_snowflake, source_table
from driftguard.merge.generate import generate, is_generated
from driftguard.model.finding import Finding, Severity

CODE = "DG304"
TITLE = "a generated merge is out of date"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        task = pair.task
        if task is None or pair.staging is None or pair.final is None or not is_generated(task.definition):
            continue
        if task.definition.strip() != generate(merge_spec(pair, context.policy)).strip():
            yield Finding(
                CODE,
                SEVERITY,
                f"the merge of {task.name} is not the one that this schema needs",
                "columns that its lists lack never reach FINAL, and nothing fails",
                PLAN,
                table=source_table(pair.landing),
                place=on_snowflake(task.name),
            )
