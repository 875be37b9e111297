"""DG313: the lists of a hand-written merge disagree."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import disagreements, judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG313"
TITLE = "the lists of a hand-written merge disagree"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        what = disagreements(pair, merge)
        if what:
            yield Finding(
                CODE,
                SEVERITY,
                f"the lists of {merge.place} disagree: {'; '.join(what)}",
                "values go into the wrong column, or an update sets what an insert leaves NULL",
                "decide which list is right, and make the others like it",
                table=source_table(pair.landing),
                place=on_snowflake(merge.place),
            )
