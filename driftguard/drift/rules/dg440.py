"""DG440: the files have a column that was not predicted."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import footers, pair_of
from driftguard.emission.emit import OP
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import snowflake_name

CODE = "DG440"
TITLE = "the files have a column that was not predicted"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """In the newest file of a table; an older one may hold what has been dropped since."""
    for seen in footers(context):
        if not seen.newest:
            continue
        pair = pair_of(context, seen.sighting.observed.path)
        staged = {c.name for c in pair.staging.columns} if pair and pair.staging else set()
        left_out = {name: why for e in seen.sighting.predictions for name, why in e.dropped}
        for column in seen.footer.columns:
            if column.name in seen.names() or column.name == OP:
                continue
            whole = pair is not None and pair.landing.record and pair.staging is not None
            there = whole or snowflake_name(column.name) in staged
            why = f"; it was expected to be left out: {left_out[column.name]}" if column.name in left_out else ""
            yield Finding(
                CODE,
                Severity.WARNING if there else SEVERITY,
                f"{seen.table}: {seen.what} has a column {column.name} ({column.raw}) that was not predicted{why}",
                "STAGING keeps whole records, so its values are there; FINAL gets them once driftguard knows the column"
                if whole
                else "STAGING still has a column for it, so its values are loaded; a column dropped since looks so"
                if there
                else "Snowpipe loads no column that STAGING does not have, and reports success: its values are lost",
                "compare the table mappings and settings given to driftguard with those of the DMS task; if the column "
                "was dropped on Aurora after that file, the next file ends this",
                table=seen.table,
                column=column.name,
                place=seen.place,
            )
