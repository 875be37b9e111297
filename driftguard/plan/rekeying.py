"""What a changed primary key needs after the Aurora deploy."""

from __future__ import annotations

from driftguard.drift.context import Context, Pair
from driftguard.drift.merging import merge_spec
from driftguard.operations.await_marker import Becomes
from driftguard.operations.base import Operation
from driftguard.operations.rekey_final import RekeyFinal
from driftguard.plan.markers import awaiting, marker_landing, marker_name


def rekeying(pair: Pair, context: Context) -> list[Operation]:
    """Wait for the marker, then fill FINAL anew from a reload. There must be a table of markers."""
    where = marker_landing(context)
    assert where is not None
    landing = pair.landing
    spec = merge_spec(pair, context.policy)
    name = marker_name(landing.final, repr([c for c in spec.columns if c.key]), context)
    table = landing.emissions[0].source.table
    source = context.catalog.table(table) if context.catalog else None
    key = [c.source for c in landing.key]
    deployed = [Becomes(c.name, c.type.text) for c in (source.columns if source else ()) if c.name in key]
    primary = source.primary_key.columns if source and source.primary_key else ()
    return [
        awaiting(context, where, name, landing, table, deployed, primary),
        RekeyFinal(name, landing.task, landing.pipe, spec, str(table)),
    ]
