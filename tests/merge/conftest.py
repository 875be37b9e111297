"""One stand-in for the tests of this folder; a schema of its own for each bench."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector

from driftguard.sandbox.snowflake.server import SnowflakeServer


@pytest.fixture(scope="package")
def connection() -> Iterator[Any]:
    server = SnowflakeServer()
    server.start()
    try:
        with snowflake.connector.connect(**server.connect_kwargs(), role="SYSADMIN") as opened:
            yield opened
    finally:
        server.stop()
