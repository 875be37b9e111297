"""Columns that a completed change has left behind: dropped, behind a clone, where [policy] drop_leftovers says so."""

from __future__ import annotations

from collections.abc import Collection

from driftguard.drift.context import Context, Pair
from driftguard.drift.leftovers import leftovers
from driftguard.drift.merging import WATERMARK
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import OURS
from driftguard.operations.drop_columns import DropColumns


def leaving(pair: Pair, context: Context, planned: Collection[str]) -> list[DropColumns]:
    """What is in `planned`, by its summary, stands in a revision already."""
    policy = context.policy
    if not policy.drop_leftovers:
        return []
    control = ObjectName(policy.database, policy.control_schema, WATERMARK)
    owners = {pair.landing.final: policy.final_managed_by, pair.landing.staging: policy.staging_managed_by}
    drops = [DropColumns(name, columns, control) for name, columns in leftovers(pair) if owners[name] == OURS]
    return [drop for drop in drops if drop.summary() not in planned]
