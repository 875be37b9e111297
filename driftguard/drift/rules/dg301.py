"""DG301: a landing has no pipe."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import managed, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG301"
TITLE = "a landing has no pipe"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.pipe is None and pair.saw("pipes") and pair.staging is not None:
            landing = pair.landing
            yield Finding(
                CODE,
                SEVERITY,
                f"{landing.staging} has no pipe {landing.pipe}",
                "nothing loads the files of this table",
                managed(context.policy.pipe_managed_by, "pipes"),
                table=source_table(landing),
                place=on_snowflake(landing.pipe),
            )
