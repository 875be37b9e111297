"""The operation that carries new columns through a merge that people wrote, or why there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from driftguard.drift.byhand import grown, hand_written, lacking
from driftguard.drift.context import Context, Pair
from driftguard.merge.byhand.rewrite import Rewritten
from driftguard.model.policy import OURS
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation, Readiness, find_task
from driftguard.operations.columns import ColumnDef
from driftguard.operations.rewrite_merge import (
    Carried,
    Edit,
    RewriteMerge,
    cannot_remake,
    digest,
    roots_of,
)


def rewriting(
    pair: Pair, context: Context, gained: Sequence[ColumnDef], final: AddColumns | None
) -> RewriteMerge | str:
    """What carries the columns that the landing's merge lacks, with what STAGING gains for them; or why not.

    `final` gives FINAL its new columns. The reason is empty where the text is driftguard's, needs nothing, cannot be
    read or cannot be rewritten: other places say that.
    """
    merge = hand_written(context, pair)
    if merge is None or merge.unread or merge.task.text_of or context.policy.merge_managed_by != OURS:
        return ""
    assert pair.final is not None and pair.staging is not None
    there = {c.name for c in pair.final.columns} | {c.name for c in (final.columns if final else ())}
    columns = [c for c in lacking(pair, merge) if c.name in there]
    found = grown(pair, merge, columns) if columns else None
    if not isinstance(found, Rewritten):
        return ""
    if merge.procedure is not None and (reason := cannot_remake(merge.procedure)):
        return reason
    above = roots_of(context.estate, merge.task.name, merge.procedure.name if merge.procedure else None)
    if isinstance(above, Readiness):
        return above.reason
    lead = len(merge.text) - len(merge.text.lstrip())
    return RewriteMerge(
        task=merge.task.name,
        staging=pair.landing.staging,
        final=pair.landing.final,
        before=digest(merge.text),
        after=digest(found.text),
        edits=tuple(Edit(edit.at - lead, edit.text) for edit in found.edits),
        roots=above,
        columns=tuple(Carried(c.name, c.staging) for c in columns if c.staging is not None),
        add_to_staging=tuple(gained),
        procedure=merge.procedure.name if merge.procedure else None,
        signature=merge.procedure.arguments if merge.procedure else "",
    )


def with_texts(context: Context, operations: Sequence[Operation]) -> Context:
    """The context for the landings that come next: one procedure or task may merge several of them."""
    estate = context.estate
    for operation in operations:
        if isinstance(operation, RewriteMerge):
            after = dataclasses.replace(operation, add_to_staging=()).effect(estate)
            estate = dataclasses.replace(estate, tasks=after.tasks, procedures=after.procedures)
    return context if estate is context.estate else dataclasses.replace(context, estate=estate)


def with_task_of(pair: Pair, context: Context) -> Pair:
    """The landing with its task as the context has it."""
    if pair.task is None:
        return pair
    return dataclasses.replace(pair, task=find_task(context.estate, pair.task.name))
