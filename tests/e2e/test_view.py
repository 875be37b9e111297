"""A column comes to a table whose MERGE, written by hand, reads a view over STAGING."""

from __future__ import annotations

from home import Home, land

ORDERS = """CREATE TABLE orders (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 10) n"""
VIEW = """CREATE OR REPLACE VIEW ANALYTICS.STAGING.NEWEST_ORDERS AS
SELECT OP, ID, NOTE
FROM ANALYTICS.STAGING.ORDERS_CDC
QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(DMS_COMMIT_TS) DESC, DMS_CHANGE_SEQ DESC) = 1"""
MERGE = """MERGE INTO ANALYTICS.FINAL.ORDERS AS t
USING ANALYTICS.STAGING.NEWEST_ORDERS AS s
ON t.ID = s.ID
WHEN MATCHED AND s.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET t.NOTE = s.NOTE
WHEN NOT MATCHED AND COALESCE(s.OP, 'I') <> 'D' THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE)"""


def test_the_view_is_for_a_person_and_then_the_merge_is_rewritten(home: Home) -> None:
    land(home, ORDERS)
    home.execute(
        "DROP TASK ANALYTICS.STAGING.ORDERS_MERGE",
        VIEW,
        f"CREATE TASK ANALYTICS.STAGING.ORDERS_MERGE WAREHOUSE = LOADING SCHEDULE = '5 MINUTE' AS {MERGE}",
        "ALTER TASK ANALYTICS.STAGING.ORDERS_MERGE RESUME",
    )
    home.aurora("INSERT INTO orders VALUES (11, 'by hand')")
    home.sync()
    home.assert_equal("orders", rows=11)
    home.run("check")

    home.aurora("ALTER TABLE orders ADD COLUMN coupon text")
    shown = home.json("plan", code=1)
    assert "rewrite_merge" not in {op["kind"] for op in shown["operations"]}
    assert "insert in line 2: , COUPON" in " ".join(shown["notes"])
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    (finding,) = [f for f in home.json("check", code=1)["findings"] if f["code"] == "DG311"]
    assert "the view ANALYTICS.STAGING.NEWEST_ORDERS, which does not give COUPON" in finding["remedy"]

    home.execute(VIEW.replace("NOTE", "NOTE, COUPON"))
    shown = home.json("plan", code=1)
    assert [op["kind"] for op in shown["operations"]] == ["rewrite_merge"]
    home.run("plan", "--write")
    home.run("apply", "--allow", "REWRITES_MERGE", "--quiet")
    home.run("check")
    home.aurora("INSERT INTO orders VALUES (12, 'n', 'ten percent')", "UPDATE orders SET coupon = 'c' WHERE id = 3")
    home.sync()
    home.assert_equal("orders", rows=12)
