"""Alembic's own command, as a team runs it in its folder: it works out what to do, and driftguard does it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import rig
from driftguard.commands.init import init
from driftguard.migrate.history import read_all
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write
from driftguard.model.identifiers import ObjectName
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import Operation
from driftguard.operations.columns import ColumnDef
from driftguard.operations.drop_columns import DropColumns
from driftguard.sandbox.snowflake.server import SnowflakeServer
from home import ENVIRONMENT
from operation_cases import TEXT
from rig import CUSTOMERS, LATER, Rig
from warm import Warm

ALEMBIC = Path(sys.executable).with_name("alembic")


@dataclass(frozen=True)
class Team:
    """A folder as `driftguard init` leaves it, with landings of ORDERS and CUSTOMERS on Snowflake."""

    rig: Rig
    warm: Warm

    @property
    def folder(self) -> Path:
        return self.rig.directory

    def write(self, message: str, *operations: Operation) -> tuple[Revision, ...]:
        return write(self.folder / "migrations", message, operations)

    def run(self, *arguments: str, code: int = 0, program: str = "alembic") -> str:
        """What Alembic prints, both streams."""
        done = self.warm.run(self.folder, arguments, program)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said

    def refused(self, *arguments: str, code: int) -> str:
        """The one line of driftguard."""
        (line,) = self.run(*arguments, code=code).splitlines()
        assert line.startswith("driftguard: ")
        return line

    def coupon(self) -> tuple[Operation, ...]:
        return self.rig.plan(LATER[0], CUSTOMERS).operations

    def column(self, table: str, name: str) -> AddColumns:
        return AddColumns(ObjectName(self.rig.database, "FINAL", table), (ColumnDef(name, TEXT),))

    def drop(self, table: str, name: str) -> DropColumns:
        return DropColumns(ObjectName(self.rig.database, "FINAL", table), (name,))


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    one = Warm(ENVIRONMENT)
    yield one
    one.close()


@pytest.fixture
def team(server: SnowflakeServer, warm: Warm, tmp_path: Path) -> Team:
    made = rig.make(server, tmp_path)
    made.revision.path.unlink()
    init(made.directory)
    return Team(made, warm)


def test_a_branch_goes_up_and_back_through_driftguards_journal(team: Team) -> None:
    expand, contract = team.write("coupon", *team.coupon(), team.drop("CUSTOMERS", "NAME"))
    assert team.run("current") == ""
    heads = team.run("heads")
    assert f"{expand.id} (expand) (effective head)" in heads  # a revision of the other branch depends on it
    assert f"{contract.id} (contract) (head)" in heads
    assert f"<base> ({expand.id}) -> {contract.id} (contract) (head), coupon" in team.run("history", "-i")
    before = team.rig.landing()

    said = team.run("upgrade", "expand@head")
    assert f"ran 7 statements of {expand.id}" in said
    assert '"NAME"' in team.rig.landing()
    assert team.run("current") == f"{expand.id} (effective head)\n"
    assert team.run("upgrade", "expand@head") == ""
    assert f"applied  {expand.id}" in team.run("status", program="driftguard")
    tables = {row["NAME"].upper() for row in team.rig.run("SHOW TABLES IN DATABASE {db}")}
    assert not any("ALEMBIC" in name for name in tables)

    line = team.refused("downgrade", "base", code=1)
    assert "add -x allow=LOSES_DATA" in line
    assert "drop COUPON" in line
    said = team.run("-x", "allow=LOSES_DATA", "downgrade", "expand@base")
    assert f"took back {expand.id}" in said
    assert "to undo: " in said
    assert team.run("current") == ""
    assert '"COUPON"' not in team.rig.landing()
    assert json.loads(team.rig.landing())["tasks"] == json.loads(before)["tasks"]


def test_the_contract_branch_brings_what_it_depends_on_and_wants_its_hazards_named(team: Team) -> None:
    expand, contract = team.write("swap", team.column("CUSTOMERS", "A"), team.drop("CUSTOMERS", "OLD"))
    team.rig.run("ALTER TABLE {db}.FINAL.CUSTOMERS ADD COLUMN OLD VARCHAR")
    assert "-x allow=LOSES_DATA" in team.refused("upgrade", "contract@head", code=1)
    assert '"OLD"' in team.rig.landing()
    said = team.run("-x", "phase=expand", "upgrade", "contract@head")
    assert f"ran 1 statement of {expand.id}" in said
    assert "after the Aurora deploy: `driftguard apply --phase contract` (1 operation of" in said
    said = team.run("-x", "allow=LOSES_DATA", "-x", "jobs=2", "upgrade", "heads")
    assert f"ran 1 statement of {contract.id}" in said
    assert '"OLD"' not in team.rig.landing()
    assert "cannot be undone" in team.refused("-x", "allow=LOSES_DATA", "downgrade", "contract@base", code=2)


def test_revisions_of_two_pull_requests_are_merged_by_alembic_and_read_by_driftguard(team: Team) -> None:
    (base,) = team.write("base", team.column("CUSTOMERS", "A"))
    (one,) = team.write("one", team.column("CUSTOMERS", "B"))
    text = one.path.read_text().replace(one.id, "feedfeedfeed").replace("'B'", "'C'")
    one.path.with_name("other.py").write_text(text)
    assert f"{base.id} (branchpoint)" in team.run("branches").replace(" (expand)", "")
    assert "Multiple head revisions" in team.run("upgrade", "head", code=255)
    team.run("merge", "-m", "both", "heads")
    merge = read_all(team.folder / "migrations")[-1]
    assert (set(merge.down), merge.operations, merge.message) == ({one.id, "feedfeedfeed"}, (), "both")
    assert "ran 3 statements" in team.run("upgrade", "head")
    assert team.run("current") == f"{merge.id} (head) (mergepoint)\n"


def test_sql_is_printed_without_a_connection(team: Team) -> None:
    (revision,) = team.write("coupon", *team.coupon())
    shot = team.folder / "snapshot.json"
    team.run("snapshot", "--snowflake", shot.name, program="driftguard")
    (team.folder / "connections.toml").unlink()
    assert "give a snapshot of Snowflake: -x snapshot=FILE" in team.refused("upgrade", "expand@head", "--sql", code=2)
    up = team.run("-x", f"snapshot={shot.name}", "upgrade", "expand@head", "--sql")
    statements = [line for line in up.splitlines() if line.startswith("ALTER")]
    assert [re.sub(r'"K\d+X"\.', "", line).split(" AS")[0] for line in statements][:3] == [
        'ALTER TABLE "FINAL"."ORDERS" ALTER COLUMN "LABEL" SET DATA TYPE VARCHAR(134217728);',
        'ALTER TABLE "FINAL"."ORDERS" ALTER COLUMN "LABEL" DROP NOT NULL;',
        'ALTER TABLE "FINAL"."ORDERS" ADD IF NOT EXISTS "COUPON" VARCHAR(134217728);',
    ]
    assert len(statements) == 7
    assert f"driftguard stamp {revision.id}" in up.splitlines()[-1]
    down = team.run("-x", f"snapshot={shot.name}", "downgrade", f"{revision.id}:base", "--sql")
    kept, dropped = down.index("CREATE OR REPLACE TRANSIENT TABLE"), down.index("DROP COLUMN")
    assert kept < dropped, "what is dropped is cloned first"
    assert [line for line in down.splitlines() if "DROP COLUMN" in line][-1].endswith(
        '"ORDERS" DROP COLUMN IF EXISTS "COUPON";'
    )
    assert "no such file" in team.refused("-x", "snapshot=gone.json", "upgrade", "head", "--sql", code=2).lower()


def test_sql_of_a_history_from_its_beginning_needs_no_snapshot(team: Team) -> None:
    """What an earlier revision makes is on the model for the later one."""
    landing = next(op for op in team.rig.plan(*LATER).operations if op.kind == "create_landing")
    (first,) = team.write("returns", landing)
    (second,) = team.write("more", team.column("RETURNS", "MORE"))
    (team.folder / "connections.toml").unlink()
    said = team.run("upgrade", f"{first.id}:head", "--sql")
    assert "CREATE TABLE" not in said
    assert f"-- {second.id}: add MORE" in said


def test_an_estate_of_old_is_stamped_only_where_it_is_as_the_revisions_say(team: Team) -> None:
    (revision,) = team.write("hand-made", team.column("CUSTOMERS", "HAND"))
    assert "it is not done: apply it, or give -x unverified=REASON" in team.refused("stamp", "heads", code=2)
    team.rig.run("ALTER TABLE {db}.FINAL.CUSTOMERS ADD COLUMN HAND VARCHAR")
    assert team.run("stamp", "heads") == f"stamped {revision.id}\n"
    assert team.run("current") == f"{revision.id} (head)\n"
    assert team.run("stamp", "heads") == ""
    assert "does not take anything back" in team.refused("stamp", "base", code=2)
    assert "forget what is applied" in team.refused("stamp", "--purge", "heads", code=2)
    team.write("more", team.column("CUSTOMERS", "MORE"))
    assert "stamped" in team.run("-x", "unverified=the DBA says so", "stamp", "head")


def test_an_upgrade_that_is_killed_is_finished_by_the_next(team: Team) -> None:
    (revision,) = team.write("coupon", *team.coupon())
    process = subprocess.Popen(
        [ALEMBIC, "-x", "jobs=1", "upgrade", "expand@head"],
        cwd=team.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith("replace the merge"):
            process.send_signal(signal.SIGKILL)
            break
    process.communicate(timeout=60)
    assert "another apply holds the lease" in team.refused("upgrade", "expand@head", code=3)
    team.rig.free_the_lease()
    assert "resume" in team.run("upgrade", "expand@head")
    assert team.run("current") == f"{revision.id} (head)\n"
    assert team.coupon() == ()


def test_what_is_wrong_is_said_in_one_line(team: Team) -> None:
    (revision,) = team.write("one", team.column("CUSTOMERS", "A"))
    assert "Can't locate revision identified by 'nope'" in team.run("upgrade", "nope", code=255)
    assert "'EVERYTHING' is no hazard" in team.refused("-x", "allow=EVERYTHING", "upgrade", "head", code=2)
    assert "no such option" in team.refused("-x", "alow=LOSES_DATA", "upgrade", "head", code=2)
    assert "a number from 1 to 64" in team.refused("-x", "jobs=none", "upgrade", "head", code=2)
    assert "expand, settle, contract or all" in team.refused("-x", "phase=first", "upgrade", "head", code=2)
    assert "no such file" in team.refused("-x", "config=gone.toml", "upgrade", "head", code=2).lower()
    assert "`driftguard plan --write` makes the revisions" in team.refused(
        "revision", "--autogenerate", "-m", "x", code=2
    )
    assert "a stamp has no SQL" in team.refused("stamp", "--sql", "head", code=2)

    team.run("upgrade", "head")
    text = revision.path.read_text()
    revision.path.write_text(text.replace("'A'", "'B'"))
    team.write("two", team.column("CUSTOMERS", "C"))
    assert "was edited after it was applied" in team.refused("upgrade", "head", code=2)
    revision.path.write_text(text.replace("op.add_columns", "print('hello'); op.add_columns"))
    assert "only calls like op.add_columns" in team.refused("upgrade", "head", code=2)
    revision.path.write_text(text)

    config = team.folder / "driftguard.toml"
    config.write_text(config.read_text() + '[revisions]\ndir = "elsewhere"\n')
    assert "make them the same folder" in team.refused("upgrade", "head", code=2)
