"""The text of a hand-written merge is changed where it stands, and everything around it stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftguard.merge.byhand.ddl import with_body
from driftguard.merge.byhand.tokens import Unreadable
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Procedure, Task
from driftguard.operations.base import DONE, Operation, State
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.rewrite_merge import Edit, RewriteMerge, edited, reverse
from driftguard.snowflake.definitions import with_ddl
from driftguard.sql.snowflake import literal, qualified
from operation_cases import BY_HAND, CALLED, IN_TASK, PROCEDURE, ROOT, TASK, rewritten

IN_PROCEDURE = rewritten(BY_HAND, PROCEDURE)
BOTH = [(IN_PROCEDURE, CALLED), (rewritten(BY_HAND), IN_TASK)]
FORMS = pytest.mark.parametrize(("operation", "estate"), BOTH, ids=("procedure", "task"))


def words(operation: Operation, estate: Estate) -> list[str]:
    return [s.summary.split()[0] for s in operation.statements(estate)]


def asleep(estate: Estate, name: ObjectName) -> Estate:
    tasks = (dataclasses.replace(t, state="suspended") if t.name == name else t for t in estate.tasks)
    return dataclasses.replace(estate, tasks=tuple(tasks))


@FORMS
def test_the_root_sleeps_while_staging_and_the_text_change(operation: RewriteMerge, estate: Estate) -> None:
    """With the old lists a run in between would leave the new values out for good."""
    first, *_, last = operation.statements(estate)
    assert first.sql == 'ALTER TASK "DB"."STAGING"."T_ROOT" SUSPEND'
    assert last.sql == 'ALTER TASK "DB"."STAGING"."T_ROOT" RESUME'
    assert words(operation, estate)[1] == "add"
    assert len(words(operation, estate)) == 4
    assert operation.graphs() == (ROOT,)


@FORMS
def test_a_root_that_was_suspended_stays_so_and_a_child_is_never_switched(
    operation: RewriteMerge, estate: Estate
) -> None:
    assert not {"suspend", "resume"} & set(words(operation, asleep(estate, ROOT)))
    for one in (estate, asleep(estate, TASK)):
        switched = [s.sql for s in operation.statements(one) if s.sql.endswith((" SUSPEND", " RESUME"))]
        assert all("T_ROOT" in sql for sql in switched)


def test_a_procedure_is_made_anew_with_nothing_changed_but_its_body_and_copy_grants() -> None:
    (made,) = CALLED.procedures
    sql = IN_PROCEDURE.statements(CALLED)[2].sql
    assert made.ddl is not None
    assert made.definition is not None
    head, _, body = made.ddl.rstrip(";").partition(literal(made.definition))
    assert body == ""
    assert sql.replace(" COPY GRANTS", "", 1).startswith(head)
    assert '"who" VARCHAR) COPY GRANTS\nRETURNS VARCHAR NOT NULL' in sql
    new = made.definition.replace("C = s.NEW", "C = s.NEW, NEW = s.EXTRA")
    assert sql.endswith(f"AS {literal(new)}")
    (after,) = IN_PROCEDURE.effect(CALLED).procedures
    assert after.definition == new.strip()


@FORMS
def test_a_text_that_somebody_has_changed_is_left_alone(operation: RewriteMerge, estate: Estate) -> None:
    tasks = tuple(dataclasses.replace(t, definition=f"{t.definition} -- mine") for t in estate.tasks)
    procedures = tuple(dataclasses.replace(p, definition=f"{p.definition} -- mine") for p in estate.procedures)
    readiness = operation.readiness(dataclasses.replace(estate, tasks=tasks, procedures=procedures))
    assert readiness.state is State.BLOCKED
    assert "has been changed since this was planned" in readiness.reason


@FORMS
def test_the_way_back_is_the_old_text_and_staging_without_the_column(operation: RewriteMerge, estate: Estate) -> None:
    after = operation.effect(estate)
    back, drop = operation.inverse(estate)
    assert isinstance(drop, DropColumns)
    assert drop.columns == ("EXTRA",)
    again = drop.effect(back.effect(after))
    assert [t.definition.strip() for t in again.tasks] == [t.definition.strip() for t in estate.tasks]
    assert [(p.definition or "").strip() for p in again.procedures] == [
        (p.definition or "").strip() for p in estate.procedures
    ]
    assert back.readiness(again) == DONE


def test_a_procedure_of_another_role_waits_for_that_role() -> None:
    (made,) = CALLED.procedures
    theirs = dataclasses.replace(CALLED, procedures=(dataclasses.replace(made, owner="LOADER"),), role="DEPLOY")
    readiness = IN_PROCEDURE.readiness(theirs)
    assert readiness.state is State.WAITING
    assert "apply with the role LOADER" in readiness.reason
    assert IN_PROCEDURE.readiness(dataclasses.replace(theirs, role="LOADER")).state is State.READY


def test_another_task_that_calls_the_procedure_by_now_blocks_it() -> None:
    """Nobody would put that one to sleep."""
    other = Task(ObjectName("DB", "STAGING", "NIGHTLY"), 'begin call "merge T"(2); end', "started", schedule="1 DAY")
    readiness = IN_PROCEDURE.readiness(dataclasses.replace(CALLED, tasks=(*CALLED.tasks, other)))
    assert readiness.state is State.BLOCKED
    assert "other tasks" in readiness.reason


@pytest.mark.parametrize(
    "between",
    [
        'BEGIN CALL "merge T"(1); END',
        'snowflake.execute({sqlText: `CALL \\"merge T\\"(1)`});',
        "BEGIN CALL P2(); END",
    ],
)
def test_a_task_that_reaches_the_procedure_through_another_one_sleeps_too(between: str) -> None:
    """Else its run, in a graph of its own, would merge by the old lists."""
    place = ObjectName("DB", "STAGING", "P1")
    more = (
        Procedure(place, "()", between, "SQL"),
        Procedure(dataclasses.replace(place, name="P2"), "()", 'BEGIN CALL P1(); CALL "merge T"(1); END', "SQL"),
    )
    other = Task(ObjectName("DB", "STAGING", "NIGHTLY"), "CALL P1()", "started", schedule="1 DAY")
    estate = dataclasses.replace(CALLED, tasks=(*CALLED.tasks, other), procedures=(*CALLED.procedures, *more))
    assert IN_PROCEDURE.readiness(estate).state is State.BLOCKED
    both = dataclasses.replace(IN_PROCEDURE, roots=(other.name, ROOT))
    assert both.readiness(estate).state is State.READY
    assert next(s.sql for s in both.statements(estate)) == 'ALTER TASK "DB"."STAGING"."NIGHTLY" SUSPEND'


def test_the_definitions_of_procedures_below_procedures_are_asked_for() -> None:
    def of(name: str, body: str) -> Procedure:
        return Procedure(ObjectName("DB", "S", name), "()", body, "SQL")

    known = [
        of("P", "BEGIN CALL q(); END"),
        of("Q", 'BEGIN CALL P(); CALL "r s"(); END'),
        of("r s", "SELECT 1"),
        of("X", "y"),
    ]
    asked: list[str] = []

    def answers(expressions: Sequence[str]) -> Sequence[str | None]:
        asked.extend(expressions)
        return ["ddl" for _ in expressions]

    made = with_ddl(known, [Task(ObjectName("DB", "S", "T"), "CALL P()", "started")], answers)
    assert [p.name.name for p in made if p.ddl] == ["P", "Q", "r s"]
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("ddl", "why"),
    [
        (None, "GET_DDL"),
        ("", "does not begin with"),
        ("CREATE PROCEDURE x() AS 'y'", "does not begin with"),
        ('CREATE OR REPLACE PROCEDURE "DB"."STAGING"."other"() RETURNS INT AS \'y\'', "does not show"),
        ('CREATE OR REPLACE PROCEDURE "DB"."STAGING"."merge T"() RETURNS INT LANGUAGE SQL', "no body"),
        ('CREATE OR REPLACE PROCEDURE "DB"."STAGING"."merge T"() RETURNS INT AS \'y\'', "another body"),
        ('CREATE OR REPLACE PROCEDURE "DB"."STAGING"."merge T"() RETURNS INT AS \'\\x41\'', "escape"),
    ],
)
def test_what_cannot_be_seen_whole_is_never_guessed(ddl: str | None, why: str) -> None:
    (made,) = CALLED.procedures
    estate = dataclasses.replace(CALLED, procedures=(dataclasses.replace(made, ddl=ddl),))
    readiness = IN_PROCEDURE.readiness(estate)
    assert readiness.state is State.BLOCKED
    assert why in readiness.reason


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        ("()", ""),
        ('(N NUMBER, "a, (b" VARCHAR)', "NUMBER, VARCHAR"),
        (
            '(N NUMBER(38,0), "say ""x"" )" TIMESTAMP_NTZ(9), V VECTOR(FLOAT, 3))',
            "NUMBER(38,0), TIMESTAMP_NTZ(9), VECTOR(FLOAT, 3)",
        ),
    ],
)
def test_get_ddl_is_asked_with_the_types_and_only_for_what_a_task_calls(arguments: str, types: str) -> None:
    asked: list[str] = []

    def answers(expressions: Sequence[str]) -> list[str | None]:
        asked.extend(expressions)
        return ["the ddl"] * len(expressions)

    here, other = ObjectName("DB", "S", "it's"), ObjectName("DB", "S", "it's2")
    known = [Procedure(here, arguments), Procedure(other, "()")]
    tasks = [Task(TASK, 'begin call s."it\'s"(1); end', "started")]
    assert [p.ddl for p in with_ddl(known, tasks, answers)] == ["the ddl", None]
    assert asked == [f"GET_DDL('PROCEDURE', {literal(f'{qualified(here)}({types})')}, TRUE)"]


HEAD = 'CREATE OR REPLACE PROCEDURE "DB"."STAGING"."merge T"()'


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.text("ab$'\\\n;\"-/*"))
def test_any_body_in_quotes_is_replaced_and_only_that(old: str, new: str) -> None:
    """Read back, the statement has the new body in it; the old one brings the first statement again."""
    assume(old.strip() and new.strip())
    ddl = f"{HEAD} RETURNS INT AS {literal(f' {old} ')};"
    made = with_body(ddl, PROCEDURE, old, new)
    assert made == f"{HEAD} COPY GRANTS RETURNS INT AS {literal(_around(old, new))}"
    assert with_body(made, PROCEDURE, new, new) == made


def _around(old: str, new: str) -> str:
    """With the blanks that stood around the old one."""
    text = f" {old} "
    return text[: len(text) - len(text.lstrip())] + new.strip() + text[len(text.rstrip()) :]


def test_brackets_and_commas_in_a_default_end_no_arguments() -> None:
    ddl = HEAD[:-1] + "A VARCHAR DEFAULT CONCAT('(', ')'), B NUMBER(38,0) DEFAULT (1)) RETURNS INT AS 'x'"
    assert with_body(ddl, PROCEDURE, "x", "y") == ddl.replace(" RETURNS INT AS 'x'", " COPY GRANTS RETURNS INT AS 'y'")


def test_a_body_between_dollars_stays_there() -> None:
    ddl = f"{HEAD}\nCOPY GRANTS RETURNS INT AS $$ a 'b' \\n $$"
    assert with_body(ddl, PROCEDURE, "a 'b' \\n", "c") == f"{HEAD}\nCOPY GRANTS RETURNS INT AS $$ c $$"
    with pytest.raises(Unreadable):
        with_body(ddl, PROCEDURE, "a 'b' \\n", "c $$")


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.text("xy", max_size=3)), max_size=4))
def test_edits_can_be_taken_back(text: str, places: list[tuple[int, str]]) -> None:
    edits = [Edit(min(at, len(text)), new) for at, new in sorted(places)]
    assert edited(edited(text, edits), reverse(edits)) == text
