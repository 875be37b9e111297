"""DG421: DMS leaves out records with errors and goes on."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG421"
TITLE = "DMS leaves out records with errors and goes on"
SEVERITY = Severity.WARNING


_DATA = (("data_error_policy", "DataErrorPolicy"), ("data_truncation_error_policy", "DataTruncationErrorPolicy"))


def find(context: Context) -> Iterator[Finding]:
    """Only policies that were read are judged: a task whose settings nobody gave is DG428."""
    for task in context.tasks:
        settings = task.settings
        for field, name in _DATA:
            policy = getattr(settings, field).upper()
            if field in settings.given and policy in ("IGNORE_RECORD", "LOG_ERROR"):
                where = "nowhere" if policy == "IGNORE_RECORD" else "in its log alone"
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"DMS task {task.name}: {name} is {policy}",
                    f"a record that DMS cannot handle is left out or cut, the task runs on, and that is said {where}",
                    f"set ErrorBehavior.{name} to SUSPEND_TABLE or STOP_TASK, or watch the task's log",
                    place=on_task(task),
                )
        if "table_error_policy" in settings.given and settings.table_error_policy.upper() == "SUSPEND_TABLE":
            yield Finding(
                CODE,
                Severity.INFO,
                f"DMS task {task.name}: TableErrorPolicy is SUSPEND_TABLE",
                "a table with an error is left out from then on, and the task is still running",
                "watch the state of the tables (describe-table-statistics), not only that of the task",
                place=on_task(task),
            )
