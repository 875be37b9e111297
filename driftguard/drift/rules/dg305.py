"""DG305: a merge task is suspended."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG305"
TITLE = "a merge task is suspended"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.task is not None and pair.task.state.lower() == "suspended":
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.task.name} is suspended",
                "rows arrive in STAGING and wait; Snowflake suspends a task by itself after repeated failures",
                "look at its last runs (TASK_HISTORY), then ALTER TASK … RESUME",
                table=source_table(pair.landing),
                place=on_snowflake(pair.task.name),
            )
