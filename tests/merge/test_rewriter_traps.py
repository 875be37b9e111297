"""Texts in which a longer list would not be enough, or would be wrong: a person must decide."""

from __future__ import annotations

import pytest

from driftguard.merge.byhand.flow import Added, Tables
from driftguard.merge.byhand.rewrite import Refused, Rewritten, Unchanged, rewrite

STAGING = {"OP": "VARCHAR", "COMMIT_TS": "VARCHAR", "ID": "NUMBER(38,0)", "NAME": "VARCHAR", "AGE": "NUMBER(38,0)"}
FINAL = {"ID": "NUMBER(38,0)", "NAME": "VARCHAR", "AGE": "NUMBER(38,0)"}
TABLES = Tables(("STAGING", "T_CDC"), ("FINAL", "T"), STAGING, FINAL)
NEW = Added("city", "CITY", "CITY", "VARCHAR", "VARCHAR")
DEDUPE = "qualify row_number() over (partition by ID order by COMMIT_TS desc) = 1"


def merge(source: str = "", condition: str = "", sets: str = "", columns: str = "", values: str = "") -> str:
    source = source or f"(select OP, ID, NAME, AGE from STAGING.T_CDC {DEDUPE})"
    return (
        f"merge into FINAL.T t using {source} s on t.ID = s.ID\n"
        "when matched and s.OP = 'D' then delete\n"
        f"when matched {condition} then update set {sets or 't.NAME = s.NAME, t.AGE = s.AGE'}\n"
        f"when not matched then insert ({columns or 'ID, NAME, AGE'}) values ({values or 's.ID, s.NAME, s.AGE'});\n"
    )


REFUSED = {
    "one column alone is compared": merge(condition="and t.NAME <> s.NAME"),
    "equality of data columns under NOT": merge(condition="and not (t.NAME = s.NAME and t.AGE = s.AGE)"),
    "a set difference in the condition": merge(
        condition="and exists (select t.NAME, t.AGE except select s.NAME, s.AGE)"
    ),
    "a difference with FINAL inside the source": merge(
        "(select c.OP, c.ID, c.NAME, c.AGE from STAGING.T_CDC c left join (select ID, NAME from FINAL.T) f on f.ID = c.ID"
        " where f.NAME is distinct from c.NAME)"
    ),
    "FINAL looked into by NOT EXISTS on data": merge(
        "(select c.OP, c.ID, c.NAME, c.AGE from STAGING.T_CDC c where not exists"
        " (select 1 from FINAL.T f where f.ID = c.ID and f.NAME = c.NAME))"
    ),
    "an aggregate inside another function": merge(
        "(select ID, max(OP) as OP, coalesce(max(NAME), '') as NAME, max(AGE)::number as AGE from STAGING.T_CDC group by ID)"
    ),
    "a grouping by expressions": merge(
        "(select max(OP) as OP, abs(ID) as ID, upper(NAME) as NAME, round(AGE) as AGE from STAGING.T_CDC"
        " group by abs(ID), upper(NAME), round(AGE))"
    ),
    "a grouping by positions": merge("(select ID, NAME, AGE, max(OP) as OP from STAGING.T_CDC group by 1, 2, 3)"),
    "the order of a query by a position behind the new column": merge(
        f"(select ID, NAME, AGE, OP from STAGING.T_CDC {DEDUPE} order by 4)"
    ),
    "two update lists that differ": merge().replace(
        "when not matched", "when matched and s.OP = 'X' then update set t.NAME = s.NAME\nwhen not matched"
    ),
    "a column updated that is never inserted": merge(columns="ID, NAME", values="s.ID, s.NAME"),
    "a source column that the source does not give": merge(values="s.ID, s.NAME, s.AGES"),
    "a star that leaves the new column out": merge(f"(select * exclude (CITY) from STAGING.T_CDC {DEDUPE})"),
    "a star that renames": merge(f"(select * rename (NAME as N2) from STAGING.T_CDC {DEDUPE})", sets="t.AGE = s.AGE"),
    "a star with the new name beside it": merge(f"(select *, 'x' as CITY from STAGING.T_CDC {DEDUPE})"),
    "the value of another column under the new name": merge(sets="t.NAME = s.NAME, t.AGE = s.AGE, t.CITY = s.NAME"),
    "a second insert": merge() + "insert into FINAL.T (ID, NAME, AGE) select ID, NAME, AGE from STAGING.T_CDC;",
    "a second insert of one row": merge() + "insert into FINAL.T (ID, NAME) values (-1, 'unknown');",
    "an update from elsewhere": merge() + "update FINAL.T t set NAME = x.NAME from OTHER.X x where x.ID = t.ID;",
    "dynamic SQL beside it": merge() + "execute immediate $text;",
    "two relations with data": merge(
        "(select a.OP, a.ID, a.NAME, b.AGE from STAGING.T_CDC a join STAGING.T_CDC b on a.ID = b.ID)"
    ),
    "columns behind an alias": merge("(select OP, ID, NAME, AGE from STAGING.T_CDC)").replace(
        ") s on", ") s (OP, ID, NAME, AGE) on"
    ),
    "a pivot": merge("(select OP, ID, NAME, AGE from STAGING.T_CDC pivot (max(X) for Y in ('a')))"),
    "an empty place in a list": merge(values="s.ID, , s.AGE"),
    "a set operation by name": merge(
        "(select OP, ID, NAME, AGE from STAGING.T_CDC union all by name select OP, ID, NAME, AGE from STAGING.T_CDC)"
    ),
    "several rows of VALUES": merge(values="s.ID, s.NAME, s.AGE), (1, 'a', 2"),
    "the same name in another schema": merge("OTHER.T_CDC"),
    "a table's name from a template": merge("(select OP, ID, NAME, AGE from STAGING.{{ table }})"),
    "a half name from a template": merge("(select OP, ID, NAME, AGE from STAGING.T_{{ suffix }})"),
    "an assignment of several columns": merge(sets="(NAME, AGE) = (s.NAME, s.AGE)"),
    "a mixture of kept and overwritten columns": merge(sets="t.NAME = coalesce(s.NAME, t.NAME), t.AGE = s.AGE"),
    "a hash whose purpose is not clear": merge(
        f"(select OP, ID, NAME, AGE, hash(NAME, AGE) as H from STAGING.T_CDC {DEDUPE})"
    ),
    "the new column named in a forbidding comment": "-- CITY is never carried\n" + merge(),
    "the new column commented out": merge(columns="ID, NAME, AGE /* , CITY */"),
    "joined tables and columns without their names": merge(
        "(select OP, T_CDC.ID, NAME, AGE from STAGING.T_CDC left join OTHER.X on X.REF = ID)"
    ),
    "a value that could be the target's own": merge(
        "(select OP, ID as KEY, NAME as N, AGE as A, * from STAGING.T_CDC)", sets="NAME = N, AGE = A"
    ).replace("s on t.ID = s.ID", "s on t.ID = KEY"),
    "a temporary table of which all columns are taken elsewhere": (
        f"create temp table W as select OP, ID, NAME, AGE from STAGING.T_CDC {DEDUPE};\n"
        + merge("W")
        + "insert into OPS.LOG select * from W;"
    ),
    "a merge in brackets": "begin let r resultset := (" + merge().rstrip(";\n") + "); end;",
    "an unknown statement before it without an end": "grant select on x to y " + merge(),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_left_to_a_person(text: str) -> None:
    found = rewrite(text, "sql", TABLES, [NEW])
    assert isinstance(found, Refused), getattr(found, "text", found)
    assert found.reason and found.lines


PROGRAMS = {
    "a text that is added to": 'let q = "merge_";\nq = `{}`;\nq += ", t.CITY = s.CITY";\nsnowflake.execute({{sqlText: q}});',
    "a text that is replaced in": "const q = `{}`.replace('a', 'b');",
    "a variable that is replaced in": "const q = `{}`;\nrun(q.replace('T_CDC', name));",
    "a text in an array": "const q = [`{}`, 'x'].join();\nq2 = `{}` + tail;",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_that_changes_its_text_is_left_to_a_person(program: str) -> None:
    text = program.replace("{{", "{").replace("}}", "}").replace("{}", merge())
    assert isinstance(rewrite(text, "javascript", TABLES, [NEW]), Refused)


def test_a_type_that_differs_needs_a_neighbour_that_shows_the_conversion() -> None:
    when = Added("seen", "SEEN", "SEEN", "VARCHAR", "TIMESTAMP_TZ(9)")
    data = Added("doc", "DOC", "DOC", "VARCHAR", "VARIANT")
    for column in (when, data):
        assert isinstance(rewrite(merge(), "sql", TABLES, [column]), Refused)


GOOD = {
    "an order guard": (merge(condition="and s.AGE > t.AGE"), 4),
    "a filter on the target": (merge(condition="and t.NAME is not null"), 4),
    "a chain with an order guard": (
        merge(condition="and s.AGE > t.AGE and (t.NAME <> s.NAME or t.AGE <> s.AGE)"),
        5,
    ),
    "a comment in front of a comma": (merge(columns="ID, NAME, AGE -- years\n  "), 4),
    "a condition of two columns without brackets is part of AND": (
        merge(condition="and (t.NAME is distinct from s.NAME or t.AGE is distinct from s.AGE)"),
        5,
    ),
}


@pytest.mark.parametrize(("text", "places"), GOOD.values(), ids=GOOD.keys())
def test_what_is_clear_is_rewritten(text: str, places: int) -> None:
    found = rewrite(text, "sql", TABLES, [NEW])
    assert isinstance(found, Rewritten), found
    assert len(found.edits) == places
    assert isinstance(rewrite(found.text, "sql", TABLES, [NEW]), Unchanged)


def test_a_text_about_other_tables_is_left_alone() -> None:
    text = merge().replace("FINAL.T ", "FINAL.U ").replace("STAGING.T_CDC", "STAGING.U_CDC")
    assert isinstance(rewrite(text, "sql", TABLES, [NEW]), Unchanged)


def test_a_comment_stays_behind_its_column_also_before_a_closing_bracket() -> None:
    lists = {
        "columns": "\n  ID,\n  NAME,\n  AGE /* years */",
        "values": "\n    s.ID\n  , s.NAME\n  , s.AGE /* years */",
    }
    found = rewrite(merge(**lists), "sql", TABLES, [NEW])
    assert isinstance(found, Rewritten)
    assert "\n  AGE, /* years */\n  CITY)" in found.text
    assert "\n  , s.AGE /* years */\n  , s.CITY)" in found.text
