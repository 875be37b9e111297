"""DG442: the files have another type than predicted."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._observed import AGAIN, Seen, footers
from driftguard.emission.observed import same_family, settled
from driftguard.model.emission import EmittedColumn
from driftguard.model.finding import Finding, Severity
from driftguard.model.observed import ObservedColumn

CODE = "DG442"
TITLE = "the files have another type than predicted"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    for seen in footers(context):
        for found in seen.footer.columns:
            predicted = seen.predicted(found.name)
            if found.parquet_type and predicted and all(c.parquet_type != found.parquet_type for c in predicted):
                yield _finding(seen, predicted[0], found)


def _finding(seen: Seen, column: EmittedColumn, found: ObservedColumn) -> Finding:
    note = f" ({found.note})" if found.note else ""
    types = f"{found.parquet_type}{note}; {column.parquet_type} was predicted"
    message = f"{seen.table}: {seen.what} has {column.name} as {types}"
    remedy = (
        f"{AGAIN}; if the type is the same, write it into typemaps/observed.toml or run `driftguard probe --aurora`"
    )
    if not seen.newest:
        severity = Severity.INFO
        reason = "a full-load file from before a change of type looks like this; loading it again would bring it back"
    elif settled(column, found) != column.parquet_type:
        severity = SEVERITY
        reason = "the footer wins: STAGING, FINAL and the merge are planned for what the file has"
        remedy = "nothing, if the plan is applied; typemaps/observed.toml makes the prediction itself right"
    elif same_family(column.parquet_type, found.parquet_type):
        severity = SEVERITY
        reason = "the same column of STAGING takes both; a file from before a change of type looks like this"
    else:
        severity = Severity.ERROR
        reason = (
            "STAGING is planned for the predicted type, which AWS documents, and a file of this type can fail to load "
            "or load other values; a file from before a change of type looks like this"
        )
    return Finding(
        CODE, severity, message, reason, remedy, table=seen.table, column=column.source or column.name, place=seen.place
    )
