"""DG320: a pipe drops what it cannot load."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.merge.byhand.describe import loading
from driftguard.model.finding import Finding, Severity

CODE = "DG320"
TITLE = "a pipe drops what it cannot load"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        loads = loading(pair.pipe.definition) if pair.pipe is not None else None
        if pair.pipe is None or loads is None:
            continue
        chosen = loads.options.get("ON_ERROR", "SKIP_FILE")
        if chosen != "SKIP_FILE":
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.pipe.name} has ON_ERROR = {chosen}",
                "rows that do not fit are left out of a load that counts as good, and the file is not loaded again",
                "ON_ERROR = SKIP_FILE, Snowpipe's default: the whole file waits, and COPY_HISTORY names it",
                table=source_table(pair.landing),
                place=on_snowflake(pair.pipe.name),
            )
