"""DG505: an update of the key leaves the old row in FINAL."""

from __future__ import annotations

import json
from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Table
from driftguard.model.finding import Finding, Severity
from driftguard.model.mappings import Mappings

CODE = "DG505"
TITLE = "an update of the key leaves the old row in FINAL"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    """Silent where the files carry the old key, and where no key can change.

    AWS DMS User Guide, "Transformation rules and actions", add-before-image-columns. PostgreSQL manual, "CREATE
    TABLE": a column GENERATED ALWAYS AS IDENTITY can be updated to DEFAULT only.
    """
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    mappings = {t.name: t.mappings for t in context.tasks}
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            table = tables.get(emission.source.table)
            missing = [name for name in emission.key if emission.before_image(name) is None]
            if table is None or not missing or _fixed(table):
                continue
            part = ""
            if len(missing) < len(emission.key):
                part = f"; before-images are mapped for a part of it only, {', '.join(missing)} has none"
            rule = json.dumps(_rule(mappings.get(emission.source.task)))
            yield Finding(
                CODE,
                SEVERITY,
                f"{table.id}: an update of its key ({', '.join(emission.key)}) leaves the old row in FINAL{part}",
                "DMS writes such an update with the new key alone, or not at all: the merge cannot know the old row",
                f"if a key is ever updated, add this rule to the table mappings and restart the task: {rule}",
                table=table.id,
                place=on_aurora(table.id),
            )


def _fixed(table: Table) -> bool:
    key = table.primary_key.columns if table.primary_key else ()
    columns = [table.column(name) for name in key]
    return all(c is not None and c.identity == "a" for c in columns)


def _rule(mappings: Mappings | None) -> dict[str, object]:
    """The rule as it stands in the mappings document, with a rule-id that is free."""
    used = [
        int(rule.rule_id)
        for kind in (
            (mappings.selections, mappings.transformations, mappings.table_settings, mappings.others)
            if mappings
            else ()
        )
        for rule in kind
        if rule.rule_id.isdigit()
    ]
    free = str(max(used, default=0) + 1)
    return {
        "rule-type": "transformation",
        "rule-id": free,
        "rule-name": free,
        "rule-target": "column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "rule-action": "add-before-image-columns",
        "before-image-def": {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"},
    }
