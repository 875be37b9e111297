"""DG502: the primary key is a LOB for DMS."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.finding import Finding, Severity

CODE = "DG502"
TITLE = "the primary key is a LOB for DMS"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            for column in emission.cdc:
                if column.lob and column.name in emission.key:
                    table = emission.source.table
                    yield Finding(
                        CODE,
                        SEVERITY,
                        f"{table}.{column.source} is part of the key and {column.dms_type} for DMS",
                        "AWS does not support a LOB as primary key: DMS inserts it as NULL and updates it later",
                        "use varchar(n) for key columns",
                        table=table,
                        column=column.source,
                        place=on_aurora(table),
                    )
