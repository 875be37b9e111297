"""Markers that have arrived in FINAL."""

from __future__ import annotations

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_COMMIT_TS
from driftguard.model.snowflake import Milestone
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal, qualified, quote


def arrived(session: Session, table: ObjectName, column: str, name: str) -> tuple[Milestone, ...]:
    """The marker by its commit time; nothing where it, or the table, is not there."""
    sql = (
        f"SELECT MIN({quote(DG_COMMIT_TS)}) AS AT FROM {qualified(table)} WHERE {quote(column)} = {literal(name)} "
        "HAVING COUNT(*) > 0"
    )
    try:
        rows = session.rows(sql)
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return ()
        raise
    return tuple(Milestone(name, row["AT"].isoformat() if row["AT"] else "") for row in rows)
