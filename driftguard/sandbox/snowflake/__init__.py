"""An embedded Snowflake for tests and demonstrations: the real connector in front, DuckDB behind."""

from __future__ import annotations

from driftguard.sandbox.snowflake.server import SnowflakeServer

__all__ = ["SnowflakeServer"]
