"""DG203: a FINAL column is too narrow and can be widened."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.fit import Fit
from driftguard.drift.rules._common import managed, misfit, misfits
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import FinalColumn

CODE = "DG203"
TITLE = "a FINAL column is too narrow and can be widened"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    reason = "a value that does not fit makes the merge fail, for all rows of its batch"
    for pair, item in misfits(context, FinalColumn, Fit.WIDEN):
        yield misfit(pair, item, CODE, SEVERITY, reason, managed(context.policy.final_managed_by, "FINAL tables"))
