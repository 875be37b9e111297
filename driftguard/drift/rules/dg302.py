"""DG302: a pipe does not load."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG302"
TITLE = "a pipe does not load"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, pipe in ((one, pipe) for one in context.pairs for pipe in (one.pipe, *one.more_pipes)):
        if pipe is None or (not pipe.invalid_reason and pipe.state in (None, "RUNNING")):
            continue
        why = pipe.invalid_reason or f"its state is {pipe.state}"
        yield Finding(
            CODE,
            SEVERITY,
            f"{pipe.name} does not load files: {why}",
            "files wait; after 14 days a paused pipe is stale and older files are loaded at best effort",
            "find out who paused it and why, then resume it with ALTER PIPE … SET PIPE_EXECUTION_PAUSED = FALSE",
            table=source_table(pair.landing),
            place=on_snowflake(pipe.name),
        )
