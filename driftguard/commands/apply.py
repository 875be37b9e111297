"""`driftguard apply`: run the revisions that Snowflake does not know yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftguard.commands.world import live_estate
from driftguard.config import Config
from driftguard.control import schema
from driftguard.control.journal import Journal, RevisionRecord
from driftguard.control.lease import limits
from driftguard.errors import RevisionError, UsageError
from driftguard.migrate.revision import Revision, read_all
from driftguard.migrate.runner import Outcome, Runner, pending, rehearse
from driftguard.migrate.schedule import Step
from driftguard.model.plan import HazardKind
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session


def apply(
    config: Config,
    *,
    dry_run: bool = False,
    revision: str | None = None,
    allowed: Sequence[str] = (),
    jobs: int = 4,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Apply every pending revision, or those up to and including `revision`.

    `allowed`: names of hazards that a person accepts. `jobs`: how many connections may work side by side on
    operations that have nothing to do with each other. `watch` is called before each statement, `say` with what the
    apply waits for.
    Raises `DriftguardError`; a `HalfwayError` means that the next apply goes on from where this one stopped.
    """
    unknown = sorted(set(allowed) - {kind.value for kind in HazardKind})
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no hazard", hint=f"known: {', '.join(sorted(HazardKind))}")
    revisions = _up_to(read_all(config.path(config.settings.revisions.dir)), revision)
    policy = config.policy()
    lease_seconds = config.settings.control.lease_seconds

    def open_session() -> Session:
        parameters = limits(lease_seconds)
        timeout = parameters["STATEMENT_TIMEOUT_IN_SECONDS"]
        return Session.open(config, parameters=parameters, network_timeout=timeout)

    with open_session() as session:
        if dry_run:
            records = read_records(config, session) or {}
            return rehearse(pending(revisions, records), records, live_estate(config, session, usage=False))
        runner = Runner(
            session,
            open_session,
            lambda at: live_estate(config, at, usage=False),
            database=policy.database,
            control_schema=policy.control_schema,
            lease_seconds=lease_seconds,
            jobs=jobs,
            watch=watch,
            say=say,
        )
        return runner.apply(revisions, allowed)


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


def _up_to(revisions: tuple[Revision, ...], target: str | None) -> tuple[Revision, ...]:
    if target is None:
        return revisions
    matching = [index for index, item in enumerate(revisions) if item.id.startswith(target)]
    if len(matching) != 1:
        what = "no revision begins" if not matching else "several revisions begin"
        raise RevisionError(f"{what} with {target!r}", hint="`driftguard status` lists them")
    return revisions[: matching[0] + 1]
