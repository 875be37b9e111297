"""The whole flow on a real account: land, load Parquet, merge, migrate, load again, compare, drop."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftguard.commands.apply import apply
from driftguard.commands.check import check
from driftguard.commands.plan import plan
from driftguard.commands.status import status
from driftguard.model.finding import Severity
from driftguard.sql.snowflake import literal

from .conftest import Live

pytestmark = pytest.mark.live

SETUP = (
    "CREATE SCHEMA shop",
    "CREATE TABLE shop.orders (id bigint PRIMARY KEY, note varchar(40), total numeric(10,2), paid boolean,"
    ' made_at timestamptz, "o""dd col" integer)',
)
FIELDS = [
    ("id", pa.int64()),
    ("note", pa.string()),
    ("total", pa.decimal128(10, 2)),
    ("paid", pa.string()),
    ("made_at", pa.timestamp("us")),
    ('o"dd col', pa.int32()),
]
NOON = dt.datetime(2026, 1, 1, 12, 0, 0, 123456)


def on_aurora(live: Live, *statements: str) -> None:
    with psycopg.connect(live.aurora_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def write(folder: Path, name: str, fields: list[tuple[str, Any]], rows: list[tuple[Any, ...]]) -> Path:
    """A Parquet file as DMS writes one: data columns, change sequence, commit time; Op first unless a full load."""
    path = folder / name
    schema = pa.schema([("Op", pa.string()), *fields, ("dms_change_seq", pa.string()), ("dms_commit_ts", pa.string())])
    columns = [pa.array(values, type=field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    table = pa.Table.from_arrays(columns, schema=schema)
    if name.startswith("LOAD"):
        table = table.drop_columns(["Op"])
    pq.write_table(table, path)
    return path


def copy(live: Live, files: str = "") -> str:
    """The COPY that driftguard's own pipe would run."""
    where = f'@"{live.database}"."STAGING"."DMS_STAGE"/shop/orders/'
    return (
        f'COPY INTO "{live.database}"."STAGING"."ORDERS_CDC" FROM {literal(where)} {files} '
        f'FILE_FORMAT = (FORMAT_NAME = \'"{live.database}"."STAGING"."DRIFTGUARD_PARQUET"\') '
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE "
        'INCLUDE_METADATA = ("_DG_FILE" = METADATA$FILENAME, "_DG_ROW" = METADATA$FILE_ROW_NUMBER, '
        '"_DG_LOADED_AT" = METADATA$START_SCAN_TIME)'
    )


def put(live: Live, path: Path) -> None:
    where = f'@"{live.database}"."STAGING"."DMS_STAGE"/shop/orders/'
    live.rows(f"PUT {literal(path.as_uri())} {literal(where)} AUTO_COMPRESS = FALSE")


def load(live: Live, path: Path) -> None:
    """Into the internal stage, and from there into STAGING."""
    put(live, path)
    live.rows(copy(live, f"FILES = ({literal(path.name)})"))


def merge(live: Live) -> None:
    """Run the task once and wait for it; its error is the test's."""
    name = f'"{live.database}"."STAGING"."ORDERS_MERGE"'
    history = (
        f'SELECT STATE, ERROR_MESSAGE FROM TABLE("{live.database}".INFORMATION_SCHEMA.TASK_HISTORY('
        "TASK_NAME => 'ORDERS_MERGE')) WHERE STATE <> 'SCHEDULED' ORDER BY QUERY_START_TIME DESC NULLS LAST"
    )
    ran = len(live.rows(history))
    live.rows(f"EXECUTE TASK {name}")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = live.rows(history)
        if len(found) > ran and found[0]["STATE"] != "EXECUTING":
            assert found[0]["STATE"] == "SUCCEEDED", found[0]["ERROR_MESSAGE"]
            return
        time.sleep(5)
    pytest.fail("the task did not run within five minutes")


def final(live: Live, columns: str) -> list[tuple[Any, ...]]:
    rows = live.rows(f'SELECT {columns} FROM "{live.database}"."FINAL"."ORDERS" ORDER BY ID')
    return [tuple(row.values()) for row in rows]


def failing(live: Live) -> list[str]:
    return [f.message for f in check(live.config).failing(Severity.ERROR)]


def test_a_table_is_landed_filled_changed_and_in_step(live: Live) -> None:
    on_aurora(live, *SETUP)
    assert failing(live), "nothing is landed yet"
    plan(live.config, message="land", write_revision=True)
    outcome = apply(live.config)
    assert outcome.steps
    # an internal stage sends no events, so this pipe is the test's own
    live.rows(f'CREATE PIPE "{live.database}"."STAGING"."ORDERS_PIPE" AS {copy(live)}')
    assert apply(live.config).steps == (), "a second apply has nothing to do"
    assert failing(live) == []
    assert plan(live.config).plan.operations == (), "what was made is what was meant"
    assert {r.state for r in status(live.config).revisions} == {"applied"}

    full = [
        (None, 1, "first", Decimal("1.10"), "true", NOON, 7, "0", "2026-01-01 10:00:00.000000"),
        (None, 2, "second", Decimal("2.20"), "false", NOON, None, "0", "2026-01-01 10:00:00.000000"),
    ]
    load(live, write(live.folder, "LOAD00000001.parquet", FIELDS, full))
    merge(live)
    columns = 'ID, NOTE, TOTAL, PAID, TO_VARCHAR(MADE_AT, \'YYYY-MM-DD HH24:MI:SS.FF6 TZHTZM\') AS M, "o""dd col"'
    noon = "2026-01-01 12:00:00.123456 +0000"
    assert final(live, columns) == [
        (1, "first", Decimal("1.10"), True, noon, 7),
        (2, "second", Decimal("2.20"), False, noon, None),
    ]

    # A new column: Snowflake first, then Aurora, then files that have it.
    on_aurora(live, "ALTER TABLE shop.orders ADD COLUMN tier varchar(5)")
    assert any("tier" in message for message in failing(live))
    plan(live.config, message="tier", write_revision=True)
    apply(live.config)
    assert failing(live) == []
    at = "2026-01-01 11:00:00.000000"
    changes = [
        ("U", 1, "later", Decimal("1.15"), "true", NOON, 7, "gold", "00000000000000000000000000000000001", at),
        ("U", 1, "last", Decimal("1.20"), "true", NOON, 7, "gold", "00000000000000000000000000000000002", at),
        ("D", 2, None, None, None, None, None, None, "00000000000000000000000000000000003", at),
        ("I", 3, "third", Decimal("3.30"), None, NOON, 9, None, "00000000000000000000000000000000004", at),
    ]
    path = write(live.folder, "20260101-110000000.parquet", [*FIELDS, ("tier", pa.string())], changes)
    load(live, path)
    merge(live)
    expected = [(1, "last", Decimal("1.20"), "gold"), (3, "third", Decimal("3.30"), None)]
    assert final(live, "ID, NOTE, TOTAL, TIER") == expected

    # The same changes once more under another name: nothing changes, and the deleted row stays away.
    load(live, path.rename(path.with_name("20260101-110000001.parquet")))
    merge(live)
    assert final(live, "ID, NOTE, TOTAL, TIER") == expected


def test_the_lease_lets_one_of_two_in(live: Live) -> None:
    """That an UPDATE with a row count of 1 is a lock is the one assumption of apply that only an account can show."""
    from driftguard.control import schema
    from driftguard.control.lease import Lease
    from driftguard.control.link import Link
    from driftguard.errors import LeaseHeldError
    from driftguard.snowflake.session import Session

    def open_session() -> Session:
        session = Session.open(live.config)
        schema.use(session, live.database, "DRIFTGUARD")
        return session

    with Session.open(live.config) as first:
        for statement in schema.setup_statements(live.database, "DRIFTGUARD"):
            first.execute(statement)
        with open_session() as second, Lease(Link(first, open_session), 60) as held:
            held.check(first)
            with pytest.raises(LeaseHeldError):
                Lease(Link(second, open_session), 60).__enter__()
        with open_session() as third, Lease(Link(third, open_session), 60) as again:
            assert again.token > held.token
