"""A second pipe beside the landing's own, while DMS changes to another folder."""

from __future__ import annotations

from driftguard.drift.context import Context, Pair
from driftguard.drift.copying import feeds, reads
from driftguard.model.landing import Landing
from driftguard.model.snowflake import Pipe
from driftguard.operations.pipes import all_of


def reads_folder(pipe: Pipe, landing: Landing) -> bool:
    return reads(pipe, landing.stage, landing.path)


def second(pair: Pair, context: Context) -> Pipe | None:
    """The one that does all that the landing needs."""
    others = (p for p in all_of(context.estate, pair.landing.pipe) if p.name != pair.landing.pipe)
    return next((p for p in others if feeds(p, pair.landing)), None)
