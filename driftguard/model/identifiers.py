"""Names of things on Aurora and on Snowflake, exactly as the systems store them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FOLDED = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table on Aurora. `schema` and `name` are as stored in pg_class, never folded or quoted."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class ObjectName:
    """A Snowflake object. The parts are as stored (an unquoted name is stored in upper case)."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


def snowflake_name(name: str) -> str:
    """The Snowflake name of an Aurora name: `[a-z0-9_]+` becomes upper case, anything else keeps its case.

    >>> snowflake_name("order_items"), snowflake_name("createdAt")
    ('ORDER_ITEMS', 'createdAt')
    """
    return name.upper() if _FOLDED.fullmatch(name) else name
