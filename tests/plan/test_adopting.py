"""What stands between a landing that people made and driftguard's, and when there is a plan for it."""

from __future__ import annotations

import dataclasses

import pytest

from builders import POLICY, applied, context, numeric, plain, table
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import Named
from driftguard.model.snowflake import Estate, Procedure, SfTable, Stage, Task, Unseen
from driftguard.operations.take_over import TakeOver
from driftguard.plan.adopting import BY_HAND, INCOMPLETE, OURS_ALREADY, Adoption, adoption, taking_over
from driftguard.plan.planner import make_plan

ORDERS = table("orders", ("note", plain("text")), ("total", numeric(10, 2)))
CUSTOMERS = table("customers", ("name", plain("text")), oid=1001)
STAGES = (Stage(ObjectName("DB", "STAGING", "DMS_STAGE")),)
TASK = ObjectName("DB", "STAGING", "ORDERS_MERGE")
MERGE = """MERGE INTO DB.FINAL.ORDERS t USING (
  SELECT * FROM DB.STAGING.ORDERS_CDC
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1
) s ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET NOTE = s.NOTE, TOTAL = s.TOTAL
WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, NOTE, TOTAL) VALUES (s.ID, s.NOTE, s.TOTAL)"""


def landed(text: str = MERGE, **of_the_task: object) -> Estate:
    """driftguard's landings of both tables, but for a merge of orders that somebody wrote."""
    estate = applied(Estate(), make_plan(context(ORDERS, CUSTOMERS)))
    estate = dataclasses.replace(estate, stages=STAGES, captured_at="2026-01-01T00:00:00+00:00")
    theirs = Task(TASK, text, "started", "1 MINUTE", **of_the_task)  # type: ignore[arg-type]
    return dataclasses.replace(estate, tasks=tuple(theirs if t.name == TASK else t for t in estate.tasks))


def of_orders(estate: Estate, **policy: object) -> tuple[Adoption, TakeOver | None]:
    found = context(ORDERS, CUSTOMERS, estate=estate, policy=dataclasses.replace(POLICY, **policy))
    (pair,) = (pair for pair in found.pairs if pair.landing.table.name == "orders")
    return adoption(pair, found), taking_over(pair, found)


def without(estate: Estate, **kinds: ObjectName) -> Estate:
    left = {kind: tuple(o for o in getattr(estate, kind) if o.name != name) for kind, name in kinds.items()}
    return dataclasses.replace(estate, **left)  # type: ignore[arg-type]


def with_final(estate: Estate, change: object) -> Estate:
    name = ObjectName("DB", "FINAL", "ORDERS")
    tables = tuple(change(t) if t.name == name else t for t in estate.tables)  # type: ignore[operator]
    return dataclasses.replace(estate, tables=tables)


def test_a_landing_of_driftguard_differs_in_nothing() -> None:
    estate = dataclasses.replace(applied(Estate(), make_plan(context(ORDERS, CUSTOMERS))), stages=STAGES)
    assert of_orders(estate) == (Adoption(ObjectName("DB", "FINAL", "ORDERS"), OURS_ALREADY), None)


def test_a_plan_takes_it_over_and_there_is_nothing_left_to_plan() -> None:
    estate = landed()
    found, operation = of_orders(estate)
    assert (found.state, found.obstacles) == (BY_HAND, ())
    assert operation is not None
    made = make_plan(context(ORDERS, CUSTOMERS, estate=estate), adopt=(found.final,))
    assert made.operations == (operation,)
    after = context(ORDERS, CUSTOMERS, estate=applied(estate, made))
    assert make_plan(after).operations == ()


def test_a_pipe_that_loads_what_is_needed_stays_and_only_the_merge_is_replaced() -> None:
    estate = landed()
    _, operation = of_orders(estate)
    assert operation is not None
    assert not operation.replace_pipe
    assert [h.kind for h in operation.hazards()] == ["REPLACES_HANDWRITTEN"]
    assert not any("CREATE OR REPLACE PIPE" in s.sql for s in operation.statements(estate))


def test_nobody_plans_it_unasked() -> None:
    assert make_plan(context(ORDERS, CUSTOMERS, estate=landed())).operations == ()


def test_a_task_that_slept_is_left_asleep_by_a_plan_that_is_older() -> None:
    estate = landed()
    _, operation = of_orders(estate)
    assert operation is not None
    asleep = dataclasses.replace(estate, tasks=tuple(dataclasses.replace(t, state="suspended") for t in estate.tasks))
    assert not any(s.sql.endswith(("SUSPEND", "RESUME")) for s in operation.statements(asleep))


def test_a_text_that_was_changed_since_is_left_alone() -> None:
    _, operation = of_orders(landed())
    assert operation is not None
    changed = landed(MERGE.replace("TOTAL = s.TOTAL", "TOTAL = s.TOTAL + 0"))
    assert "has been changed since this was planned" in operation.readiness(changed).reason


PROCEDURE = Procedure(
    ObjectName("DB", "STAGING", "ALL_OF_IT"),
    "()",
    f"BEGIN\n{MERGE};\n{MERGE.replace('ORDERS', 'CUSTOMERS').replace('NOTE', 'NAME')};\nEND",
    "SQL",
)
OTHER = Task(ObjectName("DB", "STAGING", "NIGHTLY"), "DELETE FROM DB.FINAL.ORDERS WHERE ID IS NULL", "started")
INNER = Procedure(ObjectName("DB", "STAGING", "INNER_ONE"), "()", f"BEGIN {OTHER.definition}; END", "SQL")
OUTER = Procedure(ObjectName("DB", "STAGING", "OUTER_ONE"), "()", "BEGIN CALL DB.STAGING.INNER_ONE(); END", "SQL")
OBSTACLES: dict[str, tuple[Estate, dict[str, object], str]] = {
    "in a graph": (landed(predecessors=("DB.STAGING.ROOT",)), {}, "runs after DB.STAGING.ROOT"),
    "suspended": (
        dataclasses.replace(landed(), tasks=(Task(TASK, MERGE, "suspended"),)),
        {},
        "is suspended: resume it",
    ),
    "another owner": (landed(), {"merge_managed_by": "dbt"}, "gives merge to dbt"),
    "two tables in one text": (
        dataclasses.replace(landed("CALL DB.STAGING.ALL_OF_IT()"), procedures=(PROCEDURE,)),
        {},
        "DB.STAGING.ALL_OF_IT writes DB.FINAL.CUSTOMERS too",
    ),
    "a second writer": (
        dataclasses.replace(landed(), tasks=(*landed().tasks, OTHER)),
        {},
        "the task DB.STAGING.NIGHTLY writes DB.FINAL.ORDERS too",
    ),
    "a second writer two calls away": (
        dataclasses.replace(
            landed(),
            tasks=(*landed().tasks, dataclasses.replace(OTHER, definition="CALL DB.STAGING.OUTER_ONE()")),
            procedures=(INNER, OUTER),
        ),
        {},
        "the task DB.STAGING.NIGHTLY writes DB.FINAL.ORDERS too",
    ),
    "another key in the text": (
        landed(MERGE.replace("t.ID = s.ID", "t.NOTE = s.NOTE")),
        {},
        "the old merge finds rows by (NOTE), and Aurora's key is (ID)",
    ),
    "another key declared": (
        with_final(landed(), lambda t: dataclasses.replace(t, primary_key=("NOTE",))),
        {},
        "declares the key (NOTE), and Aurora's is (ID)",
    ),
    "no stage": (dataclasses.replace(landed(), stages=()), {}, "there is no stage DB.STAGING.DMS_STAGE"),
    "stages unseen": (
        dataclasses.replace(landed(), stages=(), unseen=(Unseen("stages in DB.STAGING", "no grant"),)),
        {},
        "stages in DB.STAGING could not be looked at",
    ),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_what_a_person_has_to_see_to_first_is_said_and_nothing_is_planned(case: str) -> None:
    estate, policy, said = OBSTACLES[case]
    found, operation = of_orders(estate, **policy)
    assert operation is None
    assert any(said in line for line in found.obstacles), found.obstacles


MISSING = {
    "pipe": (without(landed(), pipes=ObjectName("DB", "STAGING", "ORDERS_PIPE")), "there is no pipe"),
    "task": (without(landed(), tasks=TASK), "there is no task"),
    "table": (without(landed(), tables=ObjectName("DB", "FINAL", "ORDERS")), "there is no table DB.FINAL.ORDERS"),
    "view": (
        with_final(landed(), lambda t: dataclasses.replace(t, kind="VIEW")),
        "DB.FINAL.ORDERS is a view",
    ),
    "unseen": (
        dataclasses.replace(landed(), unseen=(Unseen("tasks in DB.STAGING", "no grant"),)),
        "tasks could not be looked at",
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_landing_that_is_not_all_there_is_not_taken_over(case: str) -> None:
    estate, said = MISSING[case]
    found, operation = of_orders(estate)
    assert (found.state, operation) == (INCOMPLETE, None)
    assert any(said in line for line in found.obstacles), found.obstacles


def test_objects_are_found_under_the_names_that_they_have() -> None:
    estate = landed()
    named = ObjectName("DB", "STAGING", "load orders")
    (old,) = (p for p in estate.pipes if p.name.name == "ORDERS_PIPE")
    others = tuple(p for p in estate.pipes if p is not old)
    estate = dataclasses.replace(estate, pipes=(*others, dataclasses.replace(old, name=named)))
    found, operation = of_orders(estate, named=(Named("shop.orders", pipe="load orders"),))
    assert found.state == BY_HAND
    assert operation is not None
    assert operation.pipe == named


def test_columns_that_only_the_old_merge_fills_are_named_before_anybody_says_yes() -> None:
    text = MERGE.replace("TOTAL = s.TOTAL", "TOTAL = s.TOTAL, SEEN_AT = CURRENT_TIMESTAMP()")

    def more(item: SfTable) -> SfTable:
        seen = dataclasses.replace(item.columns[-1], name="SEEN_AT")
        return dataclasses.replace(item, columns=(*item.columns, seen))

    _, operation = of_orders(with_final(landed(text), more))
    assert operation is not None
    assert operation.only_theirs == ("SEEN_AT",)
    assert "nothing fills SEEN_AT of DB.FINAL.ORDERS" in operation.hazards()[0].reason
