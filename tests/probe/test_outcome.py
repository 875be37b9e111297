"""When a value counts as the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from driftguard.probe.cases import Case, Kind
from driftguard.probe.files import Cell
from driftguard.probe.outcome import same
from driftguard.probe.source import Written


@pytest.mark.parametrize(
    ("kind", "text", "canonical", "value", "expected"),
    [
        ("number", "1.50", "1.50", Decimal("1.5"), True),
        ("number", "1.50", "1.50", "1.500", True),
        ("number", "0.611111104488373", "0.611111104488373", Decimal("0.611111"), False),
        ("number", "NaN", "NaN", "nothing", False),
        ("float", "NaN", "NaN", float("nan"), True),
        ("float", "-0", "-0", 0.0, False),
        ("float", "0.1", "0.10000000149011612", 0.10000000149011612, True),
        ("boolean", "t", "true", "true", True),
        ("boolean", "t", "true", "t", True),
        ("boolean", "f", "false", False, True),
        ("boolean", "f", "false", "true", False),
        ("bytes", "\\x00ff", "00ff", b"\x00\xff", True),
        ("bytes", "\\x00ff", "00ff", "\\x00ff", False),
        ("time", "2024-01-01 00:00:00", "1704067200000000", 1704067200000000, True),
        ("time", "2024-01-01 00:00:00", "1704067200000000", 1704063600000000, False),
        ("time", "2024-01-01 00:00:00", "1704067200000000", "2024-01-01 00:00:00", True),
        ("time", "infinity", "infinity", 253402300799000000, False),
        ("json", '{"a": 1, "a": 2}', '{"a": 1, "a": 2}', '{"a":1,"a":2}', True),
        ("json", '{"a": 1, "a": 2}', '{"a": 1, "a": 2}', '{"a":2}', False),
        ("json", "1" * 40, "1" * 40, "1." + "1" * 15 + "e39", False),
        ("json", '{"a"', '{"a"', '{"a', False),
        ("text", "ab   ", "ab   ", "ab", False),
        ("text", "", "", "", True),
    ],
)
def test_values_are_compared_by_what_they_mean(
    kind: Kind, text: str, canonical: str, value: Any, expected: bool
) -> None:
    assert same(Written(text, canonical), Cell(str(value), value), Case("c", "t", kind, ())) is expected
