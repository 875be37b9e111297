"""DG601: part of Snowflake could not be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.snowflake import CAST_FAILURES, CONSUMERS, POLICIES, REPAIRS, TAGS

ACCOUNT_USAGE = (POLICIES, TAGS, CONSUMERS)

CODE = "DG601"
TITLE = "part of Snowflake could not be looked at"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    for unseen in context.estate.unseen:
        if unseen.what.startswith(CAST_FAILURES):
            continue  # DG605 knows whether there ought to be any
        if unseen.what.startswith(REPAIRS):
            continue  # DG606
        if unseen.what.startswith(ACCOUNT_USAGE):
            continue  # DG802 and DG803 know whether it matters
        yield Finding(
            CODE,
            SEVERITY,
            f"{unseen.what} on Snowflake could not be looked at: {unseen.reason}",
            "not seeing a thing does not mean that it is not there: nothing is planned for what could not be looked at",
            "docs/grants.md lists the privileges that each command needs",
            place=Place("snowflake", unseen.what),
        )
