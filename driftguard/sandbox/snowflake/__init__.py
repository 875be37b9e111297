"""An embedded Snowflake for tests and demonstrations: the real connector in front, DuckDB behind, the documents between."""

from __future__ import annotations

from driftguard.sandbox.snowflake.server import SnowflakeServer

__all__ = ["SnowflakeServer"]
