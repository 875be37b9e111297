"""Names as hostile as PostgreSQL allows, through the whole chain; and those that driftguard needs for itself."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg import sql

from home import Home
from landings import NAMES

MORE = (
    "it's",
    " blanks ",
    "dot.ted",
    "$1",
    "{table}",
    "Grüße😀",
    "MixedCase",
    "group",
    "op ",
    "[set]",
    "a*b?",
    "~",
    "100%",
)


def test_hostile_names_of_tables_and_columns_arrive_with_their_values(home: Home) -> None:
    names = (*NAMES, *MORE)
    with psycopg.connect(home.aurora_url, autocommit=True) as aurora:

        def each(statement: str) -> None:
            for name in names:
                aurora.execute(sql.SQL(statement).format(sql.Identifier(name)))

        each("CREATE TABLE {0} (id int, {0} varchar(30), doc jsonb, PRIMARY KEY (id, {0}))")
        each("INSERT INTO {0} VALUES (1, 'load', '{{\"n\": 1}}'), (2, 'gone', NULL)")
        home.run("plan", "--write")
        home.run("apply", "--quiet")
        home.sync()
        each("INSERT INTO {0} VALUES (3, 'it''s \"new\"', 'null')")
        each("UPDATE {0} SET doc = '[]' WHERE id = 1")
        each("DELETE FROM {0} WHERE id = 2")
        each('ALTER TABLE {0} ADD COLUMN "sel""ect ; --" text')
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    with psycopg.connect(home.aurora_url, autocommit=True) as aurora:
        for name in names:
            statement = 'UPDATE {0} SET "sel""ect ; --" = \'late\' WHERE id = 3'
            aurora.execute(sql.SQL(statement).format(sql.Identifier(name)))
    home.sync()
    home.assert_equal(*names, rows=2 * len(names))
    assert home.json("plan")["operations"] == []


@pytest.mark.parametrize("name", ["Op", "dms_commit_ts", "_DG_FILE", "_dg_commit_ts", "_Dg_Op"])
def test_a_column_whose_name_is_taken_is_refused_and_other_tables_land(home: Home, name: str) -> None:
    """The operation, the commit time, and driftguard's own columns."""
    home.aurora(
        f'CREATE TABLE taken (id int PRIMARY KEY, "{name}" text)',
        "CREATE TABLE fine (id int PRIMARY KEY, note text)",
        "INSERT INTO fine VALUES (1, 'here')",
    )
    found = json.loads(home.try_("check", "--format", "json").stdout)["findings"]
    (refusal,) = [f for f in found if f["code"] == "DG110"]
    assert refusal["severity"] == "error"
    assert refusal["table"]["name"] == "taken"
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
    home.assert_equal("fine", rows=1)
    assert home.execute("SELECT COUNT(*) FROM ANALYTICS.INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'TAKEN'") == [(0,)]


def test_a_column_named_like_the_change_sequence_lands_and_check_says_that_the_sequence_does_not(home: Home) -> None:
    """The rule that adds the sequence finds its name taken, so it adds nothing (DG406), and changes lose their order."""
    home.aurora(
        "CREATE TABLE orders (id int PRIMARY KEY, dms_change_seq text)", "INSERT INTO orders VALUES (1, 'mine')"
    )
    found = json.loads(home.try_("check", "--format", "json").stdout)["findings"]
    assert {"DG405", "DG406"} <= {f["code"] for f in found}
    home.run("plan", "--write")
    home.run("apply", "--quiet")
    home.sync()
    home.assert_equal("orders", rows=1)
