"""What merges could not cast lately, from the quarantine table of the control schema."""

from __future__ import annotations

from driftguard.merge.failures import CAST_FAILURE
from driftguard.model.catalog import Unseen
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import CAST_FAILURES, CastFailure
from driftguard.snowflake.errors import number, text
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import qualified


def cast_failures(
    session: Session, database: str, schema: str, days: int
) -> tuple[tuple[CastFailure, ...], tuple[Unseen, ...]]:
    """Failed casts of the last `days` by landing and column; in the second part, why they could not be read.

    A table that is not there and one that may not be read give the same error: who knows whether there ought to be one
    has to judge.
    """
    table = qualified(ObjectName(database, schema, CAST_FAILURE))
    sql = (
        f"SELECT LANDING, COLUMN_NAME, COUNT(*) AS FAILURES FROM {table} "
        f"WHERE RAN_AT > DATEADD('day', -{days}, CURRENT_TIMESTAMP()) "
        "GROUP BY LANDING, COLUMN_NAME ORDER BY LANDING, COLUMN_NAME"
    )
    try:
        rows = session.rows(sql)
    except Exception as error:
        if number(error) < 0:
            raise
        return (), (Unseen(f"{CAST_FAILURES} in {database}.{schema}", text(error)),)
    return tuple(CastFailure(str(r["LANDING"]), str(r["COLUMN_NAME"]), int(r["FAILURES"])) for r in rows), ()
