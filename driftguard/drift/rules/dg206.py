"""DG206: FINAL is merged by another key than the source's."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.lineage import changed_key
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG206"
TITLE = "FINAL has another primary key than the source"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        old = changed_key(pair, context)
        if old:
            new = ", ".join(c.name for c in pair.landing.key)
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.final} has the key ({', '.join(old)}), {source_table(pair.landing)} has ({new})",
                "merged by another key, rows of FINAL double or overwrite each other; and AWS does not replicate "
                "changes of a table whose primary key changed while the task was running",
                "stop the DMS task, make FINAL anew by the new key, reload the table; nothing is planned until then",
                table=source_table(pair.landing),
                place=on_snowflake(pair.landing.final),
            )
