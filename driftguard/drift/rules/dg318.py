"""DG318: a pipe's own list lacks a column."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.merge.byhand.describe import loading
from driftguard.model.finding import Finding, Severity

CODE = "DG318"
TITLE = "a pipe's own list lacks a column"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        loads = loading(pair.pipe.definition) if pair.pipe is not None else None
        if pair.pipe is None or pair.staging is None or pair.landing.record or loads is None or loads.columns is None:
            continue
        emitted = [c.name for c in pair.landing.staging_columns if c.emitted_as and pair.staging.column(c.name)]
        lacking = [name for name in emitted if name not in loads.columns]
        if lacking:
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.pipe.name} lists the columns that it loads, and {', '.join(lacking)} are not among them",
                "DMS writes them, STAGING has them, and every row is loaded without them; nothing fails",
                "add them to the list and to its SELECT, or let the pipe match columns by name",
                table=source_table(pair.landing),
                place=on_snowflake(pair.pipe.name),
            )
