"""DG303: a landing has no merge task."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG303"
TITLE = "a landing has no merge task"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.task is None and pair.saw("tasks") and pair.final is not None:
            landing = pair.landing
            yield Finding(
                CODE,
                SEVERITY,
                f"{landing.final} has no merge task {landing.task}",
                "rows arrive in STAGING and stay there",
                managed(context.policy.merge_managed_by, "merges"),
                table=source_table(landing),
                place=on_snowflake(landing.task),
            )
