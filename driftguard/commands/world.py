"""What a command looks at: the catalog of the source, the estate of the target, and the context made of both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from driftguard.config import Config
from driftguard.dms.files import dms_tasks
from driftguard.dms.store import Store
from driftguard.drift.context import Context, pair_up
from driftguard.drift.expect import expect, merge_procedure, stage_name
from driftguard.emission.emit import emit
from driftguard.emission.observed import overlay
from driftguard.errors import ConfigError, UsageError
from driftguard.merge.stored import resolved
from driftguard.model.catalog import Catalog, PgType, partition_roots
from driftguard.model.emission import Emission, Role
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Landing
from driftguard.model.observed import Look, Sighting
from driftguard.model.settings import DmsTask
from driftguard.model.snapshot import load_catalog, load_estate
from driftguard.model.snowflake import Estate
from driftguard.operations.await_marker import AwaitMarker
from driftguard.plan import ancestry
from driftguard.snowflake.session import Session, configured
from driftguard.typemap.load import load as load_typemaps
from driftguard.typemap.resolve import Resolver, idle

LIVE = "live"


@dataclass(frozen=True, slots=True)
class Seen:
    """A side of the pipeline, where it came from, and how old it is."""

    label: str
    age_days: float | None = None  # None for a live system
    notes: tuple[str, ...] = ()  # what was otherwise than on the real system


def live_catalog(config: Config, url: str | None = None) -> Catalog:
    """Introspect Aurora: `url`, else [aurora] url, else the usual PG* variables."""
    from driftguard.aurora.connect import connect
    from driftguard.aurora.introspect import introspect

    with connect(url or config.settings.aurora.url) as connection:
        return introspect(connection, schemas=config.settings.aurora.schemas or None)


def catalog_of(config: Config, source: str | None) -> tuple[Catalog, Seen]:
    """The catalog that `--source` names: a URL, a snapshot file, or by default the live database."""
    if source is None or "://" in source:
        return live_catalog(config, source), Seen("Aurora, live")
    path = Path(source)
    catalog = load_catalog(_read(path), where=str(path))
    return catalog, Seen(f"snapshot {path}", _age(catalog.captured_at, path))


def estate_of(config: Config, against: str | None) -> tuple[Estate, Seen]:
    """The estate that `--against` names: `live` or a snapshot file.

    Without it: live where a connection is configured, else the snapshot that [snapshots] snowflake names.
    """
    fallback = config.path(config.settings.snapshots.snowflake)
    if against is None:
        if configured(config):
            against = LIVE
        elif fallback.is_file():
            against = str(fallback)
        else:
            raise ConfigError(
                f"{config.file}: no Snowflake connection, and no snapshot {fallback}",
                hint="set [snowflake] connection, or commit a snapshot (`driftguard snapshot --snowflake FILE`)",
            )
    if against == LIVE:
        with Session.open(config) as session:
            return live_estate(config, session, usage=True), Seen("Snowflake, live")
    path = Path(against)
    estate = read_estate(path)
    return estate, Seen(f"snapshot {path}", _age(estate.captured_at, path))


def read_estate(path: Path) -> Estate:
    """The estate of a snapshot file. Raises `DriftguardError`."""
    return load_estate(_read(path), where=str(path))


def live_estate(
    config: Config, session: Session, markers: Iterable[AwaitMarker] = (), *, usage: bool = False
) -> Estate:
    """Introspect the schemas of the landings, and look for the `markers` that somebody waits for.

    With `usage` also what ACCOUNT_USAGE knows, and the rows to repair: both take their time.
    """
    from driftguard.control.failures import cast_failures
    from driftguard.control.lineage import ancestors
    from driftguard.control.schema import applied_revisions, merge_texts, milestones
    from driftguard.snowflake.introspect import introspect
    from driftguard.snowflake.markers import arrived
    from driftguard.snowflake.repairs import with_repairs
    from driftguard.snowflake.usage import with_usage

    policy = config.policy()
    schemas = (policy.staging_schema, policy.final_schema, stage_name(policy).schema)
    estate = introspect(session, policy.database, schemas)
    if usage:
        estate = with_usage(session, estate, policy.database, tuple(dict.fromkeys(schemas)))
        estate = with_repairs(session, estate, policy.final_schema)
    place = (policy.database, policy.control_schema)
    failures, unread = cast_failures(session, *place, policy.cast_failure_days)
    revisions = applied_revisions(session, *place)
    noted = milestones(session, *place)
    open_ = [op for op in markers if all(op.name != m.name for m in noted)]
    return replace(
        estate,
        tasks=resolved(estate.tasks, merge_procedure(policy), merge_texts(session, *place)),
        revisions=revisions,
        cast_failures=failures,
        unseen=(*estate.unseen, *unread),
        milestones=noted,
        ancestors=ancestors(session, *place),
        markers=tuple(found for op in open_ for found in arrived(session, op.marker, op.column, op.name)),
    )


def build_context(
    config: Config,
    catalog: Catalog,
    estate: Estate,
    *,
    before: Catalog | None = None,
    seen: Sequence[Seen] = (),
    store: Store | None = None,
) -> Context:
    """Emit, expect, and put every landing beside what is there.

    With a `store`, the footers of the newest files are read first, and win over the prediction where they can.
    """
    tasks = dms_tasks(config)
    policy = config.policy()
    files = config.settings.typemaps
    maps = load_typemaps(config.path(files.overrides), config.path(files.observed))
    resolvers = [(task, Resolver(maps, task.endpoint)) for task in tasks]
    emissions, unselected = _emissions(catalog, resolvers, policy.pipeline)
    sightings: tuple[Sighting, ...] = ()
    if store is not None:
        predictions = emissions
        if before is not None:  # the files cannot hold what is only proposed
            predictions, _ = _emissions(before, resolvers, policy.pipeline)
        sightings = look(store, predictions, tasks)
        by_path = {s.observed.path: s for s in sightings}
        emissions = [overlay(e, by_path[e.path]) if e.path in by_path else e for e in emissions]
    expectation = expect(emissions, tasks, maps, policy)
    if before is None:
        before = ancestry.before(catalog, estate.ancestors)
    landed_before: tuple[Landing, ...] = ()
    if before is not None:
        landed_before = expect(_emissions(before, resolvers, policy.pipeline)[0], tasks, maps, policy).landings
    limit = config.settings.snapshots.max_age_days
    seen = (*seen, *_dms_snapshots(tasks))
    return Context(
        expectation=expectation,
        pairs=pair_up(expectation.landings, estate),
        tasks=tasks,
        policy=policy,
        estate=estate,
        catalog=catalog,
        before=before,
        landed_before=landed_before,
        unselected=tuple(unselected),
        stale=tuple(f"{s.label} is {s.age_days:.0f} days old" for s in seen if (s.age_days or 0) > limit),
        idle=tuple(f"{maps.origin}: {item}" for item in idle(maps, _landed(emissions))),
        observed=sightings,
    )


def _landed(emissions: Iterable[Emission]) -> Iterator[tuple[TableName, str, PgType]]:
    """The columns that overrides can decide about."""
    for emission in emissions:
        for column in emission.columns:
            if column.role is Role.DATA and column.source is not None and column.pg_type is not None:
                yield emission.source.table, column.source, column.pg_type


def look(store: Store, emissions: Sequence[Emission], tasks: Sequence[DmsTask]) -> tuple[Sighting, ...]:
    """The newest footers of every folder that these sources write to. Raises `UnreachableError`, `UsageError`."""
    from driftguard.dms.footers import observe

    endpoints = {task.name: task.endpoint for task in tasks}
    by_path: dict[str, list[Emission]] = {}
    for emission in emissions:
        by_path.setdefault(emission.path, []).append(emission)
    seen = observe(store, [(path, endpoints[group[0].source.task]) for path, group in by_path.items()])
    return tuple(Sighting(item, tuple(by_path[item.path])) for item in seen)


def looked(store: Store | None, context: Context) -> Look | None:
    """What a command says of its look at the lake."""
    if store is None:
        return None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Look(store.where, now, tuple(s.observed for s in context.observed))


def _emissions(
    catalog: Catalog, resolvers: Sequence[tuple[DmsTask, Resolver]], pipeline: str
) -> tuple[list[Emission], list[str]]:
    """What all tasks write for all tables, and the tables that none of them takes."""
    emissions: list[Emission] = []
    unselected: list[str] = []
    roots = partition_roots(catalog.tables)
    for table in catalog.tables:
        found = [
            e
            for task, types in resolvers
            if (e := emit(table, task, types, database=catalog.database, pipeline=pipeline, root=roots.get(table.id)))
            is not None
        ]
        emissions += found
        if not found and table.kind == "r" and table.persistence == "p":
            unselected.append(str(table.id))
    return emissions, unselected


def _dms_snapshots(tasks: Sequence[DmsTask]) -> list[Seen]:
    labels = [(f"the snapshot of DMS task {task.name}", task.captured_at) for task in tasks if task.captured_at]
    return [Seen(label, _age(captured_at, label)) for label, captured_at in labels]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a snapshot file, or a URL") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text", hint="name a snapshot file") from None


def _age(captured_at: str, path: Path | str) -> float:
    try:
        captured = datetime.fromisoformat(captured_at)
    except ValueError:
        raise ConfigError(f"{path}: captured_at is not a time: {json.dumps(captured_at)}") from None
    if captured.tzinfo is None:
        captured = captured.replace(tzinfo=UTC)
    return (datetime.now(UTC) - captured).total_seconds() / 86_400
