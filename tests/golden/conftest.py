"""`pytest tests/golden --regenerate` writes the expected files again; read the difference before you commit it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write expected.md of every golden case again")
