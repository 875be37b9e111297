"""Emissions in, the landings that they need out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from driftguard.drift.sources import discriminators
from driftguard.merge.stored import PROCEDURE
from driftguard.model.emission import Emission, EmittedColumn, Role
from driftguard.model.identifiers import ObjectName, TableName, snowflake_name
from driftguard.model.landing import (
    DG_COMMIT_TS,
    DG_DELETED,
    DG_FILE,
    DG_LOADED_AT,
    DG_RECORD,
    DG_REPAIR,
    DG_ROW,
    DG_SEQ,
    FINAL_OPTIONAL,
    FINAL_SERVICE,
    IN_MERGE,
    STAGING_SERVICE,
    FinalColumn,
    Landing,
    StagingColumn,
)
from driftguard.model.policy import BY_STREAM, Policy
from driftguard.model.settings import DmsTask
from driftguard.model.snowflake import UNBOUNDED_VARCHAR, SfType
from driftguard.typemap.load import TypeMaps
from driftguard.typemap.resolve import Resolver

OP_COLUMN = "OP"
_TEXT = SfType("VARCHAR", length=UNBOUNDED_VARCHAR)
_NTZ = SfType("TIMESTAMP_NTZ", precision=9)
_LTZ = SfType("TIMESTAMP_LTZ", precision=9)
_INTEGER = SfType("NUMBER", precision=38, scale=0)


Plot = tuple[StagingColumn, FinalColumn | None]


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
        refused = _refuse(group) or _apart(group, by_name)
        landing = refused or _landing(target, group, task, plots[task.name], policy)
        if isinstance(landing, Landing):
            landing = _collision(landing, taken) or landing
        if isinstance(landing, Refusal):
            refusals.append(landing)
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
            reserved = folded in (DG_RECORD, *STAGING_SERVICE, *FINAL_SERVICE, *FINAL_OPTIONAL) or IN_MERGE.fullmatch(
                folded
            )
            if reserved and column.role is not Role.OP:
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


def _apart(group: list[Emission], tasks: dict[str, DmsTask]) -> Refusal | None:
    """Sources of one landing whose files one pipe and one merge cannot take. Types are looked at in `_landing`."""
    first = group[0]
    roles = {c.name: c.role for c in first.columns}
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
            if not what and roles.setdefault(column.name, column.role) is not column.role:
                what = f"have {column.name} as {roles[column.name]} and as {column.role}"
        if what:
            ends = [f"{e.source.table} ({e.source.task})" for e in (first, other)]
            code = "DG411" if other.source.table == first.source.table else "DG110"
            return Refusal(code, first.source.table, f"{' and '.join(ends)} land in one table and {what}")
    return None


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
        self._known: dict[tuple[int, bool], tuple[EmittedColumn, Plot | None]] = {}

    def of(self, column: EmittedColumn, key: bool, table: TableName) -> Plot | None:
        """The columns on both sides (FINAL has none for service columns); None where nothing is delivered."""
        if self._types.by_place:
            return self._make(column, key, table)
        known = self._known.get((id(column), key))
        if known is None:  # the column is kept beside the answer, so that its id is not given away
            known = self._known[(id(column), key)] = (column, self._make(column, key, table))
        return known[1]

    def _make(self, column: EmittedColumn, key: bool, table: TableName) -> Plot | None:
        destination = self._types.land(column.parquet_type, column.pg_type, (table, column.source or column.name))
        if destination is None:
            return None
        name = OP_COLUMN if column.role is Role.OP else snowflake_name(column.name)
        narrowest = least(column, destination.staging, self._task)
        staging = StagingColumn(name, destination.staging, column.role, column.name, least=narrowest)
        if column.role not in (Role.DATA, Role.ADDED):
            return staging, None
        return staging, FinalColumn(
            name=name,
            type=destination.final,
            staging=name,
            cast=destination.cast,
            key=key,
            source=column.source,
            hops=column.hops + destination.hops,
            least=least(column, destination.final, self._task),
        )


def _landing(
    target: TableName, group: list[Emission], task: DmsTask, plots: _Plots, policy: Policy
) -> Landing | Refusal:
    """The landing of all sources of `target`; each column takes what any of them can send."""
    merged: dict[str, Plot] = {}
    key = (*group[0].key, *(discriminators(group) or ()))
    for emission in group:
        for column in emission.columns:
            plot = plots.of(column, column.name in key, emission.source.table)
            if plot is None:
                continue
            other = merged.get(column.name)
            if other is None or other is plot:
                merged[column.name] = plot
                continue
            common = _common(other, plot)
            if common is None:
                sent, there = plot[0].least, other[0].least
                who = f"{emission.source.table} sends {column.name} as {sent}"
                message = f"{who}, another source of {target} sends it as {there}"
                return Refusal("DG110", emission.source.table, message, column.source)
            merged[column.name] = common
    staging_columns = [staging for staging, _ in merged.values()]
    keeps = _kept_on_null_update(group, policy)
    final_columns = [
        replace(final, keep_on_null_update=True) if name in keeps and not final.key else final
        for name, (_, final) in merged.items()
        if final is not None
    ]
    head = [c for c in staging_columns if c.role in (Role.OP, Role.COMMIT_TIME, Role.CHANGE_SEQ)]
    tail = [c for c in staging_columns if c.role not in (Role.OP, Role.COMMIT_TIME, Role.CHANGE_SEQ)]
    service = [
        StagingColumn(DG_FILE, _TEXT, None),
        StagingColumn(DG_ROW, _INTEGER, None),
        StagingColumn(DG_LOADED_AT, _LTZ, None),
    ]
    stored = [FinalColumn(DG_COMMIT_TS, _NTZ, None), FinalColumn(DG_SEQ, _TEXT, None)]
    if any(c.keep_on_null_update for c in final_columns):
        stored.append(FinalColumn(DG_REPAIR, _TEXT, None))
    if policy.soft_delete:
        stored.append(FinalColumn(DG_DELETED, SfType("BOOLEAN"), None))

    def name_of(kind: str, schema: str) -> ObjectName:
        template = policy.name_of(kind, target)
        filled = template.replace("{table}", snowflake_name(target.name)).replace(
            "{schema}", snowflake_name(target.schema)
        )
        return ObjectName(policy.database, schema, filled)

    return Landing(
        table=target,
        staging=name_of("staging_table", policy.staging_schema),
        final=name_of("final_table", policy.final_schema),
        pipe=name_of("pipe", policy.staging_schema),
        task=name_of("task", policy.staging_schema),
        file_format=ObjectName(policy.database, policy.staging_schema, policy.file_format),
        stage=stage_name(policy),
        path=_below_stage(policy, group[0].path, task),
        staging_columns=tuple(head + service + tail),
        final_columns=tuple(final_columns + stored),
        emissions=tuple(group),
        stream=name_of("stream", policy.staging_schema) if policy.consumption == BY_STREAM else None,
        loads_at_start=task.endpoint.use_task_start_time_for_full_load_timestamp,
        record=policy.stages_records(group[0].source.table),
    )


def _kept_on_null_update(group: list[Emission], policy: Policy) -> set[str]:
    """Emitted names of the columns that PostgreSQL can leave out of an update and whose policy is to keep."""
    if not policy.keeps:
        return set()
    return {
        column.name
        for emission in group
        for column in emission.columns
        if column.toastable and policy.keeps_on_null_update(emission.source.table, column.source or column.name)
    }


def stage_name(policy: Policy) -> ObjectName:
    """The stage that the pipes read: `NAME` in the staging schema, or `SCHEMA.NAME`."""
    schema, _, name = policy.stage.rpartition(".")
    return ObjectName(policy.database, schema or policy.staging_schema, name)


def merge_procedure(policy: Policy) -> ObjectName:
    """The procedure that runs the merges whose text is data."""
    return ObjectName(policy.database, policy.staging_schema, PROCEDURE)


def _below_stage(policy: Policy, path: str, task: DmsTask) -> str:
    """The stage's URL ends at the DMS bucket folder, so the path below it is schema/table/."""
    folder = task.endpoint.bucket_folder.strip("/")
    below = path.removeprefix(f"{folder}/") if folder else path
    return f"{policy.stage_path.strip('/')}/{below}" if policy.stage_path.strip("/") else below


def _common(one: Plot, other: Plot) -> Plot | None:
    """What takes the values of both; None where one column cannot."""
    staging = _wider(one[0].type, one[0].least or one[0].type, other[0].type, other[0].least or other[0].type)
    if staging is None:
        return None
    first, second = one[1], other[1]
    if first is None or second is None:
        return replace(one[0], type=staging[0], least=staging[1]), first
    final = _wider(first.type, first.least or first.type, second.type, second.least or second.type)
    if final is None or first.cast is not second.cast:
        return None
    hops = first.hops if first.loss.rank >= second.loss.rank else second.hops
    changed = replace(first, type=final[0], least=final[1], hops=hops)
    return replace(one[0], type=staging[0], least=staging[1]), changed


def _wider(type_a: SfType, least_a: SfType, type_b: SfType, least_b: SfType) -> tuple[SfType, SfType] | None:
    """(type to create, least type) for both; None where the families differ or 38 digits do not suffice."""
    if type_a.base != type_b.base:
        return None
    if type_a.base != "NUMBER":
        return type_a, max(least_a, least_b, key=lambda item: (item.length or 0, item.precision or 0))
    scale = max(least_a.scale or 0, least_b.scale or 0)
    digits = max((item.precision or 38) - (item.scale or 0) for item in (least_a, least_b))
    if digits + scale > 38:
        return None
    return SfType("NUMBER", precision=38, scale=scale), SfType("NUMBER", precision=digits + scale, scale=scale)


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
