"""What the rules look at: every expected landing beside what was found of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from driftguard.drift.expect import Expectation
from driftguard.drift.fit import Fit, fit
from driftguard.model.catalog import Catalog
from driftguard.model.emission import Role
from driftguard.model.identifiers import ObjectName, snowflake_name
from driftguard.model.landing import FINAL_SERVICE, STAGING_SERVICE, Cast, FinalColumn, Landing, StagingColumn
from driftguard.model.merge import MergeColumn, MergeSpec, precision_for, same_named, scale_for
from driftguard.model.observed import Sighting
from driftguard.model.policy import Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import Estate, FileFormat, Pipe, SfColumn, SfTable, SfType, Task
from driftguard.typemap.casting import cast_between

WATERMARK = "WATERMARK"
_SERVICE = frozenset((*FINAL_SERVICE, *STAGING_SERVICE))


@dataclass(frozen=True, slots=True)
class Misfit:
    """A column that is there and too narrow; `fit` says whether one ALTER mends it."""

    table: SfTable
    expected: StagingColumn | FinalColumn
    actual: SfColumn
    fit: Fit


@dataclass(frozen=True, slots=True)
class Pair:
    """One landing: what it should be and what is there. None means "not there" only where `seen` says so."""

    landing: Landing
    staging: SfTable | None
    final: SfTable | None
    pipe: Pipe | None
    task: Task | None
    file_format: FileFormat | None
    unseen: tuple[str, ...] = ()  # kinds that could not be listed: tables, pipes, tasks, file formats
    misfits: tuple[Misfit, ...] = ()  # columns that are there with a type that does not take every value

    def saw(self, kind: str) -> bool:
        return kind not in self.unseen

    @property
    def new(self) -> bool:
        """Nothing of the landing's tables is there, and driftguard was able to look."""
        return self.staging is None and self.final is None and self.saw("tables")


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a rule may read."""

    expectation: Expectation
    pairs: tuple[Pair, ...]
    tasks: tuple[DmsTask, ...]
    policy: Policy
    estate: Estate
    catalog: Catalog | None = None
    before: Catalog | None = None  # the same database without the proposed migrations, from one lineage
    unselected: tuple[str, ...] = field(default=())
    stale: tuple[str, ...] = field(default=())  # snapshots that are older than allowed
    idle: tuple[str, ...] = field(default=())  # overrides that decide about no column
    observed: tuple[Sighting, ...] = field(default=())  # what was seen in real files; empty where nobody looked


def pair_up(landings: Iterable[Landing], estate: Estate) -> tuple[Pair, ...]:
    """Put each landing beside what the estate has under its names."""
    tables = {t.name: t for t in estate.tables}
    pipes = {p.name: p for p in estate.pipes}
    tasks = {t.name: t for t in estate.tasks}
    formats = {f.name: f for f in estate.file_formats}
    cannot: dict[tuple[str, str], tuple[str, ...]] = {}

    def unseen(name: ObjectName) -> tuple[str, ...]:
        area = (name.database, name.schema)
        if area not in cannot:
            kinds = ("tables", "pipes", "tasks", "file formats")
            cannot[area] = tuple(k for k in kinds if not estate.saw(k, *area))
        return cannot[area]

    return tuple(
        Pair(
            landing=item,
            staging=tables.get(item.staging),
            final=tables.get(item.final),
            pipe=pipes.get(item.pipe),
            task=tasks.get(item.task),
            file_format=formats.get(item.file_format),
            unseen=tuple(dict.fromkeys(unseen(item.staging) + unseen(item.final))),
            misfits=(
                *_misfits(tables.get(item.final), item.final_columns),
                *_misfits(tables.get(item.staging), item.staging_columns),
            ),
        )
        for item in landings
    )


def _misfits(table: SfTable | None, columns: Iterable[StagingColumn | FinalColumn]) -> Iterator[Misfit]:
    if table is None:
        return
    actual = {c.name: c for c in table.columns}
    for expected in columns:
        found = actual.get(expected.name)
        if found is not None and (result := fit(found.type, expected.least or expected.type)) is not Fit.FITS:
            yield Misfit(table, expected, found, result)


def merge_spec(pair: Pair, policy: Policy) -> MergeSpec:
    """The merge that the landing should have, once all its columns are there.

    Columns that DMS no longer emits but both tables still have stay in the lists: rows with a value may still be on
    their way, and a row without one must not erase what FINAL has. A column of a type that no ALTER can change is
    merged as it is there: a cast to the type that it should have would refuse values that it takes today.
    """
    landing = pair.landing
    before = before_images(landing)
    stuck = {m.actual.name for m in pair.misfits if m.fit is Fit.REBUILD}
    columns = []
    for c in landing.final_columns:
        if c.staging is None:
            continue
        cast, type_ = _as_it_is(pair, c) if c.name in stuck else (c.cast, c.type)
        columns.append(
            MergeColumn(
                c.name,
                c.staging,
                cast,
                key=c.key,
                scale=scale_for(cast, type_),
                precision=precision_for(type_),
                keep_on_null_update=c.keep_on_null_update,
                before=before.get(c.name),
            )
        )
    columns += kept_columns(pair)
    op = landing.staging_role(Role.OP)
    commit = landing.staging_role(Role.COMMIT_TIME)
    change = landing.staging_role(Role.CHANGE_SEQ)
    assert commit is not None  # expect() refuses a landing without a commit time
    return MergeSpec(
        staging=landing.staging,
        final=landing.final,
        watermark=ObjectName(policy.database, policy.control_schema, WATERMARK),
        columns=tuple(columns),
        op=op.name if op else None,
        commit_time=commit.name,
        change_seq=change.name if change else None,
        loads_at_start=landing.loads_at_start,
        overlap_minutes=policy.overlap_minutes,
        deferrable_key=bool(before) and any(e.deferrable_key for e in landing.emissions),
    )


def _as_it_is(pair: Pair, column: FinalColumn) -> tuple[Cast, SfType]:
    """The cast between the types that the tables have, and FINAL's type."""
    staged = pair.staging.column(column.staging or "") if pair.staging else None
    final = pair.final.column(column.name) if pair.final else None
    if final is None:
        return column.cast, column.type
    expected = next(c.type for c in pair.landing.staging_columns if c.name == column.staging)
    return cast_between(staged.type if staged else expected, final.type) or Cast.NONE, final.type


def before_images(landing: Landing) -> dict[str, str]:
    """For each key column of FINAL, the STAGING column with its before-image; empty unless every one has one."""
    found = {}
    for emission in landing.emissions:
        for name in emission.key:
            image = emission.before_image(name)
            if image is not None:
                found[snowflake_name(name)] = snowflake_name(image.name)
    return found if {c.name for c in landing.key} <= found.keys() else {}


def changed_key(pair: Pair) -> tuple[str, ...]:
    """The key that FINAL declares, where it is another one than the source's; empty where it is not, or none is."""
    if pair.final is None or not pair.final.primary_key:
        return ()
    declared = pair.final.primary_key
    return declared if set(declared) != {c.name for c in pair.landing.key} else ()


def kept_columns(pair: Pair) -> list[MergeColumn]:
    """Columns of both tables that are not emitted any more, in FINAL's order."""
    if pair.staging is None or pair.final is None:
        return []
    expected = {c.name for c in pair.landing.final_columns} | {c.name for c in pair.landing.staging_columns}
    gone = [c for c in pair.final.columns if c.name not in expected and c.name not in _SERVICE]
    if not gone:
        return []
    kept = []
    for column in gone:
        staged = pair.staging.column(column.name)
        if staged is None:
            continue
        cast = cast_between(staged.type, column.type)
        if cast is not None:
            kept.append(same_named(column.name, cast, column.type, kept=True))
    return kept
