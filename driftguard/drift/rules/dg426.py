"""DG426: changes lie in folders by date."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG426"
TITLE = "changes lie in folders by date"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    """The pipes read a table's folder with all folders below it; a PATTERN of a pipe is DG309."""
    for task in context.tasks:
        if task.endpoint.date_partition_enabled:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: DatePartitionEnabled puts the files of changes into folders by date "
                f"({task.endpoint.date_partition_sequence})",
                "driftguard's pipes find them, because they read all that lies below the table's folder; whatever "
                "lists that folder alone, such as an event rule or a script for reloads, does not",
                "nothing to do if all that reads the bucket looks into subfolders",
                place=on_task(task),
            )
