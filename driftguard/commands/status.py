"""`driftguard status`: which revisions are applied, begun or waiting, who holds the lease, how many casts failed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from driftguard.commands.apply import read_records
from driftguard.config import Config
from driftguard.control import schema
from driftguard.control.failures import cast_failures
from driftguard.control.journal import RevisionRecord
from driftguard.migrate.history import read_all
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
    """`state`: applied · begun · pending · edited (the file is not what was begun or applied) · missing (no file)."""

    id: str
    message: str
    state: str
    done: int = 0
    statements: int = 0
    stopped_at: str = ""  # the statement that the next apply goes on with
    half_done: tuple[HalfDone, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusResult:
    """In the order of the chain; revisions without a file come last."""

    revisions: tuple[RevisionStatus, ...]
    control: bool  # is there a control schema?
    lease_holder: str | None = None
    cast_failures: int | None = None  # values of the last `cast_failure_days` that did not fit; None: not known
    cast_failure_days: int = 7


def status(config: Config) -> StatusResult:
    """Read the control schema beside the files. Raises `DriftguardError` where Snowflake cannot be reached."""
    revisions = read_all(config.path(config.settings.revisions.dir))
    with Session.open(config) as session:
        known = read_records(config, session)
        holder = _holder(session) if known is not None else None
        failed = _failed(config, session) if known is not None else None
    records = known or {}
    found = []
    for revision in revisions:
        record = records.pop(revision.id, None)
        if record is None:
            found.append(RevisionStatus(revision.id, revision.message, "pending"))
            continue
        statements = sum(len(op.planned) for op in record.operations.values())
        done = sum(len(op.done) for op in record.operations.values())
        state = "applied" if record.applied else "begun"
        if record.digest != revision.digest:
            state = "edited"
        stopped = ""
        if not record.applied:
            open_ = [op.planned[op.open[0]].summary for _, op in sorted(record.operations.items()) if op.open]
            stopped = open_[0] if open_ else ""
        half_done = () if record.applied else _half_done(record)
        found.append(RevisionStatus(revision.id, revision.message, state, done, statements, stopped, half_done))
    found += [RevisionStatus(name, "", "missing") for name in sorted(records)]
    days = config.settings.control.cast_failure_days
    return StatusResult(tuple(found), known is not None, holder, failed, days)


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
