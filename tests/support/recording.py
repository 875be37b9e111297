"""A session that remembers every statement it sends, as Snowflake gets to see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal


class RecordingSession(Session):
    """Sends what it is given, and keeps the text with its bound values filled in."""

    def __init__(self, connection: Any, where: str, seen: list[str]) -> None:
        super().__init__(connection, where)
        self.seen = seen

    def execute(self, sql: str, parameters: Any = None, *, tag: str | None = None) -> int:
        self.seen.append(filled(sql, parameters))
        return super().execute(sql, parameters, tag=tag)

    def _rows(self, sql: str, parameters: Any) -> list[dict[str, Any]]:
        self.seen.append(filled(sql, parameters))
        return super()._rows(sql, parameters)


def filled(sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None) -> str:
    """The statement with its values in place of `%(name)s`, as the connector writes them."""
    if not parameters:
        return sql
    assert isinstance(parameters, Mapping)
    return sql % {key: _text(value) for key, value in parameters.items()}


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else str(value)
