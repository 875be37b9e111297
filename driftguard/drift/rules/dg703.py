"""DG703: a table is renamed or moved to another schema."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context, Pair
from driftguard.drift.copying import feeds
from driftguard.drift.lineage import lineage
from driftguard.drift.rules._changes import renamed_tables
from driftguard.drift.rules._common import on_aurora, source_table
from driftguard.drift.rules._pipes import second
from driftguard.model.finding import Finding, Severity

CODE = "DG703"
TITLE = "a table is renamed or moved to another schema"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    read = {source_table(pair.landing) for pair in context.pairs if _has_all(pair, context)}
    for old, new in renamed_tables(context):
        if new.id in read:
            continue
        yield Finding(
            CODE,
            SEVERITY,
            f"{old.id} becomes {new.id}",
            "DMS writes to another folder from then on: the old pipe goes silent, and a landing of the new name lacks "
            "the rows of the old one",
            "see that a DMS task selects the new name, and run `driftguard plan --write`: it lands the new name and "
            "copies the rows, or reads the new folder too where the landing keeps its name (docs/changes.md)",
            table=new.id,
            place=on_aurora(new.id),
        )


def _has_all(pair: Pair, context: Context) -> bool:
    """Has the landing the old rows, and a pipe that reads the new folder?"""
    after, before, _ = lineage(pair, context)
    if after is None or before is None or pair.pipe is None:
        return False
    return feeds(pair.pipe, pair.landing) or second(pair) is not None
