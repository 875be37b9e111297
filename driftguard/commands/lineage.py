"""Notes which columns of Aurora the landings are in step with, so that a later rename is a fact and not a guess."""

from __future__ import annotations

from collections.abc import Callable, Collection

from driftguard.commands.world import build_context, live_catalog, live_estate
from driftguard.config import Config
from driftguard.control import schema
from driftguard.control.lineage import record
from driftguard.control.link import linked
from driftguard.errors import DriftguardError
from driftguard.model.catalog import Catalog
from driftguard.model.identifiers import ObjectName
from driftguard.plan.ancestry import in_step
from driftguard.snowflake.session import Session


def note_lineage(config: Config, landings: Collection[ObjectName], say: Callable[[str], None]) -> None:
    """Note it for those of `landings` that nothing is left to do for, as far as it is not noted yet.

    Where Aurora cannot be looked at it is said, and nothing is noted: what was applied stays applied.
    """
    try:
        catalog = live_catalog(config)
        if not catalog.system_identifier:
            say("lineage not noted: this login may not call pg_control_system() on Aurora")
            return
        with linked(config) as link:
            link.call(lambda session: _note(config, session, catalog, landings))
    except DriftguardError as error:
        say(f"lineage not noted, so that a rename on Aurora cannot be told from a new column: {error}")


def _note(config: Config, session: Session, catalog: Catalog, landings: Collection[ObjectName]) -> None:
    """A second time, should the answer to the first not come, the same is noted again: the newest set counts."""
    estate = live_estate(config, session)
    found = tuple(in_step(build_context(config, catalog, estate), landings))
    known = {item for item in estate.ancestors if item.landing in {one.landing for one in found}}
    changed = {item.landing for item in set(found) ^ known}
    schema.use(session, config.policy().database, config.policy().control_schema)
    record(session, [item for item in found if item.landing in changed])
