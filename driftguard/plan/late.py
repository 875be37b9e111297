"""STAGING in record style: columns that are learned of too late, and landings whose style is not the one set."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context, Pair
from driftguard.drift.record import other_style
from driftguard.model.merge import MergeSpec
from driftguard.operations.read_records import ReadRecords
from driftguard.plan.markers import marker_name


def late_columns(pair: Pair, context: Context, spec: MergeSpec) -> list[ReadRecords]:
    """Read what FINAL gets now out of the records that are staged: whether any has it already is not known here.

    Twins of columns that change their type are read when the change has passed.
    """
    if not pair.landing.record or pair.final is None:
        return []
    there = {c.name for c in pair.final.columns}
    columns = tuple(c.final for c in spec.columns if c.final not in there and c.becomes is None and not c.key)
    if not columns:
        return []
    name = marker_name(pair.landing.final, f"records {columns}", context)
    return [ReadRecords(f"{name}:records", pair.landing.task, spec, columns)]


def style_notes(context: Context) -> Iterator[str]:
    """For each landing of the other style: what a person would do."""
    for pair in context.pairs:
        if other_style(pair.landing, pair.staging, context.policy):
            have, want = ("record", "columns") if pair.landing.record else ("columns", "record")
            yield (
                f"{pair.landing.staging}: keeps {have}, and staging_style is {want!r}: nothing is rebuilt (DG116); "
                "docs/record-staging.md says how to change the style of a landing by hand"
            )
