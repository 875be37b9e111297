"""DG430: several tables are written to one folder."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG430"
TITLE = "several tables are written to one folder"
SEVERITY = Severity.WARNING
_SHOWN = 5


def find(context: Context) -> Iterator[Finding]:
    tasks = {task.name: task for task in context.tasks}
    for pair in context.pairs:
        emissions = pair.landing.emissions
        tables = list(dict.fromkeys(str(e.source.table) for e in emissions))
        if len(tables) < 2:
            continue
        more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
        yield Finding(
            CODE,
            SEVERITY,
            f"{', '.join(tables[:_SHOWN])}{more} are written to one folder, {emissions[0].path}",
            "AWS does not support two source tables in one target table; the files of a full load are numbered from "
            "LOAD00000001 for each table, so that one can replace another",
            "give every table its own name, or load them one after the other, each once the last is loaded",
            table=emissions[0].source.table,
            place=on_task(tasks[emissions[0].source.task]),
        )
