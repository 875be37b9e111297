"""DG308: the account's time zone could shift timestamps."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG308"
TITLE = "the account's time zone could shift timestamps"
SEVERITY = Severity.WARNING

# docs.snowflake.com "COPY INTO <table>", USE_LOGICAL_TYPE: a Parquet timestamp marked as adjusted to UTC is read
# as TIMESTAMP_LTZ, which TIMEZONE turns into the TIMESTAMP_NTZ of STAGING. AWS does not say how DMS marks.
_UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")


def find(context: Context) -> Iterator[Finding]:
    """Once for the account, if any landing has a timestamp."""
    zone = context.estate.timezone
    if not zone or zone in _UTC:
        return
    landings = [pair.landing for pair in context.pairs]
    tables = sum(
        any(c.emitted_as and c.type.base == "TIMESTAMP_NTZ" for c in item.staging_columns) for item in landings
    )
    if tables:
        yield Finding(
            CODE,
            SEVERITY,
            f"the account's TIMEZONE is {zone}: the timestamps of {tables} tables rest on DMS not marking them as UTC",
            "AWS does not document the mark; with it, Snowpipe shifts every timestamp by the zone's offset, silently",
            "look at the footer of one real file (isAdjustedToUTC), or set TIMEZONE to UTC for the account",
            place=Place("snowflake", "account parameter TIMEZONE"),
        )
