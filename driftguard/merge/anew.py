"""FINAL filled anew from a reload: what was loaded in full since a marker, and what was committed since it."""

from __future__ import annotations

from driftguard.merge.casts import cast_sql
from driftguard.merge.generate import inserted, milestone_sql
from driftguard.merge.record import relation
from driftguard.merge.source import Frame, commit_time, is_load, source
from driftguard.model.landing import DG_FILE, DG_LOADED_AT, DG_OP, DG_ROW, Cast
from driftguard.model.merge import MergeSpec, epochs
from driftguard.sql.snowflake import literal, qualified, quote


def guard(spec: MergeSpec, marker: str) -> str:
    """A query that fails unless STAGING has rows of a reload, or FINAL has none to lose."""
    found = f"EXISTS (SELECT 1 FROM {qualified(spec.staging)} WHERE {_reloaded(spec, marker)})"
    empty = f"NOT EXISTS (SELECT 1 FROM {qualified(spec.final)})"
    message = literal(f"{spec.staging} has no rows of a reload since {marker}")
    return f"SELECT IFF({found} OR {empty}, 1, TO_NUMBER({message})) AS RELOADED"


def refill(spec: MergeSpec, marker: str) -> tuple[str, ...]:
    """Three statements for one transaction: FINAL is emptied and filled, and what is not read leaves STAGING."""
    read = f"COALESCE(({_reloaded(spec, marker)}) OR ({_since(spec, marker)}), FALSE)"
    frame = Frame(read, "FALSE", {name: milestone_sql(spec.watermark, name) for name in epochs(spec.columns)})
    names, values = inserted(spec)
    rows = "\n".join(f"  {line}" for line in source(spec, frame))
    return (
        f"DELETE FROM {qualified(spec.final)}",
        f"INSERT INTO {qualified(spec.final)} (\n  {', '.join(names)}\n)\n"
        f"SELECT\n  {', '.join(values)}\nFROM (\n{rows}\n) AS s\nWHERE s.{quote(DG_OP)} <> 'D'",
        _forget(spec, read),
    )


def _forget(spec: MergeSpec, read: str) -> str:
    table = qualified(spec.staging)
    if not spec.record:
        return f"DELETE FROM {table} WHERE NOT {read}"
    place = f"(COALESCE({quote(DG_FILE)}, ''), COALESCE({quote(DG_ROW)}, 0), {quote(DG_LOADED_AT)})"
    columns = place[1:-1]
    rows = f"SELECT {columns} FROM {relation(spec, spec.commit_time)} AS r WHERE NOT {read}"
    return f"DELETE FROM {table} WHERE {place} IN ({rows})"


def _reloaded(spec: MergeSpec, marker: str) -> str:
    """Was the row loaded in full after the marker? Its commit time can be the start of the task, long before that."""
    moment = cast_sql(Cast.UTC, milestone_sql(spec.watermark, marker))
    return f"{is_load()} AND {quote(DG_LOADED_AT)} > {moment}"


def _since(spec: MergeSpec, marker: str) -> str:
    return f"NOT {is_load()} AND {commit_time(spec)} >= {milestone_sql(spec.watermark, marker)}"
