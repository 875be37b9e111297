"""A second pipe beside the landing's own, while DMS changes to another folder."""

from __future__ import annotations

from driftguard.drift.context import Pair
from driftguard.drift.copying import feeds, reads
from driftguard.model.landing import Landing
from driftguard.model.snowflake import Pipe


def reads_folder(pipe: Pipe, landing: Landing) -> bool:
    return reads(pipe, landing.stage, landing.path)


def second(pair: Pair) -> Pipe | None:
    """The one that does all that the landing needs."""
    return next((p for p in pair.more_pipes if feeds(p, pair.landing)), None)
