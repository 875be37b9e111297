"""Which columns of Aurora the landings were last brought in step with."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import func, insert

from driftguard.control.schema import LINEAGE, run
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.snowflake import Ancestor
from driftguard.snowflake.errors import MISSING_OR_NOT_AUTHORIZED, number
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import qualified

_ROWS = 500  # of one INSERT


def ancestors(session: Session, database: str, schema: str) -> tuple[Ancestor, ...]:
    """The newest set of each landing; nothing where the control schema is not there or may not be read."""
    table = qualified(ObjectName(database, schema, "LINEAGE"))
    sql = (
        f"SELECT * FROM {table} "
        "QUALIFY RUN = FIRST_VALUE(RUN) OVER (PARTITION BY LANDING ORDER BY RECORDED_AT DESC, RUN) "
        "ORDER BY LANDING, TABLE_OID, ATTNUM"
    )
    try:
        rows = session.rows(sql)
    except Exception as error:
        if number(error) in MISSING_OR_NOT_AUTHORIZED:
            return ()
        raise
    return tuple(
        Ancestor(
            landing=str(row["LANDING"]),
            cluster=str(row["CLUSTER"]),
            database=int(row["DATABASE_OID"]),
            table=TableName(str(row["TABLE_SCHEMA"]), str(row["TABLE_NAME"])),
            table_oid=int(row["TABLE_OID"]),
            column=str(row["COLUMN_NAME"]),
            attnum=int(row["ATTNUM"]),
        )
        for row in rows
    )


def record(session: Session, found: Collection[Ancestor]) -> None:
    """Add the sets of the landings in `found`: all of it, or nothing. Connector errors pass through."""
    rows_of = list(found)
    if not rows_of:
        return
    mark = uuid.uuid4().hex
    session.execute("BEGIN TRANSACTION")
    for start in range(0, len(rows_of), _ROWS):
        values = [
            {
                "landing": item.landing,
                "cluster": item.cluster,
                "database_oid": item.database,
                "table_schema": item.table.schema,
                "table_name": item.table.name,
                "table_oid": item.table_oid,
                "column_name": item.column,
                "attnum": item.attnum,
                "run": mark,
                "recorded_at": func.sysdate(),
            }
            for item in rows_of[start : start + _ROWS]
        ]
        run(session, insert(LINEAGE).values(values))
    session.execute("COMMIT")
