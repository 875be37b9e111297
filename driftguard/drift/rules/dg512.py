"""DG512: two tables have names that differ only by case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_aurora
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName

CODE = "DG512"
TITLE = "two tables have names that differ only by case"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    groups: dict[tuple[str, str], dict[TableName, None]] = defaultdict(dict)
    for _, emission in emissions(context):
        table = emission.source.table
        groups[(table.schema.lower(), table.name.lower())][table] = None
    for tables in groups.values():
        if len(tables) > 1:
            first, *_ = tables
            yield Finding(
                CODE,
                SEVERITY,
                f"{' and '.join(str(table) for table in tables)} differ only by case",
                "AWS does not support two such tables in DMS and calls the outcome unpredictable: rows of one may go "
                "to the other, or a table may stop",
                "rename one of them on Aurora, or exclude it from the DMS task",
                table=first,
                place=on_aurora(first),
            )
