"""DG204: a FINAL column has a type that Snowflake cannot alter to the one needed."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.fit import Fit
from driftguard.drift.rules._common import misfit, misfits
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import FinalColumn

_REMEDY = (
    "run `driftguard plan --write`: Snowflake cannot ALTER this type, and the plan carries it through (docs/changes.md)"
)

CODE = "DG204"
TITLE = "a FINAL column has a type that Snowflake cannot alter to the one needed"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    reason = "the merge fails on the value, or rounds it without an error"
    for pair, item in misfits(context, FinalColumn, Fit.REBUILD):
        yield misfit(pair, item, CODE, SEVERITY, reason, _REMEDY)
