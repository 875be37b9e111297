"""`driftguard status`: which revisions are applied, begun or waiting, who holds the lease, how many casts failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from driftguard.commands.apply import awaiting, read_records
from driftguard.commands.world import live_estate
from driftguard.config import Config
from driftguard.control import schema
from driftguard.control.failures import cast_failures
from driftguard.control.journal import RevisionRecord
from driftguard.errors import DriftguardError
from driftguard.migrate.history import read_all
from driftguard.migrate.progress import ALL_PHASES, Progress
from driftguard.migrate.rehearsal import rehearse
from driftguard.migrate.revision import Revision
from driftguard.model.plan import Phase
from driftguard.model.snowflake import Estate
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session


@dataclass(frozen=True, slots=True)
class HalfDone:
    """A statement that was sent and of which nobody has noted the end: what, since when (UTC), by whom, its tag."""

    statement: str
    since: str
    by: str
    tag: str


@dataclass(frozen=True, slots=True)
class RevisionStatus:
    """`state`: applied · begun · pending · edited since it was begun · undoing (half taken back) · missing (no file).

    `phases`: operations done and in all, of each phase that it has.
    """

    id: str
    message: str
    state: str
    done: int = 0
    statements: int = 0
    stopped_at: str = ""  # the statement that the next apply goes on with
    half_done: tuple[HalfDone, ...] = ()
    branch: str = ""
    phases: dict[Phase, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NextRun:
    """What `apply --phase` would do now: statements to run, what waits for something, or why it would be refused."""

    phase: Phase
    statements: int
    revisions: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class StatusResult:
    """In the order of the chain; revisions without a file come last. `next`: a run of each phase with work left."""

    revisions: tuple[RevisionStatus, ...]
    control: bool  # is there a control schema?
    lease_holder: str | None = None
    cast_failures: int | None = None  # values of the last `cast_failure_days` that did not fit; None: not known
    cast_failure_days: int = 7
    next: tuple[NextRun, ...] = ()


def status(config: Config) -> StatusResult:
    """Read the control schema beside the files. Raises `DriftguardError` where Snowflake cannot be reached."""
    revisions = read_all(config.path(config.settings.revisions.dir))
    with Session.open(config) as session:
        known = read_records(config, session)
        holder = _holder(session) if known is not None else None
        failed = _failed(config, session) if known is not None else None
        records = known or {}
        following = _next(revisions, records, lambda: live_estate(config, session, awaiting(revisions)))
    progress = Progress(revisions, records)
    found = []
    for revision in revisions:
        record = records.pop(revision.id, None)
        more: dict[str, Any] = {"branch": revision.branch, "phases": _phases(revision, progress)}
        if record is None:
            found.append(RevisionStatus(revision.id, revision.message, "pending", **more))
            continue
        state = "applied" if record.applied else "begun"
        if record.digest != revision.digest:
            state = "edited"
        at_work = record
        if record.undo:
            state, at_work = "undoing", record.back or RevisionRecord()
        statements = sum(len(op.planned) for op in at_work.operations.values())
        done = sum(len(op.done) for op in at_work.operations.values())
        stopped = ""
        if not at_work.applied:
            open_ = [op.planned[op.open[0]].summary for _, op in sorted(at_work.operations.items()) if op.open]
            stopped = open_[0] if open_ else ""
        half_done = () if at_work.applied else _half_done(at_work)
        found.append(RevisionStatus(revision.id, revision.message, state, done, statements, stopped, half_done, **more))
    found += [RevisionStatus(name, "", "missing") for name in sorted(records)]
    days = config.settings.control.cast_failure_days
    return StatusResult(tuple(found), known is not None, holder, failed, days, following)


def _phases(revision: Revision, progress: Progress) -> dict[Phase, tuple[int, int]]:
    found = {}
    for phase in revision.phases:
        operations = sum(operation.phase is phase for operation in revision.operations)
        found[phase] = (operations - len(progress.open(revision, phase)), operations)
    return found


def _next(
    revisions: Sequence[Revision], records: Mapping[str, RevisionRecord], look: Callable[[], Estate]
) -> tuple[NextRun, ...]:
    progress = Progress(revisions, records)
    phases = [phase for phase in ALL_PHASES if any(progress.open(revision, phase) for revision in revisions)]
    found = []
    estate: Estate | None = None
    for phase in phases:
        try:
            estate = estate or look()
            outcome = rehearse(revisions, records, estate, (phase,))
            found.append(NextRun(phase, len(outcome.steps), outcome.revisions, outcome.waiting))
        except DriftguardError as error:
            found.append(NextRun(phase, 0, (), refused=str(error)))
    return tuple(found)


def _half_done(record: RevisionRecord) -> tuple[HalfDone, ...]:
    """The newest attempt of each statement without an end."""
    return tuple(
        HalfDone(operation.planned[number].summary, f"{last.started_at:%Y-%m-%d %H:%M:%S}", last.holder, last.tag)
        for _, operation in sorted(record.operations.items())
        for number in operation.open
        if (attempts := operation.attempts.get(number))
        for last in [max(attempts.values(), key=lambda attempt: attempt.started_at)]
    )


def _failed(config: Config, session: Session) -> int | None:
    policy = config.policy()
    found, unread = cast_failures(session, policy.database, policy.control_schema, policy.cast_failure_days)
    return None if unread else sum(item.count for item in found)


def _holder(session: Session) -> str | None:
    lease = schema.LEASE
    try:
        rows = schema.fetch(session, select(lease.c.holder).where(lease.c.expires_at > func.sysdate()))
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return None  # the first apply was cut off while it made the control schema
        raise
    return str(rows[0]["HOLDER"]) if rows and rows[0]["HOLDER"] else None
