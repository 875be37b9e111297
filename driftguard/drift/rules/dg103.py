"""DG103: a STAGING column is too narrow and can be widened."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.fit import Fit
from driftguard.drift.rules._common import PLAN, fittings, misfit
from driftguard.model.finding import Finding, Severity

CODE = "DG103"
TITLE = "a STAGING column is too narrow and can be widened"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for item in fittings(context, "staging"):
        if item.fit is Fit.WIDEN:
            yield misfit(item, CODE, SEVERITY, "a value that does not fit makes Snowpipe skip its whole file", PLAN)
