"""DG308: the account's time zone could shift timestamps."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.emission import Loss
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.landing import FinalColumn

CODE = "DG308"
TITLE = "the account's time zone could shift timestamps"
SEVERITY = Severity.UNKNOWN

# docs.snowflake.com "COPY INTO <table>", USE_LOGICAL_TYPE: a Parquet timestamp marked as adjusted to UTC is read
# as TIMESTAMP_LTZ, which TIMEZONE turns into the TIMESTAMP_NTZ of STAGING. AWS does not say how DMS marks.
_UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")


def find(context: Context) -> Iterator[Finding]:
    """Once for the account, if any landing has a timestamp whose mark nobody has seen."""
    zone = context.estate.timezone
    if zone in _UTC:
        return
    landings = [pair.landing for pair in context.pairs]
    tables = sum(any(_unmarked(column) for column in item.final_columns) for item in landings)
    if tables:
        said = f"is {zone}" if zone else "could not be read"
        yield Finding(
            CODE,
            SEVERITY,
            f"the account's TIMEZONE {said}: the timestamps of {tables} tables rest on DMS not marking them as UTC",
            "AWS does not document the mark; with it, Snowpipe shifts every timestamp by the zone's offset, silently",
            "one real file answers it: `driftguard check --observed` looks at one of each table, `driftguard probe "
            "--aurora` writes what it sees into typemaps/observed.toml; or set TIMEZONE to UTC for the account",
            place=Place("snowflake", "account parameter TIMEZONE"),
        )


def _unmarked(column: FinalColumn) -> bool:
    return any(
        hop.step == "dms_to_parquet" and hop.after.startswith("TIMESTAMP") and hop.loss is Loss.ASSUMED_EXACT
        for hop in column.hops
    )
