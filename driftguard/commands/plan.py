"""`driftguard plan`: the operations that close what `check` finds; with --write as a revision file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from driftguard.commands.check import Proposal, proposed_catalog
from driftguard.commands.marker import line
from driftguard.commands.world import Seen, build_context, catalog_of, estate_of, looked
from driftguard.config import Config
from driftguard.dms.store import open_store
from driftguard.migrate.history import read_all
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write
from driftguard.model.catalog import Catalog
from driftguard.model.observed import Look
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.await_marker import AwaitMarker
from driftguard.operations.base import DONE, State
from driftguard.operations.drop_columns import DropColumns
from driftguard.plan.cost import Cost, cost
from driftguard.plan.planner import Plan, make_plan
from driftguard.snowflake.capabilities import Capabilities
from driftguard.snowflake.capabilities import read as read_capabilities


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan, its SQL, what it was made from, and the revisions it was written to."""

    plan: Plan
    statements: tuple[tuple[Statement, ...], ...]  # one tuple an operation
    source: Seen
    target: Seen
    revisions: tuple[Revision, ...] = ()
    unapplied: tuple[str, ...] = ()  # revisions on disk that were taken as applied
    capabilities: Capabilities | None = None  # what `probe --snowflake` has found out; nothing depends on it yet
    markers: tuple[str, ...] = ()  # SQL for the end of the migration: what shows when its changes have passed
    look: Look | None = None  # what was seen in DMS's files, with `observed`
    costs: tuple[Cost, ...] = ()  # one an operation
    diffs: tuple[str, ...] = ()  # likewise: what changes in a text that people wrote, or nothing


def plan(
    config: Config,
    *,
    source: str | None = None,
    proposal: Proposal | None = None,
    against: str | None = None,
    message: str = "",
    write_revision: bool = False,
    observed: bool = False,
) -> PlanResult:
    """Plan against the estate as it will be once the revisions on disk are applied, so that nothing is planned twice.

    Raises `DriftguardError` where a side cannot be read.
    """
    store = open_store(config) if observed else None
    known = read_capabilities(config.path(config.settings.snowflake.capabilities))
    before: Catalog | None = None
    if proposal is not None:
        before, catalog, seen = proposed_catalog(config, proposal)
    else:
        catalog, seen = catalog_of(config, source)
    estate, target = estate_of(config, against)
    directory = config.path(config.settings.revisions.dir)
    written = read_all(directory)
    estate, unapplied = after_revisions(estate, written)
    later = [op for r in written if r.id not in estate.revisions for op in r.operations]
    planned = {op.name for op in later if isinstance(op, AwaitMarker)}
    planned |= {op.summary() for op in later if isinstance(op, DropColumns)}
    context = build_context(config, catalog, estate, before=before, store=store)
    found = weigh(make_plan(context, planned), estate, seen, target)
    return replace(
        found,
        revisions=write(directory, message, found.plan.operations) if write_revision and found.plan.operations else (),
        unapplied=unapplied,
        capabilities=known,
        markers=tuple(line(config, op.name) for op in found.plan.operations if isinstance(op, AwaitMarker)),
        look=looked(store, context),
    )


def weigh(made: Plan, estate: Estate, source: Seen, target: Seen) -> PlanResult:
    """The plan with its SQL, what it costs, and what it changes in texts that people wrote; on `estate`."""
    statements, costs, diffs, simulated = [], [], [], estate
    for operation in made.operations:
        statements.append(operation.statements(simulated))
        diffs.append(operation.diff(simulated))
        after = operation.effect(simulated)
        costs.append(cost(operation, simulated, after, estate))
        simulated = after
    return PlanResult(made, tuple(statements), source, target, costs=tuple(costs), diffs=tuple(diffs))


def after_revisions(estate: Estate, revisions: tuple[Revision, ...]) -> tuple[Estate, tuple[str, ...]]:
    """The estate with the effect of what revisions that are not applied do before the Aurora deploy.

    Without a control schema to read, whether one is applied is told by its operations; one that cannot run any more
    (its table was changed since) belongs to the past.
    """
    waiting: dict[str, None] = {}
    for revision in revisions:
        if revision.id in estate.revisions:
            continue
        for operation in revision.operations:
            readiness = operation.readiness(estate)
            if operation.phase is not Phase.EXPAND or readiness == DONE or readiness.state is State.BLOCKED:
                continue
            estate = operation.effect(estate)
            waiting[revision.id] = None
    return estate, tuple(waiting)
