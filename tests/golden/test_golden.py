"""What driftguard says and plans for each kind of change that real migrations make, as text that is reviewed.

A case is a folder: before.sql is landed, after.sql is the migration, expected.md what comes of it; merge.sql is a merge that somebody
wrote in place of driftguard's. For every case the plan is
applied to the model of Snowflake: afterwards everything that a plan can mend is mended, and a second plan is empty.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from builders import ENDPOINT, applied, task
from builders import POLICY as PLAIN
from driftguard.aurora.introspect import introspect
from driftguard.drift.compare import compare
from driftguard.drift.context import Context, pair_up
from driftguard.drift.expect import expect
from driftguard.emission.emit import emit
from driftguard.emission.mapping_document import parse_mappings
from driftguard.model.catalog import Catalog
from driftguard.model.policy import Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import Estate
from driftguard.plan.planner import Plan, make_plan
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/after.sql"))
MENDABLE = ("DG101", "DG102", "DG103", "DG105", "DG111", "DG201", "DG202", "DG203", "DG205", "DG301", "DG303", "DG304")
MARKER = "CREATE TABLE public.driftguard_marker (name varchar(1000) PRIMARY KEY)"
POLICY = dataclasses.replace(PLAIN, marker_table="public.driftguard_marker", migration_timezone="Europe/Berlin")
EVERYTHING = {
    "rule-type": "selection", "rule-id": "1", "rule-name": "all", "rule-action": "include",
    "object-locator": {"schema-name": "%", "table-name": "%"},
}  # fmt: skip
BEFORE_IMAGE = {
    "rule-type": "transformation", "rule-id": "3", "rule-name": "3", "rule-target": "column",
    "rule-action": "add-before-image-columns", "object-locator": {"schema-name": "%", "table-name": "%"},
    "before-image-def": {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"},
}  # fmt: skip


def dms() -> DmsTask:
    """Everything is selected; sequence and before-images are mapped, so that the cases show nothing but the change."""
    made = task()
    mappings = dataclasses.replace(made.mappings, selections=parse_mappings({"rules": [EVERYTHING]}).selections)
    more = parse_mappings({"rules": [EVERYTHING, BEFORE_IMAGE]}).transformations
    mappings = dataclasses.replace(mappings, transformations=mappings.transformations + more)
    return dataclasses.replace(made, mappings=mappings, endpoint=ENDPOINT)


RECORDS = dataclasses.replace(POLICY, staging_style="record")


def policy_of(case: Path) -> Policy:
    """A case whose name ends in `_records` is landed in record style."""
    return RECORDS if case.name.endswith("_records") else POLICY


def seen(catalog: Catalog, estate: Estate, policy: Policy, before: Catalog | None = None) -> Context:
    one = dms()
    types = Resolver(shipped(), one.endpoint)
    emissions = [e for t in catalog.tables if (e := emit(t, one, types)) is not None]
    expectation = expect(emissions, [one], shipped(), policy)
    pairs = pair_up(expectation.landings, estate)
    was = [e for t in before.tables if (e := emit(t, one, types)) is not None] if before else []
    landed = expect(was, [one], shipped(), policy).landings
    return Context(expectation, pairs, (one,), policy, estate, catalog=catalog, before=before, landed_before=landed)


def described(context: Context, plan: Plan, estate: Estate, case: Path) -> str:
    lines = [
        f"# {case.name.replace('_', ' ')}",
        "",
        "## Migration",
        "",
        "```sql",
        (case / "after.sql").read_text().strip(),
        "```",
    ]
    lines += ["", "## Findings", ""]
    lines += [
        f"- {f.severity.value} {f.code}: {f.message}"
        for f in compare(context)
        if f.table is None or f.table.name != "driftguard_marker"
    ] or ["none"]
    lines += ["", "## Plan", ""]
    steps = [f"{op.phase.value}: {op.summary()}" for op in plan.operations]
    steps = [
        f"{step}{''.join(f' [{h.kind}: {h.reason}]' for h in op.hazards())}"
        for step, op in zip(steps, plan.operations, strict=True)
    ]
    lines += [f"{n}. {step}" for n, step in enumerate(steps, start=1)] or ["nothing to do"]
    lines += [f"- left to you: {note}" for note in plan.notes]
    statements, diffs = [], []
    for operation in plan.operations:
        diffs.append(operation.diff(estate).rstrip("\n"))
        statements += [f"{statement.sql};" for statement in operation.statements(estate)]
        estate = operation.effect(estate)
    if any(diffs):
        lines += ["", "## Diff", "", "```diff", *filter(None, diffs), "```"]
    if statements:
        lines += ["", "## SQL", "", "```sql", "\n\n".join(statements), "```"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_change_is_found_and_planned_as_written_down(
    case: Path, database: str, request: pytest.FixtureRequest
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(MARKER)
        connection.execute((case / "before.sql").read_bytes())
        before = introspect(connection)
        connection.execute((case / "after.sql").read_bytes())
        after = introspect(connection)
    policy = policy_of(case)
    estate = dataclasses.replace(applied(Estate(), make_plan(seen(before, Estate(), policy))), timezone="UTC")
    if (case / "merge.sql").exists():
        text = (case / "merge.sql").read_text(encoding="utf-8")
        tasks = tuple(dataclasses.replace(t, definition=text) if "ORDERS" in t.name.name else t for t in estate.tasks)
        estate = dataclasses.replace(estate, tasks=tasks)
    assert [f.message for f in compare(seen(before, estate, policy)) if f.code in MENDABLE] == [], (
        "before.sql is not in step"
    )
    context = seen(after, estate, policy, before)
    plan = make_plan(context)
    text = described(context, plan, estate, case)
    expected = case / "expected.md"
    if request.config.getoption("--regenerate", default=False):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8"), "read the difference; `make golden` writes it"
    changed = applied(estate, plan)
    again = seen(after, changed, policy)
    assert make_plan(again).operations == ()
    left = {note.split(":")[0] for note in plan.notes if "nothing planned" in note}  # names of FINAL
    by_table = {p.landing.emissions[0].source.table: str(p.landing.final) for p in again.pairs}
    mendable = [f for f in compare(again) if f.code in MENDABLE and f.table is not None]
    assert [f.message for f in mendable if by_table.get(f.table) not in left] == []
