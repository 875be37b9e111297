"""`driftguard demo`: an Aurora migration without driftguard and with it, side by side, on the embedded sandbox."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.commands.apply import apply
from driftguard.commands.check import CheckResult, Proposal, check
from driftguard.commands.plan import plan
from driftguard.config import Config, load
from driftguard.model.finding import Severity
from driftguard.sandbox.compare import Comparison, compare_table
from driftguard.sandbox.environment import Sandbox

SHOP = resources.files("driftguard.sandbox") / "shop"
TABLES = (
    "customers", "addresses", "products", "orders", "order_items",
    "Wishlists", "stock", "favourites", "coupons", "events",
)  # fmt: skip
NEW_TABLE = "reviews"

# The partitions of one table are renamed to it: DMS reports each as a table of its own.
MAPPINGS = """\
{
  "rules": [
    {"rule-type": "selection", "rule-id": "1", "rule-name": "shop", "rule-action": "include",
     "object-locator": {"schema-name": "shop", "table-name": "%"}},
    {"rule-type": "selection", "rule-id": "2", "rule-name": "no audit", "rule-action": "exclude",
     "object-locator": {"schema-name": "shop", "table-name": "audit[_]log"}},
    {"rule-type": "selection", "rule-id": "3", "rule-name": "no parent", "rule-action": "exclude",
     "object-locator": {"schema-name": "shop", "table-name": "events"}},
    {"rule-type": "transformation", "rule-id": "4", "rule-name": "partitions", "rule-target": "table",
     "rule-action": "rename", "value": "events",
     "object-locator": {"schema-name": "shop", "table-name": "events[_]20%"}},
    {"rule-type": "transformation", "rule-id": "5", "rule-name": "sequence", "rule-target": "column",
     "rule-action": "add-column", "value": "dms_change_seq", "expression": "$AR_H_CHANGE_SEQ",
     "object-locator": {"schema-name": "%", "table-name": "%"},
     "data-type": {"type": "string", "length": 35}}
  ]
}
"""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How both runs ended."""

    without: Comparison
    guarded: Comparison
    refused: CheckResult  # the check of the pull request, before anything was applied
    seconds: float

    @property
    def kept(self) -> bool:
        """The promise: with driftguard nothing is lost. That something is lost without it is what makes it one."""
        return self.guarded.equal and bool(self.refused.failing(Severity.ERROR)) and self.without.lost_values > 0


def demo(say: Callable[[str], None], *, corrupt: bool = False) -> DemoResult:
    """Run both. `say` gets each line as it happens; `corrupt` changes one cell of FINAL before the last comparison."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="driftguard-demo-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with EmbeddedPostgres.start(home / "postgres", logical_wal=True) as postgres:
            say("1. Without driftguard: the migration is deployed and nobody tells Snowflake")
            with _pipeline(home / "without", postgres, "without", say) as (sandbox, _):
                _deploy(sandbox)
                sandbox.sync()
                without = _compare(sandbox)
            _tell_losses(without, say)
            say("")
            say("2. With driftguard: the same migration, checked in its pull request")
            with _pipeline(home / "with", postgres, "guarded", say) as (sandbox, config):
                refused = _guarded(sandbox, config, say)
                _deploy(sandbox)
                say("   Aurora is migrated, the shop goes on, the changes flow")
                sandbox.sync()
                if corrupt:
                    _corrupt(sandbox)
                guarded = _compare(sandbox)
            _tell_equality(guarded, say)
    return DemoResult(without, guarded, refused, time.monotonic() - began)


@contextmanager
def _pipeline(
    directory: Path, postgres: EmbeddedPostgres, database: str, say: Callable[[str], None]
) -> Iterator[tuple[Sandbox, Config]]:
    """A shop that is landed and in step, with a day of changes behind it."""
    url = postgres.create_database(database)
    directory.mkdir()
    (directory / "dms").mkdir()
    (directory / "dms" / "table-mappings.json").write_text(MAPPINGS, encoding="utf-8")
    _run(url, "schema.sql")
    _run(url, "rows.sql")
    sandbox = Sandbox.up(directory, aurora_url=url)
    try:
        with sandbox.connect() as connection:
            for _ in connection.execute_string(_text("landing.sql")):
                pass
        config = load(directory=directory)
        plan(config, message="land the shop", write_revision=True)
        apply(config)
        sandbox.sync()
        _run(url, "changes.sql")
        sandbox.sync()
        before = _compare(sandbox, new=False)
        state = "equal" if before.equal else f"NOT equal: {'; '.join(before.differences[:3])}"
        say(f"   the shop: {before.tables} tables, {before.rows} rows, FINAL and Aurora are {state}")
        yield sandbox, config
    finally:
        sandbox.down()


def _guarded(sandbox: Sandbox, config: Config, say: Callable[[str], None]) -> CheckResult:
    proposal = Proposal(Path(str(SHOP / "migrations")), base=sandbox.state.aurora_url)
    refused = check(config, proposal=proposal)
    failing = refused.failing(Severity.ERROR)
    say(f"   driftguard check: {len(failing)} findings, the pull request is held back")
    for finding in failing:
        say(f"     {finding.code} {finding.message}")
    planned = plan(config, proposal=proposal, message="loyalty points", write_revision=True)
    say(f"   driftguard plan: {len(planned.plan.operations)} operations, written as a revision")
    for operation in planned.plan.operations:
        say(f"     {operation.summary()}")
    outcome = apply(config)
    say(f"   driftguard apply: {len(outcome.steps)} statements")
    again = check(config, proposal=proposal)
    left = again.failing(Severity.ERROR)
    say(f"   driftguard check: {'ready, Aurora may deploy' if not left else f'{len(left)} findings left'}")
    return refused if not left else dataclasses.replace(refused, findings=())


def _deploy(sandbox: Sandbox) -> None:
    url = sandbox.state.aurora_url
    _run(url, "migrations/001_loyalty.sql")
    _run(url, "after.sql")


def _compare(sandbox: Sandbox, *, new: bool = True) -> Comparison:
    result = Comparison()
    with psycopg.connect(sandbox.state.aurora_url) as aurora, sandbox.connect() as snowflake:
        for table in (*TABLES, NEW_TABLE) if new else TABLES:
            name = table if table != table.lower() else table.upper()
            compare_table(aurora, snowflake, "shop", table, ("ANALYTICS", "FINAL", name), result)
    return result


def _corrupt(sandbox: Sandbox) -> None:
    with sandbox.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE ANALYTICS.FINAL.STOCK SET LEVEL = LEVEL + 1 WHERE SKU = 'SKU-9' AND WAREHOUSE = 'south'")


def _tell_losses(result: Comparison, say: Callable[[str], None]) -> None:
    say(f"   nothing failed, and {result.lost_values} values and {result.missing_rows} rows are not in FINAL:")
    for column, values in result.missing_columns.items():
        say(f"     {column}: {values} values, the column is unknown to Snowflake")
    for difference in result.differences[:6]:
        say(f"     {difference if len(difference) < 140 else difference[:137] + '…'}")


def _tell_equality(result: Comparison, say: Callable[[str], None]) -> None:
    if result.equal:
        total = sum(result.cells.values())
        say(f"   FINAL equals Aurora: {result.tables} tables, {result.rows} rows, {total} cells compared")
        say("     " + ", ".join(f"{name} {number}" for name, number in sorted(result.cells.items())))
        return
    say("   FINAL DOES NOT EQUAL AURORA:")
    for difference in result.differences:
        say(f"     {difference}")
    for column, values in result.missing_columns.items():
        say(f"     {column}: {values} values are missing")


def _text(name: str) -> str:
    return SHOP.joinpath(name).read_text(encoding="utf-8")


def _run(url: str, name: str) -> None:
    """A whole script in one go, as the simple query protocol takes it; never split on semicolons."""
    with psycopg.connect(url, autocommit=True) as connection:
        script: Any = _text(name)
        connection.execute(script)
