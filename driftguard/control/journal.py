"""What was planned, started and done: rows that are only ever added."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, literal, select, union_all

from driftguard.control.lease import Lease
from driftguard.control.schema import JOURNAL, LEASE, REVISION, fetch, run
from driftguard.model.plan import Statement
from driftguard.snowflake.session import Session

PLANNED, STARTED, DONE, FAILED, FINISHED = "planned", "started", "done", "failed", "finished"


@dataclass(slots=True)
class OperationRecord:
    """What the journal knows of one operation of a revision."""

    planned: dict[int, tuple[str, str]] = field(default_factory=dict)  # statement → (SQL, summary)
    done: set[int] = field(default_factory=set)
    started: set[int] = field(default_factory=set)
    finished: bool = False

    @property
    def open(self) -> list[int]:
        """Statements still to run, in order."""
        return sorted(set(self.planned) - self.done)


@dataclass(slots=True)
class RevisionRecord:
    """What the journal knows of one revision."""

    digest: str = ""
    operations: defaultdict[int, OperationRecord] = field(default_factory=lambda: defaultdict(OperationRecord))
    applied: bool = False


class Journal:
    """Reads and writes the control tables through one session."""

    def __init__(self, session: Session, lease: Lease | None = None) -> None:
        self._session = session
        self._lease = lease
        self._token = lease.token if lease else 0
        self.run = uuid.uuid4().hex

    def read(self) -> dict[str, RevisionRecord]:
        """All revisions that were begun or applied."""
        records: defaultdict[str, RevisionRecord] = defaultdict(RevisionRecord)
        for row in fetch(self._session, select(JOURNAL).order_by(JOURNAL.c.recorded_at, JOURNAL.c.operation)):
            record = records[row["REVISION"]]
            record.digest = row["DIGEST"]
            operation = record.operations[row["OPERATION"]]
            number = row["STEP"]
            match row["EVENT"]:
                case "planned":
                    operation.planned[number] = (row["SQL_TEXT"], row["DETAIL"] or "")
                case "started":
                    operation.started.add(number)
                case "done":
                    operation.done.add(number)
                case "finished":
                    operation.finished = True
        for row in fetch(self._session, select(REVISION)):
            records[row["REVISION"]].applied = True
            records[row["REVISION"]].digest = row["DIGEST"]
        return dict(records)

    def plan(self, revision: str, digest: str, operation: int, statements: tuple[Statement, ...]) -> None:
        """Write down the statements before the first runs, so that a later run goes on with the same ones."""
        self._write_all(
            self._values(revision, digest, operation, n, PLANNED, sql_text=s.sql, detail=s.summary)
            for n, s in enumerate(statements)
        )

    def started(self, revision: str, digest: str, operation: int, statement: int) -> str:
        """Returns the QUERY_TAG that the statement must carry.

        The row is written only while the lease is held, in one statement; raises `HalfwayError` once it is not.
        """
        tag = f"driftguard:{revision}:{operation}:{statement}:{self.run}"
        values = self._values(revision, digest, operation, statement, STARTED, tag=tag)
        row = select(func.sysdate(), *(_bind(value) for value in values.values()))
        if self._lease is not None:
            row = row.select_from(LEASE).where(self._lease.held())
        if run(self._session, insert(JOURNAL).from_select(["recorded_at", *values], row)) != 1 and self._lease:
            raise self._lease.lost()
        return tag

    def done(self, revision: str, digest: str, operation: int, statement: int) -> None:
        self._write(revision, digest, operation, statement, DONE)

    def failed(self, revision: str, digest: str, operation: int, statement: int, why: str) -> None:
        self._write(revision, digest, operation, statement, FAILED, detail=why)

    def finished(self, revision: str, digest: str, operation: int) -> None:
        self._write(revision, digest, operation, -1, FINISHED)

    def applied(self, revision: str, digest: str, by: str) -> None:
        """The revision is whole: verified by looking again."""
        row = select(_bind(revision), _bind(digest), func.sysdate(), _bind(by))
        run(self._session, insert(REVISION).from_select(["revision", "digest", "applied_at", "applied_by"], row))

    def _write(self, revision: str, digest: str, operation: int, statement: int, event: str, **more: str) -> None:
        self._write_all([self._values(revision, digest, operation, statement, event, **more)])

    def _write_all(self, rows: Iterable[dict[str, Any]]) -> None:
        """One statement, so that all rows are there or none."""
        listed = list(rows)
        selects = [select(func.sysdate(), *(_bind(value) for value in values.values())) for values in listed]
        run(self._session, insert(JOURNAL).from_select(["recorded_at", *listed[0]], union_all(*selects)))

    def _values(
        self, revision: str, digest: str, operation: int, statement: int, event: str, **more: str
    ) -> dict[str, Any]:
        return {
            "run": self.run,
            "token": self._token,
            "revision": revision,
            "digest": digest,
            "operation": operation,
            "step": statement,
            "event": event,
            **more,
        }


def _bind(value: str | int) -> Any:
    return literal(value)
