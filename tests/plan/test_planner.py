"""From differences to operations."""

from __future__ import annotations

import dataclasses

from builders import POLICY, applied, context, landed, numeric, plain, table, task, varchar
from driftguard.drift.compare import compare
from driftguard.model.catalog import Catalog, Table, Unseen
from driftguard.model.finding import Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import Masking
from driftguard.model.snowflake import Estate, SfType
from driftguard.plan.planner import make_plan

OLD = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
NEW = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("tier", plain("text")))


def failing(ctx):  # type: ignore[no-untyped-def]
    return [f.code for f in compare(ctx) if f.severity in (Severity.ERROR, Severity.UNKNOWN)]


def test_a_new_table_is_landed_and_then_nothing_is_left_to_do() -> None:
    estate = landed(OLD)
    again = context(OLD, estate=estate)
    assert make_plan(again).operations == ()
    assert failing(again) == []


def test_an_added_column_goes_to_final_then_to_staging_and_the_merge() -> None:
    plan = make_plan(context(NEW, estate=landed(OLD)))
    assert [op.kind for op in plan.operations] == ["add_columns", "replace_merge"]
    assert plan.operations[0].touches()[0].schema == "FINAL"
    after = applied(landed(OLD), plan)
    assert failing(context(NEW, estate=after)) == []
    assert make_plan(context(NEW, estate=after)).operations == ()


def test_a_dropped_column_is_kept_and_its_rows_are_not_erased() -> None:
    """Before the deploy rows still carry it; afterwards a row without it must not overwrite what FINAL has."""
    estate = landed(NEW)
    plan = make_plan(context(OLD, estate=estate))
    (operation,) = plan.operations
    assert operation.kind == "replace_merge"
    assert 'COALESCE(s."TIER", t."TIER")' in operation.statements(estate)[1].sql
    after = applied(estate, plan)
    assert [f.code for f in compare(context(OLD, estate=after))] == ["DG106"]
    assert make_plan(context(OLD, estate=after)).operations == ()


def narrow(estate: Estate) -> Estate:
    """The same landing as somebody would have typed it, just wide enough for today."""
    types = {"NOTE": SfType("VARCHAR", length=40), "TOTAL": SfType("NUMBER", precision=10, scale=2)}
    tables = tuple(
        dataclasses.replace(t, columns=tuple(dataclasses.replace(c, type=types.get(c.name, c.type)) for c in t.columns))
        for t in estate.tables
    )
    return dataclasses.replace(estate, tables=tables)


def test_a_column_that_is_wide_enough_is_left_as_it_is() -> None:
    assert make_plan(context(OLD, estate=narrow(landed(OLD)))).operations == ()


def test_longer_text_and_more_digits_are_widened_on_both_sides() -> None:
    wider = table("orders", ("note", varchar(80)), ("total", numeric(14, 2)))
    ctx = context(wider, estate=narrow(landed(OLD)))
    assert sorted(failing(ctx)) == ["DG103", "DG103", "DG203", "DG203"]
    plan = make_plan(ctx)
    assert [op.kind for op in plan.operations] == ["widen_column"] * 4
    assert [op.touches()[0].schema for op in plan.operations] == ["FINAL", "FINAL", "STAGING", "STAGING"]
    assert make_plan(context(wider, estate=applied(narrow(landed(OLD)), plan))).operations == ()


def test_another_scale_is_a_note_and_no_operation() -> None:
    """Snowflake refuses it, so driftguard does not pretend."""
    rescaled = table("orders", ("note", varchar(40)), ("total", numeric(10, 4)))
    ctx = context(rescaled, estate=narrow(landed(OLD)))
    plan = make_plan(ctx)
    assert plan.operations == ()
    assert any("cannot become" in note for note in plan.notes)
    assert "DG104" in failing(ctx)


def test_what_could_not_be_looked_at_gets_no_operation() -> None:
    blind = Estate(unseen=(Unseen("tables in DB.STAGING", "no privilege"),))
    ctx = context(OLD, estate=blind)
    plan = make_plan(ctx)
    assert plan.operations == ()
    assert any("could not be looked at" in note for note in plan.notes)
    assert failing(ctx) == ["DG601"]


def test_a_table_without_a_key_is_left_out_and_the_others_go_on() -> None:
    plan = make_plan(context(table("log", key=()), OLD))
    assert [op.kind for op in plan.operations] == ["create_landing"]
    assert any("shop.log" in note and "primary key" in note for note in plan.notes)


def test_not_null_is_taken_from_columns_that_can_be_null() -> None:
    estate = landed(OLD)
    tables = tuple(
        dataclasses.replace(t, columns=tuple(dataclasses.replace(c, nullable=False) for c in t.columns))
        for t in estate.tables
        if t.name.schema == "FINAL"
    )
    strict = dataclasses.replace(estate, tables=(*tables, *(t for t in estate.tables if t.name.schema != "FINAL")))
    (operation,) = make_plan(context(OLD, estate=strict)).operations
    assert operation.kind == "drop_not_null"
    assert "ID" not in operation.arguments()["columns"], "the key stays NOT NULL"


def test_a_merge_of_somebody_else_is_not_touched() -> None:
    estate = landed(OLD)
    theirs = dataclasses.replace(
        estate, tasks=tuple(dataclasses.replace(t, definition="CALL X()") for t in estate.tasks)
    )
    ctx = context(NEW, estate=theirs)
    plan = make_plan(ctx)
    assert {op.kind for op in plan.operations} == {"add_columns"}
    assert any("belongs to" in note for note in plan.notes)
    assert "DG306" in failing(ctx)


def by_hand(old: Table) -> Estate:
    """The landing of ORDERS with a merge that somebody wrote."""
    text = (
        "MERGE INTO FINAL.ORDERS t\nUSING (SELECT * FROM STAGING.ORDERS_CDC"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP(COMMIT_TS) DESC, SEQ DESC) = 1) s\n"
        "ON t.ID = s.ID\nWHEN MATCHED AND s.OP = 'D' THEN DELETE\nWHEN MATCHED THEN UPDATE SET {}\n"
        "WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, {}) VALUES (s.ID, {})"
    )
    estate = landed(old)
    names = [c.name for c in estate.tables[0].columns if not c.name.startswith("_DG") and c.name != "ID"]
    lists = (", ".join(form.format(n, n) for n in names) for form in ("{} = s.{}", "{}", "s.{}"))
    return dataclasses.replace(
        estate, tasks=tuple(dataclasses.replace(t, definition=text.format(*lists)) for t in estate.tasks)
    )


GAINED = {c.name.upper() for c in NEW.columns} - {c.name.upper() for c in OLD.columns}


def test_a_readable_merge_is_rewritten_and_the_plan_after_it_is_empty() -> None:
    ctx = context(NEW, estate=by_hand(OLD))
    assert "DG306" not in failing(ctx)
    plan = make_plan(ctx)
    assert [op.kind for op in plan.operations] == ["add_columns", "rewrite_merge"]
    assert not plan.notes
    diff = plan.operations[1].diff(ctx.estate)
    assert GAINED
    for name in GAINED:
        assert f"{name} = s.{name}" in diff
    assert {line[0] for line in diff.splitlines()} == set("-+@ ")
    again = context(NEW, estate=applied(ctx.estate, plan))
    assert make_plan(again).operations == ()
    assert "DG311" not in failing(again)


def test_the_note_about_a_merge_of_another_owner_says_what_to_insert_in_which_line() -> None:
    policy = dataclasses.replace(POLICY, merge_managed_by="sql")
    plan = make_plan(context(NEW, estate=by_hand(OLD), policy=policy))
    assert [op.kind for op in plan.operations] == ["add_columns", "add_columns", "manual"]


def test_a_readable_merge_of_which_the_tasks_cannot_be_told_is_left_to_people() -> None:
    """A graph whose root is out of sight: nobody can put it to sleep."""
    estate = by_hand(OLD)
    tasks = tuple(dataclasses.replace(t, predecessors=("DB.ELSEWHERE.ROOT",)) for t in estate.tasks)
    unseen = (Unseen("schema DB.ELSEWHERE", "USAGE is missing"),)
    plan = make_plan(context(NEW, estate=dataclasses.replace(estate, tasks=tasks, unseen=unseen)))
    assert [op.kind for op in plan.operations] == ["add_columns", "add_columns"]
    (note,) = (n for n in plan.notes if "belongs to" in n)
    for name in GAINED:
        assert f"{name} = s.{name}" in note
    assert "in line 5" in note
    assert "DB.ELSEWHERE.ROOT could not be looked at" in note


def test_where_others_manage_pipes_and_merges_only_tables_are_made() -> None:
    policy = dataclasses.replace(POLICY, merge_managed_by="dbt", pipe_managed_by="terraform")
    operation, pipe = make_plan(context(OLD, policy=policy)).operations
    made = [s.sql.split()[1] for s in operation.statements(Estate())]
    assert made == ["FILE", "TABLE", "TABLE"]
    assert pipe.kind == "manual"
    assert pipe.touches()[0].name == "ORDERS_PIPE"


def test_a_changed_key_is_named_and_nothing_is_planned_for_its_merge() -> None:
    """Merged by another key, the rows that are there would double."""
    keyed = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), key=("id", "note"))
    ctx = context(keyed, estate=landed(OLD))
    assert "DG206" in failing(ctx)
    plan = make_plan(ctx)
    assert plan.operations == ()
    assert any("old key (ID)" in note for note in plan.notes)


def test_names_that_meet_give_no_landing() -> None:
    ctx = context(table("orders", ("Note", plain("text")), ("note", plain("text"))), OLD, dms=task())
    assert any("differ only by case" in r.message for r in ctx.expectation.refusals)


def test_nothing_is_planned_where_a_view_stands() -> None:
    estate = landed(OLD)
    tables = tuple(
        dataclasses.replace(t, kind="VIEW", columns=()) if t.name.schema == "FINAL" else t for t in estate.tables
    )
    plan = make_plan(context(NEW, estate=dataclasses.replace(estate, tables=tables)))
    assert plan.operations == ()
    assert any("is a view" in note for note in plan.notes)


def test_a_merge_of_ours_is_not_said_to_be_somebody_elses_while_final_is_gone() -> None:
    estate = landed(OLD)
    tables = tuple(t for t in estate.tables if t.name.schema != "FINAL")
    plan = make_plan(context(OLD, estate=dataclasses.replace(estate, tables=tables)))
    assert [op.kind for op in plan.operations] == ["create_landing"]
    assert plan.notes == ()


GOVERNED = dataclasses.replace(
    landed(OLD),
    tables=tuple(
        dataclasses.replace(
            t,
            columns=tuple(
                dataclasses.replace(c, masking_policy=ObjectName("DB", "G", "MASK")) if c.name == "NOTE" else c
                for c in t.columns
            ),
        )
        if t.name.schema == "FINAL"
        else t
        for t in landed(OLD).tables
    ),
)


def test_a_new_column_on_a_governed_table_is_a_hazard_until_it_is_decided() -> None:
    plan = make_plan(context(NEW, estate=GOVERNED))
    assert [h.kind.value for h in plan.hazards] == ["EXPOSES_COLUMN"]
    assert make_plan(context(NEW, estate=landed(OLD))).hazards == ()
    none = dataclasses.replace(POLICY, masking=(Masking("tier", None),))
    assert make_plan(context(NEW, estate=GOVERNED, policy=none)).hazards == ()


def test_a_decided_column_is_made_with_its_policy_on_old_and_new_tables() -> None:
    mask = ObjectName("DB", "G", "TEXT")
    policy = dataclasses.replace(POLICY, masking=(Masking("shop.orders.t*r", mask), Masking("*", None)))
    plan = make_plan(context(NEW, estate=GOVERNED, policy=policy))
    assert plan.hazards == ()
    (statement,) = plan.operations[0].statements(GOVERNED)
    assert statement.sql.endswith('"TIER" VARCHAR(134217728) WITH MASKING POLICY "DB"."G"."TEXT"')
    (create,) = make_plan(context(NEW, policy=policy)).operations
    sql = [s.sql for s in create.statements(Estate()) if "CREATE TABLE" in s.sql]
    assert ["MASKING POLICY" in one for one in sql] == [True, False], "FINAL, and not STAGING"


def test_what_governs_a_table_is_not_known_to_be_nothing() -> None:
    plan = make_plan(context(NEW, estate=dataclasses.replace(landed(OLD), looked=())))
    assert plan.hazards == ()
    assert any("could not be looked at" in note and "TIER" in note for note in plan.notes)


def test_a_renamed_tables_new_landing_has_the_policies_of_the_old_one() -> None:
    """Its rows and those that come are not readable by more roles than before."""
    renamed = dataclasses.replace(OLD, name="purchases")
    governed = dataclasses.replace(POLICY, marker_table="shop.marks", marker_column="name")
    marks = table("marks", ("name", plain("text")), oid=77)
    estate = dataclasses.replace(GOVERNED, tables=(*GOVERNED.tables, *landed(marks).tables))
    before = Catalog((OLD, marks))
    plan = make_plan(context(renamed, marks, estate=estate, before=before, policy=governed))
    create = next(op for op in plan.operations if op.kind == "create_landing" and "PURCHASES" in op.summary())
    sql = next(s.sql for s in create.statements(estate) if "CREATE TABLE" in s.sql)
    assert '"NOTE" VARCHAR(134217728) WITH MASKING POLICY "DB"."G"."MASK"' in sql
    assert "copy_rows" not in {op.kind for op in plan.operations}
    assert any("DB.G.MASK may bind the role" in note for note in plan.notes)
    trusted = dataclasses.replace(governed, exempt_role=True)
    plan = make_plan(context(renamed, marks, estate=estate, before=before, policy=trusted))
    assert "copy_rows" in {op.kind for op in plan.operations}
    assert plan.hazards == ()
    by_rows = dataclasses.replace(
        estate,
        tables=tuple(
            dataclasses.replace(t, row_policy=ObjectName("DB", "G", "ROWS")) if t.name.name == "ORDERS" else t
            for t in estate.tables
        ),
    )
    plan = make_plan(context(renamed, marks, estate=by_rows, before=before, policy=trusted))
    assert [h.kind.value for h in plan.hazards] == ["EXPOSES_COLUMN"]
