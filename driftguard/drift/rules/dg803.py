"""DG803: a policy on FINAL can falsify what the merge reads."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG803"
TITLE = "a policy on FINAL can falsify what the merge reads"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """Silent once [policy] exempt_role says that the roles are exempt, and where policies could not be looked at."""
    if context.policy.exempt_role:
        return
    for pair in context.pairs:
        final = pair.final
        if final is None:
            continue
        masked = [c for c in final.columns if c.masking_policy is not None]
        if final.row_policy is not None:
            what = f"{final.name} has the row access policy {final.row_policy}"
        elif masked:
            what = f"{final.name}.{masked[0].name} is masked by {masked[0].masking_policy}"
            what += f", and {len(masked) - 1} more" if len(masked) > 1 else ""
        else:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"{what}; whether it binds the role of the merge is not known",
            "a policy also holds for MERGE: a row that it hides is inserted a second time, and a masked value that the "
            "merge keeps is written back as its mask",
            "exempt the roles of the merge task and of `driftguard apply` in the policy, then set [policy] exempt_role "
            "= true",
            table=source_table(pair.landing),
            place=on_snowflake(final.name),
        )
