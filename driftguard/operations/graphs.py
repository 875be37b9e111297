"""Which tasks have to sleep while a task of a graph is changed: the roots of the graphs that it is in.

"ALTER TASK", "Create a sequence of tasks with a task graph", docs.snowflake.com: a graph changes only while its root is
suspended; children keep their state, and a run that has begun goes on with the version that it began with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Readiness, blocked, find_task

_PART = re.compile(r'"((?:[^"]|"")*)"|([^.\s]+)')


def roots(estate: Estate, tasks: Iterable[ObjectName]) -> tuple[ObjectName, ...] | Readiness:
    """The roots above these tasks, each once and in order; or why they cannot be told."""
    known = {task.name: task for task in estate.tasks}
    found: set[ObjectName] = set()
    todo, seen = list(tasks), set[ObjectName]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        task = known.get(name)
        if task is None:
            looked = estate.saw("tasks", name.database, name.schema)
            return blocked(f"{name} {'does not exist' if looked else 'could not be looked at'}")
        above = [_named(text, name) for text in task.predecessors]
        todo += above
        if not above:
            found.add(name)
    return tuple(sorted(found))


def started(estate: Estate, tasks: Iterable[ObjectName]) -> tuple[ObjectName, ...]:
    """Those of the tasks that are not suspended."""
    found = ((name, find_task(estate, name)) for name in tasks)
    return tuple(name for name, task in found if task is not None and task.state.lower() == "started")


def _named(text: str, beside: ObjectName) -> ObjectName:
    """A predecessor as SHOW TASKS prints it; what it leaves out is that of the task itself."""
    parts = [m[2].upper() if m[2] else m[1].replace('""', '"') for m in _PART.finditer(text)]
    full = [beside.database, beside.schema, beside.name][: 3 - len(parts)] + parts[-3:]
    return ObjectName(full[0], full[1], full[2])
