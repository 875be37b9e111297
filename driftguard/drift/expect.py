"""Emissions in, the landings that they need out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from driftguard.model.emission import Emission, EmittedColumn, Hop, Role
from driftguard.model.identifiers import ObjectName, TableName, snowflake_name
from driftguard.model.landing import (
    DG_COMMIT_TS,
    DG_FILE,
    DG_LOADED_AT,
    DG_ROW,
    DG_SEQ,
    FINAL_SERVICE,
    STAGING_SERVICE,
    FinalColumn,
    Landing,
    StagingColumn,
)
from driftguard.model.policy import Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import UNBOUNDED_VARCHAR, SfType
from driftguard.typemap.load import TypeMaps
from driftguard.typemap.resolve import Destination, Resolver

OP_COLUMN = "OP"
_TEXT = SfType("VARCHAR", length=UNBOUNDED_VARCHAR)
_NTZ = SfType("TIMESTAMP_NTZ", precision=9)
_LTZ = SfType("TIMESTAMP_LTZ", precision=9)
_INTEGER = SfType("NUMBER", precision=38, scale=0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A source that gets no landing, and the code of the finding that says why."""

    code: str
    table: TableName
    message: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """All landings that should exist, and the sources that cannot have one."""

    landings: tuple[Landing, ...]
    refusals: tuple[Refusal, ...]


def expect(emissions: Iterable[Emission], tasks: Iterable[DmsTask], maps: TypeMaps, policy: Policy) -> Expectation:
    """The landing of each target table. Sources that meet in one target table share its landing."""
    by_name = {task.name: task for task in tasks}
    plots = {task.name: _Plots(task, maps) for task in by_name.values()}
    groups: dict[TableName, list[Emission]] = defaultdict(list)
    for emission in emissions:
        groups[emission.target].append(emission)
    landings: list[Landing] = []
    refusals: list[Refusal] = []
    taken: dict[ObjectName, TableName] = {}
    for target, group in sorted(groups.items()):
        task = by_name[group[0].source.task]
        refused = _refuse(group) or _apart(group, plots, by_name)
        if refused is None:
            landing = _landing(target, group, task, plots[task.name], policy)
            refused = _collision(landing, taken)
        if refused is not None:
            refusals.append(refused)
            continue
        landings.append(landing)
        for name in (landing.staging, landing.final, landing.pipe, landing.task):
            taken[name] = landing.table
    return Expectation(tuple(landings), tuple(refusals))


def _refuse(group: list[Emission]) -> Refusal | None:
    first = group[0]
    table = first.source.table
    seen: dict[str, str] = {}
    for emission in group:
        own: set[str] = set()
        for column in emission.columns:
            folded = column.name.upper()
            if folded in seen and seen[folded] != column.name:
                message = f"{table} emits {seen[folded]!r} and {column.name!r}, which differ only by case"
                if emission is not first:
                    message = (
                        f"{table} emits {seen[folded]!r} and {emission.source.table} {column.name!r} into one table"
                    )
                return Refusal("DG110", table, message, column.source or column.name)
            if column.name in own:
                return Refusal("DG110", table, f"{table} emits the column {column.name!r} twice", column.source)
            if folded in (*STAGING_SERVICE, *FINAL_SERVICE, "_DG_OP") and column.role is not Role.OP:
                message = f"{table} has a column {column.name!r}, a name that driftguard needs for itself"
                return Refusal("DG110", table, message, column.source)
            own.add(column.name)
            seen[folded] = column.name
    if not first.key:
        return Refusal("DG501", table, f"{table} has no primary key that DMS delivers")
    for other in group[1:]:
        if other.key != first.key:
            message = f"{other.source.table} and {table} land in one table but have different keys"
            return Refusal("DG110", table, message)
    if first.role(Role.COMMIT_TIME) is None:
        return Refusal("DG401", table, f"{table}: no commit time in the files, so changes cannot be put in order")
    return None


def _apart(group: list[Emission], plots: dict[str, _Plots], tasks: dict[str, DmsTask]) -> Refusal | None:
    """Sources of one landing whose files one pipe, one set of columns and one merge cannot take."""
    first = group[0]
    columns = {c.name: (c, first) for c in first.columns}
    starts = tasks[first.source.task].endpoint.use_task_start_time_for_full_load_timestamp
    for other in group[1:]:
        what = ""
        if other.path != first.path:
            what = f"are written to different folders, {first.path} and {other.path}"
        elif tasks[other.source.task].endpoint.use_task_start_time_for_full_load_timestamp != starts:
            what = "are stamped differently by their tasks: UseTaskStartTimeForFullLoadTimestamp"
        elif _named(other, Role.COMMIT_TIME) != _named(first, Role.COMMIT_TIME):
            what = f"have commit times of different names, {_named(first, Role.COMMIT_TIME)} and another"
        for column in other.columns:
            known, owner = columns.setdefault(column.name, (column, other))
            if not what and _lands(known, owner, plots) != _lands(column, other, plots):
                what = f"have {column.name} as {known.dms_type} and {column.dms_type}"
        if what:
            ends = [f"{e.source.table} ({e.source.task})" for e in (first, other)]
            return Refusal("DG110", first.source.table, f"{' and '.join(ends)} land in one table and {what}")
    return None


def _lands(column: EmittedColumn, emission: Emission, plots: dict[str, _Plots]) -> tuple[object, ...]:
    """The types on both sides and the cast: what sources of one landing must agree in; lengths may differ."""
    found = plots[emission.source.task].of(column, (emission.source.table, column.source or column.name))
    return (column.role,) if found is None else (column.role, found[0].staging, found[0].final, found[0].cast)


def _named(emission: Emission, role: Role) -> str | None:
    column = emission.role(role)
    return column.name if column else None


def _collision(landing: Landing, taken: dict[ObjectName, TableName]) -> Refusal | None:
    for name in (landing.staging, landing.final, landing.pipe, landing.task):
        if name in taken:
            message = f"{landing.table} and {taken[name]} would both be {name} on Snowflake"
            return Refusal("DG110", landing.table, message)
    return None


class _Plots:
    """Where a column lands, worked out once for each kind of column: a database has few types and many columns."""

    def __init__(self, task: DmsTask, maps: TypeMaps) -> None:
        self._task = task
        self._types = Resolver(maps, task.endpoint)
        self._known: dict[object, tuple[Destination, SfType, SfType, tuple[Hop, ...]] | None] = {}

    def of(
        self, column: EmittedColumn, place: tuple[TableName, str]
    ) -> tuple[Destination, SfType, SfType, tuple[Hop, ...]] | None:
        """Destination, the least type on each side, and all hops; None where nothing is delivered."""
        key = (
            column.parquet_type,
            column.dms_type,
            column.role,
            column.pg_type,
            place if self._types.by_place else None,
        )
        try:
            return self._known[key]
        except KeyError:
            pass
        destination = self._types.land(column.parquet_type, column.pg_type, place)
        found = None
        if destination is not None:
            sides = (least(column, destination.staging, self._task), least(column, destination.final, self._task))
            found = (destination, *sides, column.hops + destination.hops)
        self._known[key] = found
        return found


def _landing(target: TableName, group: list[Emission], task: DmsTask, plots: _Plots, policy: Policy) -> Landing:
    staging_columns: list[StagingColumn] = []
    final_columns: list[FinalColumn] = []
    merged: dict[str, EmittedColumn] = {}
    for emission in group:
        for column in emission.columns:
            known = merged.setdefault(column.name, column)
            if _room(column) > _room(known):
                merged[column.name] = column
    for column in merged.values():
        name = OP_COLUMN if column.role is Role.OP else snowflake_name(column.name)
        place = (group[0].source.table, column.source or column.name)
        found = plots.of(column, place)
        if found is None:
            continue
        destination, least_staging, least_final, hops = found
        staging_columns.append(StagingColumn(name, destination.staging, column.role, column.name, least=least_staging))
        if column.role is Role.DATA or column.role is Role.ADDED:
            final_columns.append(
                FinalColumn(
                    name=name,
                    type=destination.final,
                    staging=name,
                    cast=destination.cast,
                    key=column.name in group[0].key,
                    source=column.source,
                    hops=hops,
                    least=least_final,
                )
            )
    head = [c for c in staging_columns if c.role in (Role.OP, Role.COMMIT_TIME, Role.CHANGE_SEQ)]
    tail = [c for c in staging_columns if c.role not in (Role.OP, Role.COMMIT_TIME, Role.CHANGE_SEQ)]
    service = [
        StagingColumn(DG_FILE, _TEXT, None),
        StagingColumn(DG_ROW, _INTEGER, None),
        StagingColumn(DG_LOADED_AT, _LTZ, None),
    ]
    stored = [FinalColumn(DG_COMMIT_TS, _NTZ, None), FinalColumn(DG_SEQ, _TEXT, None)]

    def name_of(template: str, schema: str) -> ObjectName:
        filled = template.replace("{table}", snowflake_name(target.name)).replace(
            "{schema}", snowflake_name(target.schema)
        )
        return ObjectName(policy.database, schema, filled)

    return Landing(
        table=target,
        staging=name_of(policy.staging_table, policy.staging_schema),
        final=name_of(policy.final_table, policy.final_schema),
        pipe=name_of(policy.pipe, policy.staging_schema),
        task=name_of(policy.task, policy.staging_schema),
        file_format=ObjectName(policy.database, policy.staging_schema, policy.file_format),
        stage=stage_name(policy),
        path=_below_stage(policy, group[0].path, task),
        staging_columns=tuple(head + service + tail),
        final_columns=tuple(final_columns + stored),
        emissions=tuple(group),
        loads_at_start=task.endpoint.use_task_start_time_for_full_load_timestamp,
    )


def stage_name(policy: Policy) -> ObjectName:
    """The stage that the pipes read: `NAME` in the staging schema, or `SCHEMA.NAME`."""
    schema, _, name = policy.stage.rpartition(".")
    return ObjectName(policy.database, schema or policy.staging_schema, name)


def _below_stage(policy: Policy, path: str, task: DmsTask) -> str:
    """The stage's URL ends at the DMS bucket folder, so the path below it is schema/table/."""
    folder = task.endpoint.bucket_folder.strip("/")
    below = path.removeprefix(f"{folder}/") if folder else path
    return f"{policy.stage_path.strip('/')}/{below}" if policy.stage_path.strip("/") else below


_INTEGER_DIGITS = {"INT8": 3, "INT16": 5, "INT32": 10, "INT64": 19, "UINT1": 3, "UINT2": 5, "UINT4": 10, "UINT8": 20}


def least(column: EmittedColumn, type_: SfType, task: DmsTask) -> SfType:
    """The narrowest type of `type_`'s family that still takes every value of `column`."""
    word, _, arguments = column.parquet_type.partition("(")
    if type_.base == "NUMBER":
        if word == "DECIMAL":
            precision, _, scale = arguments.rstrip(")").partition(",")
            return SfType("NUMBER", precision=int(precision), scale=int(scale or 0))
        return SfType("NUMBER", precision=_INTEGER_DIGITS.get(word, 38), scale=type_.scale)
    if type_.base == "VARCHAR":
        return SfType("VARCHAR", length=_text_length(column))
    if type_.base == "BINARY":
        limit = task.settings.lob_max_size_kb * 1024 if task.settings.limited_size_lob_mode else type_.length
        return SfType("BINARY", length=min(limit or 0, type_.length or 0) or type_.length)
    if type_.base.startswith("TIMESTAMP"):
        return SfType(type_.base, precision=min(6, type_.precision or 9))
    if type_.base == "TIME":
        return SfType("TIME", precision=3)
    return type_


def _room(column: EmittedColumn) -> tuple[int, int]:
    """How much a column needs among those of one name that land alike: digits, then characters."""
    word, _, arguments = column.parquet_type.partition("(")
    digits = int(arguments.partition(",")[0].rstrip(")")) if word == "DECIMAL" else _INTEGER_DIGITS.get(word, 0)
    return digits, _text_length(column)


def _text_length(column: EmittedColumn) -> int:
    word, _, arguments = column.dms_type.partition("(")
    if word in ("STRING", "WSTRING") and arguments:
        return int(arguments.rstrip(")").split(",")[0])
    if column.role is Role.OP:
        return 1
    if column.role is Role.COMMIT_TIME:
        return 26
    if column.pg_type is not None and column.pg_type.resolved == "uuid":
        return 36
    return UNBOUNDED_VARCHAR
