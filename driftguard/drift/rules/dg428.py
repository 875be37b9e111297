"""DG428: the settings of a DMS task are not known."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG428"
TITLE = "the settings of a DMS task are not known"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        if not task.settings.given:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: no task settings were given",
                "AWS's defaults and examples are assumed: LOBs on, cut at 32 KB, ALTER TABLE followed; settings that "
                "lose data are not noticed",
                "give [[dms.task]] task_settings or replication, as the DMS API prints them",
                place=on_task(task),
            )
