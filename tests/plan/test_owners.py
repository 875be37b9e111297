"""What others own is work for them, in the words of their tool, and what comes after it waits."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builders import POLICY, applied, context, landed, numeric, plain, table, varchar
from driftguard.drift.compare import compare
from driftguard.migrate.rehearsal import rehearse
from driftguard.migrate.revision import Revision
from driftguard.model.finding import Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import Masking, Policy
from driftguard.model.snowflake import Estate, SfType
from driftguard.operations.manual import Manual
from driftguard.plan.planner import Plan, make_plan

OLD = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
NEW = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)), ("tier", plain("text")))


def owned(**owners: str) -> Policy:
    return dataclasses.replace(POLICY, **{f"{kind}_managed_by": owner for kind, owner in owners.items()})


def texts(plan: Plan) -> list[str]:
    return [op.text for op in plan.operations if isinstance(op, Manual)]


@pytest.mark.parametrize(
    ("owners", "kinds"),
    [
        ({"final": "terraform"}, ["manual", "replace_merge"]),
        ({"staging": "dbt"}, ["add_columns", "manual", "replace_merge"]),
        ({"final": "sql", "staging": "sql"}, ["manual", "manual", "replace_merge"]),
        ({"pipe": "terraform", "file_format": "terraform"}, ["add_columns", "replace_merge"]),
    ],
)
def test_a_new_column_waits_for_the_owners_of_its_tables(owners: dict[str, str], kinds: list[str]) -> None:
    policy = owned(**owners)
    plan = make_plan(context(NEW, estate=landed(OLD), policy=policy))
    assert [op.kind for op in plan.operations] == kinds
    after = applied(landed(OLD), plan)
    again = context(NEW, estate=after, policy=policy)
    assert make_plan(again).operations == ()
    assert [f.code for f in compare(again) if f.severity is Severity.ERROR] == []


@pytest.mark.parametrize("owner", ["terraform", "dbt", "sql"])
def test_a_landing_of_which_others_own_everything_is_all_work_for_them(owner: str) -> None:
    policy = owned(final=owner, staging=owner, pipe=owner, file_format=owner)
    plan = make_plan(context(OLD, policy=policy))
    assert [op.kind for op in plan.operations] == ["manual"] * 3 + ["create_landing", "manual"]
    assert [s.summary.split()[:3] for s in plan.operations[3].statements(_done(plan, 3))] == [
        ["make", "the", "stream"], ["create", "the", "merge"], ["resume", "DB.STAGING.ORDERS_MERGE"],
    ]  # fmt: skip
    assert make_plan(context(OLD, estate=applied(Estate(), plan), policy=policy)).operations == ()


def _done(plan: Plan, number: int) -> Estate:
    estate = Estate()
    for operation in plan.operations[:number]:
        estate = operation.effect(estate)
    return estate


def test_a_finding_names_the_owner_of_what_is_missing() -> None:
    found = {f.code: f.remedy for f in compare(context(NEW, estate=landed(OLD), policy=owned(final="terraform")))}
    assert "FINAL tables are managed elsewhere (terraform)" in found["DG202"]
    assert "elsewhere" not in found["DG102"]


def test_terraform_gets_blocks_of_its_provider() -> None:
    policy = dataclasses.replace(owned(final="terraform"), masking=(Masking("tier", ObjectName("DB", "G", "M")),))
    (text,) = texts(make_plan(context(NEW, estate=landed(OLD), policy=policy)))
    assert text == (
        "terraform: TIER in the snowflake_table of DB.FINAL.ORDERS:\n"
        "  column {\n"
        '    name     = "TIER"\n'
        '    type     = "VARCHAR(134217728)"\n'
        "    nullable = true\n"
        '    masking_policy = "\\"DB\\".\\"G\\".\\"M\\""\n'
        "  }"
    )
    odd = table("o${x}", ("note", varchar(40)), oid=7)
    made = "\n".join(
        texts(make_plan(context(odd, policy=owned(final="terraform", pipe="terraform", file_format="terraform"))))
    )
    assert 'resource "snowflake_table" "o__x_" {' in made
    assert 'name     = "o$${x}"' in made, "a template of Terraform's own would begin there"
    assert "nullable = false" in made, "the key"
    assert "null_if = []" in made
    assert 'copy_statement = "COPY INTO \\"DB\\"' in made


def test_dbt_gets_properties_and_sql_the_statement() -> None:
    (dbt,) = texts(make_plan(context(NEW, estate=landed(OLD), policy=owned(final="dbt"))))
    assert "  - name: TIER\n      data_type: VARCHAR(134217728)" in dbt
    assert "on_schema_change" in dbt
    (sql,) = texts(make_plan(context(NEW, estate=landed(OLD), policy=owned(final="sql"))))
    assert sql.endswith('ALTER TABLE "DB"."FINAL"."ORDERS" ADD IF NOT EXISTS "TIER" VARCHAR(134217728);')


def test_staging_of_others_grows_while_the_merge_sleeps() -> None:
    """A run with the old lists in between would leave the new values out."""
    (text,) = texts(make_plan(context(NEW, estate=landed(OLD), policy=owned(staging="sql"))))
    assert "with the task DB.STAGING.ORDERS_MERGE suspended" in text


def test_narrow_and_not_null_columns_of_others_are_their_work_too() -> None:
    estate = landed(OLD)

    def narrow(c: Any) -> Any:
        return dataclasses.replace(c, type=SfType("VARCHAR", length=10), nullable=False) if c.name == "NOTE" else c

    tables = tuple(
        dataclasses.replace(t, columns=tuple(map(narrow, t.columns))) if t.name.schema == "FINAL" else t
        for t in estate.tables
    )
    strict = dataclasses.replace(estate, tables=tables)
    plan = make_plan(context(OLD, estate=strict, policy=owned(final="sql")))
    assert [text.rpartition("COLUMN ")[2] for text in texts(plan)] == [
        '"NOTE" SET DATA TYPE VARCHAR(134217728);', '"NOTE" DROP NOT NULL;',
    ]  # fmt: skip
    after = context(OLD, estate=applied(strict, plan), policy=owned(final="sql"))
    assert make_plan(after).operations == ()


def test_a_merge_of_others_is_read_for_the_columns_that_it_lacks() -> None:
    estate = landed(OLD)
    body = "MERGE INTO x USING y ON x.id = y.id WHEN MATCHED THEN UPDATE SET note = y.note, total = y.total"
    theirs = dataclasses.replace(estate, tasks=tuple(dataclasses.replace(t, definition=body) for t in estate.tasks))
    policy = owned(merge="sql")
    plan = make_plan(context(NEW, estate=theirs, policy=policy))
    assert [op.kind for op in plan.operations] == ["add_columns", "add_columns", "manual"]
    assert "TIER" in texts(plan)[0]
    assert make_plan(context(NEW, estate=applied(theirs, plan), policy=policy)).operations == ()
    by_name = dataclasses.replace(
        theirs, tasks=tuple(dataclasses.replace(t, definition="CALL X()") for t in theirs.tasks)
    )
    silent = make_plan(context(NEW, estate=by_name, policy=policy))
    assert texts(silent) == [], "nothing tells whether it lists columns"
    assert any("belongs to sql" in note for note in silent.notes)


def test_what_another_owner_has_to_do_carries_the_hazard_as_a_word() -> None:
    estate = landed(OLD)
    mask = ObjectName("DB", "G", "MASK")
    tables = tuple(
        dataclasses.replace(
            t, columns=tuple(dataclasses.replace(c, masking_policy=mask) if c.name == "NOTE" else c for c in t.columns)
        )
        if t.name.schema == "FINAL"
        else t
        for t in estate.tables
    )
    governed = dataclasses.replace(estate, tables=tables)
    (text,) = texts(make_plan(context(NEW, estate=governed, policy=owned(final="sql"))))
    assert "EXPOSES_COLUMN" in text


def test_a_rehearsal_shows_what_waits_and_runs_what_does_not(tmp_path: Any) -> None:
    other = table("items", ("note", varchar(40)), oid=8)
    wider = table("items", ("note", varchar(40)), ("size", plain("int4")), oid=8)
    policy = owned(final="terraform")
    plan = make_plan(context(NEW, wider, estate=landed(OLD, other), policy=policy))
    revision = Revision("r1", (), "m", plan.operations, tmp_path / "r1.py")
    outcome = rehearse([revision], {}, landed(OLD, other))
    assert outcome.steps == ()
    assert outcome.waiting[0].count("snowflake_table") == 2, "both tables' work is shown at once"
    estate = plan.operations[0].effect(landed(OLD, other))
    outcome = rehearse([revision], {}, estate)
    assert {step.operation.rpartition(" ")[2] for step in outcome.steps} == {str(plan.operations[1].touches()[0])}
