"""DG444: no file of a table could be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import table_of, unseen
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG444"
TITLE = "no file of a table could be looked at"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    """Where neither kind of file was seen, or one is there and cannot be read. A table with files of one kind only is
    as usual: nothing has changed in it, or its load is long gone."""
    for sighting in context.observed:
        missing = unseen(sighting)
        told = missing if len(missing) == 2 else [item for item in missing if not item.empty]
        if told:
            yield Finding(
                CODE,
                SEVERITY,
                f"{table_of(sighting)}: {'; '.join(item.reason for item in told)}",
                "not seeing a file does not mean that DMS writes what was predicted",
                "check [lake] url and the grants (docs/observing.md); a table without files needs a first row",
                table=table_of(sighting),
                place=Place("dms", sighting.observed.path),
            )
