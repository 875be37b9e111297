"""A history of catalogs, each planned and applied to a model of Snowflake before the next comes.

Nothing here knows the kinds of operations: whatever a plan holds is taken through all its phases, as if Aurora had been
deployed and the pipe had run empty in between. What must hold at every step is written into `Step.defects`; `at_once`
compares the end with planning the last catalog from nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from builders import ENDPOINT, as_shown, context, table, task, varchar
from builders import POLICY as PLAIN
from driftguard.drift.compare import compare
from driftguard.drift.context import Context, Pair, pair_up
from driftguard.drift.fit import Fit, fit
from driftguard.drift.merging import merge_spec
from driftguard.emission.mapping_document import parse_mappings
from driftguard.merge.generate import generate, is_generated
from driftguard.model.catalog import Catalog, Table, partition_roots
from driftguard.model.plan import Phase
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import UNBOUNDED_VARCHAR, Estate, SfTable, SfType
from driftguard.operations.base import Operation, State, build
from driftguard.plan.planner import make_plan

MARKER = table("marker", ("name", varchar(1000)), key=("name",), schema="driftguard", oid=1)
POLICY = dataclasses.replace(PLAIN, marker_table=str(MARKER.id), migration_timezone="UTC")
ADDITIVE = frozenset(("create_landing", "add_columns", "replace_merge"))
_TEXT = SfType("VARCHAR", length=UNBOUNDED_VARCHAR)
_DESTROYS = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN)|SWAP\s+WITH|TRUNCATE|DELETE\s+FROM|CREATE\s+OR\s+REPLACE\s+(TABLE|PIPE))\b", re.I
)


def everything(tables: Sequence[Table]) -> DmsTask:
    """A task that takes every table; partitions under the name of their table; before-images of the keys."""
    numbers = iter(range(10, 1_000_000))

    def rule(kind: str, action: str, schema: str, table: str, **more: Any) -> dict[str, Any]:
        number = str(next(numbers))
        place = {"schema-name": schema, "table-name": table}
        head = {"rule-type": kind, "rule-id": number, "rule-name": number, "rule-action": action}
        return {**head, "object-locator": place, **more}

    roots = partition_roots(tables)
    rules = [rule("selection", "include", "%", "%")]
    rules += [rule("selection", "exclude", exact(t.schema), exact(t.name)) for t in tables if t.kind == "p"]
    rules += [
        rule("transformation", "rename", exact(t.schema), exact(t.name), value=roots[t.id].name)
        | {"rule-target": "table"}
        for t in tables
        if t.id in roots and t.kind == "r"
    ]
    images = {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"}
    rules.append(
        rule("transformation", "add-before-image-columns", "%", "%")
        | {"rule-target": "column", "before-image-def": images}
    )
    made, mine = task(), parse_mappings({"rules": rules})
    mappings = dataclasses.replace(
        made.mappings,
        selections=mine.selections,
        transformations=made.mappings.transformations + mine.transformations,
    )
    return dataclasses.replace(made, mappings=mappings, endpoint=ENDPOINT)


def exact(name: str) -> str:
    """A pattern of DMS that matches this name alone."""
    return re.sub(r"[_%\[\]]", lambda match: f"[{match[0]}]", name)


@dataclass
class Step:
    """What one migration led to."""

    name: str
    changed: bool = False  # the catalog is another one
    kinds: Counter[str] = field(default_factory=Counter)  # of operations
    hazards: Counter[str] = field(default_factory=Counter)
    refusals: tuple[str, ...] = ()  # notes of the plan that were not there a step ago
    defects: list[str] = field(default_factory=list)

    @property
    def trivial(self) -> bool:
        """Nothing but new tables and new columns."""
        return set(self.kinds) <= ADDITIVE


class Journey:
    """The model of Snowflake, and the catalog it is in step with."""

    def __init__(self) -> None:
        self.estate = Estate(timezone="UTC")
        self.catalog: Catalog | None = None
        self._notes: tuple[str, ...] = ()

    def step(self, name: str, catalog: Catalog) -> Step:
        """Plan for `catalog`, apply all of it, plan again."""
        step = Step(name)
        before, self.catalog = self.catalog, catalog
        if before is not None and before.tables == catalog.tables:
            return step
        step.changed = True
        seen = _seen(catalog, self.estate, before)
        compare(seen)  # every rule has to cope
        plan = make_plan(seen)
        step.refusals = tuple(note for note in plan.notes if note not in self._notes)
        self._notes = plan.notes
        for operation in plan.operations:
            step.kinds[operation.kind] += 1
            step.hazards.update(hazard.kind.value for hazard in operation.hazards())
            self._apply(operation, step)
        self.estate = as_shown(self.estate)
        again = make_plan(_seen(catalog, self.estate))
        step.defects += [f"planned again: {operation.summary()}" for operation in again.operations]
        return step

    def at_once(self) -> tuple[list[str], list[str]]:
        """(what differs from planning the last catalog from nothing, what of it the last plan tells)."""
        assert self.catalog is not None
        empty = Estate(timezone="UTC")
        for operation in make_plan(_seen(self.catalog, empty)).operations:
            empty = operation.effect(empty)
        here, there = _seen(self.catalog, self.estate), _seen(self.catalog, as_shown(empty))
        differences: list[str] = []
        refused: list[str] = []
        for mine, fresh in zip(here.pairs, there.pairs, strict=True):
            starts = tuple(
                f"{n}{e}" for n in (mine.landing.final, mine.landing.staging, mine.landing.table) for e in ":."
            )
            noted = any(note.startswith(starts) for note in self._notes)
            for difference in _differences(mine, fresh):
                (refused if noted else differences).append(difference)
        return differences, refused

    def _apply(self, operation: Operation, step: Step) -> None:
        """All its statements, in whatever phase they are due."""
        if build(operation.kind, operation.arguments()) != operation:
            step.defects.append(f"a revision does not hold it: {operation.summary()}")
        ready = operation.readiness(self.estate)
        if ready.state is State.BLOCKED and operation.phase is Phase.EXPAND:
            step.defects.append(f"blocked: {operation.summary()} ({ready.reason})")
        texts = [statement.sql for statement in operation.statements(self.estate)]
        after = operation.effect(self.estate)
        lost = _lost(self.estate, after) + [
            text for text in texts if _DESTROYS.search(text) and not is_generated(text)
        ]  # a merge may delete rows
        if lost and not operation.hazards():
            step.defects.append(f"destroys without a hazard: {operation.summary()} ({lost[0]})")
        if operation.readiness(after).state is State.READY:
            step.defects.append(f"not done by its own effect: {operation.summary()}")
        self.estate = after


def _seen(catalog: Catalog, estate: Estate, before: Catalog | None = None) -> Context:
    tables = (MARKER, *catalog.tables)
    gone = [t for t in (before.tables if before else ()) if catalog.table(t.id) is None]  # for what they landed as
    return context(*tables, estate=estate, dms=everything((*tables, *gone)), before=before, policy=POLICY)


def _lost(before: Estate, after: Estate) -> list[str]:
    """Tables, columns, values and keys that are not what they were. A column keeps its place when it is renamed."""
    now = {one.name: one for one in after.tables}
    found = []
    for was in before.tables:
        then = now.get(was.name)
        if then is None:
            found.append(f"{was.name} is gone")
            continue
        if _key_places(was) != _key_places(then):
            found.append(f"the key of {was.name} is another one")
        for place, column in enumerate(was.columns):
            if place >= len(then.columns) or fit(then.columns[place].type, column.type) is not Fit.FITS:
                found.append(f"{was.name}.{column.name} was {column.type}")
    return found


def _key_places(one: SfTable) -> set[int]:
    return {place for place, column in enumerate(one.columns) if column.name in one.primary_key}


def _differences(mine: Pair, fresh: Pair) -> list[str]:
    """By name: columns that are in use, their types, the key, and the merge without the columns that are only kept."""
    found: list[str] = []
    for what, ours, theirs in (("STAGING", mine.staging, fresh.staging), ("FINAL", mine.final, fresh.final)):
        if ours is None or theirs is None:
            found += [f"{mine.landing.table}: no {what}"] if ours is not theirs else []
            continue
        found += _columns(ours, theirs, anything=what == "STAGING")
        if set(ours.primary_key) != set(theirs.primary_key):
            found.append(f"{ours.name}: key {ours.primary_key}, from nothing {theirs.primary_key}")
    if (mine.pipe and mine.pipe.definition) != (fresh.pipe and fresh.pipe.definition):
        found.append(f"{mine.landing.table}: another pipe")
    if mine.task is None or fresh.task is None or _merge(mine, fresh) != _merge(fresh, fresh):
        found.append(f"{mine.landing.table}: another merge")
    return found


def _columns(ours: SfTable, theirs: SfTable, *, anything: bool) -> list[str]:
    """STAGING may take `anything` more: files from before a change and from after it were in the pipe."""
    found = []
    for column in theirs.columns:
        have = ours.column(column.name)
        if have is None:
            found.append(f"{ours.name}.{column.name} is missing")
        elif fit(have.type, column.type) is not Fit.FITS and not (anything and _looser(have.type, column.type)):
            found.append(f"{ours.name}.{column.name} is {have.type}, from nothing {column.type}")
        elif not have.nullable and column.nullable:
            found.append(f"{ours.name}.{column.name} is NOT NULL")
    return found


def _looser(have: SfType, wanted: SfType) -> bool:
    return have == _TEXT or (have.base, wanted.base) == ("TIMESTAMP_NTZ", "DATE")


def _merge(pair: Pair, like: Pair) -> str:
    """The merge of `pair` over the STAGING of `like`, without columns that are only kept; the order is that of names."""
    (there,) = pair_up([pair.landing], Estate(tables=tuple(t for t in (like.staging, pair.final) if t is not None)))
    spec = merge_spec(dataclasses.replace(there, under_way=pair.under_way), POLICY)
    columns = sorted((c for c in spec.columns if not c.kept), key=lambda column: column.final)
    return generate(dataclasses.replace(spec, columns=tuple(columns)))
