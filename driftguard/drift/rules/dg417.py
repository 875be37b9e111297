"""DG417: a LOB mode that S3 targets do not have."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG417"
TITLE = "a LOB mode that S3 targets do not have"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        settings = task.settings
        wrong = []
        if settings.support_lobs and settings.full_lob_mode:
            wrong.append("FullLobMode is true")
        elif settings.support_lobs and not settings.limited_size_lob_mode:
            wrong.append("LimitedSizeLobMode is false, and no other LOB mode is on")
        for rule in task.mappings.table_settings:
            if rule.lob_mode is not None:
                table = f"{rule.locator.schema}.{rule.locator.table}"
                wrong.append(f"rule {rule.rule_id} gives {table} the LOB mode {rule.lob_mode}")
        for what in wrong:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: {what}",
                "an S3 target takes LOBs only in limited mode, set for the whole task; what it does otherwise AWS does "
                "not say, and values may be cut or left out",
                "set LimitedSizeLobMode to true, FullLobMode to false and LobMaxSize to the longest value; take "
                "lob-settings out of the table mappings",
                place=on_task(task),
            )
