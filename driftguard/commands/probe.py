"""`driftguard probe`: asks the pipeline itself what no document says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from driftguard.config import Config
from driftguard.dms.files import dms_tasks
from driftguard.dms.footers import require_pyarrow
from driftguard.dms.newest import every
from driftguard.dms.store import Folder, Refused, Store, open_store
from driftguard.emission.emit import emit
from driftguard.emission.mappings import select
from driftguard.errors import UnreachableError, UsageError
from driftguard.model.catalog import Column, Key, PgType, Table
from driftguard.model.settings import DmsTask
from driftguard.probe import source
from driftguard.probe.cases import ALL_TABLES, SCHEMA
from driftguard.probe.files import Watch, wait
from driftguard.probe.learned import learn, merge
from driftguard.probe.outcome import answers, tried
from driftguard.probe.report import AuroraProbe
from driftguard.probe.snowflake import ask, current_account
from driftguard.snowflake.capabilities import Capabilities
from driftguard.snowflake.capabilities import write as write_capabilities
from driftguard.snowflake.session import Session
from driftguard.typemap.load import load as load_typemaps
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver

RULE = {
    "rule-type": "selection",
    "rule-id": "990001",
    "rule-name": "driftguard probe",
    "rule-action": "include",
    "object-locator": {"schema-name": SCHEMA, "table-name": "%"},
}


def probe_aurora(
    config: Config,
    *,
    url: str | None = None,
    timeout: float = 1800,
    dry_run: bool = False,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> AuroraProbe:
    """Write every type with its boundary values, wait until DMS has carried it, compare, and write observed.toml.

    `url`: Aurora, with a role that may create a schema; None for [aurora] url. `timeout` in seconds, for all of it.
    The schema is dropped at the end, whatever happens. Raises `UsageError` where DMS would not take the schema,
    `UnreachableError` where nothing arrives, and whatever else a side refuses with.
    """
    store = open_store(config)
    require_pyarrow()
    task = _task(config)
    observed = config.path(config.settings.typemaps.observed)
    before = _text(observed)
    merge(before, (), str(observed))  # a file that cannot be written to is told now, not in half an hour
    pause = _Clock(timeout, 0.5 if isinstance(store, Folder) else 5.0)
    folders = {name: _folder(name, task) for name in ALL_TABLES}
    folder = _common(folders.values())
    old = frozenset(path for place in folders.values() for path in _present(store, place))
    with source.schema(url or config.settings.aurora.url, tell) as connection:
        probe = source.make(connection)
        for remark in probe.left_out:
            tell(f"left out, this server does not have it: {remark}")
        watches = _watches(config, task, probe, store, old)
        tell(f"waiting for the first files below {store.where}{folder} (at most {timeout / 60:.0f} minutes)")
        wait(list(watches.values()), Watch.loaded, pause.until(0.5))
        if not any(item.rows for item in watches.values()):
            trouble = next((w.trouble for w in watches.values() if w.trouble), "")
            raise UnreachableError(
                f"no file of the probe came to {store.where}{folder} within {pause.spent:.0f} seconds"
                + (f" ({trouble})" if trouble else ""),
                hint="is the DMS task running, with the mappings that driftguard.toml has? --timeout waits longer",
            )
        tell("the rows are there; changing them, and waiting for the changes")
        source.change(connection, probe)
        wait(list(watches.values()), Watch.done, pause.until(1.0))
    found = tried(probe, watches)
    learned, remarks = learn(found)
    merged = merge(before, learned, str(observed), force=force)
    if not dry_run and learned:
        _write(observed, merged.text)
    return AuroraProbe(
        tried=found,
        answers=answers(watches, found),
        learned=learned,
        remarks=remarks,
        merged=merged,
        observed=observed,
        written=not dry_run and bool(learned),
        unfinished=tuple(f"{SCHEMA}.{name}" for name, item in watches.items() if not item.done()),
        leftovers=store.where + folder,
    )


def probe_snowflake(config: Config, *, dry_run: bool = False) -> tuple[Capabilities, Path]:
    """Ask Snowflake what no document settles, and write [snowflake] capabilities; the answers and the file's path.

    In a schema DRIFTGUARD_PROBE of the landing's database, dropped at the end. Raises `UsageError` if it exists.
    """
    path = config.path(config.settings.snowflake.capabilities)
    with Session.open(config, query_tag="driftguard probe") as session:
        account = current_account(session)
        items = ask(session, config.settings.landing.database)
    found = Capabilities(account, datetime.now(UTC).isoformat(timespec="seconds"), items)
    if not dry_run:
        write_capabilities(path, found)
    return found, path


class _Clock:
    """When to look again, and when to stop."""

    def __init__(self, timeout: float, step: float) -> None:
        self._started = time.monotonic()
        self._timeout = timeout
        self._step = step

    @property
    def spent(self) -> float:
        return time.monotonic() - self._started

    def until(self, share: float) -> Callable[[], bool]:
        """A pause that is over once this share of the time is."""

        def pause() -> bool:
            if self.spent >= self._timeout * share:
                return False
            time.sleep(min(self._step, max(0.0, self._timeout * share - self.spent)))
            return True

        return pause


def _task(config: Config) -> DmsTask:
    """The one task that takes the probe's tables. Raises `UsageError` with the rule to paste where none does."""
    tasks = dms_tasks(config)
    takes = [task for task in tasks if all(select(task.mappings, SCHEMA, name).selected for name in ALL_TABLES)]
    if len(takes) > 1:
        names = ", ".join(task.name for task in takes)
        raise UsageError(f"the tasks {names} all take the schema {SCHEMA}", hint="leave it to one of them")
    if not takes:
        raise UsageError(
            f"no DMS task takes the schema {SCHEMA}",
            hint="add this rule to the task's table mappings, on AWS and in the file that driftguard.toml names, and "
            f"restart the task: {json.dumps(RULE)}",
        )
    return takes[0]


def _folder(name: str, task: DmsTask) -> str:
    """Where the task writes a table of that name: known before there is one."""
    columns = (Column("id", 1, PgType("int4", "integer"), nullable=False),)
    table = Table(0, SCHEMA, name, columns, primary_key=Key("id", ("id",)))
    emission = emit(table, task, Resolver(shipped(), task.endpoint))
    assert emission is not None  # _task has asked
    return emission.path


def _present(store: Store, folder: str) -> list[str]:
    """Files that are there before the probe: those of an earlier one."""
    try:
        return [file.path for file in every(store, folder)]
    except Refused as error:
        raise UnreachableError(f"{store.where}: {error}", hint="docs/observing.md lists the grants") from None


def _watches(config: Config, task: DmsTask, probe: source.Probe, store: Store, old: frozenset[str]) -> dict[str, Watch]:
    files = config.settings.typemaps
    types = Resolver(load_typemaps(config.path(files.overrides), config.path(files.observed)), task.endpoint)
    found: dict[str, Watch] = {}
    for table in probe.tables:
        emission = emit(table, task, types)
        key = next((c.name for c in emission.columns if c.source == "id"), None) if emission else None
        if emission is None or key is None:
            raise UsageError(f"the mappings leave out {table.id} or its id", hint="let the probe's tables through")
        found[table.name] = Watch(store, emission, key, old)
    return found


def _common(paths: Iterable[str]) -> str:
    """The folder that all of them are in."""
    first, *others = [path.split("/") for path in paths]
    shared = [part for n, part in enumerate(first) if all(other[n : n + 1] == [part] for other in others)]
    return "".join(f"{part}/" for part in shared if part)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name another in [typemaps] observed") from None
