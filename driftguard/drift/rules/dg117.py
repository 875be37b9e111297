"""DG117: how Snowflake types values inside a record is not proven."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG117"
TITLE = "how Snowflake types values inside a record is not proven"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    """Once for the estate, while any landing stages whole records."""
    count = sum(pair.landing.record and pair.staging is not None for pair in context.pairs)
    if count:
        tables = "1 landing stages" if count == 1 else f"{count} landings stage"
        yield Finding(
            CODE,
            SEVERITY,
            f"{tables} whole records; the typing of decimals, timestamps, binaries and nulls in a VARIANT that is "
            "loaded from Parquet is unproven",
            "no document of Snowflake says what they are there; the merge casts each to the type that a column of "
            "STAGING would have, which the stand-in shows to give the same values",
            "compare a few rows of each type with Aurora after the first load (docs/record-staging.md lists what to "
            "look at)",
            place=Place("snowflake", "STAGING in record style"),
        )
