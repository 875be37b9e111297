"""DG322: the stream of a merge is about to become stale."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.consuming import consumption_faults, soon_stale
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG322"
TITLE = "the stream of a merge is about to become stale"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        after = soon_stale(pair, context.estate.captured_at)
        if after and pair.stream is not None and consumption_faults(pair) == ():
            yield Finding(
                CODE,
                SEVERITY,
                f"the stream {pair.stream.name} becomes stale after {after}",
                f"no run of {pair.landing.task} has read it for days; once it is stale every run fails",
                f"see why {pair.landing.task} does not run: is it suspended, or does each run fail?",
                table=source_table(pair.landing),
                place=on_snowflake(pair.stream.name),
            )
