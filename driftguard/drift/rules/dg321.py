"""DG321: the stream of a merge cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.consuming import Fault, consumption_faults
from driftguard.drift.context import Context
from driftguard.drift.rules._common import PLAN, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG321"
TITLE = "the stream of a merge cannot be read"
SEVERITY = Severity.ERROR

# "Introduction to streams" on docs.snowflake.com: a stream is stale once its offset is outside of the retention of its
# table, or the table was replaced.
_WHAT = {
    Fault.MISSING: "is not there, or the role does not see it",
    Fault.STALE: "is stale",
    Fault.MODE: "is not append-only",
    Fault.TABLE: "is on another table",
}


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        stream = pair.landing.stream
        if stream is None:
            continue
        for fault in consumption_faults(pair):
            if fault in _WHAT:
                yield Finding(
                    CODE,
                    Severity.UNKNOWN if fault is Fault.MISSING else SEVERITY,
                    f"the stream {stream} of {pair.landing.task} {_WHAT[fault]}",
                    "the runs of the task fail, or take what is no new row of STAGING; FINAL stands still",
                    f"{PLAN}: it makes the stream again, and the next run takes what was missed",
                    table=source_table(pair.landing),
                    place=on_snowflake(stream),
                )
