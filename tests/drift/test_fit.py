"""Does a type take every value, and can ALTER make it? Source: docs.snowflake.com "ALTER TABLE … ALTER COLUMN"."""

from __future__ import annotations

import pytest

from driftguard.drift.fit import Fit, fit, widened
from driftguard.sql.snowflake import parse_type

FITS, WIDEN, REBUILD = Fit.FITS, Fit.WIDEN, Fit.REBUILD


@pytest.mark.parametrize(
    ("actual", "least", "expected"),
    [
        ("VARCHAR(40)", "VARCHAR(40)", FITS),
        ("VARCHAR(41)", "VARCHAR(40)", FITS),
        ("VARCHAR(39)", "VARCHAR(40)", WIDEN),
        ("VARCHAR(16777216)", "VARCHAR", FITS),  # the unbounded length of before
        ("VARCHAR(16777215)", "VARCHAR", WIDEN),
        ("STRING", "VARCHAR(134217728)", FITS),
        ("CHAR", "VARCHAR(2)", WIDEN),
        ("NUMBER(38,0)", "NUMBER(19,0)", FITS),
        ("INT", "NUMBER(38,0)", FITS),
        ("NUMBER(18,0)", "NUMBER(19,0)", WIDEN),
        ("NUMBER(10,2)", "NUMBER(10,2)", FITS),
        ("NUMBER(38,2)", "NUMBER(10,2)", FITS),
        ("NUMBER(9,2)", "NUMBER(10,2)", WIDEN),
        ("NUMBER(38,4)", "NUMBER(10,2)", FITS),  # more decimals, and digits enough before them
        ("NUMBER(10,4)", "NUMBER(10,2)", WIDEN),
        ("NUMBER(38,1)", "NUMBER(10,2)", REBUILD),
        ("NUMBER(38,37)", "NUMBER(10,2)", REBUILD),  # one digit before the point, at most
        ("NUMBER(38,2)", "NUMBER(38,2)", FITS),
        ("NUMBER(38,4)", "NUMBER(38,2)", REBUILD),
        ("FLOAT", "FLOAT", FITS),
        ("DOUBLE", "FLOAT", FITS),
        ("FLOAT", "NUMBER(10,2)", REBUILD),
        ("NUMBER(38,0)", "VARCHAR(5)", REBUILD),
        ("VARCHAR(5)", "NUMBER(38,0)", REBUILD),
        ("BINARY(10)", "BINARY(10)", FITS),
        ("BINARY(10)", "BINARY(11)", REBUILD),
        ("BINARY(8388608)", "BINARY(32768)", FITS),
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP_NTZ(6)", FITS),
        ("TIMESTAMP_NTZ(3)", "TIMESTAMP_NTZ(6)", REBUILD),
        ("TIMESTAMP_TZ(9)", "TIMESTAMP_NTZ(6)", REBUILD),
        ("TIMESTAMP_LTZ(9)", "TIMESTAMP_TZ(6)", REBUILD),
        ("DATETIME", "TIMESTAMP_NTZ(6)", FITS),
        ("TIMESTAMP", "TIMESTAMP_NTZ(6)", REBUILD),  # what it means depends on a parameter
        ("TIME(0)", "TIME(3)", REBUILD),
        ("TIME", "TIME(3)", FITS),
        ("DATE", "DATE", FITS),
        ("BOOLEAN", "BOOLEAN", FITS),
        ("VARIANT", "VARIANT", FITS),
        ("VARCHAR", "VARIANT", REBUILD),
    ],
)
def test_fit(actual: str, least: str, expected: Fit) -> None:
    assert fit(parse_type(actual), parse_type(least)) is expected


@pytest.mark.parametrize(
    ("actual", "ideal", "expected"),
    [
        ("NUMBER(9,2)", "NUMBER(38,2)", "NUMBER(38,2)"),
        ("NUMBER(10,4)", "NUMBER(38,2)", "NUMBER(38,4)"),  # the scale stays: it cannot be changed
        ("VARCHAR(5)", "VARCHAR", "VARCHAR(134217728)"),
    ],
)
def test_widened(actual: str, ideal: str, expected: str) -> None:
    found = widened(parse_type(actual), parse_type(ideal))
    assert str(found) == expected
    assert fit(found, parse_type(actual)) is FITS
