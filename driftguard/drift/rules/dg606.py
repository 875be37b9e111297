"""DG606: rows of FINAL have values that nothing told."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity
from driftguard.model.landing import DG_REPAIR
from driftguard.model.snowflake import REPAIRS

CODE = "DG606"
TITLE = "rows of FINAL have values that nothing told"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """Silent about other pipelines' landings."""
    counts = {one.name: one.count for one in context.estate.to_repair}
    refused = {
        u.what.removeprefix(f"{REPAIRS} in "): u.reason for u in context.estate.unseen if u.what.startswith(REPAIRS)
    }
    for pair in context.pairs:
        final = pair.landing.final
        if str(final) in refused:
            yield Finding(
                CODE,
                Severity.UNKNOWN,
                f"{DG_REPAIR} of {final} could not be read: {refused[str(final)]}",
                "whether rows of it have values that nothing told is not known",
                "grant SELECT on the table (docs/grants.md)",
                table=source_table(pair.landing),
                place=on_snowflake(final),
            )
        elif count := counts.get(str(final)):
            yield Finding(
                CODE,
                SEVERITY,
                f"{final}: {'1 row has' if count == 1 else f'{count} rows have'} values that nothing told",
                "an update left large values out, and no file had told them before: FINAL has NULL there, and "
                f"{DG_REPAIR} names the columns",
                f"look at the rows whose {DG_REPAIR} is not NULL; change these values on Aurora, or let DMS reload the "
                "table",
                table=source_table(pair.landing),
                place=on_snowflake(final),
            )
