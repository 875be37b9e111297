"""DG504: an update can erase large values that it did not change."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG504"
TITLE = "an update can erase large values that it did not change"
SEVERITY = Severity.WARNING
_TOASTABLE = ("x", "e", "m")  # pg_attribute.attstorage: PostgreSQL may move such a value out of the row


def find(context: Context) -> Iterator[Finding]:
    """PostgreSQL leaves an unchanged out-of-line value out of the WAL; whether DMS fetches it, AWS does not say."""
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            table = tables.get(emission.source.table)
            if table is None or table.replica_identity == "f":
                continue
            sent = {c.source for c in emission.cdc}
            large = [c.name for c in table.columns if c.storage in _TOASTABLE and c.name in sent]
            if large:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{table.id}: an update can arrive without the unchanged large values of {', '.join(large)}",
                    "PostgreSQL does not log an unchanged value of more than about 2 kB; if DMS writes NULL in its "
                    "place, which AWS does not document, the merge writes that NULL over the value in FINAL",
                    "ALTER TABLE … REPLICA IDENTITY FULL (not with the pglogical plug-in); or waive it for tables "
                    "whose values stay small",
                    table=table.id,
                    place=on_aurora(table.id),
                )
