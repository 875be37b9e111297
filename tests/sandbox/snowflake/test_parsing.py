"""The stand-in reads SQL with sqlglot as it comes: written in Python, or compiled."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from sqlglot import exp

import driftguard.sandbox.snowflake as stand_in
from driftguard.sandbox.snowflake.errors import SnowflakeError
from driftguard.sandbox.snowflake.translate import parse


def test_no_class_of_the_stand_in_comes_from_sqlglot() -> None:
    """A compiled one refuses to make such classes: 'interpreted classes cannot inherit from compiled'."""
    found = [
        importlib.import_module(f"{stand_in.__name__}.{one.name}") for one in pkgutil.iter_modules(stand_in.__path__)
    ]
    ours = {thing for module in found for thing in vars(module).values() if isinstance(thing, type)}
    ours = {one for one in ours if one.__module__.startswith(stand_in.__name__)}
    assert len(ours) > 50
    assert [one for one in ours if any(base.__module__.startswith("sqlglot") for base in one.__mro__)] == []


@pytest.mark.parametrize(
    "written",
    ["DATEADD('day', 1, C)", "to_date(C, 'YYYY')", "DATE(C)", "TRY_TO_NUMBER(C)", "CURRENT_TIMESTAMP(3)", "SYSDATE()"],
)
def test_functions_that_the_stand_in_builds_keep_their_name_and_arguments(written: str) -> None:
    (call,) = parse(f"SELECT {written}").expressions
    assert call.sql(dialect="snowflake").upper() == written.upper().replace("(C", '("C"').replace(" C)", ' "C")')


def test_names_like_those_functions_stay_names() -> None:
    tree = parse(
        'WITH to_date (date, "date") AS (SELECT 1, 2) SELECT to_date.date, "to_date"."date" FROM to_date (date)'
    )
    names = {identifier.this for identifier in tree.find_all(exp.Identifier)}
    assert names == {"TO_DATE", "DATE", "date", "to_date"}


@pytest.mark.parametrize("sql", ["", ";", "-- nothing"])
def test_a_text_without_a_statement_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(SnowflakeError, match="syntax error"):
        parse(sql)
