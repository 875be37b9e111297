"""DG410: an extra connection attribute is not known."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG410"
TITLE = "an extra connection attribute is not known"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        for message in dict.fromkeys(r.message for r in task.endpoint.remarks if r.kind == "unknown"):
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: {message}",
                "it may be misspelt, or newer than this driftguard; what it changes is not taken into account",
                "compare its name with the attributes that the AWS DMS User Guide lists for the endpoint",
                place=Place("dms", task.name),
            )
