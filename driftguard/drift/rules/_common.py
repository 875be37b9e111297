"""What several rules say in the same way."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context, Misfit, Pair
from driftguard.drift.fit import Fit
from driftguard.model.emission import Emission
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.landing import FinalColumn, Landing, StagingColumn
from driftguard.model.policy import OURS
from driftguard.model.settings import DmsTask

PLAN = "run `driftguard plan --write` and `driftguard apply`: before the Aurora change is deployed, or at once if it is"


def managed(owner: str, what: str) -> str:
    """The remedy for an object of a kind that somebody else may manage."""
    return PLAN if owner == OURS else f"{PLAN}; your {what} are managed elsewhere ({owner}): both print the patch"


def source_table(landing: Landing) -> TableName:
    """The Aurora table to name in a finding: the first source of the landing."""
    return landing.emissions[0].source.table if landing.emissions else landing.table


def on_snowflake(name: ObjectName) -> Place:
    return Place("snowflake", str(name))


def on_aurora(table: TableName | str) -> Place:
    return Place("aurora", str(table))


def on_task(task: DmsTask) -> Place:
    return Place("dms", task.name)


def emissions(context: Context) -> Iterator[tuple[DmsTask, Emission]]:
    """Every emission that has a landing, with the task that makes it."""
    tasks = {task.name: task for task in context.tasks}
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            if emission.source.task in tasks:
                yield tasks[emission.source.task], emission


def misfits(context: Context, side: type[StagingColumn] | type[FinalColumn], fit: Fit) -> Iterator[tuple[Pair, Misfit]]:
    """Columns of STAGING or FINAL, by the class of what is expected there, that need this kind of change."""
    for pair in context.pairs:
        for item in pair.misfits:
            if pair.landing.record and side is StagingColumn:
                continue  # STAGING has no such columns; FINAL and the merge are what can lack something
            if item.fit is fit and isinstance(item.expected, side):
                yield pair, item


def misfit(pair: Pair, item: Misfit, code: str, severity: Severity, reason: str, remedy: str) -> Finding:
    """A finding about a type that does not take every value."""
    expected = item.expected
    needs = expected.least or expected.type
    return Finding(
        code,
        severity,
        f"{item.table.name}.{item.actual.name} is {item.actual.type}; the values need {needs}",
        reason,
        remedy,
        table=source_table(pair.landing),
        column=expected.source if isinstance(expected, FinalColumn) else expected.emitted_as,
        place=on_snowflake(item.table.name),
    )
