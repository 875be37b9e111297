"""DG104: a STAGING column has a type that Snowflake cannot alter to the one needed."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.fit import Fit
from driftguard.drift.rules._common import misfit, misfits
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import StagingColumn

_REMEDY = (
    "run `driftguard plan --write`: Snowflake cannot ALTER this type, and the plan carries it through (docs/changes.md)"
)

CODE = "DG104"
TITLE = "a STAGING column has a type that Snowflake cannot alter to the one needed"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    reason = "the file fails to load, or the value is rounded without an error"
    for pair, item in misfits(context, StagingColumn, Fit.REBUILD):
        yield misfit(pair, item, CODE, SEVERITY, reason, _REMEDY)
