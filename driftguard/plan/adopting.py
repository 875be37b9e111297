"""How a landing that people made becomes driftguard's: what differs, what stands in the way, and the operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftguard.drift.byhand import HandWritten, also_writes, dedupe, hand_written, lacking, writers
from driftguard.drift.context import Context, Pair
from driftguard.drift.copying import Unreadable, faults, read
from driftguard.drift.lineage import changed_key
from driftguard.drift.merging import merge_spec
from driftguard.drift.record import stored
from driftguard.merge.generate import is_generated
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.policy import OURS
from driftguard.model.snowflake import Pipe, Task
from driftguard.operations.columns import ColumnDef
from driftguard.operations.replace_merge import STARTED
from driftguard.operations.rewrite_merge import digest
from driftguard.operations.take_over import TakeOver
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True, slots=True)
class Difference:
    """`where`: STAGING, FINAL, pipe, merge, task or stream. `what`: how it is, and how driftguard would have it."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """One landing. `state`: ours, by hand or incomplete; `obstacles` are what a person has to see to first."""

    final: ObjectName
    state: str
    differences: tuple[Difference, ...] = ()
    obstacles: tuple[str, ...] = ()


OURS_ALREADY, BY_HAND, INCOMPLETE = "driftguard's", "made by hand", "not complete"


def adoption(pair: Pair, context: Context) -> Adoption:
    """What stands between the landing and one that driftguard has made."""
    final = pair.landing.final
    if pair.task is not None and is_generated(pair.task.definition):
        return Adoption(final, OURS_ALREADY)
    missing = tuple(_missing(pair))
    if missing:
        return Adoption(final, INCOMPLETE, (), missing)
    merge = hand_written(context, pair)
    assert merge is not None  # both tables and the task are there, and the text is not driftguard's
    differences = (*_tables(pair), *_pipe(pair), *_merge(pair, merge), *_task(pair, context))
    return Adoption(final, BY_HAND, differences, tuple(_obstacles(pair, context, merge)))


def taking_over(pair: Pair, context: Context) -> TakeOver | None:
    """The operation; None where something stands in the way, or nothing is to be taken over."""
    found = adoption(pair, context)
    if found.state != BY_HAND or found.obstacles:
        return None
    merge, landing = hand_written(context, pair), pair.landing
    assert merge is not None and pair.task is not None and pair.staging is not None
    spec = merge_spec(pair, context.policy)
    there = {c.name for c in pair.staging.columns}
    return TakeOver(
        task=landing.task,
        before=digest(pair.task.definition),
        merge=spec,
        pipe=landing.pipe,
        stage=landing.stage,
        path=landing.path,
        file_format=landing.file_format,
        add_to_staging=tuple(ColumnDef(c.name, c.type) for c in stored(landing) if c.name not in there),
        replace_pipe=bool(_faults(pair)),
        only_theirs=tuple(_only_theirs(pair, merge, spec)),
    )


def _missing(pair: Pair) -> Iterator[str]:
    """What is not there under its name, or could not be looked at."""
    landing = pair.landing
    if pair.unseen:
        yield f"{' and '.join(pair.unseen)} could not be looked at"
        return
    for kind, name, found in (
        ("table", landing.staging, pair.staging),
        ("table", landing.final, pair.final),
        ("pipe", landing.pipe, pair.pipe),
        ("task", landing.task, pair.task),
    ):
        if found is None:
            yield f"there is no {kind} {name}: if it is called otherwise, say so in [landing.named]"
    for table in (pair.staging, pair.final):
        if table is not None and not table.standard:
            yield f"{table.name} is a {table.kind.lower()}"


def _obstacles(pair: Pair, context: Context, merge: HandWritten) -> Iterator[str]:
    landing, policy, task, pipe = pair.landing, context.policy, pair.task, pair.pipe
    assert task is not None and pipe is not None
    for what in ("merge", "pipe", "staging", "final"):
        owner = getattr(policy, f"{what}_managed_by")
        if owner != OURS:
            yield f"[policy] managed_by gives {what} to {owner}: take it out of there, and out of the configuration"
    if landing.record:
        yield f"{landing.staging} keeps whole records, and how the old merge reads them is not followed"
    if task.predecessors:
        above = ", ".join(task.predecessors)
        yield (
            f"{task.name} runs after {above}, and driftguard's merges stand alone: ALTER TASK {qualified(task.name)} "
            f"REMOVE AFTER {above}, and give it a SCHEDULE"
        )
    elif task.state.lower() != STARTED:
        yield f"{task.name} is suspended: resume it, or find out why it is; its last run is part of the way"
    if old := changed_key(pair, context):
        now = ", ".join(c.name for c in landing.key)
        yield f"{landing.final} declares the key ({', '.join(old)}), and Aurora's is ({now})"
    elif merge.does.key and merge.does.key != {c.name for c in landing.key}:
        yield (
            f"the old merge finds rows by ({', '.join(sorted(merge.does.key))}), and Aurora's key is "
            f"({', '.join(c.name for c in landing.key)}): {landing.final} may have several rows of one key"
        )
    for other in also_writes(context, pair, merge):
        yield f"{merge.place} writes {other} too: give that table a merge of its own first"
    for other in writers(context, pair):
        yield f"the task {other} writes {landing.final} too: stop it first"
    yield from _place(pair, context, pipe)


def _place(pair: Pair, context: Context, pipe: Pipe) -> Iterator[str]:
    landing, estate = pair.landing, context.estate
    try:
        target = read(pipe).target
    except Unreadable:
        target = None
    if target is not None and target != landing.staging:
        yield f"{pipe.name} loads into {target}: name the landing's own pipe in [landing.named]"
    if not estate.saw("stages", landing.stage.database, landing.stage.schema):
        yield f"stages in {landing.stage.database}.{landing.stage.schema} could not be looked at"
    elif all(stage.name != landing.stage for stage in estate.stages):
        yield f"there is no stage {landing.stage}: make it, or name the one that there is in [landing] stage"


def _tables(pair: Pair) -> Iterator[Difference]:
    assert pair.staging is not None and pair.final is not None
    landing = pair.landing
    for where, table, wanted in (
        ("STAGING", pair.staging, [c.name for c in stored(landing)]),
        ("FINAL", pair.final, [c.name for c in landing.final_columns]),
    ):
        lacks = [name for name in wanted if table.column(name) is None]
        if lacks:
            yield Difference(where, f"{table.name} lacks {', '.join(lacks)}")
        for item in pair.misfits:
            if item.table is table:
                yield Difference(where, f"{item.actual.name} is {item.actual.type}, not {item.expected.type}")
    key = {c.name for c in landing.key}
    strict = [c.name for c in pair.final.columns if not c.nullable and c.name not in key]
    if strict:
        yield Difference("FINAL", f"{', '.join(strict)} may not be NULL, and rows may have none")
    if not pair.final.primary_key:
        yield Difference("FINAL", f"{pair.final.name} declares no key: that it has one row of each is assumed")


def _faults(pair: Pair) -> list[str]:
    assert pair.pipe is not None
    try:
        return faults(pair.pipe, pair.landing)
    except Unreadable as problem:
        return [f"its COPY is not one of whole files by column names ({problem})"]


def _pipe(pair: Pair) -> Iterator[Difference]:
    assert pair.pipe is not None
    for fault in _faults(pair):
        yield Difference("pipe", f"{pair.pipe.name}: {fault}")
    if pair.file_format is None:
        yield Difference("pipe", f"there is no file format {pair.landing.file_format}")


def _merge(pair: Pair, merge: HandWritten) -> Iterator[Difference]:
    where = f"{merge.place} ({merge.language})"
    if merge.unread:
        yield Difference("merge", f"{where} cannot be read: {merge.unread}")
        return
    yield Difference("merge", f"{where} is written by hand")
    wrong = dedupe(pair, merge)
    if wrong is not None:
        yield Difference("merge", wrong[1])
    if not merge.does.deletes:
        yield Difference("merge", "it does not handle deletes")
    if left_out := [c.name for c in lacking(pair, merge)]:
        yield Difference("merge", f"its lists lack {', '.join(left_out)}")
    yield Difference("merge", "files that come late or twice are not told from new ones by what FINAL has")


def _task(pair: Pair, context: Context) -> Iterator[Difference]:
    task, stream = pair.task, pair.landing.stream
    assert task is not None
    if stream is not None and pair.stream is None:
        yield Difference("stream", f"there is no {stream}, by which a merge learns of new files")
    for what, has, wanted in _kept(task, context):
        if (has or "") != (wanted or ""):
            yield Difference("task", f"{what} {has or 'none'} stays; driftguard.toml has {wanted or 'none'}")


def _kept(task: Task, context: Context) -> tuple[tuple[str, str | None, str | None], ...]:
    policy = context.policy
    return ("SCHEDULE", task.schedule, policy.schedule), ("WAREHOUSE", task.warehouse, policy.warehouse)


def _only_theirs(pair: Pair, merge: HandWritten, spec: MergeSpec) -> list[str]:
    """Columns of FINAL that the old lists fill, and the new ones do not have."""
    assert pair.final is not None
    filled = {name for listed in (*merge.does.updates, *merge.does.inserts) for name in listed}
    ours = {c.final for c in spec.columns} | {c.name for c in pair.landing.final_columns}
    return [c.name for c in pair.final.columns if c.name in filled - ours]
