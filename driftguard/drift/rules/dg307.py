"""DG307: a file format does not pin the options that decide how Parquet is read."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake
from driftguard.model.finding import Finding, Severity

# docs.snowflake.com "COPY INTO <table>", file format options of Parquet: the defaults of two are due to change
PINNED = (
    ("TYPE", "PARQUET"),
    ("USE_LOGICAL_TYPE", "TRUE"),
    ("USE_VECTORIZED_SCANNER", "TRUE"),
    ("BINARY_AS_TEXT", "FALSE"),
    ("NULL_IF", "[]"),
)

CODE = "DG307"
TITLE = "a file format does not pin the options that decide how Parquet is read"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    seen = set()
    for pair in context.pairs:
        found = pair.file_format
        if found is None or found.name in seen:
            continue
        seen.add(found.name)
        for option, wanted in PINNED:
            actual = found.option(option)
            if actual is not None and actual.upper() != wanted:
                yield Finding(
                    CODE,
                    SEVERITY,
                    f"{found.name} has {option} = {actual}, not {wanted}",
                    "the same file would load with other values: timestamps shifted, bytes as text, \\N as NULL",
                    f"ALTER FILE FORMAT … SET {option} = {wanted}, after looking at who else uses it",
                    place=on_snowflake(found.name),
                )
