"""What the rules look at: every expected landing beside what was found of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from driftguard.drift.expect import Expectation
from driftguard.drift.fit import Fit, fit
from driftguard.drift.record import is_record, seen_through
from driftguard.merge.generate import is_generated
from driftguard.merge.transitions import under_way
from driftguard.model.catalog import Catalog
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import FinalColumn, Landing, StagingColumn
from driftguard.model.merge import MergeColumn
from driftguard.model.observed import Sighting
from driftguard.model.policy import Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import Estate, FileFormat, Pipe, SfColumn, SfTable, Stream, Task
from driftguard.operations.pipes import first
from driftguard.typemap.casting import takes


@dataclass(frozen=True, slots=True)
class Misfit:
    """A column that is there and too narrow; `fit` says whether one ALTER mends it."""

    table: SfTable
    expected: StagingColumn | FinalColumn
    actual: SfColumn
    fit: Fit


@dataclass(frozen=True, slots=True)
class Pair:
    """One landing: what it should be and what is there. None means "not there" only where `seen` says so.

    Where STAGING keeps whole records (`landing.record`), `staging` has the columns that the merge reads out of them.
    """

    landing: Landing
    staging: SfTable | None
    final: SfTable | None
    pipe: Pipe | None
    task: Task | None
    file_format: FileFormat | None
    unseen: tuple[str, ...] = ()  # kinds that could not be listed: tables, pipes, tasks, streams, file formats
    misfits: tuple[Misfit, ...] = ()  # columns that are there with a type that does not take every value
    under_way: tuple[MergeColumn, ...] = ()  # what the merge says of changes that are passing through
    stream: Stream | None = None
    more_pipes: tuple[Pipe, ...] = ()  # beside `pipe`, while the folder changes

    def goes_to(self, name: str) -> str | None:
        """The column of FINAL that will have this name once a change that is under way is complete."""
        return next((c.final for c in self.under_way if c.becomes == name), None)

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
    landed_before: tuple[Landing, ...] = ()  # the landings that `before` needs
    unselected: tuple[str, ...] = field(default=())
    stale: tuple[str, ...] = field(default=())  # snapshots that are older than allowed
    idle: tuple[str, ...] = field(default=())  # overrides that decide about no column
    observed: tuple[Sighting, ...] = field(default=())  # what was seen in real files; empty where nobody looked


def pair_up(landings: Iterable[Landing], estate: Estate) -> tuple[Pair, ...]:
    """Put each landing beside what the estate has under its names."""
    tables = {t.name: t for t in estate.tables}
    pipes = {p.name: p for p in estate.pipes}
    tasks = {t.name: t for t in estate.tasks}
    streams = {s.name: s for s in estate.streams}
    formats = {f.name: f for f in estate.file_formats}
    cannot: dict[tuple[str, str], tuple[str, ...]] = {}
    more: defaultdict[ObjectName, list[Pipe]] = defaultdict(list)
    for pipe in estate.pipes:
        if (own := first(pipe.name)) is not None:
            more[own].append(pipe)

    def unseen(name: ObjectName) -> tuple[str, ...]:
        area = (name.database, name.schema)
        if area not in cannot:
            kinds = ("tables", "pipes", "tasks", "file formats")
            cannot[area] = tuple(k for k in kinds if not estate.saw(k, *area))
        return cannot[area]

    def hidden(stream: ObjectName | None) -> tuple[str, ...]:
        seen = stream is None or estate.saw("streams", stream.database, stream.schema)
        return () if seen else ("streams",)

    found = []
    for item in landings:
        staging, final, task = tables.get(item.staging), tables.get(item.final), tasks.get(item.task)
        changing = _under_way(task, final)
        if staging is not None:
            record = is_record(staging)
            item = item if item.record == record else replace(item, record=record)
            staging = seen_through(staging, item, task) if record else staging
        found.append(
            Pair(
                landing=item,
                staging=staging,
                final=final,
                pipe=pipes.get(item.pipe),
                task=task,
                file_format=formats.get(item.file_format),
                unseen=tuple(dict.fromkeys(unseen(item.staging) + unseen(item.final) + hidden(item.stream))),
                misfits=misfits(item, staging, final, changing),
                under_way=changing,
                stream=streams.get(item.stream) if item.stream else None,
                more_pipes=tuple(more.get(item.pipe, ())),
            )
        )
    return tuple(found)


def _under_way(task: Task | None, final: SfTable | None) -> tuple[MergeColumn, ...]:
    """What the task's text says of changes, as far as FINAL still has the columns."""
    if task is None or final is None or not is_generated(task.definition):
        return ()
    return tuple(c for c in under_way(task.definition) if final.column(c.final) is not None)


def misfits(
    landing: Landing, staging: SfTable | None, final: SfTable | None, changing: tuple[MergeColumn, ...] = ()
) -> tuple[Misfit, ...]:
    """The columns that do not take every value; `changing` is what is under way."""
    return (*_final_misfits(final, landing, changing), *_staging_misfits(staging, landing))


def _final_misfits(table: SfTable | None, landing: Landing, changing: tuple[MergeColumn, ...]) -> Iterator[Misfit]:
    """A column that another one is about to replace is judged by that one."""
    if table is None:
        return
    successors = {c.becomes: c.final for c in changing if c.becomes}
    for expected in landing.final_columns:
        found = table.column(successors.get(expected.name, expected.name))
        if found is not None and (result := fit(found.type, expected.least or expected.type)) is not Fit.FITS:
            yield Misfit(table, expected, found, result)


def _staging_misfits(table: SfTable | None, landing: Landing) -> Iterator[Misfit]:
    """Another type than the one expected is as good where it takes the files' values and the merge can go on."""
    if table is None:
        return
    for expected in landing.staging_columns:
        found = table.column(expected.name)
        if found is None or (result := fit(found.type, expected.least or expected.type)) is Fit.FITS:
            continue
        if result is Fit.REBUILD and _takes_all(found, expected, landing):
            continue
        yield Misfit(table, expected, found, result)


def _takes_all(found: SfColumn, expected: StagingColumn, landing: Landing) -> bool:
    final = next((c for c in landing.final_columns if c.staging == expected.name), None)
    sent = [c.parquet_type for e in landing.emissions for c in e.columns if c.name == expected.emitted_as]
    return final is not None and bool(sent) and all(takes(found.type, parquet, final.type) for parquet in sent)
