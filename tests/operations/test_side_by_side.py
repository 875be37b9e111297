"""Two pull requests are planned against the same Snowflake; whichever is applied first, nothing of it is lost."""

from __future__ import annotations

import itertools

import pytest

from builders import applied, context, landed, numeric, plain, table, varchar
from driftguard.drift.compare import compare
from driftguard.model.finding import Severity
from driftguard.operations.base import DONE
from driftguard.plan.planner import make_plan

NOTE = ("note", varchar(40))
ADDED = (("gift", plain("bool")), ("weight", numeric(10, 3)), ("doc", plain("jsonb")))
BASE = table("orders", NOTE)


@pytest.mark.parametrize("order", list(itertools.permutations(ADDED)), ids=lambda order: " ".join(n for n, _ in order))
def test_columns_of_several_pull_requests_are_all_merged(order: tuple[tuple[str, object], ...]) -> None:
    """Each plan knows its own column alone; Aurora gets them in the order in which they are applied."""
    estate = landed(BASE)
    plans = [make_plan(context(table("orders", NOTE, item), estate=estate)) for item in order]  # type: ignore[arg-type]
    for plan in plans:
        estate = applied(estate, plan)
        assert all(operation.readiness(estate) == DONE for operation in plan.operations)
    everything = context(table("orders", NOTE, *order), estate=estate)  # type: ignore[arg-type]
    assert [f.message for f in compare(everything) if f.severity is Severity.ERROR] == []
    assert make_plan(everything).operations == ()


def test_a_column_that_only_staging_has_is_left_alone() -> None:
    """What a person added to one table only belongs to no merge."""
    estate = landed(BASE)
    wider = make_plan(context(table("orders", NOTE, ADDED[0]), estate=estate))
    half = applied(estate, type(wider)(wider.operations[:1]))  # FINAL has the column, STAGING has not
    other = make_plan(context(table("orders", NOTE, ADDED[1]), estate=estate))
    assert '"GIFT"' not in applied(half, other).tasks[0].definition
