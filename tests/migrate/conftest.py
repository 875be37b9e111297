"""Kinds of the later phases."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from synthetic import later_kinds


@pytest.fixture
def later() -> Iterator[SimpleNamespace]:
    with later_kinds() as kinds:
        yield kinds
