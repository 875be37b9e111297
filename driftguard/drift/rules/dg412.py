"""DG412: tables are only loaded, or only followed."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG412"
TITLE = "tables are only loaded, or only followed"
SEVERITY = Severity.WARNING
_SHOWN = 5


def find(context: Context) -> Iterator[Finding]:
    """The migration type matters where no other task does the other half for the same landing."""
    kinds = {task.name: task.migration_type for task in context.tasks}
    for task in context.tasks:
        alone = [
            str(pair.landing.table)
            for pair in context.pairs
            if any(e.source.task == task.name for e in pair.landing.emissions)
            and {kinds.get(e.source.task) for e in pair.landing.emissions} == {task.migration_type}
        ]
        if not alone or task.migration_type not in ("full-load", "cdc"):
            continue
        loads = task.migration_type == "full-load"
        more = f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else ""
        tables = f"{', '.join(alone[:_SHOWN])}{more}"
        yield Finding(
            CODE,
            SEVERITY if loads else Severity.INFO,
            f"DMS task {task.name} is {task.migration_type} only: "
            + (f"no changes of {tables} arrive" if loads else f"rows of {tables} from before its start do not arrive"),
            "after the load FINAL stays as it is: later inserts, updates and deletes are not sent"
            if loads
            else "changes of a row that was never loaded make a row with that change alone",
            "make it full-load-and-cdc, or let another task do the other half",
            place=on_task(task),
        )
