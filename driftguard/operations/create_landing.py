"""Make a landing: file format, FINAL, STAGING, pipe, stream, merge task. What is there already is left alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from driftguard.errors import PlanError
from driftguard.merge import stored
from driftguard.merge.consumption import condition
from driftguard.merge.generate import generate
from driftguard.model.identifiers import ObjectName
from driftguard.model.merge import MergeSpec
from driftguard.model.plan import Hazard, HazardKind, Statement
from driftguard.model.snowflake import Estate, FileFormat, Pipe, SfColumn, SfTable, Task
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    blocked,
    find_pipe,
    find_stream,
    find_table,
    find_task,
    with_pipe,
    with_stream,
    with_table,
    with_task,
)
from driftguard.operations.change_consumption import create_stream, new_stream, reads
from driftguard.operations.columns import ColumnDef, definition
from driftguard.operations.pipes import Folder, properties, refresh
from driftguard.operations.replace_merge import STARTED
from driftguard.sql.snowflake import literal, names, qualified, quote

# USE_LOGICAL_TYPE, USE_VECTORIZED_SCANNER and BINARY_AS_TEXT decide what timestamps and bytes become, and their
# defaults are due to change; NULL_IF would turn the text \N into NULL. Source: docs.snowflake.com "CREATE FILE FORMAT".
FILE_FORMAT_OPTIONS = (
    ("TYPE", "PARQUET"),
    ("USE_LOGICAL_TYPE", "TRUE"),
    ("USE_VECTORIZED_SCANNER", "TRUE"),
    ("BINARY_AS_TEXT", "FALSE"),
    ("NULL_IF", "()"),
)


@dataclass(frozen=True)
class CreateLanding(Operation):
    """The parts in the order in which they need each other; the task is resumed last."""

    kind = "create_landing"

    file_format: ObjectName
    stage: ObjectName
    path: str
    staging: ObjectName
    staging_columns: tuple[ColumnDef, ...]
    final: ObjectName
    final_columns: tuple[ColumnDef, ...]
    key: tuple[str, ...]
    pipe: ObjectName
    task: ObjectName
    merge: MergeSpec
    schedule: str = "1 MINUTE"
    warehouse: str = ""
    with_pipe: bool = True  # False where somebody else manages the pipes
    with_task: bool = True  # False where somebody else manages the merges
    record: bool = False  # STAGING keeps whole records
    procedure: ObjectName | None = None  # what runs the merge where its text is data
    exposes: tuple[str, ...] = ()  # what had a policy or tag in the FINAL that this one follows, and has none here

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.file_format, self.staging, self.final, self.pipe, self.task)

    def readiness(self, estate: Estate) -> Readiness:
        for kind, name in (
            ("tables", self.staging),
            ("tables", self.final),
            ("pipes", self.pipe),
            ("tasks", self.task),
            ("file formats", self.file_format),
            ("streams", self._stream or self.staging),
        ):
            if kind == "streams" and self._stream is None:
                continue
            if not estate.saw(kind, name.database, name.schema):
                return blocked(f"{kind} in {name.database}.{name.schema} could not be looked at")
        for name, columns in ((self.staging, self.staging_columns), (self.final, self.final_columns)):
            table = find_table(estate, name)
            if table is None:
                continue
            missing = {c.name for c in columns} - {c.name for c in table.columns}
            if missing:
                return blocked(f"{name} exists already, without the column {sorted(missing)[0]}")
        return READY if self.statements(estate) else DONE

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        there = {t.name for t in estate.tables}
        found: list[Statement] = []
        found += create_file_format(self.file_format, estate)
        if self.final not in there:
            found.append(_create_table(self.final, self.final_columns, self.key))
        if self.staging not in there:
            found.append(_create_table(self.staging, self.staging_columns, ()))
        if self.with_pipe and find_pipe(estate, self.pipe) is None:
            found.append(Statement(self._create_pipe(), f"create the pipe {self.pipe}"))
            found.append(refresh(self.pipe, self.staging))
        if self._stream is not None and find_task(estate, self.task) is None:
            stream = find_stream(estate, self._stream)
            if not reads(stream, self.staging):
                found.append(create_stream(self._stream, self.staging, again=stream is not None))
        if self.with_task and find_task(estate, self.task) is None:
            if self.procedure is not None:
                found += self._stored(self.procedure)
            found.append(Statement(self._create_task(), f"create the merge task {self.task}"))
            found.append(Statement(f"ALTER TASK {qualified(self.task)} RESUME", f"resume {self.task}"))
        return tuple(found)

    def hazards(self) -> tuple[Hazard, ...]:
        if not self.exposes:
            return ()
        return (Hazard(HazardKind.EXPOSES_COLUMN, f"{self.final} lacks what governs {', '.join(self.exposes)}"),)

    def effect(self, estate: Estate) -> Estate:
        estate = with_file_format(estate, self.file_format)
        for name, columns, key in (
            (self.final, self.final_columns, self.key),
            (self.staging, self.staging_columns, ()),
        ):
            if find_table(estate, name) is None:
                made = tuple(
                    SfColumn(c.name, c.type, nullable=not c.required, masking_policy=c.masking_policy, tags=c.tags)
                    for c in columns
                )
                estate = with_table(estate, SfTable(name, made, primary_key=key))
        if self.with_pipe and find_pipe(estate, self.pipe) is None:
            estate = with_pipe(estate, Pipe(self.pipe, self.copy))
        if self.with_task and find_task(estate, self.task) is None:
            body = generate(self.merge)
            text_of = str(self.final) if self.procedure is not None else None
            task = Task(self.task, body, STARTED, self.schedule, self.warehouse or None, text_of=text_of)
            if self._stream is not None:
                task = dataclasses.replace(task, condition=condition(self._stream))
                estate = with_stream(estate, new_stream(self._stream, self.staging))
            estate = with_task(estate, task)
        return estate

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        parts = [f"task {self.task}"] if self.with_task else []
        parts += [f"stream {self._stream}"] if self._stream else []
        parts += [f"pipe {self.pipe}"] if self.with_pipe else []
        parts += [f"tables {self.staging} and {self.final}"]
        raise PlanError(
            f"{self.summary()}: not undone, because its tables hold data",
            hint=f"where nobody needs it, suspend and drop by hand, in this order: {', '.join(parts)}",
        )

    def summary(self) -> str:
        parts = [str(self.staging)]
        parts += [self.pipe.name] if self.with_pipe else []
        parts += [self.task.name] if self.with_task else []
        return f"create the landing {self.final} with {', '.join(parts)}"

    @property
    def _stream(self) -> ObjectName | None:
        return self.merge.stream if self.with_task else None

    def _create_pipe(self) -> str:
        return f"CREATE PIPE IF NOT EXISTS {qualified(self.pipe)} {properties(None)} AS\n{self.copy}"

    @property
    def copy(self) -> str:
        """The pipe's COPY statement."""
        return Folder(self.staging, self.stage, self.path, self.file_format, self.record).copy

    def _create_task(self) -> str:
        size = "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'XSMALL'"
        where = f"WAREHOUSE = {quote(self.warehouse)}" if self.warehouse else size
        when = f" WHEN {condition(self._stream)}" if self._stream is not None else ""
        head = f"CREATE TASK IF NOT EXISTS {qualified(self.task)} {where} SCHEDULE = {literal(self.schedule)}{when} AS"
        if self.procedure is not None:
            return f"{head}\n{stored.call(self.procedure, str(self.final))}"
        return f"{head}\n{generate(self.merge)}"

    def _stored(self, procedure: ObjectName) -> list[Statement]:
        control, landing = self.merge.watermark, str(self.final)
        return [
            Statement(stored.create_procedure(procedure, control), f"create the procedure {procedure}"),
            Statement(stored.store(control, landing, generate(self.merge)), f"write down the merge of {landing}"),
        ]


def create_file_format(name: ObjectName, estate: Estate) -> list[Statement]:
    """What makes the file format; nothing where it is there."""
    if any(f.name == name for f in estate.file_formats):
        return []
    options = " ".join(f"{key} = {value}" for key, value in FILE_FORMAT_OPTIONS)
    sql = f"CREATE FILE FORMAT IF NOT EXISTS {qualified(name)} {options}"
    return [Statement(sql, f"create the file format {name}")]


def with_file_format(estate: Estate, name: ObjectName) -> Estate:
    """The estate with the file format as `create_file_format` makes it."""
    if any(f.name == name for f in estate.file_formats):
        return estate
    made = FileFormat(name, "PARQUET", tuple(FILE_FORMAT_OPTIONS))
    return dataclasses.replace(estate, file_formats=(*estate.file_formats, made))


def _create_table(name: ObjectName, columns: tuple[ColumnDef, ...], key: tuple[str, ...]) -> Statement:
    lines = [definition(c) for c in columns]
    if key:
        lines.append(f"PRIMARY KEY ({names(key)})")
    body = ",\n  ".join(lines)
    return Statement(f"CREATE TABLE IF NOT EXISTS {qualified(name)} (\n  {body}\n)", f"create the table {name}")
