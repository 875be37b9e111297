"""Hand-written merges in a check: followed into procedures, judged where they can be read, unknown where not."""

from __future__ import annotations

import dataclasses

import pytest

from builders import context, landed, numeric, table, varchar
from byhand_texts import MERGE, WITHOUT_TOTAL, hand
from driftguard.drift.compare import compare
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Consumer, Estate, Procedure

ORDERS = table("orders", ("note", varchar(40)), ("total", numeric(10, 2)))
CLEAN = landed(ORDERS)
NAME = ObjectName("DB", "STAGING", "SP_ORDERS")


def merged_by(definition: str, *procedures: Procedure) -> Estate:
    tasks = tuple(dataclasses.replace(t, definition=definition) for t in CLEAN.tasks)
    return dataclasses.replace(CLEAN, tasks=tasks, procedures=procedures)


def found(estate: Estate) -> list[Finding]:
    return list(compare(context(ORDERS, estate=estate)))


def procedure(body: str | None, language: str = "SQL") -> Procedure:
    return Procedure(NAME, "()", body, language)


def test_a_right_merge_has_no_finding_at_all() -> None:
    assert found(merged_by(hand())) == []


@pytest.mark.parametrize(
    ("body", "language"),
    [
        (f"BEGIN\n{MERGE}RETURN 'ok';\nEND", "SQL"),
        (f"var sql = `{MERGE}`;\nsnowflake.execute({{sqlText: sql}});", "JAVASCRIPT"),
        (f'SQL = """{MERGE}"""\n\ndef main(session):\n    session.sql(SQL).collect()\n', "PYTHON"),
    ],
)
def test_the_body_of_a_procedure_is_read_in_its_language(body: str, language: str) -> None:
    assert found(merged_by("CALL SP_ORDERS()", procedure(body, language))) == []
    (lacking,) = found(merged_by("BEGIN CALL SP_ORDERS(); END", procedure(without_total(body), language)))
    assert lacking.code == "DG311"
    assert str(NAME) in lacking.message
    assert "t.TOTAL = s.TOTAL" in lacking.remedy
    assert "in line" in lacking.remedy


def without_total(text: str) -> str:
    for old, new in WITHOUT_TOTAL:
        text = text.replace(old, new)
    return text


def named(name: str, body: str | None, language: str = "SQL", schema: str = "STAGING") -> Procedure:
    return Procedure(ObjectName("DB", schema, name), "()", body, language)


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("BEGIN CALL SP_ORDERS(); END", "SQL"),
        ("BEGIN CALL DB.STAGING.SP_ORDERS(); CALL NIGHT(); END", "SQL"),
        ("BEGIN\n  ASYNC (CALL SP_ORDERS());\n  AWAIT ALL;\nEND", "SQL"),
        ("// 'call x()'\nsnowflake.execute({sqlText: 'CALL SP_ORDERS()'});", "JAVASCRIPT"),
        ('snowflake.execute({sqlText: "call staging.sp_orders(\'" + WHO + "\')"});', "JAVASCRIPT"),
        ('def main(session):\n    session.sql("call DB.STAGING.SP_ORDERS()").collect()\n', "PYTHON"),
        ("def main(session):\n    session.call('staging.sp_orders')\n", "PYTHON"),
    ],
)
def test_a_merge_in_a_procedure_that_a_procedure_calls_is_read_there(body: str, language: str) -> None:
    outer = named("NIGHT", body, language)
    assert found(merged_by("CALL NIGHT()", outer, procedure(MERGE))) == []
    (lacking,) = found(merged_by("CALL NIGHT()", outer, procedure(hand(*WITHOUT_TOTAL))))
    assert lacking.code == "DG311"
    assert f"{NAME} lacks it" in lacking.message
    assert "in line" in lacking.remedy


def test_a_name_without_a_schema_is_looked_for_beside_the_procedure_and_beside_the_task() -> None:
    outer = named("NIGHT", "BEGIN CALL SP_ORDERS(); END", schema="JOBS")
    assert found(merged_by("CALL DB.JOBS.NIGHT()", outer, procedure(MERGE))) == []
    near = named("SP_ORDERS", hand(*WITHOUT_TOTAL), schema="JOBS")
    (lacking,) = found(merged_by("CALL DB.JOBS.NIGHT()", outer, near, procedure(MERGE)))
    assert "DB.JOBS.SP_ORDERS lacks it" in lacking.message


def chain(length: int, last: str) -> tuple[Procedure, ...]:
    """P1 calls P2 and so on; the last one has the text `last`."""
    return (*(named(f"P{n}", f"BEGIN CALL P{n + 1}(); END") for n in range(1, length)), named(f"P{length}", last))


NIGHT = named("NIGHT", "BEGIN CALL SP_ORDERS(); CALL LOG(); END")
DYNAMIC = "BEGIN EXECUTE IMMEDIATE :sql; END"


@pytest.mark.parametrize(
    ("procedures", "why"),
    [
        ((NIGHT, named("LOG", "BEGIN RETURN 1; END")), f"DB.STAGING.NIGHT calls {NAME}, which was not read"),
        ((NIGHT, procedure(None)), f"DB.STAGING.NIGHT calls {NAME}, whose body the role may not read"),
        ((NIGHT, procedure("BEGIN CALL NIGHT(); END"), named("LOG", "BEGIN CALL LOG(); END")), "call each other"),
        ((NIGHT, procedure(MERGE), named("LOG", MERGE)), f"written by {NAME} and by DB.STAGING.LOG"),
        ((NIGHT, procedure(MERGE), named("LOG", f"-- ORDERS\n{DYNAMIC}")), f"written by {NAME} and by DB.STAGING.LOG"),
        ((NIGHT, procedure(DYNAMIC)), "put together while it runs"),
        (
            (named("NIGHT", "BEGIN CALL IDENTIFIER(:name)(); END"),),
            "DB.STAGING.NIGHT calls a procedure whose name is put together",
        ),
        ((named("NIGHT", "BEGIN CALL P1(); END"), *chain(9, MERGE)), "procedures are followed 8 deep"),
    ],
)
def test_what_cannot_be_followed_below_a_procedure_is_unknown_with_the_reason(
    procedures: tuple[Procedure, ...], why: str
) -> None:
    (finding,) = found(merged_by("CALL NIGHT()", *procedures))
    assert (finding.code, finding.severity) == ("DG306", Severity.UNKNOWN)
    assert why in finding.message


def test_a_procedure_that_has_nothing_to_do_with_the_table_does_not_matter() -> None:
    """It writes a log by a statement that is put together; the merge beside it can be read."""
    assert found(merged_by("CALL NIGHT()", NIGHT, procedure(MERGE), named("LOG", DYNAMIC))) == []
    assert found(merged_by("CALL P1()", *chain(8, MERGE))) == []


def test_where_a_rewrite_is_not_safe_the_finding_says_why_and_what_to_paste() -> None:
    text = "-- TOTAL is not carried, the auditors want it so\n" + hand(*WITHOUT_TOTAL)
    (lacking,) = found(merged_by(text))
    assert "on purpose" in lacking.remedy
    assert "TOTAL = <source>.TOTAL" in lacking.remedy


@pytest.mark.parametrize(
    ("estate", "why"),
    [
        (merged_by("CALL SP_ORDERS()"), "which was not read"),
        (merged_by("CALL SP_ORDERS()", procedure(None)), "the role may not read"),
        (merged_by("CALL SP_ORDERS()", procedure("BEGIN RETURN 1; END")), "does not write FINAL"),
        (
            merged_by("CALL SP_ORDERS()", procedure("a"), dataclasses.replace(procedure("b"), arguments="(X)")),
            "several",
        ),
        (merged_by("EXECUTE IMMEDIATE $SQL"), "put together while it runs"),
        (merged_by(MERGE.replace(") s\n", " s\n")), "bracket"),
        (merged_by(hand(("STAGING.ORDERS_CDC", "STAGING.V_ORDERS"))), "cannot be seen"),
        (merged_by("INSERT INTO OTHER SELECT 1"), "does not write FINAL"),
    ],
)
def test_what_cannot_be_read_is_unknown_with_the_reason(estate: Estate, why: str) -> None:
    (finding,) = found(estate)
    assert (finding.code, finding.severity) == ("DG306", Severity.UNKNOWN)
    assert why in finding.message


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ([("QUALIFY", "-- QUALIFY")], "does not pick one change"),
        ([(", SEQ DESC", "")], "nothing breaks ties"),
        ([("TRY_TO_TIMESTAMP_NTZ(COMMIT_TS)", "COMMIT_TS")], "which is a text"),
    ],
)
def test_a_dedupe_that_leaves_something_to_chance_is_named(changes: list[tuple[str, str]], what: str) -> None:
    (finding,) = found(merged_by(hand(*changes)))
    assert finding.code == "DG316"
    assert what in finding.message


def test_a_stream_over_staging_is_staging_where_a_listing_or_the_dependencies_say_so() -> None:
    text = hand(("STAGING.ORDERS_CDC", "STAGING.ORDERS_STREAM"))
    stream = Consumer(ObjectName("DB", "STAGING", "ORDERS_STREAM"), "STREAM", ObjectName("DB", "STAGING", "ORDERS_CDC"))
    assert found(merged_by(text)) == []
    unseen = dataclasses.replace(merged_by(text), streams=())
    assert "DG306" in {f.code for f in found(unseen)}
    assert "DG306" not in {f.code for f in found(dataclasses.replace(unseen, consumers=(stream,)))}


def test_an_insert_of_deleted_rows_is_a_warning() -> None:
    (finding,) = found(merged_by(hand((" AND s.OP <> 'D'", ""))))
    assert (finding.code, finding.severity) == ("DG317", Severity.WARNING)


def test_swapped_columns_are_a_disagreement() -> None:
    (finding,) = found(merged_by(hand(("(s.ID, s.NOTE, s.TOTAL)", "(s.ID, s.TOTAL, s.NOTE)"))))
    assert finding.code == "DG313"
    assert "NOTE is filled from TOTAL" in finding.message
