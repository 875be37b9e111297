"""DG504: an update can erase large values that it did not change."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_aurora
from driftguard.model.catalog import Table
from driftguard.model.emission import EmittedColumn
from driftguard.model.finding import Finding, Severity
from driftguard.model.policy import Policy

CODE = "DG504"
TITLE = "an update can erase large values that it did not change"
SEVERITY = Severity.WARNING
_IDENTITY = {"d": "DEFAULT", "n": "NOTHING", "i": "USING INDEX"}


def find(context: Context) -> Iterator[Finding]:
    """PostgreSQL leaves an unchanged out-of-line value out of the WAL; whether DMS fetches it, AWS does not say.

    With REPLICA IDENTITY FULL the old row has it; DG514 is about the plug-in that does not take FULL.
    """
    tables = {t.id: t for t in context.catalog.tables} if context.catalog else {}
    plugins = {t.name: t.endpoint.plugin_name for t in context.tasks}
    policy = context.policy
    for pair in context.pairs:
        for emission in pair.landing.emissions:
            table = tables.get(emission.source.table)
            plugin = plugins.get(emission.source.task, "pglogical")
            if table is None or table.replica_identity == "f":
                continue
            large = [c for c in emission.cdc if c.toastable]
            kept = [c for c in large if c.name not in emission.key and _keeps(policy, table, c)]
            erased = [c for c in large if c not in kept]
            if erased:
                yield _erased(table, plugin, erased)
            if kept:
                yield Finding(
                    CODE,
                    Severity.INFO,
                    f"{table.id}: a NULL in an update does not reach {_names(kept)}",
                    'on_null_update is "keep": such a NULL is taken for an unchanged large value, so that a value that '
                    "Aurora really set to NULL stays in FINAL, and a row that moves to another key comes without it",
                    "nothing, where these columns are never set to NULL; else REPLICA IDENTITY FULL with "
                    'PluginName test-decoding, and on_null_update = "overwrite"',
                    table=table.id,
                    place=on_aurora(table.id),
                )


def _keeps(policy: Policy, table: Table, column: EmittedColumn) -> bool:
    return policy.keeps_on_null_update(table.id, column.source or column.name)


def _names(columns: list[EmittedColumn]) -> str:
    return ", ".join(c.source or c.name for c in columns)


def _erased(table: Table, plugin: str, columns: list[EmittedColumn]) -> Finding:
    return Finding(
        CODE,
        SEVERITY,
        f"{table.id}: an update can arrive without the unchanged large values of {_names(columns)}",
        f"REPLICA IDENTITY is {_IDENTITY[table.replica_identity]}, the plug-in {plugin}; PostgreSQL does not log an "
        "unchanged value of more than about 2 kB; if DMS writes NULL in its place, which AWS does not document, "
        'on_null_update = "overwrite" writes that NULL over the value in FINAL',
        "ALTER TABLE … REPLICA IDENTITY FULL, which needs PluginName test-decoding; or on_null_update = "
        '"keep" for columns that are never set to NULL; or waive it for tables whose values stay small',
        table=table.id,
        place=on_aurora(table.id),
    )
