"""`driftguard adopt`: what makes a landing that people made differ from driftguard's, and the plan that gets there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from driftguard.commands.plan import PlanResult, after_revisions, weigh
from driftguard.commands.tables import landings_of, listed
from driftguard.commands.world import build_context, catalog_of, estate_of
from driftguard.config import Config
from driftguard.drift.rules._common import source_table
from driftguard.errors import UsageError
from driftguard.migrate.history import read_all
from driftguard.migrate.writing import write
from driftguard.plan.adopting import Adoption, adoption
from driftguard.plan.planner import make_plan


@dataclass(frozen=True, slots=True)
class Adopted:
    """The landing of one Aurora table. No plan where there is nothing to do, or something stands in the way."""

    table: str
    found: Adoption
    plan: PlanResult | None = None


def overview(config: Config, *, source: str | None = None, against: str | None = None) -> tuple[Adopted, ...]:
    """Every landing that is there, whoever made it. Raises `DriftguardError` where a side cannot be read."""
    context = build_context(config, catalog_of(config, source)[0], estate_of(config, against)[0])
    return tuple(Adopted(str(source_table(pair.landing)), adoption(pair, context)) for pair in context.pairs)


def adopt(
    config: Config,
    table: str,
    *,
    source: str | None = None,
    against: str | None = None,
    message: str = "",
    write_revision: bool = False,
) -> Adopted:
    """One landing, against the estate as it will be once the revisions on disk are applied.

    `table` is schema.table on Aurora, or its name alone. Raises `UsageError` for no such table, or several.
    """
    catalog, seen = catalog_of(config, source)
    estate, target = estate_of(config, against)
    directory = config.path(config.settings.revisions.dir)
    estate, unapplied = after_revisions(estate, read_all(directory))
    context = build_context(config, catalog, estate)
    pairs = landings_of(context, table)
    if len(pairs) > 1:
        names = listed(str(source_table(pair.landing)) for pair in pairs)
        raise UsageError(f"several tables are called {table}", hint=f"name the schema too: {names}")
    (pair,) = pairs
    found = adoption(pair, context)
    name = str(source_table(pair.landing))
    if found.obstacles or not found.differences:
        return Adopted(name, found)
    alone = replace(context, expectation=replace(context.expectation, refusals=()), pairs=(pair,), unselected=())
    result = weigh(make_plan(alone, adopt=(pair.landing.final,)), estate, seen, target)
    if write_revision:
        text = message or f"take over {pair.landing.final.name.lower()}"
        result = replace(result, revisions=write(directory, text, result.plan.operations))
    return Adopted(name, found, replace(result, unapplied=unapplied))
