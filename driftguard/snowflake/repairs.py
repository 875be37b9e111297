"""How many rows of FINAL have values that nothing told: those in which the merge has filled `_DG_REPAIR`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from driftguard.model.catalog import Unseen
from driftguard.model.landing import DG_DELETED, DG_REPAIR
from driftguard.model.snowflake import REPAIRS, Estate, SfTable, ToRepair
from driftguard.snowflake.errors import number, text
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal, qualified, quote

_AT_ONCE = 100  # tables a statement


def with_repairs(session: Session, estate: Estate, schema: str) -> Estate:
    """The estate with the rows to repair of the tables in `schema`; a table that may not be read is in `unseen`.

    Rows that Aurora has deleted do not count. Connector errors that are no answer of Snowflake pass through.
    """
    asked = [t for t in estate.tables if t.standard and t.name.schema == schema and t.column(DG_REPAIR) is not None]
    found: list[ToRepair] = []
    unseen: list[Unseen] = []
    for start in range(0, len(asked), _AT_ONCE):
        _count(session, asked[start : start + _AT_ONCE], found, unseen)
    if not asked:
        return estate
    return dataclasses.replace(estate, to_repair=tuple(found), unseen=(*estate.unseen, *unseen))


def _count(session: Session, tables: Sequence[SfTable], found: list[ToRepair], unseen: list[Unseen]) -> None:
    """One statement for all of them; in halves where it is refused, until it is known for which."""
    sql = " UNION ALL ".join(_counted(table) for table in tables)
    try:
        rows = session.rows(sql)
    except Exception as error:
        if number(error) < 0:
            raise
        if len(tables) == 1:
            unseen.append(Unseen(f"{REPAIRS} in {tables[0].name}", text(error)))
            return
        middle = len(tables) // 2
        for half in (tables[:middle], tables[middle:]):
            _count(session, half, found, unseen)
        return
    found += [ToRepair(str(row["NAME"]), int(row["N"])) for row in rows if row["N"]]


def _counted(table: SfTable) -> str:
    alive = f" AND NOT COALESCE({quote(DG_DELETED)}, FALSE)" if table.column(DG_DELETED) is not None else ""
    return (
        f"SELECT {literal(str(table.name))} AS NAME, COUNT(*) AS N FROM {qualified(table.name)} "
        f"WHERE {quote(DG_REPAIR)} IS NOT NULL{alive}"
    )
