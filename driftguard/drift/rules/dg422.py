"""DG422: a source filter leaves out rows, or deletes."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import emissions, on_task
from driftguard.emission.mappings import matches
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import TableName
from driftguard.model.mappings import SelectionRule

CODE = "DG422"
TITLE = "a source filter leaves out rows, or deletes"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """AWS: deletes are not captured where the filter does not contain the primary key; LOBs cannot be filtered."""
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    for task, emission in emissions(context):
        table = tables.get(emission.source.table)
        for rule in task.mappings.selections:
            if not rule.filters or table is None or not _takes(rule, table.id):
                continue
            columns = sorted({item.column for item in rule.filters})
            key = table.primary_key.columns if table.primary_key else ()
            missing = [name for name in key if name not in columns]
            lobs = sorted({c.source for c in emission.cdc if c.lob and c.source} & set(columns))
            where = f"{table.id}: the filter of rule {rule.rule_id} on {', '.join(columns)}"
            if missing and task.migration_type != "full-load":
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{where} does not contain the key ({', '.join(missing)} is missing)",
                    "DMS does not capture the deletes of such a table: FINAL keeps the rows for ever",
                    "filter by the columns of the key, or filter on Snowflake",
                    table=table.id,
                    place=on_task(task),
                )
            if lobs:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{where} uses {', '.join(lobs)}, a LOB for DMS",
                    "DMS supports no filters on LOB columns; which rows arrive is not documented",
                    "filter by another column",
                    table=table.id,
                    place=on_task(task),
                )
            if not lobs and (not missing or task.migration_type == "full-load"):
                yield Finding(
                    CODE,
                    Severity.INFO,
                    f"{where} leaves out rows",
                    "a row that an update moves out of the filter stays in FINAL as it was",
                    "nothing to do if that is meant",
                    table=table.id,
                    place=on_task(task),
                )


def _takes(rule: SelectionRule, table: TableName) -> bool:
    """Filters stand on include rules alone."""
    return matches(rule.locator.schema, table.schema) and matches(rule.locator.table, table.name)
