"""DG315: a hand-written merge joins by other columns than the primary key."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG315"
TITLE = "a hand-written merge joins by other columns than the primary key"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        key = {column.name for column in pair.landing.key}
        if key and merge.does.key and merge.does.key != key:
            yield Finding(
                CODE,
                SEVERITY,
                f"{merge.place} joins by {', '.join(sorted(merge.does.key))}; "
                f"the key of {pair.landing.final} is {', '.join(sorted(key))}",
                "with fewer columns one change overwrites other rows; with more, a change of them makes a second row",
                "join by the primary key, all of it and nothing else",
                table=source_table(pair.landing),
                place=on_snowflake(merge.place),
            )
