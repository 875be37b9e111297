"""DG420: before-images are asked for in a way that S3 targets do not support."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG420"
TITLE = "before-images are asked for in a way that S3 targets do not support"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if task.settings.before_image:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: BeforeImageSettings are on",
                "S3 targets do not support them: the files may lack the before-images that somebody counts on",
                "switch them off; where before-images are needed, use a rule add-before-image-columns",
                place=on_task(task),
            )
