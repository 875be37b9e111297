"""The hand-written merge of a landing, read: from its task, or from a procedure that runs below the task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from driftguard.drift.context import Context, Pair
from driftguard.drift.following import Reached, follow
from driftguard.drift.surroundings import NOTHING, Surroundings, around, parts, procedures
from driftguard.merge.byhand.describe import RANKS, Description, describe
from driftguard.merge.byhand.flow import Added, Tables
from driftguard.merge.byhand.rewrite import Refused, Rewritten, Unchanged, rewrite
from driftguard.merge.generate import is_generated
from driftguard.model.finding import Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import FinalColumn
from driftguard.model.snowflake import Estate, Procedure, SfTable, Task
from driftguard.operations.calls import callers, names_word


@dataclass(frozen=True, slots=True)
class HandWritten:
    """What the merge of a landing does, and where its text is. `unread`: why it cannot be judged; empty if it can."""

    task: Task
    place: ObjectName
    does: Description
    text: str
    language: str
    unread: str = ""
    around: Surroundings = NOTHING
    procedure: Procedure | None = None  # that has the text


def hand_written(context: Context, pair: Pair) -> HandWritten | None:
    """The merge of a landing that driftguard did not write; None where there is none, or a table is missing."""
    task = pair.task
    if task is None or pair.staging is None or pair.final is None or is_generated(task.definition):
        return None
    near = around(context.estate, pair.staging.name)
    found = _followed(task, pair.staging, pair.final, near, procedures(context.estate))
    if pair.landing.record:
        return replace(found, unread="STAGING keeps whole records, and what it reads out of them is not followed")
    return found


def _followed(
    task: Task, staging: SfTable, final: SfTable, near: Surroundings, known: dict[ObjectName, list[Procedure]]
) -> HandWritten:
    here = _described(task.definition, "sql", staging, final, task.name.schema, near)
    if here.writes or here.unread or not here.calls:
        why = "; ".join(here.unread) if here.unread else ("" if here.writes else "it does not write FINAL")
        return HandWritten(task, task.name, here, task.definition, "sql", why or _empty(here), near)
    found = follow(
        task,
        here.calls,
        known,
        lambda p: _described(p.definition or "", _language(p), staging, final, p.name.schema, near),
    )
    return _chosen(task, here, found, final, near)


def _chosen(task: Task, here: Description, found: Sequence[Reached], final: SfTable, near: Surroundings) -> HandWritten:
    """The procedure below a task that holds the merge; or the task, with what keeps that from being known."""
    writing = [one for one in found if one.does is not None and one.does.writes]
    hidden = [one for one in found if one.does is not None and one.does.unread]
    if writing:
        doubtful = [one for one in hidden if one not in writing and _names(one, final)]
        merge = _of(task, writing[0], near)
        names = [str(one.name) for one in (*writing, *doubtful)]
        several = f"FINAL is written by {' and by '.join(names)}; which of them is meant is not clear"
        return merge if len(names) == 1 else replace(merge, unread=several)
    if hidden:
        return _of(task, hidden[0], near)
    why = [one.why for one in found if one.why] or [
        "the procedures that it calls call each other, and none writes FINAL"
    ]
    return HandWritten(task, task.name, here, task.definition, "sql", "; ".join(why), near)


def _of(task: Task, one: Reached, near: Surroundings) -> HandWritten:
    assert one.procedure is not None and one.does is not None
    why = "; ".join(one.does.unread) or _empty(one.does)
    text = one.procedure.definition or ""
    return HandWritten(task, one.name, one.does, text, _language(one.procedure), why, near, one.procedure)


def _names(one: Reached, table: SfTable) -> bool:
    """Could what was not read of a procedure be about the table?"""
    body = one.procedure.definition or "" if one.procedure is not None else ""
    return names_word(body, table.name.name)


def _language(procedure: Procedure) -> str:
    return (procedure.language or "SQL").lower()


def _empty(does: Description) -> str:
    """Why nothing can be said of a merge whose rows do not visibly come from STAGING."""
    if does.updates or does.inserts or does.everything or does.disagreements:
        return ""
    return "that its rows come from STAGING cannot be seen (a stream, a view, or variables)"


def in_file(pair: Pair, text: str, language: str, estate: Estate) -> HandWritten:
    """A text that is not on Snowflake, as the merge of a landing whose tables are there."""
    assert pair.staging is not None and pair.final is not None
    near = around(estate, pair.staging.name)
    here = _described(text, language, pair.staging, pair.final, "", near)
    task = Task(pair.landing.task, text, "")
    why = "; ".join(here.unread) or (
        _empty(here) if here.writes else "name the columns: what the text lacks is not seen"
    )
    return HandWritten(task, pair.landing.task, here, text, language, why, near)


def judged(context: Context) -> Iterator[tuple[Pair, HandWritten]]:
    """The landings whose hand-written merge could be read."""
    for pair in context.pairs:
        merge = hand_written(context, pair)
        if merge is not None and not merge.unread:
            yield pair, merge


def also_writes(context: Context, pair: Pair, merge: HandWritten) -> list[ObjectName]:
    """The FINAL tables of other landings that the text of this one's merge writes too."""
    found = []
    for other in context.pairs:
        if other.landing.final != pair.landing.final and _writes(merge.text, merge.language, other, merge.place.schema):
            found.append(other.landing.final)
    return found


def writers(context: Context, pair: Pair) -> list[ObjectName]:
    """The other tasks of the landing schemas that write its FINAL, in their text or in a procedure below them."""
    estate = context.estate
    found = {task.name for task in estate.tasks if _writes(task.definition, "sql", pair, task.name.schema)}
    for one in estate.procedures:
        if _writes(one.definition or "", _language(one), pair, one.name.schema):
            found |= set(callers(estate, one.name))
    return sorted(found - {pair.landing.task})


def _writes(text: str, language: str, pair: Pair, schema: str) -> bool:
    if pair.staging is None or pair.final is None or not names_word(text, pair.final.name.name):
        return False
    does = _described(text, language, pair.staging, pair.final, schema)
    return bool(does.writes or does.deletes)


def missing(pair: Pair, merge: HandWritten) -> list[FinalColumn]:
    """The columns of both tables that no list of the merge carries."""
    if pair.staging is None or pair.final is None:
        return []
    there = {c.name for c in pair.staging.columns}, {c.name for c in pair.final.columns}
    return [c for c in lacking(pair, merge) if c.staging in there[0] and c.name in there[1]]


def how(pair: Pair, merge: HandWritten, columns: Sequence[FinalColumn]) -> str:
    """What to insert where so that the merge carries `columns` too, or why a person must see to it.

    A column that a table does not have yet counts with the type that it will have.
    """
    found = grown(pair, merge, columns)
    if isinstance(found, Rewritten):
        return "insert " + "; ".join(f"in line {edit.line}: {edit.text.strip()}" for edit in found.edits)
    if isinstance(found, Unchanged):
        return f"look at its lists: {found.reason}"
    return f"driftguard cannot do it safely ({found.reason}); by hand: {found.paste}"


def grown(pair: Pair, merge: HandWritten, columns: Sequence[FinalColumn]) -> Rewritten | Unchanged | Refused:
    """The text of the merge with `columns` in its lists."""
    assert pair.staging is not None and pair.final is not None
    names, staged = {c.name for c in columns}, {c.staging for c in columns}
    absent = names | {c.name for c in missing(pair, merge)}
    tables = Tables(
        parts(pair.staging.name),
        parts(pair.final.name),
        {c.name: str(c.type) for c in pair.staging.columns if c.name not in staged},
        {c.name: str(c.type) for c in pair.final.columns if c.name not in absent},
        merge.around.streams,
        merge.place.schema,
        merge.around.views,
    )
    return rewrite(merge.text, merge.language, tables, [_added(pair, column) for column in columns])


def _added(pair: Pair, column: FinalColumn) -> Added:
    assert pair.staging is not None and pair.final is not None and column.staging is not None
    staged, final = pair.staging.column(column.staging), pair.final.column(column.name)
    expected = next(c.type for c in pair.landing.staging_columns if c.name == column.staging)
    return Added(
        column.source or column.staging,
        column.staging,
        column.name,
        str(staged.type if staged else expected),
        str(final.type if final else column.type),
    )


def lacking(pair: Pair, merge: HandWritten) -> list[FinalColumn]:
    """The columns that the merge needs once the landing is as it should be, also those that are not added yet."""
    if merge.does.everything:
        return []
    does = merge.does
    updated = {name for listed in does.updates for name in listed}
    inserted = {name for listed in does.inserts for name in listed}
    return [
        column
        for column in pair.landing.final_columns
        if column.staging is not None
        and not column.key
        and not ((column.name in inserted or not does.inserts) and (column.name in updated or not does.updates))
    ]


def advice(context: Context, pair: Pair) -> str:
    """What a hand-written merge needs; empty where it needs nothing or could not be read."""
    merge = hand_written(context, pair)
    columns = lacking(pair, merge) if merge is not None and not merge.unread else []
    return f"{merge.place}: {how(pair, merge, columns)}" if merge is not None and columns else ""


def disagreements(pair: Pair, merge: HandWritten) -> list[str]:
    """Where the lists say different things about the same column."""
    does = merge.does
    found = list(does.disagreements)
    updated = {name for listed in does.updates for name in listed}
    inserted = {name for listed in does.inserts for name in listed}
    data = {column.name for column in pair.landing.final_columns if column.staging}
    if does.inserts and not does.everything and (only := sorted((updated - inserted) & data)):
        found.append(f"{', '.join(only)} is updated, but never inserted")
    staging = {column.name for column in pair.staging.columns} if pair.staging else set()
    for listed in (*does.updates, *does.inserts):
        for name, columns in listed.items():
            if len(columns) == 1 and name not in columns and name in staging and columns <= data:
                found.append(f"{name} is filled from {next(iter(columns))}")
            if not columns and name in data:
                found += [
                    f"{name} is not filled from STAGING, and the view {view} does not give {name}"
                    for view in merge.around.views
                    if name not in view.columns and names_word(merge.text, view.name[-1])
                ]
    return list(dict.fromkeys(found))


def dedupe(pair: Pair, merge: HandWritten) -> tuple[Severity, str, str] | None:
    """What is wrong with how the merge picks one change of each row: how bad, what and why; None if nothing is."""
    does = merge.does
    if not does.newest:
        why = "two changes of a row in one batch: the MERGE fails with error 100090, or takes either of them"
        return Severity.ERROR, "it does not pick one change of each row", why
    if any(word in RANKS for word in does.newest):
        why = "rows of one rank are all kept: the MERGE fails with error 100090 when two changes have one time"
        return Severity.ERROR, "it picks the newest change by RANK", why
    if not does.orders:
        return None
    order = does.orders[0]
    if len(order) < 2:
        why = "the changes of one transaction have one commit time, and which of them wins is chance"
        return Severity.WARNING, f"nothing breaks ties between changes of one {order[0] if order else 'time'}", why
    first = pair.staging.column(order[0]) if pair.staging else None
    if first is not None and first.type.base == "VARCHAR":
        why = "a text sorts otherwise than a time where the number of its digits changes"
        return Severity.WARNING, f"it orders by {order[0]}, which is a text", why
    return None


def _described(
    text: str, language: str, staging: SfTable, final: SfTable, schema: str, near: Surroundings = NOTHING
) -> Description:
    columns = tuple((c.name, str(c.type)) for c in staging.columns), tuple((c.name, str(c.type)) for c in final.columns)
    return _cached(text, language, parts(staging.name), parts(final.name), *columns, schema, near)


@lru_cache(maxsize=20_000)
def _cached(
    text: str,
    language: str,
    staging: tuple[str, ...],
    final: tuple[str, ...],
    staging_columns: tuple[tuple[str, str], ...],
    final_columns: tuple[tuple[str, str], ...],
    schema: str,
    near: Surroundings,
) -> Description:
    """Several rules look at one merge; it is read once."""
    columns = dict(staging_columns), dict(final_columns)
    return describe(text, language, Tables(staging, final, *columns, near.streams, schema, near.views))
