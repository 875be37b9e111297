"""DG323: a merge learns of new files in another way than it should."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.consuming import Fault, consumption_faults
from driftguard.drift.context import Context
from driftguard.drift.rules._common import PLAN, on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG323"
TITLE = "a merge learns of new files in another way than it should"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        faults = consumption_faults(pair)
        stream, task = pair.landing.stream, pair.landing.task
        should = f"by the stream {stream}" if stream is not None else "without a stream"
        if Fault.ANOTHER_WAY in faults:
            what = f"{task} does not learn of new files as `[policy] consumption` says: {should}"
        elif Fault.CONDITION in faults:
            what = f"the WHEN of {task} is not the one of a merge {should}"
        else:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            what,
            "no row is lost; without the stream and its WHEN every run of the schedule wakes a warehouse",
            f"{PLAN}, or set `consumption` to what you want",
            table=source_table(pair.landing),
            place=on_snowflake(task),
        )
