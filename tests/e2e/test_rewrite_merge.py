"""A column comes to a table whose MERGE somebody wrote, in a task of a graph or in the procedure that it calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rig
from builders import plain, table
from driftguard.commands.revisions import downgrade
from driftguard.config import load
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import Home, land
from rig import PARTS, Rig, Shape

ORDERS = """CREATE TABLE orders (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 10) n"""
MERGE = """MERGE INTO ANALYTICS.FINAL.ORDERS AS t -- ours; ask the warehouse team
USING (
    SELECT OP, ID, NOTE
    FROM ANALYTICS.STAGING.ORDERS_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(DMS_COMMIT_TS) DESC, DMS_CHANGE_SEQ DESC) = 1
) AS s
ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET t.NOTE = s.NOTE
WHEN NOT MATCHED AND COALESCE(s.OP, 'I') <> 'D' THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE)"""
GROWN = MERGE.replace("OP, ID, NOTE", "OP, ID, NOTE, COUPON").replace(
    "t.NOTE = s.NOTE", "t.NOTE = s.NOTE, t.COUPON = s.COUPON"
)
GROWN = GROWN.replace("(ID, NOTE)", "(ID, NOTE, COUPON)").replace("(s.ID, s.NOTE)", "(s.ID, s.NOTE, s.COUPON)")


@dataclasses.dataclass(frozen=True)
class Written:
    """A text with the merge in it, and the task's own. `head` is that of the procedure; none where the task has it.

    `between`: a procedure that the task calls, and that calls the one with the merge.
    """

    text: str
    call: str
    head: str = ""
    between: str = ""

    @property
    def procedure(self) -> str:
        return f"ANALYTICS.STAGING.MERGE_ORDERS({'FLOAT' if 'FLOAT' in self.head else 'NUMBER'}, VARCHAR)"


SQL = Written(
    f"\nBEGIN\n  LET said VARCHAR := 'it''s; ' || who;\n  {MERGE};\n  RETURN said;\nEND\n",
    "CALL ANALYTICS.STAGING.MERGE_ORDERS(3)",
    "CREATE OR REPLACE PROCEDURE ANALYTICS.STAGING.MERGE_ORDERS(days NUMBER, who VARCHAR DEFAULT 'a; b')\n"
    "RETURNS VARCHAR NOT NULL LANGUAGE SQL STRICT COMMENT = 'the team''s' EXECUTE AS CALLER",
)
JAVASCRIPT = Written(
    f"\n// days: {{DAYS}}\nvar done = snowflake.execute({{sqlText: `{MERGE}`}});\nreturn WHO + ' \\\\ it\\'s';\n",
    "BEGIN\n  CALL ANALYTICS.STAGING.MERGE_ORDERS(3, 'x');\nEND",
    "CREATE OR REPLACE SECURE PROCEDURE ANALYTICS.STAGING.MERGE_ORDERS(days FLOAT, who VARCHAR)\n"
    "RETURNS VARCHAR LANGUAGE JAVASCRIPT COMMENT = 'the team''s' EXECUTE AS OWNER",
)
TASK = Written(MERGE, MERGE)
NESTED = dataclasses.replace(
    SQL,
    call="CALL ANALYTICS.STAGING.NIGHT()",
    between="CREATE OR REPLACE PROCEDURE ANALYTICS.STAGING.NIGHT() RETURNS VARCHAR LANGUAGE SQL AS\n"
    "$$BEGIN\n  CALL MERGE_ORDERS(3);\n  RETURN 'done';\nEND$$",
)


def build(home: Home, written: Written) -> None:
    """A landing of driftguard's, whose merge is replaced by a graph that somebody made: root, merge, two after it."""
    land(home, ORDERS)
    home.execute("DROP TASK ANALYTICS.STAGING.ORDERS_MERGE")
    if written.head:
        home.execute(
            f"{written.head}\nAS $${written.text}$$",
            "CREATE ROLE IF NOT EXISTS AUDITOR",
            f"GRANT USAGE ON PROCEDURE {written.procedure} TO ROLE AUDITOR",
            *([written.between] if written.between else []),
        )
    home.execute(
        "CREATE TASK ANALYTICS.STAGING.NIGHTLY WAREHOUSE = LOADING SCHEDULE = '5 MINUTE' AS SELECT 1",
        "CREATE TASK ANALYTICS.STAGING.ORDERS_MERGE WAREHOUSE = LOADING COMMENT = 'theirs' "
        f"AFTER ANALYTICS.STAGING.NIGHTLY AS {written.call}",
        "CREATE TASK ANALYTICS.STAGING.REPORT WAREHOUSE = LOADING AFTER ANALYTICS.STAGING.ORDERS_MERGE AS SELECT 2",
        "CREATE TASK ANALYTICS.STAGING.ARCHIVE WAREHOUSE = LOADING AFTER ANALYTICS.STAGING.ORDERS_MERGE AS SELECT 3",
        *(f"ALTER TASK ANALYTICS.STAGING.{name} RESUME" for name in ("ORDERS_MERGE", "REPORT", "NIGHTLY")),
    )
    home.aurora("INSERT INTO orders VALUES (11, 'by hand')")
    home.sync()
    home.assert_equal("orders", rows=11)
    home.run("check")


STATES = {"NIGHTLY": "started", "ORDERS_MERGE": "started", "REPORT": "started", "ARCHIVE": "suspended"}


def described(home: Home, written: Written) -> dict[str, Any]:
    """All that is said of the procedure and the tasks, but for their texts and when they were changed."""
    found: dict[str, Any] = {"states": home.task_states()}
    with home.snowflake() as connection, connection.cursor() as cursor:
        names = "name", "schedule", "predecessors", "comment", "owner", "warehouse"
        found["tasks"] = dicts(cursor, "SHOW TASKS IN SCHEMA ANALYTICS.STAGING", names)
        if cursor.execute("SHOW PROCEDURES IN SCHEMA ANALYTICS.STAGING").fetchall():
            shown = "name", "arguments", "description", "is_secure", "min_num_arguments"
            found["procedure"] = dicts(cursor, "SHOW PROCEDURES IN SCHEMA ANALYTICS.STAGING", shown)
            granted = "privilege", "grantee_name"
            found["grants"] = dicts(cursor, f"SHOW GRANTS ON PROCEDURE {written.procedure}", granted)
            ((ddl,),) = cursor.execute(f"SELECT GET_DDL('PROCEDURE', '{written.procedure}', TRUE)").fetchall()
            found["head"] = ddl.partition("\nAS ")[0]
            found["properties"] = dict(cursor.execute(f"DESC PROCEDURE {written.procedure}").fetchall())
            found["properties"].pop("body")
    return found


def dicts(cursor: Any, sql: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = cursor.execute(sql).fetchall()
    columns = [d[0] for d in cursor.description]
    return sorted(({n: row[columns.index(n)] for n in names} for row in rows), key=str)


def text(home: Home, written: Written) -> str:
    if written.head:
        ((body,),) = home.execute(
            "SELECT PROCEDURE_DEFINITION FROM ANALYTICS.INFORMATION_SCHEMA.PROCEDURES "
            "WHERE PROCEDURE_NAME = 'MERGE_ORDERS'"
        )
        return str(body)
    (row,) = [r for r in home.execute("SHOW TASKS IN SCHEMA ANALYTICS.STAGING") if "ORDERS_MERGE" in r[1]]
    return next(str(value) for value in row if isinstance(value, str) and value.startswith("MERGE"))


@pytest.mark.parametrize("written", [SQL, JAVASCRIPT, TASK, NESTED], ids=("sql", "javascript", "task", "nested"))
def test_a_new_column_goes_through_a_merge_that_people_wrote(home: Home, written: Written) -> None:
    if written is JAVASCRIPT:
        pytest.importorskip("quickjs")
    build(home, written)
    before = described(home, written)
    assert before["states"] == STATES
    assert before.get("grants") is None or any(g["grantee_name"] == "AUDITOR" for g in before["grants"])
    home.aurora("ALTER TABLE orders ADD COLUMN coupon text")

    found = home.json("check", code=1)["findings"]
    assert {"DG102", "DG202"} <= {f["code"] for f in found}
    shown = home.run("plan", code=1)
    assert "carry COUPON in the merge of" in " ".join(shown.split())
    assert "t.NOTE = s.NOTE, t.COUPON = s.COUPON" in shown
    (add, rewrite) = home.json("plan", code=1)["operations"]
    assert (add["kind"], rewrite["kind"]) == ("add_columns", "rewrite_merge")
    changed = [line for line in rewrite["diff"].splitlines()[2:] if line[:1] in "+-"]
    assert len(changed) == 6
    assert "```diff" in home.run("plan", "--format", "markdown", code=1)

    home.run("plan", "--write")
    assert "--allow REWRITES_MERGE" in home.refused("apply", code=1)
    assert described(home, written) == before
    home.run("apply", "--allow", "REWRITES_MERGE", "--quiet")
    assert described(home, written) == before
    assert text(home, written).strip() == written.text.replace(MERGE, GROWN).strip()
    home.run("check")
    home.run("plan")

    home.aurora("INSERT INTO orders VALUES (12, 'n', 'ten percent')", "UPDATE orders SET coupon = 'c' WHERE id = 3")
    home.sync()
    home.assert_equal("orders", rows=12)


def test_a_text_that_was_changed_after_the_plan_is_left_alone(home: Home) -> None:
    build(home, SQL)
    home.aurora("ALTER TABLE orders ADD COLUMN coupon text")
    home.run("plan", "--write")
    mine = SQL.text.replace("RETURN said", "RETURN 'mine: ' || said")
    home.execute(f"{SQL.head}\nAS $${mine}$$")
    before = described(home, SQL)
    line = home.refused("apply", "--allow", "REWRITES_MERGE", code=2)
    assert "the text of ANALYTICS.STAGING.MERGE_ORDERS has been changed since this was planned" in line
    assert text(home, SQL) == mine
    assert described(home, SQL) == before
    columns = home.execute("SELECT COLUMN_NAME FROM ANALYTICS.INFORMATION_SCHEMA.COLUMNS")
    assert ("COUPON",) not in columns, "nothing half done"


def test_a_text_that_cannot_be_rewritten_is_left_to_people_with_what_to_paste(home: Home) -> None:
    """A comment says that the column is left out on purpose."""
    build(home, dataclasses.replace(SQL, text=SQL.text.replace("BEGIN", "BEGIN -- COUPON stays out, by order", 1)))
    before = described(home, SQL)
    home.aurora("ALTER TABLE orders ADD COLUMN coupon text")
    shown = home.json("plan", code=1)
    assert "rewrite_merge" not in {op["kind"] for op in shown["operations"]}
    (note,) = [note for note in shown["notes"] if "belongs to somebody else" in note]
    assert "on purpose" in note
    assert "COUPON = <source>.COUPON" in note
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    assert described(home, SQL) == before
    home.aurora("INSERT INTO orders VALUES (12, 'n', 'ten percent')")
    home.sync()
    assert "DG311" in {f["code"] for f in home.json("check", code=1)["findings"]}
    assert home.execute("SELECT COUNT(*) FROM ANALYTICS.FINAL.ORDERS") == [(12,)]


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def one(server: SnowflakeServer, tmp_path: Path) -> Rig:
    """NOTES gets a column; a procedure that the second task of a graph calls merges it."""
    return rig.make(server, tmp_path, shape=PARTS["a merge by hand"])


def test_the_way_back_brings_the_old_text_and_the_old_tables(one: Rig) -> None:
    before = one.landing()
    one.apply(allowed=["REWRITES_MERGE"])
    after = one.landing()
    assert "MOOD" in after
    config = load(directory=one.directory)
    downgrade(config, "base", allowed=["REWRITES_MERGE", "LOSES_DATA"])
    assert one.landing() == before
    one.apply(allowed=["REWRITES_MERGE"])
    assert one.landing() == after


BOTH = """CREATE PROCEDURE {{db}}.STAGING.MERGE_ALL() RETURNS VARCHAR LANGUAGE SQL AS $$
BEGIN
{merges}
  RETURN 'done';
END
$$"""
ONE_OF_THEM = """  MERGE INTO {{db}}.FINAL.{name} t
  USING (SELECT * FROM {{db}}.STAGING.{name}_CDC
         QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1) s
  ON t.ID = s.ID
  WHEN MATCHED THEN UPDATE SET NOTE = s.NOTE
  WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE);
"""


def test_one_procedure_that_merges_two_tables_gets_the_columns_of_both(server: SnowflakeServer, tmp_path: Path) -> None:
    """The second change is one of the text that the first has left, and the way back goes through both."""
    old = [table(name, ("note", plain("text")), oid=2000 + n) for n, name in enumerate(("hats", "coats"))]
    new = [table(t.name, ("note", plain("text")), ("mood", plain("text")), oid=t.oid) for t in old]
    merges = "".join(ONE_OF_THEM.format(name=t.name.upper()) for t in old)
    call = "CALL {db}.STAGING.MERGE_ALL()"
    one = rig.make(
        server,
        tmp_path,
        shape=Shape(
            tuple(old),
            tuple(new),
            (
                "ALTER TASK {db}.STAGING.HATS_MERGE SUSPEND",
                "DROP TASK {db}.STAGING.COATS_MERGE",
                BOTH.format(merges=merges),
                f"ALTER TASK {{db}}.STAGING.HATS_MERGE MODIFY AS {call}",
                f"CREATE TASK {{db}}.STAGING.COATS_MERGE WAREHOUSE = WH AFTER {{db}}.STAGING.HATS_MERGE AS {call}",
                "ALTER TASK {db}.STAGING.HATS_MERGE RESUME",
            ),
        ),
    )
    assert [op.kind for op in one.revision.operations].count("rewrite_merge") == 2
    before = one.landing()
    assert one.apply(dry_run=True).unproven == ()
    one.apply(allowed=["REWRITES_MERGE"])
    (text,) = [p.definition or "" for p in one.estate().procedures]
    assert text.count("NOTE = s.NOTE, MOOD = s.MOOD") == 2
    assert one.plan(*new).operations == ()
    assert {t.name.name: t.state for t in one.estate().tasks} == {"HATS_MERGE": "started", "COATS_MERGE": "suspended"}
    downgrade(load(directory=one.directory), "base", allowed=["REWRITES_MERGE", "LOSES_DATA"])
    assert one.landing() == before


def test_a_run_of_the_graph_is_awaited_before_staging_changes(one: Rig) -> None:
    """Also one whose merge has run already: what comes after it is of the same run."""
    one.run(
        "CREATE TABLE {db}.STAGING.HELD AS SELECT 1 AS N",
        "ALTER TASK {db}.STAGING.NOTES_ROOT SUSPEND",
        "ALTER TASK {db}.STAGING.NOTES_LAST MODIFY AS UPDATE {db}.STAGING.HELD SET N = 3",
        "ALTER TASK {db}.STAGING.NOTES_LAST RESUME",
        "ALTER TASK {db}.STAGING.NOTES_ROOT RESUME",
    )
    blocker = one.open()
    blocker.execute("BEGIN TRANSACTION")
    blocker.execute(f"UPDATE {one.database}.STAGING.HELD SET N = 2")  # the last task waits for it
    one.run("EXECUTE TASK {db}.STAGING.NOTES_ROOT")
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if "waiting" in text:
            blocker.execute("COMMIT")

    one.apply(say=say, jobs=1, allowed=["REWRITES_MERGE"])
    assert said[0] == f"the graph of {one.database}.STAGING.NOTES_ROOT is running; waiting for it to end"
    (end,) = one.run(
        "SELECT COMPLETED_TIME FROM TABLE({db}.INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'NOTES_LAST'))"
    )
    changes = one.history(f'QUERY_TEXT LIKE \'ALTER TABLE "{one.database}"."STAGING"."NOTES_CDC" ADD%"MOOD"%\'')
    assert min(row["START_TIME"] for row in changes) >= end["COMPLETED_TIME"]
    states = {row["NAME"]: row["STATE"] for row in one.run("SHOW TASKS IN SCHEMA {db}.STAGING")}
    assert {states[name] for name in ("NOTES_ROOT", "NOTES_MERGE", "NOTES_LAST")} == {"started"}
