"""DG423: a key column is masked."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_task
from driftguard.model.finding import Finding, Severity

CODE = "DG423"
TITLE = "a key column is masked"
SEVERITY = Severity.ERROR


_HASH = "data-masking-hash-mask"


def find(context: Context) -> Iterator[Finding]:
    for task, emission in emissions(context):
        for column in emission.cdc:
            if not column.masking or column.name not in emission.key:
                continue
            hashed = column.masking == _HASH
            yield Finding(
                CODE,
                Severity.WARNING if hashed else SEVERITY,
                f"{emission.source.table}.{column.source} is part of the key and masked by {column.masking}",
                "rows are told apart by their hash: FINAL cannot be joined by the key any more"
                if hashed
                else "different keys become one, or one becomes several: the merge overwrites rows, or finds none",
                "mask other columns, and leave the key as it is",
                table=emission.source.table,
                column=column.source,
                place=on_task(task),
            )
