"""Sandboxes to work in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.sandbox.environment import Sandbox
from home import Home


@pytest.fixture
def home(database: str, tmp_path: Path) -> Iterator[Home]:
    """A running sandbox on a database of its own. The test's process holds its Snowflake."""
    sandbox = Sandbox.up(tmp_path, aurora_url=database)
    try:
        yield Home(tmp_path)
    finally:
        sandbox.down()


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real account in the environment is none of these tests' business."""
    for name in [n for n in os.environ if n.startswith(("SNOWFLAKE_", "DRIFTGUARD_")) and n != "DRIFTGUARD_TEST_WHEEL"]:
        monkeypatch.delenv(name)
