"""DG309: a pipe does not load what its landing needs."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.copying import Unreadable, faults
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.drift.rules._pipes import reads_folder, second
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
        if what and second(pair) is not None and not reads_folder(pair.pipe, pair.landing):
            continue  # DG310
        if what:
            yield Finding(
                CODE,
                severity,
                f"{pair.pipe.name} does not feed {pair.landing.staging} as it should: {'; '.join(what)}",
                "files that no pipe reads are lost without an error, and rows without their file, row and load time "
                "are never merged",
                "where it is the folder, `driftguard plan --write`: a second pipe reads the new one while files still "
                "come from the old; else drop it once its files are loaded, and let `driftguard apply` make it anew",
                table=source_table(pair.landing),
                place=on_snowflake(pair.pipe.name),
            )
