"""Labels of an enum that were renamed: rows in FINAL keep the old text until somebody changes it."""

from __future__ import annotations

from collections.abc import Collection

from driftguard.drift.context import Context, Pair
from driftguard.drift.lineage import lineage
from driftguard.drift.merging import merge_spec
from driftguard.model.catalog import Column
from driftguard.operations.await_marker import Becomes
from driftguard.operations.backfill import Backfill, portions
from driftguard.operations.base import Operation
from driftguard.operations.rename import Rename
from driftguard.plan.completion import ROWS
from driftguard.plan.markers import awaiting, marker_landing, marker_name


def relabeling(pair: Pair, context: Context, planned: Collection[str]) -> list[Operation]:
    """Wait until all rows with the old labels have passed, then change them. Nothing without lineage or markers."""
    after, before, was = lineage(pair, context)
    where = marker_landing(context)
    if after is None or before is None or was is None or where is None or pair.final is None:
        return []
    then = {c.attnum: c for c in before.columns}
    sources = {c.name: after.column(c.source or "") for c in pair.landing.final_columns}
    spec = merge_spec(pair, context.policy)
    found = []
    for column in spec.columns:
        source = sources.get(column.final)
        if column.key or source is None or source.attnum not in then or pair.final.column(column.final) is None:
            continue
        labels = renamed_labels(then[source.attnum], source)
        if labels:
            found.append((column, labels))
    name = marker_name(pair.landing.final, repr(found), context)
    if not found or name in planned:
        return []
    deployed = [
        Becomes(source.name, source.type.text, source.type.enum_labels)
        for column, _ in found
        for source in [sources[column.final]]
        if source is not None
    ]
    key = tuple(c.final for c in spec.columns if c.key)
    fills = (
        Backfill(
            f"{name}:{column.final}", pair.landing.final, spec.watermark, key, column,
            labels=labels, portions=portions(pair.final, ROWS), rows=ROWS,
        )
        for column, labels in found
    )  # fmt: skip
    return [awaiting(context, where, name, pair.landing, after.id, deployed), *fills]


def renamed_labels(was: Column, now: Column) -> tuple[Rename, ...]:
    """Old and new labels, by their place in the enum; empty where that does not tell: some came or went, or traded."""
    old, new = was.type.enum_labels, now.type.enum_labels
    if was.type.kind != "e" or now.type.kind != "e" or was.type.name != now.type.name or len(old) != len(new):
        return ()
    changed = tuple(Rename(a, b) for a, b in zip(old, new, strict=True) if a != b)
    return () if {c.new for c in changed} & set(old) else changed
