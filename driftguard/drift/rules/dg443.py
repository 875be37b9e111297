"""DG443: Op or the commit time is not in the files as the endpoint's settings say."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import Seen, footers
from driftguard.emission.emit import OP
from driftguard.model.emission import Role
from driftguard.model.finding import Finding, Severity

CODE = "DG443"
TITLE = "Op or the commit time is not in the files as the settings say"
SEVERITY = Severity.ERROR

_REMEDY = (
    "compare s3_settings in driftguard.toml with the target endpoint's S3Settings; a change takes effect with new files"
)


def find(context: Context) -> Iterator[Finding]:
    for seen in footers(context):
        yield from _op(seen)
        for column in seen.everywhere():
            if column.role is Role.COMMIT_TIME and seen.footer.column(column.name) is None:
                yield _finding(
                    seen,
                    SEVERITY if seen.newest else Severity.WARNING,
                    f"has no column {column.name}, the commit time of TimestampColumnName",
                    "without the commit time the merge cannot tell which of two changes is the later one",
                    column.name,
                )


def _op(seen: Seen) -> Iterator[Finding]:
    predicted, there = seen.has(Role.OP), seen.footer.column(OP) is not None
    if predicted and not there:
        yield _finding(
            seen,
            SEVERITY if seen.cdc else Severity.WARNING,
            f"has no column {OP}",
            "without it the merge takes a delete for an insert"
            if seen.cdc
            else "the merge takes rows without it for rows of a full load, which these are",
            OP,
        )
    if there and not predicted:
        yield _finding(
            seen,
            Severity.WARNING,
            f"has a column {OP}, which the settings leave out",
            "the settings that driftguard was given are not those of the endpoint",
            OP,
        )


def _finding(seen: Seen, severity: Severity, what: str, reason: str, column: str) -> Finding:
    message = f"{seen.table}: {seen.what} {what}"
    return Finding(CODE, severity, message, reason, _REMEDY, table=seen.table, column=column, place=seen.place)
