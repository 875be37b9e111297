"""One statement at work: its session, its time, its variables, and how names become objects."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyarrow as pa
from sqlglot import exp

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Database, Located, Schema, Stream, Table, Thing, View
from driftguard.sandbox.snowflake.grants import Grants
from driftguard.sandbox.snowflake.names import QName, dotted, quote
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.results import Field, Result
from driftguard.sandbox.snowflake.translate import Relation, Translator
from driftguard.sandbox.snowflake.types import SEMI, TEXT, UNKNOWN, SfType, from_duck

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.catalog import Catalog
    from driftguard.sandbox.snowflake.engine import Engine, Rows
    from driftguard.sandbox.snowflake.history import QueryRecord
    from driftguard.sandbox.snowflake.sessions import Session

Variables = Mapping[str, tuple[object, SfType]]
T = TypeVar("T", bound=Thing)
_names = itertools.count(1)


class Execution:
    """What a statement may ask of the engine. It is the `Context` of `translate`."""

    def __init__(
        self, engine: Engine, session: Session, record: QueryRecord | None, variables: Variables | None = None
    ) -> None:
        self.engine = engine
        self.session = session
        self.record = record
        self.variables: Variables = variables or {}
        self.now = engine.clock.now()
        self.reads: dict[int, int] = {}
        self.written: set[int] = set()
        self.streams: dict[int, Stream] | None = None  # that a change of rows reads; None in a query
        self._registered: list[str] = []

    def inner(self, variables: Variables | None = None) -> Execution:
        """A statement inside this one (a block, a procedure, a task): later, with its own variables."""
        child = Execution(self.engine, self.session, self.record, self.variables if variables is None else variables)
        child.reads, child.written = self.reads, self.written
        return child

    @property
    def catalog(self) -> Catalog:
        return self.engine.catalog

    @property
    def grants(self) -> Grants:
        return self.engine.grants

    @property
    def role(self) -> str:
        return self.session.role

    def timestamp_mapping(self) -> str:
        return str(self.session.parameter("TIMESTAMP_TYPE_MAPPING"))

    # -- names -------------------------------------------------------------------------------------------------

    def schema(self, name: QName | None = None) -> tuple[Database, Schema]:
        """The schema that a name means, or the current one."""
        if name is None:
            if self.session.database is None:
                raise errors.no_database("CREATE")
            if self.session.schema is None:
                raise errors.no_schema("CREATE")
            parts: tuple[str, ...] = (self.session.database, self.session.schema)
        else:
            parts = name.parts
        if len(parts) == 1:
            if self.session.database is None:
                raise errors.no_database("SELECT")
            parts = (self.session.database, parts[0])
        database = self.catalog.databases.get(parts[0])
        schema = database.schemas.get(parts[1]) if database is not None else None
        if database is None or not self.grants.enters(self.role, database, None):
            raise errors.not_exists("Database", dotted(parts[0]))
        if schema is None or not self.grants.enters(self.role, database, schema):
            raise errors.not_exists("Schema", dotted(*parts[:2]))
        return database, schema

    def home(self, name: QName, action: str = "CREATE") -> tuple[Database, Schema, str]:
        """Where an object of this name lives or would live."""
        database, schema, last = self.session.qualify(name, action)
        found_database, found_schema = self.schema(QName((database, schema)))
        return found_database, found_schema, last

    def lookup(self, kind: str, name: QName) -> Located[Thing] | None:
        """The object if it is there and visible."""
        try:
            database, schema, last = self.home(name, "SELECT")
        except errors.SnowflakeError as error:
            if error.errno in (90105, 90106):
                raise
            return None
        thing = schema.room(kind).get(last)
        if thing is None:
            return None
        found = Located(database, schema, thing)
        return found if self.grants.visible(self.role, found) else None

    def find(self, kind: str, name: QName, privilege: str | None = None) -> Located[Any]:
        """The object; 002003 if it is not there or not visible, 003001 if the role may not do this to it."""
        found = self.lookup(kind, name)
        if found is None:
            full = ".".join(self.session.qualify(name)) if len(name.parts) < 3 else ".".join(name.parts)
            raise errors.not_exists(kind if kind != "FILE FORMAT" else "File format", full)
        if privilege is not None:
            self.grants.require(self.role, privilege, found)
        return found

    def table(self, name: QName, privilege: str | None = None) -> Located[Table]:
        return cast("Located[Table]", self.find("TABLE", name, privilege))

    def create_in(self, name: QName, kind: str) -> tuple[Database, Schema, str]:
        """Where to create; needs CREATE <kind> on the schema."""
        database, schema, last = self.home(name)
        if f"CREATE {kind}" not in self.grants.held(self.role, "SCHEMA", schema.id, schema.owner) and kind != "ANY":
            raise errors.insufficient("schema", schema.name)
        if last == "":
            raise errors.syntax('""')
        return database, schema, last

    # -- the Context of translate ------------------------------------------------------------------------------

    def relation(self, name: QName) -> Relation:
        from driftguard.sandbox.snowflake import account_usage, information_schema, streams

        view = account_usage.asked_for(self, name) or information_schema.asked_for(self, name)
        if view is not None:
            return self.virtual(*view)
        found = self.lookup("TABLE", name)
        if found is not None:
            self.grants.require(self.role, "SELECT", found)
            table = cast(Table, found.thing)
            self.reads[table.id] = table.version
            return Relation(table.physical, {column.name: column.type for column in table.columns})
        seen = self.lookup("VIEW", name)
        if seen is not None:
            self.grants.require(self.role, "SELECT", seen)
            return self._view(cast("Located[View]", seen))
        stream = self.lookup("STREAM", name)
        if stream is not None:
            return streams.relation(self, cast("Located[Stream]", stream))
        full = ".".join(self.session.qualify(name)) if len(name.parts) < 3 else ".".join(name.parts)
        raise errors.compilation(2003, "42S02", f"Object '{full}' does not exist or not authorized.")

    def _view(self, found: Located[View]) -> Relation:
        view = found.thing
        kept = (self.session.database, self.session.schema, self.session.role)
        self.session.database, self.session.schema = found.database.name, found.schema.name
        self.session.role = view.owner
        try:
            tree = parse(view.query)
            columns = Translator(self).query(tree)
        except errors.SnowflakeError as error:
            raise errors.compilation(
                2037, "42601", f"Failure during expansion of view '{view.name}': {error.message}"
            ) from None
        finally:
            self.session.database, self.session.schema, self.session.role = kept
        if columns is not None and view.columns and len(columns) != len(view.columns):
            raise errors.compilation(
                2057,
                "42601",
                f"View definition for '{found.full_name}' declared {len(view.columns)} column(s), but view query "
                f"produces {len(columns)} column(s).",
            )
        if columns is not None and view.columns:
            columns = dict(zip(view.columns, columns.values(), strict=False))
        names = ", ".join(quote(name.split("\0")[0]) for name in (columns or {}))
        sql = tree.sql(dialect="duckdb")
        return Relation(f"(SELECT * FROM ({sql}) AS v({names}))" if names else f"({sql})", columns)

    def table_function(self, name: QName, arguments: list[exp.Expr], named: Mapping[str, exp.Expr]) -> Relation:
        from driftguard.sandbox.snowflake import table_functions

        positional = [self.constant(one.sql(dialect="duckdb")) for one in arguments]
        given = {key: self.constant(one.sql(dialect="duckdb")) for key, one in named.items()}
        return self.virtual(*table_functions.call(self, name, positional, given))

    def virtual(self, fields: list[Field], rows: list[tuple[object, ...]]) -> Relation:
        """Rows of the stand-in's own as a relation of DuckDB."""
        name = f"v{next(_names)}"
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields)
        arrays = [_arrow(list(column), one.type) for column, one in zip(columns, fields, strict=True)]
        internal = [f"c{position}" for position in range(len(fields))]
        self.session.connection.register(name, pa.table(dict(zip(internal, arrays, strict=True))))
        self._registered.append(name)
        casts = ", ".join(
            f"{_restored(source, one.type)} AS {quote(one.name)}" for source, one in zip(internal, fields, strict=True)
        )
        return Relation(f"(SELECT {casts} FROM {name})", {one.name: one.type for one in fields})

    def variable(self, name: str) -> tuple[object, SfType] | None:
        return self.variables.get(name)

    def system(self, name: str, arguments: list[object]) -> tuple[object, SfType] | None:
        from driftguard.sandbox.snowflake import system

        return system.call(self, name, arguments)

    def constant(self, sql: str) -> object:
        """The value of a constant expression of DuckDB; instants as microseconds."""
        kind = from_duck(self.run(f"SELECT typeof({sql})").fetchone()[0])
        row = self.run(f"SELECT {_plain(sql, kind)}").fetchone()
        return row[0] if row is not None else None

    # -- running -----------------------------------------------------------------------------------------------

    def run(self, sql: str) -> Rows:
        return self.engine.run(self.session, sql, self.record)

    def write(self, sql: str, relations: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """A change of rows: what DuckDB answers (a count, or what RETURNING gives)."""
        return self.engine.write(self.session, sql, self.record, relations)

    def lock(self, table: Thing, mode: str) -> None:
        self.engine.lock(self.session, table, mode, self.record)

    def close(self) -> None:
        """Relations made for this statement go."""
        for name in self._registered:
            self.session.connection.unregister(name)
        self._registered.clear()

    def described(self, sql: str, columns: dict[str, SfType] | None) -> tuple[list[str], list[SfType]]:
        """Names and types of a query's columns, without running it; `columns` is what the walk knows of them."""
        rows = self.run(f"DESCRIBE {sql}").fetchall()
        kinds = [from_duck(str(row[1])) for row in rows]
        walked = list(columns.values()) if columns is not None and len(columns) == len(rows) else [UNKNOWN] * len(rows)
        if any(row[1] == "INTEGER" and kind.base != "FIXED" for row, kind in zip(rows, walked, strict=True)):
            kinds = self._types(sql, len(rows))  # DuckDB before 2.0 describes a NULL as INTEGER too
        return [str(row[0]) for row in rows], kinds

    def _types(self, sql: str, width: int) -> list[SfType]:
        names = ", ".join(f"c{position}" for position in range(width))
        kinds = ", ".join(f"typeof(q.c{position})" for position in range(width))
        row = self.run(f"SELECT {kinds} FROM (SELECT 1) AS one LEFT JOIN ({sql}) AS q({names}) ON FALSE").fetchone()
        return [from_duck(name) for name in row]

    def query(self, tree: exp.Expr) -> Result:
        """Runs a query: a tree as `parsing.parse` gives it."""
        columns = Translator(self).query(tree)
        return self.fetch(tree.sql(dialect="duckdb", copy=False), columns)

    def fetch(self, sql: str, columns: dict[str, SfType] | None) -> Result:
        names, kinds = self.described(sql, columns)
        if columns is not None and len(columns) == len(names):
            names = [name.split("\0")[0] for name in columns]
            kinds = [_declared(walked, found) for walked, found in zip(columns.values(), kinds, strict=True)]
        internal = ", ".join(f"c{position}" for position in range(len(names)))
        shown = ", ".join(_plain(f"q.c{position}", kind) for position, kind in enumerate(kinds))
        rows = self.run(f"SELECT {shown} FROM ({sql}) AS q({internal})").fetchall()
        fields = [Field(name, TEXT if kind.base == "NULL" else kind) for name, kind in zip(names, kinds, strict=True)]
        return Result(fields, rows)

    def scalar(self, sql: str) -> tuple[object, SfType]:
        """The value and type of an expression of Snowflake, as scripting needs it."""
        result = self.query(parse(f"SELECT {sql}"))
        if not result.rows:
            return None, SfType("NULL")
        return result.rows[0][0], result.fields[0].type


def _declared(walked: SfType, found: SfType) -> SfType:
    """The walk knows TZ from LTZ, OBJECT from VARIANT and lengths; DuckDB knows the rest."""
    if walked.base == found.base:
        return walked if walked.base != "FIXED" else found
    if found.base == "TIMESTAMP_LTZ" and walked.base == "TIMESTAMP_TZ":
        return walked
    if found.base == "VARIANT" and walked.base in SEMI:
        return walked
    return found


def _plain(value: str, kind: SfType) -> str:
    """A column as Python values that lose nothing."""
    match kind.base:
        case "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ" | "TIME":
            return f"epoch_us({value})"
        case "DATE":
            return f"date_diff('day', DATE '1970-01-01', {value})"
        case "BINARY":
            return f"hex({value})"
        case "VARIANT":
            return f"CAST({value} AS VARCHAR)"
        case "OBJECT" | "ARRAY":
            return f"CAST(to_json({value}) AS VARCHAR)"
        case "TEXT":
            return f"CAST({value} AS VARCHAR)"
        case _:
            return value


def _arrow(values: list[object], kind: SfType) -> Any:
    match kind.base:
        case "FIXED" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ" | "DATE" | "TIME":
            if kind.base != "FIXED":
                return pa.array(values, pa.int64())
            try:
                if not kind.scale:
                    return pa.array(values, pa.int64())
            except OverflowError:
                pass  # of up to 38 digits
            return pa.array([None if one is None else str(one) for one in values], pa.string())
        case "BOOLEAN":
            return pa.array(values, pa.bool_())
        case "REAL":
            return pa.array(values, pa.float64())
        case _:
            if not set(map(type, values)) <= {str, type(None)}:
                values = [None if one is None else str(one) for one in values]
            return pa.array(values, pa.string())


def _restored(name: str, kind: SfType) -> str:
    match kind.base:
        case "TIMESTAMP_NTZ":
            return f"make_timestamp({name})"
        case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return f"make_timestamptz({name})"
        case "DATE":
            return f"(DATE '1970-01-01' + CAST({name} AS INTEGER))"
        case "TIME":
            return f"CAST(make_timestamp({name}) AS TIME)"
        case "FIXED":
            return f"CAST({name} AS {kind.duck})"
        case "VARIANT" | "OBJECT" | "ARRAY":
            return f"CAST({name} AS JSON)"
        case "BINARY":
            return f"unhex({name})"
        case _:
            return name
