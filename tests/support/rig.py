"""Databases of one stand-in, each with the same landings and the same revision to apply, made in a second."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders import POLICY, context, numeric, plain, table, varchar
from driftguard.commands.apply import apply
from driftguard.config import load
from driftguard.errors import DriftguardError
from driftguard.migrate.rehearsal import Outcome
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write
from driftguard.model.catalog import Table
from driftguard.model.policy import Policy
from driftguard.model.snowflake import Estate
from driftguard.plan.planner import Plan, make_plan
from driftguard.sandbox.snowflake.server import SnowflakeServer
from driftguard.snowflake.introspect import introspect
from driftguard.snowflake.session import Session

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


@dataclass
class Rig:
    """One database. `directory` has a driftguard.toml whose connection goes to `port`."""

    server: SnowflakeServer
    directory: Path
    policy: Policy
    revision: Revision

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
        found = dataclasses.asdict(dataclasses.replace(self.estate(), captured_at="", stages=()))
        return json.dumps(found, default=str, indent=1, sort_keys=True).replace(self.database, "DB")

    def journal(self) -> list[tuple[Any, ...]]:
        """Without attempts and times: every row once, and without those that say that something was tried."""
        rows = self.run(
            "SELECT DISTINCT OPERATION, STEP, EVENT, SQL_TEXT FROM {db}.DRIFTGUARD.JOURNAL "
            "WHERE EVENT IN ('planned', 'skipped', 'done') ORDER BY 1, 2, 3, 4"
        )
        return [tuple(str(value).replace(self.database, "DB") for value in row.values()) for row in rows]

    def plan(self, *tables: Table) -> Plan:
        return make_plan(context(*tables, policy=self.policy, estate=self.estate()))

    def history(self, condition: str) -> list[dict[str, Any]]:
        return self.run(
            "SELECT QUERY_TEXT, QUERY_TAG, EXECUTION_STATUS, START_TIME FROM "
            "TABLE({db}.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000)) WHERE " + condition
        )


def make(server: SnowflakeServer, folder: Path, *, port: int | None = None, lease_seconds: int = 300) -> Rig:
    """Landings of `ORDERS` and `CUSTOMERS`, and a revision that brings them to `LATER`: every kind of operation."""
    number = next(_NUMBERS)
    policy = dataclasses.replace(POLICY, database=f"K{number}X")
    directory = folder / policy.database
    directory.mkdir(mode=0o700)
    rig = Rig(server, directory, policy, Revision("", (), "", (), directory))
    rig.run(
        "CREATE DATABASE {db}", "CREATE SCHEMA {db}.STAGING", "CREATE SCHEMA {db}.FINAL",
        "CREATE WAREHOUSE IF NOT EXISTS WH", f"CREATE STAGE {{db}}.STAGING.DMS_STAGE URL = 'file://{directory}/'",
    )  # fmt: skip
    with rig.open() as session:
        estate = Estate()
        for operation in make_plan(context(ORDERS, CUSTOMERS, policy=policy)).operations:
            for statement in operation.statements(estate):
                session.execute(statement.sql)
            estate = operation.effect(estate)
    rig.run(*BY_HAND)
    (directory / "driftguard.toml").write_text(
        f'[landing]\ndatabase = "{policy.database}"\nwarehouse = "WH"\n'
        f'[snowflake]\nconnection = "rig"\nconnections_file = "connections.toml"\n'
        f"[control]\nlease_seconds = {lease_seconds}\n"
    )
    connect(directory, port or server.port)
    (rig.revision,) = write(directory / "migrations", "catch up", rig.plan(*LATER).operations)
    return rig


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
