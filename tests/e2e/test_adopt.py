"""driftguard takes a landing over that people made: with its data, while rows go on coming."""

from __future__ import annotations

from home import Home

ORDERS = """CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12, 2));
INSERT INTO orders SELECT n, 'note ' || n, n * 1.5 FROM generate_series(1, 10) n"""
NAMES = """
[landing.named."public.orders"]
staging_table = "RAW_ORDERS"
pipe = "LOAD_ORDERS"
task = "REFRESH_ORDERS"
"""
# No service columns, no key, a projection that picks columns by name and leaves one out.
BY_HAND = (
    "CREATE TABLE ANALYTICS.STAGING.RAW_ORDERS (OP VARCHAR, DMS_COMMIT_TS VARCHAR, DMS_CHANGE_SEQ VARCHAR, "
    "ID NUMBER(38,0), NOTE VARCHAR, CAME_IN VARCHAR)",
    "CREATE TABLE ANALYTICS.FINAL.ORDERS (ID NUMBER(38,0) NOT NULL, NOTE VARCHAR, REFRESHED_AT TIMESTAMP_LTZ NOT NULL)",
    "CREATE PIPE ANALYTICS.STAGING.LOAD_ORDERS AUTO_INGEST = TRUE AS COPY INTO ANALYTICS.STAGING.RAW_ORDERS "
    "(OP, DMS_COMMIT_TS, DMS_CHANGE_SEQ, ID, NOTE, CAME_IN) FROM (SELECT $1:Op::VARCHAR, $1:dms_commit_ts::VARCHAR, "
    "$1:dms_change_seq::VARCHAR, $1:id::NUMBER, $1:note::VARCHAR, METADATA$FILENAME "
    "FROM @ANALYTICS.STAGING.DMS_STAGE/public/orders/) FILE_FORMAT = (TYPE = PARQUET)",
)
MERGE = """MERGE INTO ANALYTICS.FINAL.ORDERS t -- the warehouse team's
USING (
  SELECT OP, ID, NOTE FROM ANALYTICS.STAGING.RAW_ORDERS
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(DMS_COMMIT_TS) DESC, DMS_CHANGE_SEQ DESC) = 1
) s ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET NOTE = s.NOTE, REFRESHED_AT = CURRENT_TIMESTAMP()
WHEN NOT MATCHED AND COALESCE(s.OP, 'I') <> 'D' THEN
  INSERT (ID, NOTE, REFRESHED_AT) VALUES (s.ID, s.NOTE, CURRENT_TIMESTAMP())"""


def build(home: Home, text: str = MERGE) -> None:
    """A landing as a team makes it, and its first rows in FINAL."""
    config = home.directory / "driftguard.toml"
    config.write_text(config.read_text(encoding="utf-8") + NAMES, encoding="utf-8")
    home.aurora(ORDERS)
    home.execute(
        *BY_HAND,
        f"CREATE TASK ANALYTICS.STAGING.REFRESH_ORDERS WAREHOUSE = LOADING SCHEDULE = '5 MINUTE' AS {text}",
        "ALTER TASK ANALYTICS.STAGING.REFRESH_ORDERS RESUME",
    )
    home.sync()


def notes(home: Home) -> list[tuple[int, str]]:
    return [tuple(row) for row in home.execute("SELECT ID, NOTE FROM ANALYTICS.FINAL.ORDERS ORDER BY ID")]


def test_a_landing_that_people_made_is_taken_over_with_its_rows(home: Home) -> None:
    build(home)
    assert len(notes(home)) == 10
    home.aurora("UPDATE orders SET note = 'changed' WHERE id = 1", "DELETE FROM orders WHERE id = 2")
    home.sync()

    assert "public.orders → ANALYTICS.FINAL.ORDERS: made by hand" in home.run("adopt")
    shown = " ".join(home.run("adopt", "orders", code=1).split())
    for said in (
        "RAW_ORDERS lacks _DG_FILE, _DG_ROW, _DG_LOADED_AT, TOTAL, BI_id",
        "REFRESHED_AT may not be NULL",
        "declares no key",
        "its COPY is not one of whole files by column names",
        "REFRESH_ORDERS (sql) is written by hand",
        "SCHEDULE 5 MINUTE stays",
        "nothing fills REFRESHED_AT of ANALYTICS.FINAL.ORDERS from then on",
        "take over ANALYTICS.FINAL.ORDERS",
    ):
        assert said in shown, shown
    assert "- STAGING: ANALYTICS.STAGING.RAW\\_ORDERS lacks" in home.run(
        "adopt", "orders", "--format", "markdown", code=1
    )
    home.run("adopt", "orders", "--write")
    assert "--allow REPLACES_HANDWRITTEN --allow REPLACES_PIPE" in home.refused("apply", code=1)
    home.aurora("INSERT INTO orders VALUES (11, 'not merged by the old merge', 1)")
    home.run("apply", "--allow", "REPLACES_HANDWRITTEN", "--allow", "REPLACES_PIPE", "--quiet")
    assert home.task_states() == {"REFRESH_ORDERS": "started"}
    home.sync()
    home.assert_equal("orders", rows=10)
    assert "driftguard's" in home.run("adopt", "orders")
    assert home.json("plan")["operations"] == []
    home.aurora("ALTER TABLE orders ADD COLUMN coupon text", "UPDATE orders SET coupon = 'x' WHERE id = 3")
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.aurora("UPDATE orders SET coupon = 'y', note = 'late' WHERE id = 4")
    home.sync()
    assert notes(home)[2] == (4, "late")


def procedure(body: str) -> str:
    return f"CREATE OR REPLACE PROCEDURE ANALYTICS.STAGING.MERGE_THEM() RETURNS VARCHAR LANGUAGE SQL AS $${body}$$"


def test_an_old_merge_that_fails_stops_the_apply_and_the_next_one_goes_on(home: Home) -> None:
    works = procedure(f"BEGIN {MERGE}; RETURN 'done'; END")
    home.execute(works)
    build(home, "CALL ANALYTICS.STAGING.MERGE_THEM()")
    shown = " ".join(home.run("adopt", "public.orders", code=1).split())
    assert "ANALYTICS.STAGING.MERGE_THEM (sql) is written by hand" in shown
    assert "-CALL ANALYTICS.STAGING.MERGE_THEM()" in shown
    home.run("adopt", "orders", "--write")
    home.execute(procedure("BEGIN SELECT 1 / 0; END"))
    allow = ("--allow", "REPLACES_HANDWRITTEN", "--allow", "REPLACES_PIPE")
    said = home.refused("apply", *allow, "--quiet", code=4)
    assert "REFRESH_ORDERS failed when it ran once more: " in said
    assert "mend it, then run `driftguard apply` again" in said
    assert home.task_states() == {"REFRESH_ORDERS": "suspended"}
    assert "begun" in home.run("status")

    home.execute(works)
    home.aurora("INSERT INTO orders VALUES (11, 'meanwhile', 7)")
    home.run("apply", *allow, "--quiet")
    assert home.task_states() == {"REFRESH_ORDERS": "started"}
    home.sync()
    home.assert_equal("orders", rows=11)


def test_what_cannot_be_taken_over_says_why_and_writes_nothing(home: Home) -> None:
    build(home)
    home.execute("ALTER TASK ANALYTICS.STAGING.REFRESH_ORDERS SUSPEND")
    said = home.run("adopt", "orders", "--write", code=1)
    assert "REFRESH_ORDERS is suspended: resume it" in " ".join(said.split())
    assert not list((home.directory / "migrations").glob("*.py"))
    found = home.json("adopt", "orders", code=1)
    assert found["plan"] is None
    assert "no landing of a table nosuch" in home.refused("adopt", "nosuch", code=2)
    assert "--write needs a table" in home.refused("adopt", "--write", code=2)
