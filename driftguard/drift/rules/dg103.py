"""DG103: a STAGING column is too narrow and can be widened."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.fit import Fit
from driftguard.drift.rules._common import managed, misfit, misfits
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import StagingColumn

CODE = "DG103"
TITLE = "a STAGING column is too narrow and can be widened"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    reason = "a value that does not fit makes Snowpipe skip its whole file"
    for pair, item in misfits(context, StagingColumn, Fit.WIDEN):
        yield misfit(pair, item, CODE, SEVERITY, reason, managed(context.policy.staging_managed_by, "STAGING tables"))
