"""DG309: a pipe does not load what its landing needs."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.copying import Unreadable, faults
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG309"
TITLE = "a pipe does not load what its landing needs"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        if pair.pipe is None:
            continue
        severity = SEVERITY
        try:
            what = faults(pair.pipe, pair.landing)
        except Unreadable as error:
            severity, what = Severity.UNKNOWN, [f"its COPY cannot be followed: {error}"]
        if what:
            yield Finding(
                CODE,
                severity,
                f"{pair.pipe.name} does not feed {pair.landing.staging} as it should: {'; '.join(what)}",
                "files that no pipe reads are lost without an error, and rows without their file, row and load time "
                "are never merged",
                "compare the pipe with the one of `driftguard plan`; drop it and let `driftguard apply` make it anew, "
                "after the files on their way are loaded",
                table=source_table(pair.landing),
                place=on_snowflake(pair.pipe.name),
            )
