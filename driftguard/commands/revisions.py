"""`driftguard stamp`, `downgrade` and `merge-heads`: what else is done with revisions than applying them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftguard.commands.apply import check_names, read_records, running
from driftguard.config import Config
from driftguard.errors import UsageError
from driftguard.migrate.history import back_to, read_all, up_to
from driftguard.migrate.rehearsal import Outcome
from driftguard.migrate.revision import Revision
from driftguard.migrate.schedule import Step
from driftguard.migrate.writing import write_merges
from driftguard.snowflake.session import Session


def stamp(
    config: Config,
    target: str,
    *,
    unverified: bool = False,
    reason: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> tuple[str, ...]:
    """Note that `target` (an id or `heads`) and all that it needs are applied, without running them.

    For estates that were there before driftguard. Every operation must be done already, as Snowflake shows it; with
    `unverified` nobody looks, and `reason` says why. Returns the ids that were not noted yet.
    """
    if unverified and not reason.strip():
        raise UsageError("--unverified needs a --reason", hint="say who knows that these revisions are applied")
    if reason and not unverified:
        raise UsageError("--reason goes with --unverified")
    revisions = up_to(read_all(config.path(config.settings.revisions.dir)), target)
    return stamp_revisions(config, revisions, reason, say=say)


def stamp_revisions(
    config: Config, revisions: Sequence[Revision], reason: str = "", *, say: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """The same for revisions that are chosen already; with a `reason` nobody looks."""
    with running(config, say=say) as runner:
        return runner.stamp(revisions, f"unverified: {reason}" if reason else "")


def downgrade(
    config: Config,
    target: str,
    *,
    allowed: Sequence[str] = (),
    jobs: int = 4,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Go back to revision `target` (an id, `base`, `-1`, `expand@-1`): take back what was applied on top of it.

    Raises `PlanError` where an operation has no way back, before anything is changed.
    """
    check_names(allowed)
    revisions = read_all(config.path(config.settings.revisions.dir))
    with Session.open(config) as session:
        records = read_records(config, session) or {}
    gone = back_to(revisions, [name for name, record in records.items() if record.applied], target)
    return downgrade_revisions(config, revisions, gone, allowed=allowed, jobs=jobs, watch=watch, say=say)


def downgrade_revisions(
    config: Config,
    revisions: Sequence[Revision],
    gone: Sequence[Revision],
    *,
    allowed: Sequence[str] = (),
    jobs: int = 4,
    watch: Callable[[Step], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """The same for revisions that are chosen already, newest first."""
    check_names(allowed)
    if not gone:
        return Outcome((), ())
    with running(config, jobs=jobs, watch=watch, say=say) as runner:
        return runner.undo(revisions, gone, allowed)


def merge_heads(config: Config, message: str = "") -> tuple[Revision, ...]:
    """Bring several heads of a branch together with an empty revision; returns those that were written."""
    return write_merges(config.path(config.settings.revisions.dir), message)
