"""What a command looks at: the catalog of the source, the estate of the target, and the context made of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from driftguard.config import Config
from driftguard.dms.files import dms_tasks
from driftguard.drift.context import Context, pair_up
from driftguard.drift.expect import expect, stage_name
from driftguard.emission.emit import emit
from driftguard.errors import ConfigError, UsageError
from driftguard.model.catalog import Catalog, partition_roots
from driftguard.model.emission import Emission
from driftguard.model.settings import DmsTask
from driftguard.model.snapshot import load_catalog, load_estate
from driftguard.model.snowflake import Estate
from driftguard.snowflake.session import Session, configured
from driftguard.typemap.load import load as load_typemaps
from driftguard.typemap.resolve import Resolver

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
            return live_estate(config, session), Seen("Snowflake, live")
    path = Path(against)
    estate = load_estate(_read(path), where=str(path))
    return estate, Seen(f"snapshot {path}", _age(estate.captured_at, path))


def live_estate(config: Config, session: Session) -> Estate:
    """Introspect the schemas of the landings."""
    from driftguard.control.failures import cast_failures
    from driftguard.control.schema import applied_revisions
    from driftguard.snowflake.introspect import introspect

    policy = config.policy()
    schemas = (policy.staging_schema, policy.final_schema, stage_name(policy).schema)
    estate = introspect(session, policy.database, schemas)
    place = (policy.database, policy.control_schema)
    failures, unread = cast_failures(session, *place, policy.cast_failure_days)
    revisions = applied_revisions(session, *place)
    return replace(estate, revisions=revisions, cast_failures=failures, unseen=(*estate.unseen, *unread))


def build_context(
    config: Config,
    catalog: Catalog,
    estate: Estate,
    *,
    before: Catalog | None = None,
    seen: Sequence[Seen] = (),
) -> Context:
    """Emit, expect, and put every landing beside what is there."""
    tasks = dms_tasks(config)
    policy = config.policy()
    files = config.settings.typemaps
    maps = load_typemaps(config.path(files.overrides), config.path(files.observed))
    resolvers = [(task, Resolver(maps, task.endpoint)) for task in tasks]
    emissions: list[Emission] = []
    unselected: list[str] = []
    roots = partition_roots(catalog.tables)
    names = {"database": catalog.database, "pipeline": policy.pipeline}
    for table in catalog.tables:
        found = [
            e
            for task, types in resolvers
            if (e := emit(table, task, types, root=roots.get(table.id), **names)) is not None
        ]
        emissions += found
        if not found and table.kind == "r" and table.persistence == "p":
            unselected.append(str(table.id))
    expectation = expect(emissions, tasks, maps, policy)
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
        unselected=tuple(unselected),
        stale=tuple(f"{s.label} is {s.age_days:.0f} days old" for s in seen if (s.age_days or 0) > limit),
    )


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
