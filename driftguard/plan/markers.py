"""Where markers arrive, and what the marker of a change is called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from driftguard.drift.context import Context
from driftguard.drift.merging import WATERMARK
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.landing import Landing
from driftguard.operations.await_marker import AwaitMarker, Becomes


def marker_landing(context: Context) -> tuple[ObjectName, str] | None:
    """FINAL's table of markers and its column with their names; None where [marker] table has no landing."""
    for pair in context.pairs:
        if any(str(e.source.table) == context.policy.marker_table for e in pair.landing.emissions):
            for column in pair.landing.final_columns:
                if column.source == context.policy.marker_column:
                    return pair.landing.final, column.name
    return None


def marker_name(final: ObjectName, what: str, context: Context) -> str:
    """A name that two plans side by side do not share, and that the same change made a second time does not reuse."""
    known = sum(m.name.startswith(f"{final}:") for m in context.estate.milestones)
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    return f"{final}:{known + 1}:{digest}"


def awaiting(
    context: Context,
    where: tuple[ObjectName, str],
    name: str,
    landing: Landing,
    table: TableName,
    deployed: Iterable[Becomes],
    key: tuple[str, ...] = (),
) -> AwaitMarker:
    """Wait until the marker `name` has passed `landing`; `where` is what `marker_landing` says.

    `table`, with `deployed` and its primary key `key`, is what Aurora shows once the change is there.
    """
    policy = context.policy
    return AwaitMarker(
        name=name,
        marker=where[0],
        column=where[1],
        control=ObjectName(policy.database, policy.control_schema, WATERMARK),
        final=landing.final,
        staging=landing.staging,
        pipe=landing.pipe,
        table=(table.schema, table.name),
        deployed=tuple(deployed),
        hold_seconds=policy.marker_hold_seconds,
        key=key,
    )
