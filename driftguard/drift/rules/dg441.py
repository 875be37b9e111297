"""DG441: a predicted column is missing in the newest file."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import AGAIN, footers
from driftguard.model.emission import Role
from driftguard.model.finding import Finding, Severity

CODE = "DG441"
TITLE = "a predicted column is missing in the newest file"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    """Op and the commit time are DG443's."""
    for seen in footers(context):
        if not seen.newest:
            continue
        for column in seen.everywhere():
            if column.role in (Role.OP, Role.COMMIT_TIME) or seen.footer.column(column.name) is not None:
                continue
            key = any(column.name in e.key for e in seen.sighting.predictions)
            yield Finding(
                CODE,
                Severity.ERROR if key else SEVERITY,
                f"{seen.table}: {seen.what} has no column {column.name}",
                "without its key a row cannot be merged"
                if key
                else "a file written before the column was added looks like this; if DMS leaves it out, its values are "
                "lost",
                f"{AGAIN}; if it is still missing, compare the table mappings given to driftguard with those of the "
                "DMS task, and look for CaptureDdls and HandleSourceTableAltered",
                table=seen.table,
                column=column.source or column.name,
                place=seen.place,
            )
