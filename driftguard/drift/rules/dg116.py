"""DG116: STAGING is of another style than the one that is set."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.record import other_style
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG116"
TITLE = "STAGING is of another style than the one that is set"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if other_style(pair.landing, pair.staging, context.policy):
            have, want = ("whole records", "columns") if pair.landing.record else ("columns", "record")
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.staging} keeps {have}; [policy] staging_style is {want!r} for its table",
                "the setting is for new landings: what is there is never rebuilt, and goes on as it is",
                "let the setting agree ([policy.staging_styles] is by table), or change the landing by hand "
                "(docs/record-staging.md)",
                table=source_table(pair.landing),
                place=on_snowflake(pair.landing.staging),
            )
