"""DG802: a new column is readable beside governed ones."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.governance import governing, newcomers
from driftguard.drift.rules._common import on_snowflake
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.snowflake import POLICIES, TAGS

CODE = "DG802"
TITLE = "a new column is readable beside governed ones"
SEVERITY = Severity.ERROR
_DECIDE = 'name a policy for it in [policy.masking], or decide that it needs none ("none")'


def find(context: Context) -> Iterator[Finding]:
    """Silent about columns that [policy.masking] covers. Where nobody could look, one finding for all tables."""
    unknown = []
    for pair in context.pairs:
        undecided = list(newcomers(pair, context))
        if not undecided or pair.final is None:
            continue
        if not context.estate.sees_governance:
            unknown.append(pair.landing.final)
            continue
        beside = governing(pair.final)
        for new in undecided if beside else ():
            more = f" and {len(beside) - 1} more" if len(beside) > 1 else ""
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.final}.{new.column.name} is new and would have no policy, beside {beside[0]}{more}",
                "Snowflake carries no masking policy and no column's tag over to a new column: whoever may read the "
                "table reads it",
                f"{_DECIDE}; or accept it once with `driftguard apply --allow EXPOSES_COLUMN`",
                table=new.table,
                column=new.column.source,
                place=on_snowflake(pair.landing.final),
            )
    if unknown:
        tables = ", ".join(map(str, unknown[:3])) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
        refused = [u.reason for u in context.estate.unseen if u.what.startswith((POLICIES, TAGS))]
        yield Finding(
            CODE,
            Severity.UNKNOWN,
            f"whether a policy or tag governs {tables} could not be looked at"
            + (f": {refused[0]}" if refused else ", or the snapshot is older than this check"),
            "columns are to be added, and a new column has none of the policies of those beside it",
            f"GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO the role (docs/grants.md); or {_DECIDE}",
            place=Place("snowflake", "SNOWFLAKE.ACCOUNT_USAGE"),
        )
