"""DG403: DMS leaves out deletes or updates."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG403"
TITLE = "DMS leaves out deletes or updates"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        s3 = task.endpoint
        for flag, what in (
            (s3.cdc_inserts_only, "CdcInsertsOnly leaves out updates and deletes"),
            (s3.cdc_inserts_and_updates, "CdcInsertsAndUpdates leaves out deletes"),
            (task.settings.batch_apply_enabled, "BatchApplyEnabled can lose changes on an S3 target"),
        ):
            if flag:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"DMS task {task.name}: {what}",
                    "FINAL keeps rows that Aurora no longer has, or old values",
                    "switch the setting off",
                    place=Place("dms", task.name),
                )
