"""What somebody else has to do: when it counts as done, and what it holds up."""

from __future__ import annotations

import dataclasses

import pytest

from driftguard.migrate.held import Held
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, FileFormat, Pipe, Procedure, SfType, Task
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import DONE, State
from driftguard.operations.columns import ColumnDef
from driftguard.operations.manual import Manual
from driftguard.operations.predicate import Predicate, Wanted, names_in
from driftguard.operations.replace_merge import ReplaceMerge
from operation_cases import ESTATE, FINAL, NUMBER, SPEC, STAGING, TASK, TEXT

PIPE, FORMAT = ObjectName("DB", "STAGING", "P"), ObjectName("DB", "STAGING", "F")
WITH = dataclasses.replace(
    ESTATE,
    pipes=(Pipe(PIPE, "COPY …"),),
    file_formats=(FileFormat(FORMAT, "PARQUET"),),
    tasks=(Task(TASK, 'MERGE … t."NEW" = s."NEW", t."quo""ted" = 1, Plain = 2 -- LATER', "started"),),
)


@pytest.mark.parametrize(
    ("predicate", "missing"),
    [
        (Predicate(Wanted.TABLE, FINAL), ""),
        (Predicate(Wanted.TABLE, FINAL, (ColumnDef("ID", NUMBER, required=True),)), ""),
        (Predicate(Wanted.TABLE, FINAL, (ColumnDef("ID", NUMBER),)), "is NOT NULL"),
        (Predicate(Wanted.TABLE, FINAL, (ColumnDef("C", TEXT, required=True),)), "is VARCHAR(40), not"),
        (Predicate(Wanted.TABLE, FINAL, (ColumnDef("GONE", TEXT),)), "has no column GONE"),
        (Predicate(Wanted.TABLE, ObjectName("DB", "FINAL", "U")), "does not exist"),
        (Predicate(Wanted.WITHOUT, STAGING, names=("GONE",)), ""),
        (Predicate(Wanted.WITHOUT, STAGING, names=("NEW", "GONE")), "still has NEW"),
        (Predicate(Wanted.WITHOUT, ObjectName("DB", "FINAL", "U"), names=("NEW",)), "does not exist"),
        (Predicate(Wanted.PIPE, PIPE), ""),
        (Predicate(Wanted.PIPE, FORMAT), "does not exist"),
        (Predicate(Wanted.FILE_FORMAT, FORMAT), ""),
        (Predicate(Wanted.FILE_FORMAT, PIPE), "does not exist"),
        (Predicate(Wanted.MERGE, TASK, names=("NEW", 'quo"ted', "PLAIN")), ""),
        (Predicate(Wanted.MERGE, TASK, names=("NEW", "LATER")), "does not name LATER"),
        (Predicate(Wanted.MERGE, PIPE, names=("NEW",)), "does not exist"),
    ],
)  # fmt: skip
def test_a_predicate_says_what_is_missing_and_its_effect_brings_it_about(predicate: Predicate, missing: str) -> None:
    readiness = predicate.judge(WITH)
    assert (readiness.state is State.WAITING) == bool(missing)
    assert missing in readiness.reason
    assert predicate.judge(predicate.met(WITH)) == DONE


def test_a_merge_in_a_procedure_is_read_there() -> None:
    called = dataclasses.replace(WITH, tasks=(Task(TASK, 'CALL DB.STAGING."Do It"(1)', "started"),))
    predicate = Predicate(Wanted.MERGE, TASK, names=("NEW",))
    assert predicate.judge(called).state is State.WAITING
    procedure = Procedure(ObjectName("DB", "STAGING", "Do It"), "(NUMBER)", "MERGE … NEW …", "SQL")
    assert predicate.judge(dataclasses.replace(called, procedures=(procedure,))) == DONE


def test_names_in_strings_and_comments_do_not_count() -> None:
    assert names_in("SELECT a, \"b\" FROM t -- c\nWHERE x = 'd''e' /* f\ng */") == {
        "SELECT", "A", "b", "FROM", "T", "WHERE", "X",
    }  # fmt: skip


def test_what_touches_the_same_things_waits_and_the_rest_goes_on() -> None:
    """Also what touches only that which another one that waits touches."""
    other, task = ObjectName("DB", "FINAL", "OTHER"), ReplaceMerge(TASK, SPEC)
    column = (ColumnDef("NEW", SfType("DATE")),)
    held = Held()
    held.add(Manual("add NEW to T", Predicate(Wanted.TABLE, FINAL, column)), "it has no column NEW")
    assert held.behind(task)
    assert held.behind(AddColumns(STAGING, column)), "the merge touches it too"
    assert not held.behind(AddColumns(other, column))
    assert held.text == "it has no column NEW"


def test_an_unseen_schema_is_no_answer() -> None:
    from driftguard.model.catalog import Unseen

    blind = Estate(unseen=(Unseen("pipes in DB.STAGING", "no MONITOR"),))
    assert Predicate(Wanted.PIPE, PIPE).judge(blind).state is State.BLOCKED
