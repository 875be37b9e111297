"""DG419: DMS pads strings."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG419"
TITLE = "DMS pads strings"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if task.endpoint.add_trailing_padding_character:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: AddTrailingPaddingCharacter is true",
                "strings arrive longer than they are on Aurora; with what, AWS does not say, so it cannot be undone",
                "set AddTrailingPaddingCharacter in the S3 settings of the target endpoint to false, and reload",
                place=on_task(task),
            )
