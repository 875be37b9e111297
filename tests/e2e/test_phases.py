"""Phases, downgrades and stamps on the stand-in, stopped before each of their statements and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import rig
from driftguard.commands.apply import read_records
from driftguard.commands.revisions import downgrade, stamp
from driftguard.commands.status import status
from driftguard.config import load
from driftguard.errors import DriftguardError
from driftguard.migrate.history import read_all
from driftguard.migrate.rehearsal import Outcome
from driftguard.migrate.revision import Revision
from driftguard.migrate.schedule import Step
from driftguard.migrate.writing import write
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Phase
from driftguard.operations.columns import ColumnDef
from driftguard.operations.drop_columns import DropColumns
from driftguard.sandbox.snowflake.server import SnowflakeServer
from operation_cases import TEXT
from rig import CUSTOMERS, LATER, Rig, refused
from synthetic import later_kinds

EXPAND, SETTLE, CONTRACT = Phase


class Stopped(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    one = SnowflakeServer()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def kinds() -> Iterator[SimpleNamespace]:
    with later_kinds() as found:
        yield found


@pytest.fixture
def one(server: SnowflakeServer, tmp_path: Path) -> Rig:
    """Landings of ORDERS and CUSTOMERS, and no revision yet."""
    made = rig.make(server, tmp_path)
    made.revision.path.unlink()
    return made


def written(one: Rig, kinds: SimpleNamespace) -> tuple[Revision, Revision]:
    """COUPON is added before the deploy; then a marker, two more columns, and an old one goes."""
    orders = ObjectName(one.database, "FINAL", "ORDERS")
    customers = ObjectName(one.database, "FINAL", "CUSTOMERS")
    expand, contract = write(
        one.directory / "migrations",
        "coupon",
        (
            *one.plan(LATER[0], CUSTOMERS).operations,
            kinds.Fill(customers, (ColumnDef("F", TEXT),)),
            kinds.Await(orders, "MARKER"),
            kinds.Fill(orders, (ColumnDef("G", TEXT),)),
            DropColumns(orders, ("LABEL",)),
            DropColumns(customers, ("F",)),
        ),
    )
    return expand, contract


def arrives(one: Rig) -> None:
    one.run("ALTER TABLE {db}.FINAL.ORDERS ADD COLUMN MARKER VARCHAR")


def kept(outcome: Outcome) -> list[str]:
    return [
        step.statement.summary.split(f" {'to' if 'add' in step.statement.summary else 'from'} ")[0]
        for step in outcome.steps
    ]


def test_the_phases_of_a_plan_one_after_the_other(one: Rig, kinds: SimpleNamespace) -> None:
    expand, contract = written(one, kinds)
    config = load(directory=one.directory)
    assert one.apply(phase="settle").waiting == (
        f"revision {contract.id} (settle): revision {expand.id}, which it depends on, is not applied",
    )
    expanded = one.apply()
    assert expanded.revisions == (expand.id,)
    assert [(due.phase, due.operations) for due in expanded.due] == [(SETTLE, 3), (CONTRACT, 2)]

    settled = one.apply(phase="settle")
    assert kept(settled) == ["add F"]
    assert settled.waiting == (f"revision {contract.id} (settle): await MARKER: MARKER has not arrived",)
    again = one.apply(phase="settle")
    assert (again.steps, again.waiting) == ((), settled.waiting)

    found = {item.id: item for item in status(config).revisions}
    assert found[expand.id].state == "applied"
    assert (found[contract.id].state, found[contract.id].branch) == ("begun", "contract")
    assert found[contract.id].phases == {SETTLE: (1, 3), CONTRACT: (0, 2)}
    settle, later = status(config).next
    assert (settle.phase, settle.statements, settle.waiting) == (SETTLE, 0, settled.waiting)
    assert later.waiting == (f"revision {contract.id} (contract): its settle part is not done",)

    assert one.apply(phase="contract", allowed=["LOSES_DATA"]).waiting == later.waiting
    arrives(one)
    assert kept(one.apply(phase="settle")) == ["add G"]
    assert "--allow LOSES_DATA" in refused(lambda: one.apply(phase="contract"))
    assert status(config).next[0].statements == 2
    assert kept(one.apply(phase="contract", allowed=["LOSES_DATA"])) == ["drop LABEL", "drop F"]
    assert {item.state for item in status(config).revisions} == {"applied"}
    assert status(config).next == ()
    assert one.apply(phase="all") == Outcome((), ())


def until_whole(apply: Callable[[Callable[[Step], None]], Outcome]) -> int:
    """Stop before every statement once, until a run gets through; returns how often."""
    stops = 0
    while True:
        seen: list[Step] = []

        def watch(step: Step, seen: list[Step] = seen) -> None:
            seen.append(step)
            if len(seen) == 2:  # one statement a run gets done
                raise Stopped

        try:
            apply(watch)
            return stops
        except Stopped:
            stops += 1


def test_an_apply_of_all_phases_that_is_stopped_at_every_statement_ends_like_an_undisturbed_one(
    server: SnowflakeServer, one: Rig, kinds: SimpleNamespace, tmp_path: Path
) -> None:
    other = rig.make(server, tmp_path)
    other.revision.path.unlink()
    for each in (one, other):
        written(each, kinds)
        arrives(each)
    steps = other.apply(phase="all", allowed=["LOSES_DATA"], jobs=1).steps
    assert (
        until_whole(lambda watch: one.apply(phase="all", allowed=["LOSES_DATA"], jobs=1, watch=watch)) == len(steps) - 1
    )
    assert one.landing() == other.landing()
    assert one.journal() == other.journal()
    assert one.apply(phase="all") == Outcome((), ())


def test_a_downgrade_that_is_stopped_at_every_statement_is_finished_and_can_be_applied_again(one: Rig) -> None:
    config = load(directory=one.directory)
    orders = one.plan(LATER[0], CUSTOMERS).operations
    one.run("ALTER TABLE {db}.FINAL.ORDERS ALTER COLUMN LABEL DROP NOT NULL", "SELECT 1")
    write(one.directory / "migrations", "coupon", [op for op in orders if op.kind in ("add_columns", "replace_merge")])
    before = one.landing()
    (revision,) = one.apply().revisions
    after = one.landing()
    assert '"COUPON"' in after

    assert "--allow LOSES_DATA" in refused(lambda: downgrade(config, "base"))
    assert one.landing() == after
    stops = until_whole(
        lambda watch: _half(one, lambda: downgrade(config, "base", allowed=["LOSES_DATA"], jobs=1, watch=watch))
    )
    assert stops == 6
    assert one.landing() == before
    assert one.run("SELECT COUNT(*) AS N FROM {db}.DRIFTGUARD.REVISION")[0]["N"] == 0
    (item,) = status(config).revisions
    assert (item.state, item.half_done) == ("pending", ())
    assert downgrade(config, "base").revisions == ()

    assert one.apply().revisions == (revision,)
    assert one.landing() == after
    assert downgrade(config, "-1", allowed=["LOSES_DATA"]).revisions == (revision,)
    assert one.landing() == before


def _half(one: Rig, run: Callable[[], Outcome]) -> Outcome:
    """While a downgrade is half done nothing else is applied, and status says so."""
    try:
        return run()
    except Stopped:
        assert "is half undone" in refused(one.apply)
        (item,) = status(load(directory=one.directory)).revisions
        assert item.state == "undoing"
        assert item.done < item.statements == 7  # two of them make clones
        assert item.stopped_at
        raise


def test_a_landing_of_old_is_stamped_where_it_is_as_the_revision_says(one: Rig) -> None:
    config = load(directory=one.directory)
    operations = one.plan(LATER[0], CUSTOMERS).operations
    (revision,) = write(one.directory / "migrations", "coupon", operations)
    assert "it is not done" in refused(lambda: stamp(config, "heads"))
    assert "needs a --reason" in refused(lambda: stamp(config, "heads", unverified=True))
    assert "goes with --unverified" in refused(lambda: stamp(config, "heads", reason="I know"))
    assert "names no revision" in refused(lambda: stamp(config, "feed"))
    assert [item.state for item in status(config).revisions] == ["pending"]

    for operation in operations:
        for statement in operation.statements(one.estate()):
            one.run(statement.sql.replace("{", "{{").replace("}", "}}"))
    assert stamp(config, revision.id) == (revision.id,)
    assert stamp(config, revision.id) == ()
    assert one.apply() == Outcome((), ())
    with one.open() as session:
        assert read_records(config, session)[revision.id].applied  # type: ignore[index]

    back = downgrade(config, "base")  # nothing of it was run, so nothing is taken back
    assert (back.steps, back.revisions) == ((), (revision.id,))
    assert '"COUPON"' in one.landing()
    one.run("ALTER TABLE {db}.FINAL.ORDERS ADD COLUMN ELSE_ VARCHAR")
    assert stamp(config, "heads", unverified=True, reason="the DBA says so") == (revision.id,)
    ((why,),) = [
        row.values()
        for row in one.run(
            "SELECT DETAIL FROM {db}.DRIFTGUARD.JOURNAL WHERE EVENT = 'stamped' ORDER BY RECORDED_AT DESC LIMIT 1"
        )
    ]
    assert why == "unverified: the DBA says so"


def test_a_lease_that_is_held_stops_a_downgrade_and_a_stamp(one: Rig) -> None:
    config = load(directory=one.directory)
    write(one.directory / "migrations", "coupon", one.plan(LATER[0], CUSTOMERS).operations)
    one.apply()
    one.run("UPDATE {db}.DRIFTGUARD.LEASE SET HOLDER = 'somebody', EXPIRES_AT = DATEADD('hour', 1, SYSDATE())")
    for call in (lambda: downgrade(config, "base", allowed=["LOSES_DATA"]), lambda: stamp(config, "heads")):
        with pytest.raises(DriftguardError, match="another apply holds the lease"):
            call()
    one.free_the_lease()


def test_a_landing_that_apply_made_is_not_taken_back(one: Rig) -> None:
    config = load(directory=one.directory)
    write(one.directory / "migrations", "returns", one.plan(*LATER).operations)
    one.apply()
    before = one.landing()
    why = refused(lambda: downgrade(config, "base", allowed=["LOSES_DATA"]))
    assert "its tables hold data" in why
    assert "RETURNS_MERGE" in why
    assert one.landing() == before
    assert len(read_all(one.directory / "migrations")) == 1
