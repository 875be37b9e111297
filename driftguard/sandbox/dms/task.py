"""The stand-in for a DMS replication task of type full-load-and-cdc."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import filelock

from driftguard.emission.mappings import select
from driftguard.errors import ConfigError, LeaseHeldError, UsageError
from driftguard.model.settings import DmsTask
from driftguard.sandbox.dms import source, writer
from driftguard.sandbox.dms import state as memory
from driftguard.sandbox.dms.cdc import ChangeReader
from driftguard.sandbox.dms.full_load import load_table, shape_of
from driftguard.sandbox.dms.pgoutput import format_lsn
from driftguard.sandbox.dms.reports import StartReport, SyncReport
from driftguard.sandbox.dms.route import suspended_at_once
from driftguard.sandbox.dms.source import Connection, Table, Types
from driftguard.sandbox.dms.state import State
from driftguard.sandbox.dms.switches import Switches


class DmsStandIn:
    """Replicates the selected tables of a source database into Parquet files below `lake`.

    `state_dir` holds its memory; one process at a time works with it. Raises ConfigError for settings that an S3 target
    with Parquet does not have.
    """

    def __init__(
        self,
        *,
        source_url: str,
        task: DmsTask,
        lake: Path,
        state_dir: Path,
        switches: Switches | None = None,
        name: str = "task1",
    ) -> None:
        _check(task)
        self._url = source_url
        self._task = task
        self._lake = lake
        self._state_path = state_dir / "dms.json"
        self._switches = switches or Switches()
        self._objects = source.Objects.of(name)
        self.step: Callable[[str], None] = lambda _point: None
        """Called at each point where a crash may come; for tests."""

    def start(self) -> StartReport:
        """Sets up change capture, then loads every selected table once. Doing it again loads what is missing.

        The slot exists before the first row is read: a change during the load is in a CDC file too.
        """
        with self._work() as (connection, state):
            if state.started_at is None:
                state.started_at = _clock(connection)().isoformat()
                self._save(state)
            if state.to_load is None:
                endpoint = self._task.endpoint
                source.prepare(
                    connection, self._objects, schema=endpoint.ddl_artifacts_schema, audit=endpoint.capture_ddls
                )
                self.step("prepared")
            chosen, skipped = self._choose(source.tables(connection))
            if state.to_load is None:
                state.to_load = [table.label for table in chosen]
                self._save(state)
            wanted = [table for table in chosen if table.label in state.to_load]
            return self._load(connection, state, wanted, skipped)

    def sync(self) -> SyncReport:
        """Writes everything committed until now. Raises UsageError before `start` has been done."""
        with self._work() as (connection, state):
            if state.to_load is None:
                raise UsageError("the DMS stand-in has not been started", hint="start it first")
            losses: Counter[str] = Counter()
            reader = ChangeReader(
                connection,
                self._objects,
                self._task,
                self._switches,
                self._lake,
                state,
                chosen=lambda schema, table: select(self._task.mappings, schema, table).selected,
                save=self._save,
                step=self.step,
                losses=losses,
            )
            outcome = reader.drain()
            self._save(state)
            return SyncReport(
                files=tuple(outcome.files),
                tables=outcome.tables,
                last_commit_lsn=None if outcome.last_commit is None else format_lsn(outcome.last_commit),
                notices=(*outcome.notices, *_told(losses)),
                suspended=dict(state.suspended),
            )

    def reload(self, tables: Sequence[tuple[str, str]]) -> StartReport:
        """Loads tables again, under new file names. Raises UsageError for a table that is not there or not selected."""
        with self._work() as (connection, state):
            present = {(table.schema, table.name): table for table in source.tables(connection)}
            absent = [f"{schema}.{name}" for schema, name in tables if (schema, name) not in present]
            if absent:
                raise UsageError(f"there is no table {', '.join(absent)} in the source", hint="check the spelling")
            chosen, skipped = self._choose([present[name] for name in tables])
            if skipped:
                label, reason = next(iter(skipped.items()))
                raise UsageError(f"{label} cannot be reloaded: {reason}", hint="check the table mappings")
            for table in chosen:
                state.suspended.pop(table.label, None)
                state.keys.pop(str(table.oid), None)
                state.shapes.pop(table.label, None)
                state.to_load = [*dict.fromkeys([*(state.to_load or []), table.label])]
                state.loaded = [label for label in state.loaded if label != table.label]
            self._save(state)
            return self._load(connection, state, chosen, {})

    def remove(self) -> None:
        """Takes slot, publications and event trigger out of the source, and forgets. Files stay."""
        with self._work() as (connection, _):
            source.clean_up(connection, self._objects)
            self._state_path.unlink(missing_ok=True)

    # --- inside -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _work(self) -> Iterator[tuple[Connection, State]]:
        self._state_path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._state_path.with_suffix(".lock"), timeout=60)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise LeaseHeldError("another process works with this DMS stand-in", hint="wait for it to end") from None
        try:
            with contextlib.closing(source.connect(self._url)) as connection:
                yield connection, memory.load(self._state_path)
        finally:
            lock.release()

    def _save(self, state: State) -> None:
        memory.save(self._state_path, state)

    def _choose(self, tables: Sequence[Table]) -> tuple[list[Table], dict[str, str]]:
        """The tables to load, in the order of the guide ("Selection rules", load-order), and why the others are not."""
        chosen: list[tuple[int, Table]] = []
        skipped: dict[str, str] = {}
        for table in tables:
            selection = select(self._task.mappings, table.schema, table.name)
            if not selection.selected:
                skipped[table.label] = selection.reason
            elif table.kind == "partitioned" and self._switches.partitioned_parent == "not_loaded":
                skipped[table.label] = "it is partitioned: DMS reads its partitions as tables of their own"
            elif not table.columns:
                skipped[table.label] = "it has no columns"
            else:
                chosen.append((selection.load_order, table))
        chosen.sort(key=lambda pair: -pair[0])
        return [table for _, table in chosen], skipped

    def _load(
        self, connection: Connection, state: State, wanted: Sequence[Table], skipped: dict[str, str]
    ) -> StartReport:
        losses: Counter[str] = Counter()
        notices: list[str] = []
        rows: dict[str, int] = {}
        files: list[str] = []
        cleared: set[str] = set()
        types = Types(connection)
        now = _clock(connection)
        started = dt.datetime.fromisoformat(state.started_at) if state.started_at else now()
        task_time = self._task.endpoint.use_task_start_time_for_full_load_timestamp
        for table in wanted:
            if table.label in state.loaded:
                continue
            reason = suspended_at_once(shape_of(table), types)
            if reason:
                skipped[table.label] = state.suspended[table.label] = reason
                continue
            notices += self._remarks(table)
            count, written, said = load_table(
                connection,
                table,
                self._task,
                self._switches,
                types,
                self._lake,
                (lambda: started) if task_time else now,
                losses,
                self._emptied(cleared),
            )
            rows[table.label] = count
            files += written
            notices += said
            state.loaded.append(table.label)
            state.shapes[table.label] = [column.name for column in table.columns]
            state.keys[str(table.oid)] = memory.Key(list(table.key), state.shapes[table.label])
            self._save(state)
            self.step("loaded")
        return StartReport(rows, tuple(files), skipped, (*dict.fromkeys(notices), *_told(losses)))

    def _emptied(self, cleared: set[str]) -> Callable[[Path], None]:
        """Empties a table's folder before it is loaded, if TargetTablePrepMode says so ("Full-load task settings")."""

        def empty(folder: Path) -> None:
            if self._task.settings.target_table_prep_mode != "DO_NOTHING" and str(folder) not in cleared:
                writer.clear(folder)
            cleared.add(str(folder))

        return empty

    def _remarks(self, table: Table) -> list[str]:
        found = []
        if not table.identity:
            found.append(
                f"{table.label} has no primary key: DMS replicates its inserts, and ignores updates and deletes"
            )
        if any(rule.filters for rule in self._task.mappings.selections):
            selection = select(self._task.mappings, table.schema, table.name)
            if "filter" in selection.reason:
                found.append(f"{table.label}: source filters are not imitated; all its rows are replicated")
        return found


def _check(task: DmsTask) -> None:
    """Refuses what an S3 target with Parquet does not have. Source: "Using Amazon S3 as a target for AWS DMS"."""
    if task.endpoint.data_format != "parquet":
        raise ConfigError(f"DataFormat is {task.endpoint.data_format}", hint="the pipeline needs parquet")
    if task.endpoint.preserve_transactions or task.endpoint.cdc_path:
        raise ConfigError("PreserveTransactions and CdcPath write CSV, never Parquet", hint="leave both unset")
    if task.settings.full_lob_mode:
        raise ConfigError("an S3 target has no full LOB mode", hint="set LimitedSizeLobMode and LobMaxSize")


def _clock(connection: Connection) -> Callable[[], dt.datetime]:
    """The time of the source, which is also that of its commits, without asking it again."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    offset = row[0].astimezone(dt.UTC) - dt.datetime.now(dt.UTC) if row else dt.timedelta()
    return lambda: dt.datetime.now(dt.UTC) + offset


def _told(losses: Counter[str]) -> list[str]:
    return [f"{what} ({count} value{'s' if count > 1 else ''})" for what, count in sorted(losses.items())]
