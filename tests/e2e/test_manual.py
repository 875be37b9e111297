"""Work of somebody else in the middle of a revision: apply stops there, and goes on when it is done."""

from __future__ import annotations

from driftguard.migrate.writing import write
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import SfType
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.operations.manual import Manual
from driftguard.operations.predicate import Predicate, Wanted
from home import Home, land

TEXT = SfType("VARCHAR", length=134_217_728)


def test_apply_stops_at_what_others_have_to_do_and_goes_on_once_it_is_done(home: Home) -> None:
    """Exit 1 and the text; tables that have nothing to do with it are not held up."""
    land(home, "CREATE TABLE orders (id bigint PRIMARY KEY); CREATE TABLE items (id bigint PRIMARY KEY)")
    orders, items = ObjectName("ANALYTICS", "FINAL", "ORDERS"), ObjectName("ANALYTICS", "FINAL", "ITEMS")
    theirs = (ColumnDef("THEIRS", TEXT),)
    operations = (
        Manual('add a column to orders.tf:\n  column { name = "THEIRS" }', Predicate(Wanted.TABLE, orders, theirs)),
        AddColumns(orders, (ColumnDef("OURS", TEXT),)),
        AddColumns(items, (ColumnDef("FREE", TEXT),)),
    )
    write(home.directory / "migrations", "together", operations)

    rehearsed = home.run("apply", "--dry-run", code=1)
    assert "FREE" in rehearsed
    assert "OURS" not in rehearsed
    assert 'column { name = "THEIRS" }' in rehearsed

    told = home.run("apply", code=1)
    assert "has no column THEIRS" in told
    assert columns(home, "ITEMS") >= {"FREE"}
    assert columns(home, "ORDERS").isdisjoint({"OURS", "THEIRS"})
    assert "begun" in home.run("status")

    assert "THEIRS" in home.run("apply", code=1), "a second run waits for the same"
    home.execute("ALTER TABLE ANALYTICS.FINAL.ORDERS ADD COLUMN THEIRS VARCHAR(134217728)")
    home.run("apply")
    assert columns(home, "ORDERS") >= {"OURS", "THEIRS"}
    assert "nothing to apply" in home.run("apply")


def test_a_table_of_another_owner_is_changed_there_and_apply_goes_on_afterwards(home: Home) -> None:
    land(home, "CREATE TABLE orders (id bigint PRIMARY KEY)")
    home.write("driftguard.toml", (home.directory / "driftguard.toml").read_text() + OWNERS)
    home.aurora("ALTER TABLE orders ADD COLUMN note text")
    (theirs, ours) = home.json("plan", "--write")["operations"]
    assert (theirs["kind"], ours["kind"]) == ("manual", "replace_merge")
    assert theirs["cost"]["work"] == "done by somebody else"
    told = home.run("apply", code=1)
    (statement,) = [line.strip() for line in told.splitlines() if "ALTER TABLE" in line]
    home.execute(statement)
    home.run("apply")
    home.run("check")
    home.run("plan")
    home.aurora("INSERT INTO orders VALUES (1, 'a note')")
    home.sync()
    home.assert_equal("orders", rows=1)


OWNERS = """
[policy.managed_by]
final = "sql"
"""


def columns(home: Home, table: str) -> set[str]:
    sql = f"SELECT COLUMN_NAME FROM ANALYTICS.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = '{table}'"
    return {row[0] for row in home.execute(sql)}
