"""DG303: a landing has no merge task."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import PLAN, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity
from driftguard.model.policy import OURS

CODE = "DG303"
TITLE = "a landing has no merge task"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    owner = context.policy.merge_managed_by
    for pair in context.pairs:
        if pair.task is None and pair.saw("tasks") and pair.final is not None:
            landing = pair.landing
            yield Finding(
                CODE,
                SEVERITY,
                f"{landing.final} has no merge task {landing.task}",
                "rows arrive in STAGING and stay there",
                PLAN if owner == OURS else f"make it where your merges are managed ({owner})",
                table=source_table(landing),
                place=on_snowflake(landing.task),
            )
