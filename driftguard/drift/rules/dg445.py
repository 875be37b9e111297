"""DG445: a file has a type that driftguard does not know."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import footers
from driftguard.model.finding import Finding, Severity

CODE = "DG445"
TITLE = "a file has a type that driftguard does not know"
SEVERITY = Severity.UNKNOWN


def find(context: Context) -> Iterator[Finding]:
    for seen in footers(context):
        for column in seen.footer.columns:
            if not column.parquet_type:
                predicted = seen.predicted(column.name)
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{seen.table}: {seen.what} has {column.name} as {column.raw}",
                    "no row of the type maps says how Snowflake reads that, so nothing can be said about its values",
                    "decide in typemaps/overrides.toml which types it gets, and please report the footer",
                    table=seen.table,
                    column=(predicted[0].source if predicted else None) or column.name,
                    place=seen.place,
                )
