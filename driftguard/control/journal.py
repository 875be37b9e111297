"""What was planned, started and done: rows that are only ever added."""

from __future__ import annotations

import functools
import uuid
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Insert, bindparam, column, delete, func, insert, literal, select, values

from driftguard.control.lease import Lease
from driftguard.control.schema import JOURNAL, LEASE, REVISION, compiled, fetch, filled, run, transaction, written_out
from driftguard.model.plan import Statement
from driftguard.snowflake.session import Session

PLANNED, STARTED, DONE, FAILED, SKIPPED = "planned", "started", "done", "failed", "skipped"
STAMPED, UNDO, UNDONE = "stamped", "undo", "undone"  # of a revision as a whole
_ROWS, _CHARACTERS = 100, 200_000  # of one INSERT; Snowflake takes statements of up to 1 MB


@dataclass(frozen=True, slots=True)
class Place:
    """A statement of an operation of a revision, by their numbers."""

    revision: str
    digest: str
    operation: int
    statement: int = -1


@dataclass(frozen=True, slots=True)
class Attempt:
    """A statement that was sent, or was about to be. `started_at` is UTC; no `user`: this login's own."""

    tag: str
    started_at: datetime
    user: str = ""
    holder: str = ""


@dataclass(slots=True)
class OperationRecord:
    """What the journal knows of one operation of a revision."""

    planned: dict[int, Statement] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    attempts: defaultdict[int, dict[str, Attempt]] = field(default_factory=lambda: defaultdict(dict))  # not failed
    skipped: bool = False

    @property
    def open(self) -> list[int]:
        """Statements still to run, in order."""
        return sorted(set(self.planned) - self.done)

    @property
    def known(self) -> bool:
        return self.skipped or bool(self.planned)


@dataclass(slots=True)
class RevisionRecord:
    """What the journal knows of one revision."""

    digest: str = ""
    operations: defaultdict[int, OperationRecord] = field(default_factory=lambda: defaultdict(OperationRecord))
    applied: bool = False
    undo: str = ""  # the operations of a downgrade that has begun, as the one who wrote them reads them
    back: RevisionRecord | None = None  # what the journal knows of those


def undoing(revision: str) -> str:
    """The name under which the journal keeps the statements that take a revision back."""
    return f"{revision}:{UNDO}"


class Journal:
    """Reads and writes the control tables through one session. `run` is shared by all connections of one apply."""

    def __init__(self, session: Session, lease: Lease | None = None, run: str = "") -> None:
        self._session = session
        self._lease = lease
        self.run = run

    def read(self) -> dict[str, RevisionRecord]:
        """All revisions that were begun or applied."""
        with ThreadPoolExecutor(1) as pool:
            applied = pool.submit(fetch, self._session, select(REVISION))
            rows = fetch(self._session, select(JOURNAL).order_by(JOURNAL.c.recorded_at, JOURNAL.c.operation))
        records: defaultdict[str, RevisionRecord] = defaultdict(RevisionRecord)
        for row in rows:
            name, _, back = row["REVISION"].partition(":")
            record = records[name]
            record.digest = row["DIGEST"]
            if row["EVENT"] == UNDONE:
                del records[name]
            elif row["EVENT"] == UNDO:
                record.undo, record.back = row["DETAIL"], RevisionRecord(record.digest)
            if row["EVENT"] in (STAMPED, UNDO, UNDONE):
                continue
            if back and record.back is not None:
                record = record.back
            operation = record.operations[row["OPERATION"]]
            number = row["STEP"]
            match row["EVENT"]:
                case "planned":
                    operation.planned[number] = Statement(row["SQL_TEXT"], row["DETAIL"] or "")
                case "started":
                    attempt = Attempt(row["TAG"], row["RECORDED_AT"], row["SENT_BY"] or "", row["HOLDER"] or "")
                    operation.attempts[number][attempt.tag] = attempt
                case "failed":
                    operation.attempts[number].pop(row["TAG"], None)
                case "done":
                    operation.done.add(number)
                case "skipped":
                    operation.skipped = True
        for row in applied.result():
            records[row["REVISION"]].applied = True
            records[row["REVISION"]].digest = row["DIGEST"]
        return dict(records)

    def plan(self, rows: Sequence[tuple[Place, Statement | None]]) -> None:
        """Write down the statements of operations before the first runs, so that later runs go on with the same ones.

        None stands for an operation that there is nothing to do for. Of each operation all rows are there afterwards,
        or none; where it is cut off, the rest is planned again, and nothing has run. A transaction, which a killed
        client leaves open for minutes, is needed only for an operation that is too long for one INSERT.
        """
        for part in _chunks([list(group) for _, group in groupby(rows, key=lambda row: row[0].operation)]):
            chunks = _chunks([[row] for row in part])
            if len(chunks) > 1:
                self._session.execute("BEGIN TRANSACTION")
            for chunk in chunks:
                if run(self._session, self._planned(chunk)) != len(chunk) and self._lease:
                    if len(chunks) > 1:
                        self._session.execute("ROLLBACK")
                    raise self._lease.lost()
            if len(chunks) > 1:
                self._session.execute("COMMIT")

    def _planned(self, rows: Sequence[_Row]) -> Insert:
        """One INSERT for statements of one revision, which writes them only while the lease is held."""
        told = values(
            *(column(name) for name in ("operation", "step", "event", "sql_text", "detail")), name="told"
        ).data(
            [
                (place.operation, place.statement, PLANNED, statement.sql, statement.summary)
                if statement is not None
                else (place.operation, place.statement, SKIPPED, None, None)
                for place, statement in rows
            ]
        )
        same = self._values(rows[0][0], "")
        for name in ("operation", "step", "event"):
            del same[name]
        row = select(func.sysdate(), *(literal(value) for value in same.values()), *told.c).select_from(told)
        if self._lease is not None:
            row = row.join(LEASE, self._lease.held())
        return insert(JOURNAL).from_select(["recorded_at", *same, *told.c.keys()], row)

    def started(self, place: Place) -> Attempt:
        """Returns the attempt, whose tag the statement must carry as its QUERY_TAG.

        The row is written only while the lease is held, in one statement; raises `HalfwayError` once it is not.
        """
        tag = f"driftguard:{place.revision}:{place.operation}:{place.statement}:{uuid.uuid4().hex}"
        values = self._values(place, STARTED, tag=tag)
        sql, parameters = _insert(tuple(values), self._lease, sender=True)
        if self._session.execute(sql, {**parameters, **_bound(values)}) != 1 and self._lease:
            raise self._lease.lost()
        return Attempt(tag, datetime.now(UTC).replace(tzinfo=None), holder=values["holder"])

    def done(self, place: Place) -> None:
        self._add(self._values(place, DONE))

    def done_sql(self, place: Place) -> str:
        """The same as SQL text, to be part of a transaction."""
        return self._text(self._values(place, DONE))

    def is_done(self, place: Place) -> bool:
        """Did the row of a transaction get there?"""
        found = select(JOURNAL.c.run).where(
            JOURNAL.c.revision == place.revision,
            JOURNAL.c.operation == place.operation,
            JOURNAL.c.step == place.statement,
            JOURNAL.c.event == DONE,
        )
        return bool(fetch(self._session, found))

    def failed(self, place: Place, tag: str, why: str) -> None:
        self._add(self._values(place, FAILED, tag=tag, detail=why))

    def applied(self, revision: str, digest: str, by: str) -> None:
        """The revision is whole: verified by looking again. A second row of it is not written.

        Raises `HalfwayError` once the lease is not held.
        """
        row = select(literal(revision), literal(digest), func.sysdate(), literal(by)).where(
            ~select(REVISION.c.revision).where(REVISION.c.revision == revision).exists()
        )
        if self._lease is not None:
            row = row.select_from(LEASE).where(self._lease.held())
        new = insert(REVISION).from_select(["revision", "digest", "applied_at", "applied_by"], row)
        if run(self._session, new) != 1 and self._lease is not None:
            self._lease.check(self._session)

    def stamped(self, place: Place, why: str) -> None:
        """The revision counts as applied from now on, though nothing of it was run."""
        self._add(self._values(place, STAMPED, detail=why))
        self.applied(place.revision, place.digest, f"stamped by {self._lease.holder if self._lease else ''}")

    def undo(self, place: Place, operations: str) -> None:
        """A downgrade begins. Its statements are those of the revision `undoing(…)`."""
        self._add(self._values(place, UNDO, detail=operations))

    def undone(self, place: Place) -> None:
        """The revision is as if it had never been applied, and can be applied again."""
        forget = written_out(delete(REVISION).where(REVISION.c.revision == place.revision))
        self._session.execute(transaction(forget, self._text(self._values(place, UNDONE))))

    def _add(self, values: dict[str, Any]) -> None:
        self._session.execute(_insert(tuple(values))[0], _bound(values))

    @staticmethod
    def _text(values: dict[str, Any]) -> str:
        return filled(_insert(tuple(values))[0], _bound(values))

    def _values(self, place: Place, event: str, **more: Any) -> dict[str, Any]:
        return {
            "run": self.run,
            "token": self._lease.token if self._lease else 0,
            "revision": place.revision,
            "digest": place.digest,
            "operation": place.operation,
            "step": place.statement,
            "event": event,
            "holder": self._lease.holder if self._lease else "",
            **more,
        }


@functools.lru_cache(maxsize=16)
def _insert(
    columns: tuple[str, ...], lease: Lease | None = None, *, sender: bool = False
) -> tuple[str, dict[str, Any]]:
    """An INSERT of one row, compiled once, and the values of its condition: it is written only under the `lease`."""
    given: dict[str, ColumnElement[Any]] = {"recorded_at": func.sysdate()}
    if sender:
        given["sent_by"] = func.current_user()
    given |= {name: bindparam(f"new_{name}", None) for name in columns}
    row = select(*given.values())
    if lease is not None:
        row = row.select_from(LEASE).where(lease.held())
    sql, parameters = compiled(insert(JOURNAL).from_select(list(given), row))
    return sql, {name: value for name, value in parameters.items() if not name.startswith("new_")}


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


_Row = tuple[Place, Statement | None]


def _chunks(groups: Sequence[list[_Row]]) -> list[list[_Row]]:
    """The groups, as many together as one INSERT takes; a group is never split."""
    chunks: list[list[_Row]] = []
    size = 0
    for group in groups:
        length = sum(len(statement.sql) for _, statement in group if statement is not None)
        if not chunks or len(chunks[-1]) + len(group) > _ROWS or size + length > _CHARACTERS:
            chunks.append([])
            size = 0
        chunks[-1] += group
        size += length
    return chunks
