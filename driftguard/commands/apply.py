"""`driftguard apply`: run the revisions that Snowflake does not know yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from driftguard.commands.lineage import note_lineage
from driftguard.commands.marker import write_markers
from driftguard.commands.world import live_estate
from driftguard.config import Config
from driftguard.control import schema
from driftguard.control.journal import Journal, RevisionRecord
from driftguard.control.lease import limits
from driftguard.control.link import linked
from driftguard.errors import UsageError
from driftguard.migrate.history import read_all, up_to
from driftguard.migrate.progress import ALL_PHASES, Progress
from driftguard.migrate.rehearsal import Outcome, rehearse
from driftguard.migrate.revision import Revision
from driftguard.migrate.runner import Runner
from driftguard.migrate.schedule import Step
from driftguard.model.plan import HazardKind, Phase
from driftguard.operations.await_marker import AwaitMarker
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session

ALL = "all"


def apply(
    config: Config,
    *,
    dry_run: bool = False,
    revision: str | None = None,
    phase: str = Phase.EXPAND,
    allowed: Sequence[str] = (),
    jobs: int = 4,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Apply one phase (or `all`) of every pending revision, or of `revision` and those that it needs.

    `allowed`: names of hazards that a person accepts. `jobs`: how many connections may work side by side on
    operations that have nothing to do with each other. `watch` is called before each statement, `say` with what the
    apply waits for.
    Raises `DriftguardError`; a `HalfwayError` means that the next apply goes on from where this one stopped.
    """
    revisions = read_all(config.path(config.settings.revisions.dir))
    if revision is not None:
        revisions = up_to(revisions, revision)
    return apply_revisions(
        config, revisions, dry_run=dry_run, phase=phase, allowed=allowed, jobs=jobs, watch=watch, say=say
    )


def apply_revisions(
    config: Config,
    revisions: Sequence[Revision],
    *,
    dry_run: bool = False,
    phase: str = Phase.EXPAND,
    allowed: Sequence[str] = (),
    jobs: int = 4,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """The same for revisions that are chosen already, each after those that it needs."""
    check_names(allowed)
    phases = ALL_PHASES if phase == ALL else (Phase(phase),)
    awaited = awaiting(revisions)
    if dry_run:
        with Session.open(config) as session:
            estate = live_estate(config, session, awaited)
            return rehearse(revisions, read_records(config, session) or {}, estate, phases)
    if Phase.SETTLE in phases and awaited:
        with linked(config) as link:
            records = link.call(lambda session: read_records(config, session)) or {}
            due = {item.revision for item in Progress(revisions, records).due() if item.phase is Phase.SETTLE}
            missing = awaiting([r for r in revisions if r.id in due])
            there = {m.name for m in link.call(lambda session: live_estate(config, session, missing)).markers}
        write_markers(config, [op for op in missing if op.name not in there], say)
    with running(config, awaited, jobs=jobs, watch=watch, say=say) as runner:
        outcome = runner.apply(revisions, allowed, phases)
    if outcome.revisions:
        touched = {name for r in revisions if r.id in outcome.revisions for op in r.operations for name in op.touches()}
        note_lineage(config, touched, say)
    return outcome


def awaiting(revisions: Iterable[Revision]) -> tuple[AwaitMarker, ...]:
    """The markers that these revisions wait for."""
    return tuple(op for revision in revisions for op in revision.operations if isinstance(op, AwaitMarker))


def check_names(allowed: Sequence[str]) -> None:
    """Raises `UsageError` for a hazard that there is not."""
    unknown = sorted(set(allowed) - {kind.value for kind in HazardKind})
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no hazard", hint=f"known: {', '.join(sorted(HazardKind))}")


@contextmanager
def running(
    config: Config,
    awaited: Sequence[AwaitMarker] = (),
    *,
    jobs: int = 1,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Runner]:
    """A runner on a connection whose statements end before the lease can run out."""
    policy = config.policy()
    lease_seconds = config.settings.control.lease_seconds

    def open_session() -> Session:
        parameters = limits(lease_seconds)
        timeout = parameters["STATEMENT_TIMEOUT_IN_SECONDS"]
        return Session.open(config, parameters=parameters, network_timeout=timeout)

    with open_session() as session:
        yield Runner(
            session,
            open_session,
            lambda at: live_estate(config, at, awaited),
            database=policy.database,
            control_schema=policy.control_schema,
            lease_seconds=lease_seconds,
            jobs=jobs,
            watch=watch,
            say=say,
        )


def read_records(config: Config, session: Session) -> dict[str, RevisionRecord] | None:
    """What the journal knows; None where there is no control schema yet."""
    policy = config.policy()
    try:
        schema.use(session, policy.database, policy.control_schema)
        return Journal(session).read()
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return None
        raise
