"""DG409: two places give one DMS setting different values."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG409"
TITLE = "two places give one DMS setting different values"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        for remark in task.endpoint.remarks:
            if remark.kind != "contradiction":
                continue
            yield Finding(
                CODE,
                Severity.UNKNOWN if remark.decides else SEVERITY,
                f"DMS task {task.name}: {remark.message}",
                "AWS does not say which of them DMS follows; driftguard takes the setting of the API"
                + (", and what is emitted may differ from what it expects" if remark.decides else ""),
                "take the attribute out of the extra connection attributes, or give both the same value",
                place=Place("dms", task.name),
            )
