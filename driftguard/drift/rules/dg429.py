"""DG429: new columns of a table do not leave Aurora."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_task
from driftguard.emission.mappings import matches
from driftguard.model.finding import Finding, Severity
from driftguard.model.mappings import Action

CODE = "DG429"
TITLE = "new columns of a table do not leave Aurora"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for task, emission in emissions(context):
        table = emission.source.table
        rules = [
            rule.rule_id
            for rule in task.mappings.transformations
            if rule.action is Action.INCLUDE_COLUMN
            and matches(rule.locator.schema, table.schema)
            and matches(rule.locator.table, table.name)
        ]
        if rules:
            yield Finding(
                CODE,
                SEVERITY,
                f"{table}: only the columns of include-column rule {', '.join(rules)} are replicated",
                "a column that is added on Aurora stays there until a rule names it; edited mappings count from a "
                "restart of the task, not from a resume",
                "use remove-column rules for what must not leave, or add a rule with each new column",
                table=table,
                place=on_task(task),
            )
