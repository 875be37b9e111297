"""The control schema: made anew, made again, and brought up to date."""

from __future__ import annotations

import snowflake.connector

from driftguard.control.failures import cast_failures
from driftguard.control.schema import setup_statements
from driftguard.model.snowflake import CastFailure
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.session import Session


def test_an_older_control_schema_gets_what_it_lacks_and_keeps_what_it_has() -> None:
    server = SnowflakeServer()
    server.start()
    try:
        with snowflake.connector.connect(**server.connect_kwargs(), role="SYSADMIN") as connection:
            session = Session(connection, "test")
            for statement in (
                "CREATE DATABASE DB",
                "CREATE SCHEMA DB.DRIFTGUARD",
                "CREATE TABLE WATERMARK (LANDING VARCHAR(1024) NOT NULL, UPTO TIMESTAMP_LTZ NOT NULL, "
                "RAN_AT TIMESTAMP_LTZ NOT NULL)",
                "INSERT INTO WATERMARK SELECT 'DB.FINAL.ORDERS', CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP()",
            ):
                session.execute(statement)
            unread = cast_failures(session, "DB", "DRIFTGUARD", 7)
            assert unread[0] == ()
            assert [u.what for u in unread[1]] == ["cast failures in DB.DRIFTGUARD"]
            for _ in range(2):
                for statement in setup_statements("DB", "DRIFTGUARD"):
                    session.execute(statement)
            assert session.rows("SELECT LANDING, CAST_FAILURES FROM WATERMARK") == [
                {"LANDING": "DB.FINAL.ORDERS", "CAST_FAILURES": None}
            ]
            session.execute(
                "INSERT INTO CAST_FAILURE (LANDING, COLUMN_NAME, RAN_AT) SELECT 'DB.FINAL.ORDERS', 'PAID', "
                "DATEADD('day', -COLUMN1, CURRENT_TIMESTAMP()) FROM (VALUES (0), (6), (8))"
            )
            assert cast_failures(session, "DB", "DRIFTGUARD", 7) == ((CastFailure("DB.FINAL.ORDERS", "PAID", 2),), ())
    finally:
        server.stop()
