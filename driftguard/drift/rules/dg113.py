"""DG113: nobody says how DMS spells the folder of this table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora, source_table
from driftguard.model.finding import Finding, Severity

CODE = "DG113"
TITLE = "nobody says how DMS spells the folder of this table"
SEVERITY = Severity.UNKNOWN
# Characters to avoid in keys: Amazon S3 User Guide, "Naming Amazon S3 objects". A slash would be one more folder.
_ODD = re.compile(r'[\\{^}%`\]">\[~<#|/\x00-\x1f\x7f]')


def find(context: Context) -> Iterator[Finding]:
    """The pipe reads the folder that the names say, and no other. Silent once files were seen there."""
    found = {sighting.observed.path for sighting in context.observed if sighting.observed.footers}
    for pair in context.pairs:
        if any(emission.path in found for emission in pair.landing.emissions):
            continue
        target = pair.landing.table
        odd = sorted(set(_ODD.findall(target.schema + target.name)))
        if odd:
            table = source_table(pair.landing)
            yield Finding(
                CODE,
                SEVERITY,
                f"{table}: the files are expected in {pair.landing.path}, and the name has {' '.join(map(repr, odd))}",
                "AWS does not say whether DMS writes such a character as it is or spells it otherwise; if otherwise, "
                "the pipe reads an empty folder and no row arrives, without an error",
                "look at the folder of one real file (`driftguard check --observed` does); or rename the table on the "
                "way, with a transformation rule of the table mappings",
                table=table,
                place=on_aurora(table),
            )
