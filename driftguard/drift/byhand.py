"""The hand-written merge of a landing, read: from its task, and from the procedures that the task calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from driftguard.drift.context import Context, Pair
from driftguard.merge.byhand.describe import Description, describe
from driftguard.merge.byhand.flow import Tables
from driftguard.merge.generate import is_generated
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Procedure, SfTable, Task


@dataclass(frozen=True, slots=True)
class HandWritten:
    """What the merge of a landing does, and where its text is. `unread`: why it cannot be judged; empty if it can."""

    task: Task
    place: ObjectName
    does: Description
    unread: str = ""


def hand_written(context: Context, pair: Pair) -> HandWritten | None:
    """The merge of a landing that driftguard did not write; None where there is none, or a table is missing."""
    task = pair.task
    if task is None or pair.staging is None or pair.final is None or is_generated(task.definition):
        return None
    return _followed(task, pair.staging, pair.final, _procedures(context.estate))


def _followed(task: Task, staging: SfTable, final: SfTable, known: dict[ObjectName, list[Procedure]]) -> HandWritten:
    here = _described(task.definition, "sql", staging, final, task.name.schema)
    if here.writes or here.unread or not here.calls:
        why = "; ".join(here.unread) if here.unread else ("" if here.writes else "it does not write FINAL")
        return HandWritten(task, task.name, here, why)
    unread = []
    for parts in here.calls:
        name = _resolved(parts, task.name)
        found = known.get(name, [])
        if len(found) != 1:
            unread.append(f"it calls {name}, " + ("of which there are several" if found else "which was not read"))
        elif found[0].definition is None:
            unread.append(f"it calls {name}, whose body the role may not read")
        else:
            language = (found[0].language or "SQL").lower()
            inside = _described(found[0].definition, language, staging, final, name.schema)
            if inside.writes or inside.unread:
                return HandWritten(task, name, inside, "; ".join(inside.unread))
            unread.append(f"it calls {name}, which does not write FINAL")
    return HandWritten(task, task.name, here, "; ".join(unread))


def _procedures(estate: Estate) -> dict[ObjectName, list[Procedure]]:
    known: dict[ObjectName, list[Procedure]] = {}
    for procedure in estate.procedures:
        known.setdefault(procedure.name, []).append(procedure)
    return known


def _resolved(parts: tuple[str | None, ...], beside: ObjectName) -> ObjectName:
    full = [beside.database, beside.schema, ""][: 3 - len(parts)] + [part or "" for part in parts[-3:]]
    return ObjectName(full[0], full[1], full[2])


def _described(text: str, language: str, staging: SfTable, final: SfTable, schema: str) -> Description:
    columns = tuple((c.name, str(c.type)) for c in staging.columns), tuple((c.name, str(c.type)) for c in final.columns)
    return _cached(text, language, _parts(staging.name), _parts(final.name), *columns, schema)


@lru_cache(maxsize=20_000)
def _cached(
    text: str,
    language: str,
    staging: tuple[str, ...],
    final: tuple[str, ...],
    staging_columns: tuple[tuple[str, str], ...],
    final_columns: tuple[tuple[str, str], ...],
    schema: str,
) -> Description:
    """Several rules look at one merge; it is read once."""
    return describe(text, language, Tables(staging, final, dict(staging_columns), dict(final_columns), (), schema))


def _parts(name: ObjectName) -> tuple[str, ...]:
    return (name.database, name.schema, name.name)
