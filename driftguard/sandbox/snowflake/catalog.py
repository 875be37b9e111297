"""What exists: databases, schemas, tables with their exact column types, formats, stages, pipes, tasks, procedures.

DuckDB holds rows only, in tables whose physical names are numbers (`t17`). A rename, a swap or a clone is therefore a
change here and nothing else, as it is metadata in Snowflake.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.names import QName, dotted
from driftguard.sandbox.snowflake.types import SfType

_ids = itertools.count(1)


def next_id() -> int:
    return next(_ids)


@dataclass(slots=True)
class Column:
    """One column of a table."""

    name: str
    type: SfType
    nullable: bool = True
    default: str | None = None
    default_added_later: bool = False
    autoincrement: bool = False
    sequence: str = ""
    comment: str | None = None
    masking_policy: int | None = None
    tags: dict[int, str] = field(default_factory=dict)
    evolution: str | None = None  # SCHEMA_EVOLUTION_RECORD


@dataclass(slots=True)
class Constraint:
    """A key. Standard tables do not enforce it (unsourced here, long-standing practice)."""

    name: str
    kind: str
    columns: list[str]
    created: int
    references: QName | None = None


@dataclass(slots=True)
class Thing:
    """What every object has."""

    name: str
    owner: str
    created: int
    comment: str | None = None
    id: int = field(default_factory=next_id)
    kind = "OBJECT"


@dataclass(slots=True)
class Table(Thing):
    columns: list[Column] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    physical: str = ""
    transient: bool = False
    change_tracking: bool = False
    schema_evolution: bool = False
    cluster_by: str | None = None
    retention: int = 1
    version: int = 0
    last_ddl: int = 0
    truncated: int = 0
    loaded: dict[str, int] = field(default_factory=dict)
    row_policy: int | None = None
    streams: list[Stream] = field(default_factory=list)
    kind = "TABLE"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def primary_key(self) -> Constraint | None:
        return next((constraint for constraint in self.constraints if constraint.kind == "PRIMARY KEY"), None)


@dataclass(slots=True)
class View(Thing):
    query: str = ""
    text: str = ""
    database: str = ""
    schema: str = ""
    columns: list[str] = field(default_factory=list)
    types: list[SfType] = field(default_factory=list)
    kind = "VIEW"


@dataclass(slots=True)
class FileFormat(Thing):
    type: str = "CSV"
    options: dict[str, object] = field(default_factory=dict)
    kind = "FILE FORMAT"


@dataclass(slots=True)
class Stage(Thing):
    url: str = ""
    file_format: dict[str, object] = field(default_factory=dict)
    kind = "STAGE"


@dataclass(slots=True)
class Pipe(Thing):
    definition: str = ""
    auto_ingest: bool = False
    paused: bool = False
    before: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    table_id: int = 0
    stage_id: int = 0
    format_id: int = 0
    resolved_table: tuple[str, ...] = ()
    integration: str | None = None
    error_integration: str | None = None
    last_ingested: tuple[str, int] | None = None
    last_error: int | None = None
    cloned: bool = False
    kind = "PIPE"


@dataclass(slots=True)
class Task(Thing):
    definition: str = ""
    warehouse: str | None = None
    schedule: str | None = None
    condition: str | None = None
    predecessors: list[int] = field(default_factory=list)
    state: str = "suspended"
    allow_overlapping: bool = False
    config: str | None = None
    suspend_after: int = 10
    failures: int = 0
    parameters: dict[str, object] = field(default_factory=dict)
    last_committed: int | None = None
    last_suspended: int | None = None
    last_suspended_reason: str | None = None
    graph_version: int = 0
    reads: dict[int, int] | None = None
    kind = "TASK"

    @property
    def task_id(self) -> str:
        """The `id` of SHOW TASKS: the same after the log is replayed."""
        return f"{self.created:020d}-sandbox-task"


@dataclass(slots=True)
class Procedure(Thing):
    arguments: list[tuple[str, SfType]] = field(default_factory=list)
    returns: str = "VARCHAR"
    body: str = ""
    execute_as: str = "OWNER"
    language: str = "SQL"
    secure: bool = False
    strict: bool = False
    not_null: bool = False
    defaults: dict[str, str] = field(default_factory=dict)
    properties: dict[str, object] = field(default_factory=dict)
    kind = "PROCEDURE"

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(kind.name for _, kind in self.arguments)})"


@dataclass(slots=True)
class Stream(Thing):
    """`physical` has the rows that are not consumed, in `batches`: when each was committed, None while it is not."""

    table_id: int = 0
    append_only: bool = False
    offset: int = 0
    physical: str = ""
    batches: dict[int, int | None] = field(default_factory=dict)
    kind = "STREAM"


@dataclass(slots=True)
class MaskingPolicy(Thing):
    arguments: list[tuple[str, SfType]] = field(default_factory=list)
    body: str = ""
    kind = "MASKING POLICY"


@dataclass(slots=True)
class RowAccessPolicy(Thing):
    arguments: list[tuple[str, SfType]] = field(default_factory=list)
    body: str = ""
    kind = "ROW ACCESS POLICY"


@dataclass(slots=True)
class Tag(Thing):
    allowed: list[str] = field(default_factory=list)
    kind = "TAG"


T = TypeVar("T", bound=Thing)


class Room(Generic[T], dict[str, T]):
    """The objects of one kind in a schema, by exact name."""


@dataclass(slots=True)
class Schema(Thing):
    database: str = ""
    tables: Room[Table] = field(default_factory=Room)
    views: Room[View] = field(default_factory=Room)
    formats: Room[FileFormat] = field(default_factory=Room)
    stages: Room[Stage] = field(default_factory=Room)
    pipes: Room[Pipe] = field(default_factory=Room)
    tasks: Room[Task] = field(default_factory=Room)
    procedures: Room[Procedure] = field(default_factory=Room)
    streams: Room[Stream] = field(default_factory=Room)
    masking_policies: Room[MaskingPolicy] = field(default_factory=Room)
    row_policies: Room[RowAccessPolicy] = field(default_factory=Room)
    tags: Room[Tag] = field(default_factory=Room)
    dropped: dict[str, Table] = field(default_factory=dict)
    kind = "SCHEMA"

    def room(self, kind: str) -> Room[Thing]:
        rooms: dict[str, object] = {
            "TABLE": self.tables,
            "VIEW": self.views,
            "FILE FORMAT": self.formats,
            "STAGE": self.stages,
            "PIPE": self.pipes,
            "TASK": self.tasks,
            "PROCEDURE": self.procedures,
            "STREAM": self.streams,
            "MASKING POLICY": self.masking_policies,
            "ROW ACCESS POLICY": self.row_policies,
            "TAG": self.tags,
        }
        return rooms[kind]  # type: ignore[return-value]


@dataclass(slots=True)
class Database(Thing):
    schemas: dict[str, Schema] = field(default_factory=dict)
    kind = "DATABASE"


@dataclass(slots=True)
class Warehouse(Thing):
    size: str = "X-Small"
    state: str = "STARTED"
    kind = "WAREHOUSE"


@dataclass(slots=True)
class Located(Generic[T]):
    """An object together with where it is."""

    database: Database
    schema: Schema
    thing: T

    @property
    def full_name(self) -> str:
        return dotted(self.database.name, self.schema.name, self.thing.name)


class Catalog:
    """All objects of the one account that the stand-in is."""

    def __init__(self) -> None:
        self.databases: dict[str, Database] = {}
        self.warehouses: dict[str, Warehouse] = {}
        self.version = 0

    def changed(self) -> None:
        self.version += 1

    def schemas(self) -> Iterator[tuple[Database, Schema]]:
        for database in list(self.databases.values()):
            for schema in list(database.schemas.values()):
                yield database, schema

    def everything(self, kind: str) -> Iterator[Located[Thing]]:
        """Every object of a kind, over all schemas."""
        for database, schema in self.schemas():
            for thing in list(schema.room(kind).values()):
                yield Located(database, schema, thing)

    def pipes(self) -> Iterator[Located[Pipe]]:
        for database, schema in self.schemas():
            for pipe in list(schema.pipes.values()):
                yield Located(database, schema, pipe)

    def tasks(self) -> Iterator[Located[Task]]:
        for database, schema in self.schemas():
            for task in list(schema.tasks.values()):
                yield Located(database, schema, task)

    def table_by_id(self, wanted: int) -> Table | None:
        for _, schema in self.schemas():
            for table in schema.tables.values():
                if table.id == wanted:
                    return table
        return None

    def by_id(self, kind: str, wanted: int) -> Located[Thing] | None:
        return next((found for found in self.everything(kind) if found.thing.id == wanted), None)

    def database(self, name: str) -> Database:
        found = self.databases.get(name)
        if found is None:
            raise errors.not_exists("Database", dotted(name))
        return found

    def schema(self, database: str, name: str) -> Schema:
        found = self.database(database).schemas.get(name)
        if found is None:
            raise errors.not_exists("Schema", dotted(database, name))
        return found
