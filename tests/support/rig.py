"""Databases of one stand-in, each with the same landings and the same revision to apply, made in a second."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders import POLICY, RULES, context, numeric, plain, table, task, varchar
from driftguard.commands.apply import apply
from driftguard.config import load
from driftguard.errors import DriftguardError
from driftguard.migrate.rehearsal import Outcome
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write
from driftguard.model.catalog import Catalog, Column, Table
from driftguard.model.identifiers import ObjectName
from driftguard.model.policy import RECORD, Policy, StagingStyle
from driftguard.model.snowflake import Estate
from driftguard.operations.await_marker import AwaitMarker
from driftguard.operations.base import Operation
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.manual import Manual, ManualAfter
from driftguard.operations.predicate import Predicate, Wanted
from driftguard.plan.planner import Plan, make_plan
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.session import Session
from driftguard.snowflake.usage import with_usage
from prepared import Away

ORDERS = table("orders", ("total", numeric(10, 2)), ("label", varchar(80)))
CUSTOMERS = table("customers", ("name", plain("text")), oid=1001)
LATER = (
    table("orders", ("total", numeric(10, 2)), ("label", varchar(80)), ("coupon", plain("text"))),
    table("customers", ("name", plain("text")), ("points", plain("int4")), oid=1001),
    table("returns", ("why", plain("jsonb")), oid=1002),
)
# As somebody would have made it by hand, so that there is something to widen and a NOT NULL to drop.
BY_HAND = (
    "ALTER TABLE {db}.FINAL.ORDERS DROP COLUMN LABEL",
    "ALTER TABLE {db}.FINAL.ORDERS ADD COLUMN LABEL VARCHAR(5) NOT NULL",
    "ALTER TASK {db}.STAGING.CUSTOMERS_MERGE SUSPEND",
)
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Shape:
    """`before` is landed, then `by_hand` is run; the plan goes from there to `after`, and `extra` is added to it."""

    before: tuple[Table, ...] = (ORDERS, CUSTOMERS)
    after: tuple[Table, ...] = LATER
    by_hand: tuple[str, ...] = BY_HAND
    extra: Callable[[str], tuple[Operation, ...]] = lambda database: ()
    adopt: tuple[str, ...] = ()  # FINAL tables whose landings are taken over


# Every kind of operation, in all phases. The marker is in FINAL from the start: nothing waits.
MARKER = table("marker", ("name", varchar(1000)), key=("name",), oid=1003)
_COUPON = Column("coupon", 4, plain("text"), default="'none'::text", missing_value="none")
_RENAMED = dataclasses.replace(CUSTOMERS.columns[1], name="full_name")
_POINTS = Column("points", 4, plain("int4"))
_ACCOUNTS = table("accounts", ("nr", plain("int4")), oid=1004)  # gets another key, and has been reloaded
_PARCELS = table("parcels", ("note", plain("text")), oid=1005)  # gets another name
DMS = task(
    dict(RULES[0])
    | {"rule-id": "3", "rule-name": "depot", "object-locator": {"schema-name": "depot", "table-name": "%"}}
)
_MOVED = table("crates", ("note", plain("text")), oid=1006)  # goes to another schema
_BOXES = table("boxes", ("note", plain("text")), oid=1009)  # kept as whole records in STAGING
_SIZED = table("boxes", ("note", plain("text")), ("size", plain("int4")), oid=1009)
STYLES = (StagingStyle("shop.boxes", RECORD),)
_NOTES = table("notes", ("note", plain("text")), oid=1007)  # merged by a procedure that somebody wrote
_MOODS = table("notes", ("note", plain("text")), ("mood", plain("text")), oid=1007)
_BY_PROCEDURE = """CREATE PROCEDURE {db}.STAGING.MERGE_NOTES(days NUMBER) RETURNS VARCHAR NOT NULL LANGUAGE SQL
COMMENT = 'ours; ask first' EXECUTE AS CALLER AS $$
BEGIN
  MERGE INTO {db}.FINAL.NOTES t
  USING (
    SELECT OP, ID, NOTE FROM {db}.STAGING.NOTES_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY ID ORDER BY TRY_TO_TIMESTAMP_NTZ(COMMIT_TS) DESC, SEQ DESC) = 1
  ) s ON t.ID = s.ID
  WHEN MATCHED AND s.OP = 'D' THEN DELETE
  WHEN MATCHED THEN UPDATE SET NOTE = s.NOTE
  WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE);
  RETURN 'it''s done';
END
$$"""
_COUPONS = dataclasses.replace(ORDERS, columns=(*ORDERS.columns, _COUPON))
_NAMED = dataclasses.replace(
    CUSTOMERS, columns=(CUSTOMERS.columns[0], _RENAMED, Column("name", 3, plain("text")), _POINTS)
)
_KEYED = table("accounts", ("nr", plain("int4")), key=("nr",), oid=1004)
_SHIPMENTS, _THERE = dataclasses.replace(_PARCELS, name="shipments"), dataclasses.replace(_MOVED, schema="depot")


_TICKETS = table("tickets", ("note", plain("text")), oid=1008)  # landed and merged by people, and taken over
_THEIRS = (
    "DROP TASK {db}.STAGING.TICKETS_MERGE",
    "DROP STREAM {db}.STAGING.TICKETS_STREAM",
    "ALTER TABLE {db}.STAGING.TICKETS_CDC DROP COLUMN _DG_FILE, _DG_ROW, _DG_LOADED_AT",
    "ALTER TABLE {db}.FINAL.TICKETS DROP COLUMN _DG_COMMIT_TS, _DG_SEQ",
    "CREATE OR REPLACE PIPE {db}.STAGING.TICKETS_PIPE AUTO_INGEST = TRUE AS COPY INTO {db}.STAGING.TICKETS_CDC "
    "(OP, COMMIT_TS, SEQ, ID, NOTE) FROM (SELECT $1:Op::VARCHAR, $1:commit_ts::VARCHAR, $1:seq::VARCHAR, "
    "$1:id::NUMBER, $1:note::VARCHAR FROM @{db}.STAGING.DMS_STAGE/shop/tickets/) FILE_FORMAT = (TYPE = PARQUET)",
    "INSERT INTO {db}.STAGING.TICKETS_CDC (OP, COMMIT_TS, SEQ, ID, NOTE) SELECT 'I', '2026-01-02', '7', 1, 'a ticket'",
    "CREATE TASK {db}.STAGING.TICKETS_MERGE WAREHOUSE = WH SCHEDULE = '60 MINUTE' AS "
    "MERGE INTO {db}.FINAL.TICKETS t USING {db}.STAGING.TICKETS_CDC s ON t.ID = s.ID "
    "WHEN NOT MATCHED THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE)",
    "ALTER TASK {db}.STAGING.TICKETS_MERGE RESUME",
)


def _more(database: str) -> tuple[Operation, ...]:
    """What no plan has: a revision of one who takes columns back, and work of others that is done already."""
    customers = ObjectName(database, "FINAL", "CUSTOMERS")
    done = Predicate(Wanted.TABLE, customers)
    return Manual("make it", done), ManualAfter("make it", done), DropColumns(customers, ("JUNK",))


# The same table by table: what a statement more costs, a kill at each of them pays twice.
PARTS = {
    "columns": Shape(
        (ORDERS, MARKER),
        (_COUPONS, LATER[2], MARKER),
        (
            *BY_HAND[:2],
            "INSERT INTO {db}.FINAL.ORDERS (ID, TOTAL, LABEL, _DG_COMMIT_TS) "
            "SELECT 1, 1.5, 'a', '2025-12-31'::TIMESTAMP_NTZ",
            "INSERT INTO {db}.FINAL.ORDERS (ID, TOTAL, LABEL, _DG_COMMIT_TS) "
            "SELECT 2, 2.5, 'b', '2025-12-30'::TIMESTAMP_NTZ",
        ),
    ),
    "names": Shape(
        (CUSTOMERS, MARKER),
        (_NAMED, MARKER),
        (
            BY_HAND[2],
            "ALTER TABLE {db}.FINAL.CUSTOMERS ADD COLUMN JUNK NUMBER(38,0)",
            "INSERT INTO {db}.FINAL.CUSTOMERS (ID, NAME, JUNK) SELECT 1, 'a name', 7",
        ),
        _more,
    ),
    "a key": Shape(
        (MARKER, _ACCOUNTS),
        (MARKER, _KEYED),
        (
            "INSERT INTO {db}.FINAL.ACCOUNTS (ID, NR) SELECT 1, 11",
            "INSERT INTO {db}.STAGING.ACCOUNTS_CDC (ID, NR, COMMIT_TS, _DG_FILE, _DG_ROW, _DG_LOADED_AT) "
            "SELECT 1, 11, '2026-01-02 00:00:00', 'shop/accounts/LOAD00000001.parquet', 0, '2026-01-02'::TIMESTAMP_LTZ",
        ),
    ),
    "a table's name": Shape(
        (MARKER, _PARCELS), (MARKER, _SHIPMENTS), ("INSERT INTO {db}.FINAL.PARCELS (ID, NOTE) SELECT 1, 'a parcel'",)
    ),
    "a folder": Shape(
        (MARKER, _MOVED),
        (MARKER, _THERE),
        tuple(f"ALTER TASK {{db}}.STAGING.MARKER_MERGE {change}" for change in ("SUSPEND", "REMOVE WHEN", "RESUME")),
    ),
    "records": Shape(
        (MARKER, _BOXES), (MARKER, _SIZED), ("INSERT INTO {db}.FINAL.BOXES (ID, NOTE) SELECT 1, 'a box'",)
    ),
    "a merge by hand": Shape(
        (MARKER, _NOTES),
        (MARKER, _MOODS),
        (
            "DROP TASK {db}.STAGING.NOTES_MERGE",
            _BY_PROCEDURE,
            "CREATE TASK {db}.STAGING.NOTES_ROOT WAREHOUSE = WH SCHEDULE = '60 MINUTE' AS SELECT 1",
            "CREATE TASK {db}.STAGING.NOTES_MERGE WAREHOUSE = WH AFTER {db}.STAGING.NOTES_ROOT AS "
            "CALL {db}.STAGING.MERGE_NOTES(1)",
            "CREATE TASK {db}.STAGING.NOTES_LAST WAREHOUSE = WH AFTER {db}.STAGING.NOTES_MERGE AS SELECT 2",
            "ALTER TASK {db}.STAGING.NOTES_MERGE RESUME",
            "ALTER TASK {db}.STAGING.NOTES_ROOT RESUME",
        ),
    ),
    "a landing by hand": Shape((MARKER, _TICKETS), (MARKER, _TICKETS), _THEIRS, adopt=("TICKETS",)),
}
WHOLE = Shape(
    (ORDERS, CUSTOMERS, MARKER, _ACCOUNTS, _PARCELS, _MOVED, _BOXES, _NOTES, _TICKETS),
    (_COUPONS, _NAMED, LATER[2], MARKER, _KEYED, _SHIPMENTS, _THERE, _SIZED, _MOODS, _TICKETS),
    tuple(statement for part in PARTS.values() for statement in part.by_hand),
    _more,
    ("TICKETS",),
)
HAZARDS = (
    "LOSES_DATA", "CHANGES_KEY", "RELOADS_FILES", "REBUILDS_TABLE", "REPLACES_PIPE", "REWRITES_MERGE",
    "REPLACES_HANDWRITTEN",
)  # fmt: skip


@dataclass
class Rig:
    """One database. `directory` has a driftguard.toml whose connection goes to `port`."""

    server: SnowflakeServer | Away
    directory: Path
    policy: Policy
    revisions: tuple[Revision, ...] = ()

    @property
    def revision(self) -> Revision:
        """The one of the expand."""
        return self.revisions[0]

    @property
    def database(self) -> str:
        return self.policy.database

    def open(self, user: str = "driftguard") -> Session:
        """A connection straight to the stand-in."""
        return Session.connect({**self.server.connect_kwargs(), "user": user}, "rig")

    def run(self, *statements: str) -> list[dict[str, Any]]:
        with self.open() as session:
            rows: list[dict[str, Any]] = []
            for sql in statements:
                rows = session.rows(sql.format(db=self.database))
            return rows

    def apply(self, **more: Any) -> Outcome:
        """In this process, past any proxy."""
        connect(self.directory, self.server.port)
        return apply(load(directory=self.directory), **more)

    def free_the_lease(self) -> None:
        """A killed apply holds it until it runs out; the tests do not wait for that."""
        with self.open() as session:
            if session.rows(f"SHOW TABLES LIKE 'LEASE' IN DATABASE {self.database}"):
                session.execute(f"UPDATE {self.database}.DRIFTGUARD.LEASE SET EXPIRES_AT = '1970-01-01'::TIMESTAMP_NTZ")

    def estate(self) -> Estate:
        with self.open() as session:
            return introspect(session, self.database, (self.policy.staging_schema, self.policy.final_schema))

    def landing(self) -> str:
        """All that driftguard looks at, without what two databases cannot have in common."""
        estate = self.estate()
        streams = tuple(dataclasses.replace(s, stale_after="") for s in estate.streams)
        found = dataclasses.asdict(dataclasses.replace(estate, captured_at="", stages=(), streams=streams))
        names = [t.name.name for t in estate.tables if t.name.schema == self.policy.final_schema]
        with self.open() as session:
            found["rows"] = {n: session.rows(f'SELECT * FROM {self.database}.FINAL."{n}" ORDER BY 1') for n in names}
        return json.dumps(found, default=str, indent=1, sort_keys=True).replace(self.database, "DB")

    def journal(self) -> list[tuple[Any, ...]]:
        """Without attempts and times: every row once, and without those that say that something was tried."""
        found = []
        for number, revision in enumerate(self.revisions):
            rows = self.run(
                f"SELECT DISTINCT {number} AS REVISION, OPERATION, STEP, EVENT, SQL_TEXT FROM {{db}}.DRIFTGUARD.JOURNAL "
                f"WHERE EVENT IN ('planned', 'skipped', 'done') AND REVISION = '{revision.id}' ORDER BY 2, 3, 4, 5"
            )
            found += [tuple(self._plain(str(value)) for value in row.values()) for row in rows]
        return found

    def _plain(self, text: str) -> str:
        """Without what the name of the database has put into it."""
        return re.sub(r"(UNDO_\w+)_[0-9A-F]{8}", r"\1", text.replace(self.database, "DB"))

    def plan(self, *tables: Table, before: Sequence[Table] | None = None, adopt: Sequence[str] = ()) -> Plan:
        was = Catalog(tuple(before)) if before is not None else None
        with self.open() as session:
            schemas = (self.policy.staging_schema, self.policy.final_schema)
            estate = with_usage(session, self.estate(), self.database, schemas)
        taken = [ObjectName(self.database, self.policy.final_schema, name) for name in adopt]
        return make_plan(context(*tables, policy=self.policy, estate=estate, before=was, dms=DMS), adopt=taken)

    def history(self, condition: str) -> list[dict[str, Any]]:
        return self.run(
            "SELECT QUERY_TEXT, QUERY_TAG, EXECUTION_STATUS, START_TIME FROM "
            "TABLE({db}.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000)) WHERE " + condition
        )


def make(
    server: SnowflakeServer | Away,
    folder: Path,
    *,
    port: int | None = None,
    lease_seconds: int = 300,
    shape: Shape = Shape(),
) -> Rig:
    """Landings of the shape's tables, and the revisions that bring them to what they become."""
    number = next(_NUMBERS)
    marker = "shop.marker" if MARKER in shape.before else ""
    policy = dataclasses.replace(POLICY, database=f"K{number}X", marker_table=marker, staging_styles=STYLES)
    directory = folder / policy.database
    directory.mkdir(mode=0o700)
    rig = Rig(server, directory, policy)
    rig.run(
        "CREATE DATABASE {db}", "CREATE SCHEMA {db}.STAGING", "CREATE SCHEMA {db}.FINAL",
        "CREATE WAREHOUSE IF NOT EXISTS WH", f"CREATE STAGE {{db}}.STAGING.DMS_STAGE URL = 'file://{directory}/'",
    )  # fmt: skip
    with rig.open() as session:
        estate = Estate()
        for operation in make_plan(context(*shape.before, policy=policy, dms=DMS)).operations:
            for statement in operation.statements(estate):
                session.execute(statement.sql)
            estate = operation.effect(estate)
    rig.run(*shape.by_hand)
    (directory / "driftguard.toml").write_text(
        f'[landing]\ndatabase = "{policy.database}"\nwarehouse = "WH"\n'
        f'[snowflake]\nconnection = "rig"\nconnections_file = "connections.toml"\n'
        f"[control]\nlease_seconds = {lease_seconds}\n"
        + (f'[marker]\ntable = "{marker}"\nhold_seconds = 1\n' if marker else "")
        + "".join(f'[policy.staging_styles]\n"{style.table}" = "{style.style}"\n' for style in STYLES)
    )
    connect(directory, port or server.port)
    planned = rig.plan(*shape.after, before=shape.before if marker else None, adopt=shape.adopt).operations
    rig.revisions = write(directory / "migrations", "catch up", (*planned, *shape.extra(policy.database)))
    rig.run(*(_arrived(op.name) for op in planned if isinstance(op, AwaitMarker)))
    return rig


def copy(one: Rig, server: Away, directory: Path, port: int) -> Rig:
    """The same rig on a fork of its stand-in, in a directory of its own."""
    shutil.copytree(one.directory, directory)
    connect(directory, port)
    return dataclasses.replace(one, server=server, directory=directory)


def _arrived(marker: str) -> str:
    return f"INSERT INTO {{db}}.FINAL.MARKER (NAME, _DG_COMMIT_TS) SELECT '{marker}', '2026-01-01'::TIMESTAMP_NTZ"


def connect(directory: Path, port: int) -> None:
    """A user for each rig: the history of one holds 10,000 statements, and all rigs together send more."""
    file = directory / "connections.toml"
    file.write_text(
        f'[rig]\naccount = "sandbox"\nuser = "{directory.name}"\npassword = "sandbox"\nhost = "127.0.0.1"\nport = {port}\n'
        'protocol = "http"\n'
    )
    file.chmod(0o600)


def refused(call: Callable[[], object]) -> str:
    """The one line that `call` is refused with."""
    try:
        call()
    except DriftguardError as error:
        return str(error)
    raise AssertionError("it was not refused")
