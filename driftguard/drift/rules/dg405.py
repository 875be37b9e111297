"""DG405: changes of one transaction have no order of their own."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.emission import Role
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG405"
TITLE = "changes of one transaction have no order of their own"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        landings = [
            p.landing for p in context.pairs if p.landing.emissions and p.landing.emissions[0].source.task == task.name
        ]
        without = [item for item in landings if item.staging_role(Role.CHANGE_SEQ) is None]
        if without:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: no change sequence in the files of {len(without)} of {len(landings)} tables",
                "all changes of a transaction share one commit time; file name and row then decide which is the last",
                "add an add-column rule with the expression $AR_H_CHANGE_SEQ to the table mappings",
                place=Place("dms", task.name),
            )
