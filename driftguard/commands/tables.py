"""The landings that a command's TABLE means."""

from __future__ import annotations

from collections.abc import Iterable

from driftguard.drift.context import Context, Pair
from driftguard.drift.rules._common import source_table
from driftguard.errors import UsageError


def landings_of(context: Context, table: str | None) -> list[Pair]:
    """Those of one Aurora table, by its name or by schema.table; all without one. Raises `UsageError` for none."""
    if table is None:
        return list(context.pairs)
    known = [(source_table(pair.landing), pair) for pair in context.pairs]
    found = [pair for name, pair in known if table in (str(name), name.name)]
    if not found:
        raise UsageError(f"no landing of a table {table}", hint=listed(str(name) for name, _ in known))
    return found


def listed(names: Iterable[str]) -> str:
    """Some of the names, in order."""
    found = sorted(names)
    return ", ".join(found[:8]) + (", …" if len(found) > 8 else "")
