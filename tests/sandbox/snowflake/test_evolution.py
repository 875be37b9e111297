"""ENABLE_SCHEMA_EVOLUTION: what a load changes in a table, the record of it, and what driftguard reads of both.

Sources: "Table schema evolution" and behavior change 1377 on docs.snowflake.com.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, SfTable, SfType
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.session import Session

BY_NAME = "FROM @st/t/ FILE_FORMAT = (FORMAT_NAME = 'f') MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
ON = "ALTER TABLE t SET ENABLE_SCHEMA_EVOLUTION = TRUE"


@pytest.fixture
def lake(account: Any) -> Any:
    account.stage()
    account.run("CREATE TABLE t (id INT, was INT NOT NULL)")
    return account


def estate(account: Any) -> Estate:
    session = Session(account.connection, "here")
    return introspect(session, account.database, ["S"])


def table(account: Any) -> SfTable:
    (found,) = (t for t in estate(account).tables if t.name == ObjectName(account.database, "S", "T"))
    return found


def test_a_load_adds_what_the_file_has_and_drops_not_null_where_it_has_none(lake: Any) -> None:
    lake.run(ON)
    lake.parquet("t/1.parquet", {"id": [1], "Note": ["a"], "total": [Decimal("1.50")], "ok": [True]})
    lake.run(f"COPY INTO t {BY_NAME}")
    assert lake.run("SELECT id, was, note, total, ok FROM t") == [(1, None, "a", Decimal("1.50"), True)]
    records = {row["column_name"]: row["schema_evolution_record"] for row in lake.dicts("SHOW COLUMNS IN TABLE t")}
    assert records["ID"] is None
    assert json.loads(records["WAS"])["evolutionType"] == "DROP_NOT_NULL"
    added = json.loads(records["NOTE"])
    assert (added["evolutionType"], added["evolutionMode"], added["fileName"]) == ("ADD_COLUMN", "COPY", "t/1.parquet")
    seen = table(lake)
    assert seen.schema_evolution
    assert [(c.name, c.evolved, c.nullable) for c in seen.columns] == [
        ("ID", False, True),
        ("WAS", False, True),
        ("NOTE", True, True),
        ("TOTAL", True, True),
        ("OK", True, True),
    ]
    assert str(seen.columns[3].type) == "NUMBER(3,2)"


def test_without_the_option_nothing_is_added_and_it_is_read_as_off(lake: Any) -> None:
    lake.parquet("t/1.parquet", {"id": [1], "was": [1], "note": ["a"]})
    lake.run(f"COPY INTO t {BY_NAME}")
    assert (table(lake).schema_evolution, [c.name for c in table(lake).columns]) == (False, ["ID", "WAS"])


def test_a_pipe_evolves_for_its_owner_and_not_for_a_role_without_the_privilege(lake: Any) -> None:
    role = f"LOADER_{lake.database}"
    for sql in (
        ON,
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON DATABASE {lake.database} TO ROLE {role}",
        f"GRANT ALL ON SCHEMA {lake.database}.S TO ROLE {role}",
        f"REVOKE EVOLVE SCHEMA ON SCHEMA {lake.database}.S FROM ROLE {role}",
        f"GRANT SELECT, INSERT ON TABLE t TO ROLE {role}",
        f"GRANT USAGE ON STAGE st TO ROLE {role}",
        f"GRANT USAGE ON FILE FORMAT f TO ROLE {role}",
        f"GRANT ROLE {role} TO ROLE ACCOUNTADMIN",
    ):
        lake.run(sql)
    lake.run(f"USE ROLE {role}")
    lake.run(f"CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t {BY_NAME}")
    lake.run("USE ROLE ACCOUNTADMIN")
    lake.parquet("t/1.parquet", {"id": [1], "was": [1], "note": ["a"]})
    lake.pump()
    assert [c.name for c in table(lake).columns] == ["ID", "WAS"]
    lake.run(f"GRANT EVOLVE SCHEMA ON TABLE t TO ROLE {role}")
    lake.parquet("t/2.parquet", {"id": [2], "was": [1], "note": ["b"]})
    lake.pump()
    assert lake.run("SELECT id, note FROM t ORDER BY id") == [(1, None), (2, "b")]
    assert table(lake).columns[2].evolved


def test_a_copy_that_selects_adds_nothing(lake: Any) -> None:
    lake.run(ON)
    lake.parquet("t/1.parquet", {"id": [1], "was": [1], "note": ["a"]})
    lake.run("COPY INTO t FROM (SELECT $1:id, $1:was FROM @st/t/) FILE_FORMAT = (FORMAT_NAME = 'f')")
    assert [c.name for c in table(lake).columns] == ["ID", "WAS"]


def test_a_column_that_somebody_changes_is_no_longer_recorded(lake: Any) -> None:
    lake.run(ON)
    lake.parquet("t/1.parquet", {"id": [1], "was": [1], "note": ["a"], "nr": [1]})
    lake.run(f"COPY INTO t {BY_NAME}")
    lake.run("ALTER TABLE t RENAME COLUMN note TO remark")
    lake.run("ALTER TABLE t SET ENABLE_SCHEMA_EVOLUTION = FALSE")
    seen = table(lake)
    assert (seen.schema_evolution, [c.name for c in seen.columns if c.evolved]) == (False, ["NR"])
    assert seen.columns[3].type == SfType("NUMBER", precision=38, scale=0)


def test_a_listing_of_tables_that_fails_is_unseen_and_the_tables_are_still_there(lake: Any) -> None:
    class Refusing(Session):
        def rows(self, sql: str) -> list[dict[str, Any]]:
            if sql.startswith("SHOW TABLES"):
                return super().rows("SHOW TABLES IN SCHEMA NOWHERE")
            return super().rows(sql)

    found = introspect(Refusing(lake.connection, "here"), lake.database, ["S"])
    assert [t.name.name for t in found.tables] == ["T"]
    assert [u.what for u in found.unseen] == [f"schema evolution in {lake.database}.S"]
