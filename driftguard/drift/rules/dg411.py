"""DG411: a table is in two DMS tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName

CODE = "DG411"
TITLE = "a table is in two DMS tasks"
SEVERITY = Severity.ERROR
_REMEDY = "take the table out of one of the tasks, by an exclude rule of its table mappings"


def find(context: Context) -> Iterator[Finding]:
    """A task that only loads and one that only follows changes are one replication in two parts."""
    for refusal in context.expectation.refusals:
        if refusal.code == CODE:
            yield Finding(
                CODE,
                SEVERITY,
                refusal.message,
                "one pipe and one merge cannot take both: the table gets no landing until one task has it",
                _REMEDY,
                table=refusal.table,
                place=on_aurora(refusal.table),
            )
    kinds = {task.name: task.migration_type for task in context.tasks}
    landings: dict[TableName, list[TableName]] = defaultdict(list)
    for pair in context.pairs:
        by_table: dict[TableName, list[str]] = defaultdict(list)
        for emission in pair.landing.emissions:
            by_table[emission.source.table].append(emission.source.task)
        for table, tasks in by_table.items():
            landings[table].append(pair.landing.table)
            if len(tasks) > 1 and sorted(str(kinds[name]) for name in tasks) != ["cdc", "full-load"]:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{table} is in the DMS tasks {' and '.join(tasks)}, which write to one folder",
                    "its rows arrive twice; a load or a lag of one task can put older values over newer ones",
                    f"{_REMEDY}; if one only loads and the other follows, give them their migration_type",
                    table=table,
                    place=on_aurora(table),
                )
    for table, targets in landings.items():
        if len(targets) > 1:
            yield Finding(
                CODE,
                Severity.INFO,
                f"{table} is replicated to {' and '.join(str(name) for name in targets)}",
                "two DMS tasks have it, under different names",
                "nothing to do if that is meant",
                table=table,
                place=on_aurora(table),
            )
