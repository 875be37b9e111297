"""Rows with values that nothing told are counted by table, and a table that may not be read is unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import snowflake.connector

from driftguard.model.catalog import Unseen
from driftguard.model.snowflake import Estate, ToRepair
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.repairs import with_repairs
from driftguard.snowflake.session import Session

ROLE = "READER"
TABLES = 5


class Counting(Session):
    """Counts what it sends."""

    sent = 0

    def rows(self, sql: str, parameters: object = None) -> list[dict[str, object]]:
        self.sent += 1
        return super().rows(sql, parameters)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    """Articles with two rows to repair, one of which Aurora has deleted, more such tables, and one without the column."""
    one = SnowflakeServer()
    one.start()
    with snowflake.connector.connect(**one.connect_kwargs()) as connection:
        for sql in (
            "CREATE DATABASE DB",
            "CREATE SCHEMA DB.FINAL",
            "CREATE TABLE DB.FINAL.ARTICLES (ID INT, BODY VARCHAR, _DG_REPAIR VARCHAR, _DG_DELETED BOOLEAN)",
            "INSERT INTO DB.FINAL.ARTICLES VALUES (1, NULL, '|BODY|', FALSE), (2, 'a', NULL, FALSE), "
            "(3, NULL, '|BODY|', NULL), (4, NULL, '|BODY|', TRUE)",
            "CREATE TABLE DB.FINAL.PLAIN (ID INT)",
            *(f"CREATE TABLE DB.FINAL.T{n} (ID INT, _DG_REPAIR VARCHAR)" for n in range(TABLES)),
            "INSERT INTO DB.FINAL.T3 VALUES (1, '|BODY|')",
            f"CREATE ROLE {ROLE}",
            f"GRANT ROLE {ROLE} TO ROLE ACCOUNTADMIN",
            f"GRANT USAGE ON DATABASE DB TO ROLE {ROLE}",
            f"GRANT USAGE ON SCHEMA DB.FINAL TO ROLE {ROLE}",
            *(f"GRANT REFERENCES ON TABLE DB.FINAL.T{n} TO ROLE {ROLE}" for n in (0, 4)),
            *(f"GRANT SELECT ON TABLE DB.FINAL.T{n} TO ROLE {ROLE}" for n in (1, 2, 3)),
            f"GRANT SELECT ON TABLE DB.FINAL.ARTICLES TO ROLE {ROLE}",
        ):
            connection.cursor().execute(sql)
    yield one
    one.stop()


def counted(server: SnowflakeServer, role: str) -> tuple[Estate, int]:
    with snowflake.connector.connect(**server.connect_kwargs(), role=role) as connection:
        session = Counting(connection, "test")
        estate = introspect(session, "DB", ["FINAL"])
        before = session.sent
        return with_repairs(session, estate, "FINAL"), session.sent - before


def test_rows_are_counted_in_one_statement_and_deleted_ones_do_not_count(server: SnowflakeServer) -> None:
    estate, sent = counted(server, "ACCOUNTADMIN")
    assert estate.to_repair == (ToRepair("DB.FINAL.ARTICLES", 2), ToRepair("DB.FINAL.T3", 1))
    assert (sent, estate.unseen) == (1, ())


def test_a_table_that_may_not_be_read_is_unseen_and_the_others_are_counted(server: SnowflakeServer) -> None:
    estate, _ = counted(server, ROLE)
    assert estate.to_repair == (ToRepair("DB.FINAL.ARTICLES", 2), ToRepair("DB.FINAL.T3", 1))
    assert [u.what for u in estate.unseen if isinstance(u, Unseen)] == [
        "rows to repair in DB.FINAL.T0",
        "rows to repair in DB.FINAL.T4",
    ]


def test_nothing_is_asked_where_no_table_has_the_column(server: SnowflakeServer) -> None:
    with snowflake.connector.connect(**server.connect_kwargs()) as connection:
        session = Counting(connection, "test")
        assert with_repairs(session, Estate(), "FINAL") == Estate()
        assert session.sent == 0
