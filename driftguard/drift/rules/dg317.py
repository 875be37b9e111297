"""DG317: a hand-written merge does not handle deletes."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.byhand import judged
from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.emission import Role
from driftguard.model.finding import Finding, Severity

CODE = "DG317"
TITLE = "a hand-written merge does not handle deletes"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair, merge in judged(context):
        if pair.landing.staging_role(Role.OP) is None:
            continue
        if not merge.does.deletes:
            severity, what, why = SEVERITY, "has no branch for deletes", "rows deleted on Aurora stay in FINAL"
        elif merge.does.inserts and not merge.does.guarded:
            severity, what = Severity.WARNING, "inserts deleted rows"
            why = "the delete of a row that FINAL does not have is inserted as a row"
        else:
            continue
        yield Finding(
            CODE,
            severity,
            f"{merge.place} {what}",
            why,
            "WHEN MATCHED AND the operation is D THEN DELETE; WHEN NOT MATCHED AND it is not D THEN INSERT",
            table=source_table(pair.landing),
            place=on_snowflake(merge.place),
        )
