"""What the catalog cannot tell: that a marker has arrived, that rows have been filled. One row in the control schema.

The row is the last statement of its operation, and a row that is there is not written again.
"""

from __future__ import annotations

import dataclasses

from driftguard.merge.transitions import MILESTONE
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, Milestone
from driftguard.sql.snowflake import literal, names, qualified, quote

COLUMNS = ("NAME", "AT", "REACHED_AT")


def reached(estate: Estate, name: str) -> bool:
    return any(m.name == name for m in estate.milestones)


def reach(control: ObjectName, name: str, at: str = "NULL", source: str = "") -> Statement:
    """Write the row. `control` is any table of the control schema, `at` SQL for the time, `source` its FROM clause."""
    table = qualified(ObjectName(control.database, control.schema, MILESTONE))
    known = f"SELECT 1 FROM {table} WHERE {quote('NAME')} = {literal(name)}"
    sql = (
        f"INSERT INTO {table} ({names(COLUMNS)})\nSELECT {literal(name)}, {at}, CURRENT_TIMESTAMP(){source}\n"
        f"{'AND' if source else 'WHERE'} NOT EXISTS ({known})"
    )
    return Statement(sql, f"note {name}")


def with_milestone(estate: Estate, name: str, at: str = "") -> Estate:
    if reached(estate, name):
        return estate
    return dataclasses.replace(estate, milestones=(*estate.milestones, Milestone(name, at)))
