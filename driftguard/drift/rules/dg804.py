"""DG804: a view takes every column of a table that gains one."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context, Pair
from driftguard.drift.rules._common import source_table
from driftguard.drift.stars import taking
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.snowflake import SfTable

CODE = "DG804"
TITLE = "a view takes every column of a table that gains one"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """Of the views whose definitions were read."""
    if not context.estate.views:
        return
    for pair in context.pairs:
        for table, coming in _tables(pair):
            broken = taking(context.estate, table, (c.name for c in table.columns))
            for view, columns in broken.items():
                yield _said(
                    pair, view, table, f"it does not list {', '.join(columns)}", "every read of it fails by now"
                )
            for view, columns in taking(context.estate, table, coming).items():
                if view not in broken:
                    what = f"{', '.join(columns)} will come to {table.name.schema}"
                    yield _said(pair, view, table, what, "every read of it fails from then on")


def _tables(pair: Pair) -> Iterator[tuple[SfTable, list[str]]]:
    """The tables of a landing, with what they are to gain."""
    landing = pair.landing
    if pair.final is not None:
        yield pair.final, [c.name for c in landing.final_columns if pair.final.column(c.name) is None]
    if pair.staging is not None and not landing.record:
        yield pair.staging, [c.name for c in landing.staging_columns if pair.staging.column(c.name) is None]


def _said(pair: Pair, view: str, table: SfTable, what: str, then: str) -> Finding:
    return Finding(
        CODE,
        SEVERITY if "by now" in then else Severity.WARNING,
        f"{view} is made with * of {table.name}: {what}",
        f"a view keeps the columns that it had when it was made, and its query gives one more: {then} (002057), also a "
        "merge's",
        "make the view anew right after the column is there, with the same definition (CREATE OR REPLACE VIEW … COPY "
        "GRANTS), or name its columns",
        table=source_table(pair.landing),
        place=Place("snowflake", view),
    )
