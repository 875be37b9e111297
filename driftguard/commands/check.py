"""`driftguard check`: is Snowflake ready for what Aurora has, or would have?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from driftguard.commands.world import Seen, build_context, catalog_of, estate_of, looked
from driftguard.config import Config
from driftguard.dms.store import open_store
from driftguard.drift.compare import all_rules, compare
from driftguard.drift.context import Context
from driftguard.drift.ledger import ledger
from driftguard.drift.rules.dg801 import judge
from driftguard.errors import UsageError
from driftguard.model.catalog import Catalog
from driftguard.model.finding import Finding, Severity
from driftguard.model.loss import LossEntry
from driftguard.model.observed import Look


@dataclass(frozen=True, slots=True)
class Proposal:
    """Migrations that are not on Aurora yet: `--migrations`, and what they are replayed on."""

    directory: Path
    base: str | None = None
    shadow_url: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Findings that stand, those that are waived, and what was compared with what."""

    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    context: Context
    source: Seen
    target: Seen
    allowed_unknown: frozenset[str]
    losses: tuple[LossEntry, ...] = ()
    look: Look | None = None  # what was seen in DMS's files, with `observed`

    @property
    def tables(self) -> int:
        return len(self.context.pairs)

    def failing(self, fail_on: Severity) -> tuple[Finding, ...]:
        """Findings at or above `fail_on`; an `unknown` one fails like an error unless its code is allowed."""
        limit = Severity.UNKNOWN.rank if fail_on is Severity.ERROR else fail_on.rank
        return tuple(
            f
            for f in self.findings
            if f.severity.rank <= limit and not (f.severity is Severity.UNKNOWN and f.code in self.allowed_unknown)
        )


def check(
    config: Config,
    *,
    source: str | None = None,
    proposal: Proposal | None = None,
    against: str | None = None,
    allow_unknown: Sequence[str] = (),
    observed: bool = False,
) -> CheckResult:
    """Compare what DMS emits, or will emit once the proposal is deployed, with what Snowflake has.

    `source`: URL or snapshot; None for the configured database. `against`: `live` or a snapshot; None for the default.
    `observed`: read the footers of the newest files on the lake, which then win over the prediction.
    Raises `DriftguardError` where a side cannot be read at all.
    """
    unknown = sorted(set(allow_unknown) - set(all_rules()))
    if unknown:
        raise UsageError(f"--allow-unknown {unknown[0]}: there is no such code", hint="docs/rules/README.md lists them")
    store = open_store(config) if observed else None
    before: Catalog | None = None
    if proposal is not None:
        before, catalog, seen = proposed_catalog(config, proposal)
    else:
        catalog, seen = catalog_of(config, source)
    estate, target = estate_of(config, against)
    context = build_context(config, catalog, estate, before=before, seen=(seen, target), store=store)
    today = datetime.now(UTC).date().isoformat()
    stands, waived = judge(compare(context), config.settings.waiver, today)
    allowed = context.policy.allow_unknown | frozenset(allow_unknown)
    losses = ledger(context.expectation.landings, context.tasks)
    return CheckResult(stands, waived, context, seen, target, allowed, losses, looked(store, context))


def proposed_catalog(config: Config, proposal: Proposal) -> tuple[Catalog, Catalog, Seen]:
    """The catalog before and after the proposal's migrations, from one throwaway database."""
    from driftguard.aurora.shadow import Shadow

    base: Catalog | Path | None = None
    label = "an empty database"
    if proposal.base is not None:
        label = proposal.base
        if proposal.base.endswith(".sql"):
            base = Path(proposal.base)
        else:
            base, seen = catalog_of(config, proposal.base)
            label = seen.label
    with Shadow(proposal.shadow_url) as shadow:
        shadow.prepare(base)
        shadow.run_migrations(proposal.directory)
        notes = (*shadow.notes, *(f"{s.path.name} was not run: {s.reason}" for s in shadow.skipped))
        before, after = shadow.before, shadow.after
    schemas = config.settings.aurora.schemas
    if schemas:
        before = replace(before, tables=tuple(t for t in before.tables if t.schema in schemas))
        after = replace(after, tables=tuple(t for t in after.tables if t.schema in schemas))
    return before, after, Seen(f"{proposal.directory} on {label}", notes=notes)
