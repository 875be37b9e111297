"""A landing that keeps its name while DMS writes its files to another folder: ALTER TABLE … SET SCHEMA, as a rule."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from driftguard.drift.context import Context, Pair
from driftguard.drift.copying import Copy, Unreadable, feeds, read, reads
from driftguard.drift.lineage import changed_key, lineage, swapped
from driftguard.emission.mappings import select
from driftguard.model.catalog import Table
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.landing import Landing
from driftguard.model.policy import OURS
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import Pipe
from driftguard.operations.add_pipe import AddPipe
from driftguard.operations.await_marker import Becomes
from driftguard.operations.base import Operation, with_pipe
from driftguard.operations.manual import Manual, ManualAfter
from driftguard.operations.pipes import second
from driftguard.operations.predicate import Predicate, Wanted
from driftguard.operations.replace_pipe import ReplacePipe
from driftguard.plan import patches
from driftguard.plan.markers import awaiting, marker_landing, marker_name


def another_folder(pair: Pair, context: Context, planned: Collection[str], notes: list[str]) -> list[Operation]:
    """A second pipe for the new folder before the deploy; afterwards the landing's own reads it, alone.

    `planned`: markers of changes whose completion stands in a revision already. Nothing for a pipe that reads the
    right folder, or whose text cannot be followed (DG309).
    """
    landing, pipe = pair.landing, pair.pipe
    if pipe is None or pair.staging is None:
        return []
    others = [p for p in pair.more_pipes if _path(p) == _path(landing)]
    if feeds(pipe, landing):
        return [item for other in others for item in _own_alone(pair, context, other.name)]
    try:
        copy = read(pipe)
    except Unreadable:
        return []
    if copy.target != landing.staging or reads(pipe, landing.stage, landing.path):
        return []
    left = f"@{copy.stage}/{copy.path.strip('/')}/"
    why = _refused(pair, context, copy)
    if why:
        notes.append(f"{landing.final}: nothing planned for its pipe, which reads {left}: {why}")
        return []
    found: list[Operation] = []
    if others:
        name = others[0].name
    else:
        name = second(landing.pipe, [p.name for p in context.estate.pipes])
        found += _second(pair, context, pipe, name)
    moved = _moved(pair, context, copy)
    where = marker_landing(context)
    if moved is None or where is None:
        what = "[marker] table is needed" if where is None else "nothing on Aurora tells when DMS has left it"
        notes.append(
            f"{landing.final}: {landing.pipe} goes on reading {left} beside {name} ({what}); once nothing comes there "
            "any more and all of it is loaded, drop it by hand and plan again"
        )
        return found
    marker = marker_name(landing.final, f"{copy.path} to {landing.path}", context)
    digest = marker.rpartition(":")[2]
    if any(known.startswith(f"{landing.final}:") and known.endswith(f":{digest}") for known in planned):
        return found
    deployed = [Becomes(c.name, c.type.text) for c in moved.columns]
    found.append(awaiting(context, where, marker, landing, moved.id, deployed))
    return found + _own_alone(pair, context, name)


def unselected(context: Context) -> Iterator[str]:
    """Notes for tables that no DMS task selects under their new name, with the rule that would."""
    if context.before is None or context.catalog is None:
        return
    now = {t.oid: t for t in context.catalog.tables}
    old = {t.id: t.oid for t in context.before.tables}
    tasks = {task.name: task for task in context.tasks}
    taken = {e.source.table for p in context.pairs for e in p.landing.emissions}
    taken |= {refusal.table for refusal in context.expectation.refusals}
    for emission in (e for was in context.landed_before for e in was.emissions):
        name, task = emission.source.table, tasks[emission.source.task]
        table = now.get(old.get(name, 0))
        if table is None or table.id in (name, *taken):
            continue
        why = select(task.mappings, table.schema, table.name).reason
        yield (
            f"{table.id}, which was {name}: {why}. Before the deploy, give task {task.name} a rule such as "
            f"{_rule(table.id, task)}, and plan again. The task has to be stopped for that; that it then goes on with "
            "the table without a reload is not documented"
        )


def _rule(table: TableName, task: DmsTask) -> str:
    """A selection rule for this table alone. Source: AWS DMS User Guide, "Selection rules and actions"."""
    mappings = task.mappings
    ids = [*(rule.rule_id for rule in mappings.selections), *(rule.rule_id for rule in mappings.transformations)]
    number = str(max((int(known) for known in ids if known.isdecimal()), default=0) + 1)
    where = {"schema-name": table.schema, "table-name": table.name}
    head = {"rule-type": "selection", "rule-id": number, "rule-name": number, "rule-action": "explicit"}
    return json.dumps({**head, "object-locator": where}, ensure_ascii=False)


def _path(of: Pipe | Landing) -> str | None:
    """The folder below the stage; None where a pipe's text cannot be followed."""
    try:
        return (read(of).path if isinstance(of, Pipe) else of.path).strip("/")
    except Unreadable:
        return None


def _refused(pair: Pair, context: Context, left: Copy) -> str:
    """Why a second pipe would not do; "" where it does."""
    if changed_key(pair, context) or swapped(pair, context):
        return "its key changes too: make one change after the other"
    for other in (p.landing for p in context.pairs if p is not pair):
        if (other.stage, _path(other)) == (left.stage, left.path.strip("/")):
            return f"DMS writes {other.table} there now"
    _, before, _ = lineage(pair, context)
    if before is not None and context.catalog is not None:
        there = context.catalog.table(before.id)
        if there is not None and there.oid != before.oid:
            return f"another table is called {before.id} now"
    return ""


def _moved(pair: Pair, context: Context, left: Copy) -> Table | None:
    """The table as it is afterwards, where it is known to be the one whose files came to `left` before."""
    after, before, was = lineage(pair, context)
    if after is None or before is None or was is None or after.id == before.id or len(was.emissions) != 1:
        return None
    return after if (was.stage, _path(was)) == (left.stage, left.path.strip("/")) else None


def _second(pair: Pair, context: Context, pipe: Pipe, name: ObjectName) -> list[Operation]:
    landing, owner = pair.landing, context.policy.pipe_managed_by
    add = AddPipe(
        name, landing.pipe, landing.final, landing.staging, landing.stage, landing.path, landing.file_format,
        landing.record,
    )  # fmt: skip
    if owner == OURS:
        return [add]
    text = patches.pipe(owner, name, add.folder.copy_like(pipe), [s.sql for s in add.statements(context.estate)])
    return [Manual(f"{owner}: {text}", Predicate(Wanted.FOLDER, name, names=(landing.path,)))]


def _own_alone(pair: Pair, context: Context, name: ObjectName) -> list[Operation]:
    """The landing's own pipe for the new folder, instead of the second one."""
    landing, owner = pair.landing, context.policy.pipe_managed_by
    replace = ReplacePipe(
        landing.pipe, name, landing.final, landing.staging, landing.stage, landing.path, landing.file_format,
        landing.record,
    )  # fmt: skip
    if owner == OURS:
        return [replace]
    if pair.pipe is not None and feeds(pair.pipe, landing):
        return []  # the second one is its owner's to drop
    both = with_pipe(context.estate, Pipe(name, replace.folder.copy))
    text = patches.sql(f"in place of {name}", [s.sql for s in replace.statements(both)])
    return [ManualAfter(f"{owner}: {text}", Predicate(Wanted.FOLDER, landing.pipe, names=(landing.path,)))]
