"""DG506: a column policy has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG506"
TITLE = "a column policy has no effect"
SEVERITY = Severity.WARNING


def find(context: Context) -> Iterator[Finding]:
    """Only a value that PostgreSQL can move out of its row can be missing from an update."""
    if not context.policy.columns:
        return
    columns = [
        (emission.source.table, c.source, c.toastable and c.name not in emission.key)
        for pair in context.pairs
        for emission in pair.landing.emissions
        for c in emission.cdc
        if c.source is not None
    ]
    for policy in context.policy.columns:
        covered = [(f"{table}.{name}", large) for table, name, large in columns if policy.covers(table, name)]
        if any(large for _, large in covered):
            continue
        names = ", ".join(sorted({name for name, _ in covered}))
        why = f"PostgreSQL always sends {names}" if covered else "no column that DMS writes is called so"
        yield Finding(
            CODE,
            SEVERITY,
            f"[[policy.columns]] {policy.table}.{policy.column}: {why}",
            "on_null_update is about large values that an update leaves out; a key or a value of fixed size never is",
            "take it out of driftguard.toml, or correct its names",
            place=Place("file", f"policy.columns {policy.table}.{policy.column}"),
        )
