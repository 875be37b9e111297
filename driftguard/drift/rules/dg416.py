"""DG416: DMS cuts large values."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG416"
TITLE = "DMS cuts large values"
SEVERITY = Severity.WARNING


_SHOWN = 5


def find(context: Context) -> Iterator[Finding]:
    """Limited LOB mode cuts and logs; the columns that are no LOBs for DMS have a length of their own."""
    unknown: dict[str, int] = {}
    for task, emission in emissions(context):
        settings = task.settings
        lobs = [c.source or c.name for c in emission.cdc if c.lob]
        limited = settings.support_lobs and settings.limited_size_lob_mode and not settings.full_lob_mode
        if not lobs or not limited or task.endpoint.fail_tasks_on_lob_truncation:
            continue
        if "lob_max_size_kb" not in settings.given:
            unknown[task.name] = unknown.get(task.name, 0) + len(lobs)
            continue
        kilobytes = settings.lob_max_size_kb
        more = f" and {len(lobs) - _SHOWN} more" if len(lobs) > _SHOWN else ""
        what = f"values of {', '.join(lobs[:_SHOWN])}{more}"
        yield Finding(
            CODE,
            SEVERITY,
            f"{emission.source.table}: {what} are cut at {kilobytes} KB (LobMaxSize)",
            f"DMS keeps {kilobytes * 256} to {kilobytes * 512} characters of a text (twice that of a CLOB), cuts the "
            "rest and says so in its log alone; JSON that is cut is no JSON any more",
            "raise LobMaxSize above the longest value, and set FailTasksOnLobTruncation at the source endpoint to true",
            table=emission.source.table,
            place=on_task(task),
        )
    for task in context.tasks:
        if task.name in unknown:
            yield Finding(
                CODE,
                Severity.INFO,
                f"DMS task {task.name}: {unknown[task.name]} columns are LOBs for DMS, and LobMaxSize is not known",
                "DMS cuts longer values and says so in its log alone",
                "give driftguard the task settings",
                place=on_task(task),
            )
