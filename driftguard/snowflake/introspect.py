"""Reads the Snowflake side in a number of statements that does not grow with the number of tables.

A thing that may not be seen is reported as unseen, never as absent: a missing privilege hides an object from every
listing (docs.snowflake.com "Snowflake Information Schema"), and SHOW stops at 10,000 rows without saying so.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from driftguard.model.catalog import Unseen
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import (
    Estate,
    FileFormat,
    Pipe,
    Procedure,
    SfColumn,
    SfTable,
    Stage,
    Stream,
    Task,
    View,
)
from driftguard.snowflake.cells import Row, added_by_a_load, column_type, moment, object_name, option, predecessors
from driftguard.snowflake.definitions import with_ddl
from driftguard.snowflake.errors import TOO_MUCH_DATA, number, text, unreachable
from driftguard.snowflake.session import Session
from driftguard.sql.snowflake import literal, qualified, quote, schema_name

SHOW_LIMIT = 10_000
# Statements under way, enough for all of two schemas: what waits for another takes a round trip more. Threads may share
# a connection of the connector (threadsafety 2, PEP 249).
_AT_ONCE = 24
_WHO = "SELECT CURRENT_ACCOUNT() AS ACCOUNT, CURRENT_ROLE() AS ROLE"
_TIMEZONE = "SHOW PARAMETERS LIKE 'TIMEZONE' IN ACCOUNT"


def introspect(session: Session, database: str, schemas: Sequence[str]) -> Estate:
    """Everything of driftguard's concern in `schemas` of `database`; what could not be read is in `Estate.unseen`.

    Raises `UnreachableError` only where nothing at all can be said: no connection, no such database for this role.
    """
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="introspect")
    try:
        wanted = list(dict.fromkeys(schemas))
        return _introspect(_Reader(session, database, pool, wanted), wanted)
    finally:
        pool.shutdown(cancel_futures=True)


def _introspect(reader: _Reader, wanted: Sequence[str]) -> Estate:
    database = reader.database
    visible = reader.schemas()
    for schema in wanted:
        if schema not in visible:
            reader.unseen.append(
                Unseen(
                    f"schema {database}.{schema}", "the role does not see it: it does not exist, or USAGE is missing"
                )
            )
    seen = [schema for schema in wanted if schema in visible]
    tables = reader.tables(seen)
    for schema in seen:
        if not any(t.name.schema == schema for t in tables) and not reader.may_create(schema):
            reason = "the listing is empty, and the role has neither OWNERSHIP of the schema nor CREATE TABLE in it"
            reader.unseen.append(Unseen(f"tables in {database}.{schema}", reason))
    pipes, tasks = reader.pipes(seen), reader.tasks(seen)
    return Estate(
        tables=tables,
        pipes=pipes,
        tasks=tasks,
        streams=reader.streams(seen),
        procedures=reader.procedures(seen, tasks),
        views=reader.views(seen),
        file_formats=reader.file_formats(seen),
        stages=reader.stages(seen),
        schemas=tuple((database, schema) for schema in seen),
        unseen=tuple(reader.unseen),
        account=reader.account,
        role=reader.role,
        timezone=reader.timezone(),
        captured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _between(names: list[str]) -> str:
    return f"AND TABLE_NAME BETWEEN {literal(names[0])} AND {literal(names[-1])} "


class _Reader:
    def __init__(self, session: Session, database: str, pool: ThreadPoolExecutor, wanted: Sequence[str]) -> None:
        self.session = session
        self.database = database
        self.unseen: list[Unseen] = []
        self._pool = pool
        self._sent: dict[str, Future[list[Row]]] = {}
        self._send_ahead(wanted)
        who = self._must(_WHO)[0]
        self.account, self.role = str(who["ACCOUNT"] or ""), str(who["ROLE"] or "")

    def _send_ahead(self, schemas: Sequence[str]) -> None:
        """Everything side by side: a round trip takes longer than the work. What nobody asks for is not looked at."""
        for sql in (
            _WHO,
            self._schemas_sql(),
            _information_sql(self.database, schemas, "TABLES", _TABLE_COLUMNS, ""),
            self._columns_sql(schemas),
            *(self._show_sql(kind, schema) for kind in _SHOWN for schema in schemas),
            self._keys_sql(),
            _TIMEZONE,
            _information_sql(self.database, schemas, "PROCEDURES", _PROCEDURE_COLUMNS, ""),
            _information_sql(self.database, schemas, "VIEWS", _VIEW_COLUMNS, ""),
        ):
            self._sent[sql] = self._pool.submit(self.session.rows, sql)

    def _rows(self, sql: str) -> list[Row]:
        sent = self._sent.pop(sql, None)
        return self.session.rows(sql) if sent is None else sent.result()

    def _schemas_sql(self) -> str:
        return f"SHOW SCHEMAS IN DATABASE {quote(self.database)}"

    def _keys_sql(self) -> str:
        return f"SHOW PRIMARY KEYS IN DATABASE {quote(self.database)}"

    def _show_sql(self, kind: str, schema: str) -> str:
        return f"SHOW {kind.upper()} IN SCHEMA {schema_name(self.database, schema)}"

    def schemas(self) -> set[str]:
        rows = self._must(self._schemas_sql())
        return {str(row["NAME"]) for row in rows}

    def timezone(self) -> str:
        """The account's TIMEZONE, which pipes and tasks run with; "" where the role may not ask."""
        try:
            rows = self._rows(_TIMEZONE)
        except Exception as error:
            if number(error) < 0:
                raise
            return ""
        return str(rows[0]["VALUE"]) if rows else ""

    def may_create(self, schema: str) -> bool:
        """Does a role of this session own the schema, or may it create tables there?"""
        try:
            roles = json.loads(self.session.rows("SELECT CURRENT_AVAILABLE_ROLES() AS R")[0]["R"] or "[]")
            grants = self.session.rows(f"SHOW GRANTS ON SCHEMA {schema_name(self.database, schema)}")
        except Exception as error:
            if number(error) < 0:
                raise
            return False
        mine = {str(role) for role in roles} | {self.role}
        return any(
            str(g["GRANTEE_NAME"]) in mine and str(g["PRIVILEGE"]) in ("OWNERSHIP", "CREATE TABLE") for g in grants
        )

    def tables(self, schemas: Sequence[str]) -> tuple[SfTable, ...]:
        rows = self._information("tables", schemas, "TABLES", _TABLE_COLUMNS)
        if not rows:
            return ()
        columns = self._columns(schemas, [str(r["TABLE_NAME"]) for r in rows])
        evolving = self._evolving(schemas)
        keys = self._keys()
        found = []
        for row in rows:
            name = ObjectName(self.database, str(row["TABLE_SCHEMA"]), str(row["TABLE_NAME"]))
            found.append(
                SfTable(
                    name=name,
                    columns=tuple(columns[(name.schema, name.name)]),
                    kind=str(row["TABLE_TYPE"]),
                    primary_key=tuple(keys[(name.schema, name.name)]),
                    comment=row["COMMENT"] or None,
                    schema_evolution=(name.schema, name.name) in evolving,
                    row_count=row["ROW_COUNT"],
                    bytes=row["BYTES"],
                )
            )
        return tuple(sorted(found, key=lambda t: t.name))

    def _columns(self, schemas: Sequence[str], names: list[str]) -> dict[tuple[str, str], list[SfColumn]]:
        precisions = self._time_precisions(schemas)
        found: dict[tuple[str, str], list[SfColumn]] = defaultdict(list)
        for row in self._split(schemas, sorted(set(names))):
            key = (str(row["TABLE_SCHEMA"]), str(row["TABLE_NAME"]))
            precision = precisions.get((*key, str(row["COLUMN_NAME"])))
            found[key].append(
                SfColumn(
                    name=str(row["COLUMN_NAME"]),
                    type=column_type(row, precision),
                    nullable=str(row["IS_NULLABLE"]).upper() == "YES",
                    comment=row["COMMENT"] or None,
                    default=row["COLUMN_DEFAULT"],
                    evolved=added_by_a_load(row["SCHEMA_EVOLUTION_RECORD"]),
                )
            )
        return found

    def _split(self, schemas: Sequence[str], names: list[str], where: str = "") -> list[Row]:
        """COLUMNS in one statement, or in halves by table name where Snowflake says that it is too much."""
        try:
            return self._rows(self._columns_sql(schemas, where))
        except Exception as error:
            if TOO_MUCH_DATA.lower() not in text(error).lower() or len(names) < 2:
                raise unreachable(error, self.session.where) from None
        middle = len(names) // 2
        halves = (names[:middle], names[middle:])
        return [row for half in halves for row in self._split(schemas, half, _between(half))]

    def _columns_sql(self, schemas: Sequence[str], where: str = "") -> str:
        sql = _information_sql(self.database, schemas, "COLUMNS", _COLUMN_COLUMNS, where)
        return f"{sql} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"

    def _time_precisions(self, schemas: Sequence[str]) -> dict[tuple[str, str, str], int]:
        """INFORMATION_SCHEMA leaves out the precision of TIME and TIMESTAMP_*; SHOW COLUMNS has it."""
        found = {}
        for row in self._show("columns", schemas):
            described = json.loads(row["DATA_TYPE"])
            if str(described.get("type", "")).startswith("TIME") and described.get("scale") is not None:
                found[(str(row["SCHEMA_NAME"]), str(row["TABLE_NAME"]), str(row["COLUMN_NAME"]))] = described["scale"]
        return found

    def _evolving(self, schemas: Sequence[str]) -> set[tuple[str, str]]:
        """The tables with ENABLE_SCHEMA_EVOLUTION: INFORMATION_SCHEMA.TABLES does not say, SHOW TABLES does."""
        found = set()
        for schema in schemas:
            for row in self._soft(f"schema evolution in {self.database}.{schema}", self._show_sql("tables", schema)):
                if str(row.get("ENABLE_SCHEMA_EVOLUTION")).upper() in ("Y", "TRUE"):
                    found.add((schema, str(row["NAME"])))
        return found

    def _keys(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for row in self._soft("keys", self._keys_sql()):
            key = (str(row["SCHEMA_NAME"]), str(row["TABLE_NAME"]))
            found[key].append((int(row["KEY_SEQUENCE"]), str(row["COLUMN_NAME"])))
        return defaultdict(list, {key: [name for _, name in sorted(items)] for key, items in found.items()})

    def pipes(self, schemas: Sequence[str]) -> tuple[Pipe, ...]:
        rows = self._show("pipes", schemas)
        names = [self._name(row) for row in rows]
        states = self._pipe_states(names)
        return tuple(
            Pipe(
                name=name,
                definition=str(row["DEFINITION"]),
                comment=row.get("COMMENT") or None,
                invalid_reason=row.get("INVALID_REASON") or None,
                state=states.get(name, (None, None))[0],
                pending=states.get(name, (None, None))[1],
                error_integration=row.get("ERROR_INTEGRATION") or None,
            )
            for name, row in sorted(zip(names, rows, strict=True), key=lambda item: item[0])
        )

    def _pipe_states(self, names: Sequence[ObjectName]) -> dict[ObjectName, tuple[str | None, int | None]]:
        """executionState and pendingFileCount of each.

        One statement for all of them: SYSTEM$PIPE_STATUS takes one pipe a call, but many calls fit in a SELECT.
        """
        if not names:
            return {}
        sql = _select([f"SYSTEM$PIPE_STATUS({literal(qualified(name))})" for name in names])
        rows = self._soft("pipe states", sql)
        if not rows:
            return {}
        found = {name: json.loads(rows[0][f"S{i}"]) for i, name in enumerate(names)}
        return {name: (status.get("executionState"), status.get("pendingFileCount")) for name, status in found.items()}

    def tasks(self, schemas: Sequence[str]) -> tuple[Task, ...]:
        rows = self._show("tasks", schemas)
        return tuple(
            sorted(
                (
                    Task(
                        name=self._name(row),
                        definition=str(row["DEFINITION"]),
                        state=str(row["STATE"]),
                        schedule=row.get("SCHEDULE") or None,
                        warehouse=row.get("WAREHOUSE") or None,
                        predecessors=predecessors(row.get("PREDECESSORS")),
                        comment=row.get("COMMENT") or None,
                        condition=row.get("CONDITION") or None,
                    )
                    for row in rows
                ),
                key=lambda t: t.name,
            )
        )

    def streams(self, schemas: Sequence[str]) -> tuple[Stream, ...]:
        found = (
            Stream(
                name=self._name(row),
                table=object_name(row.get("TABLE_NAME")),
                mode=str(row.get("MODE") or ""),
                stale=str(row.get("STALE")).lower() == "true",
                stale_after=moment(row.get("STALE_AFTER")),
            )
            for row in self._show("streams", schemas)
        )
        return tuple(sorted(found, key=lambda s: s.name))

    def procedures(self, schemas: Sequence[str], tasks: Sequence[Task]) -> tuple[Procedure, ...]:
        rows = self._information("procedures", schemas, "PROCEDURES", _PROCEDURE_COLUMNS)
        found = [
            Procedure(
                ObjectName(self.database, str(row["PROCEDURE_SCHEMA"]), str(row["PROCEDURE_NAME"])),
                str(row["ARGUMENT_SIGNATURE"]),
                row["PROCEDURE_DEFINITION"],
                row["PROCEDURE_LANGUAGE"],
                row["PROCEDURE_OWNER"],
            )
            for row in rows
        ]
        return tuple(sorted(with_ddl(found, tasks, self._answers), key=lambda p: (p.name, p.arguments)))

    def views(self, schemas: Sequence[str]) -> tuple[View, ...]:
        rows = self._information("views", schemas, "VIEWS", _VIEW_COLUMNS)
        found = (
            View(ObjectName(self.database, str(r["TABLE_SCHEMA"]), str(r["TABLE_NAME"])), r["VIEW_DEFINITION"] or None)
            for r in rows
        )
        return tuple(sorted(found, key=lambda v: v.name))

    def _answers(self, expressions: Sequence[str]) -> Sequence[str | None]:
        """Their values, from one statement; one by one where that fails, and None for each that does."""
        sql = _select(expressions)
        try:
            (row,) = self._rows(sql)
        except Exception as error:
            if number(error) < 0:
                raise
            return [None] if len(expressions) == 1 else [self._answers([one])[0] for one in expressions]
        return [row[f"S{index}"] for index in range(len(expressions))]

    def file_formats(self, schemas: Sequence[str]) -> tuple[FileFormat, ...]:
        rows = self._show("file formats", schemas)
        found = []
        for row in rows:
            options = json.loads(row.get("FORMAT_OPTIONS") or "{}")
            pairs = tuple(sorted((key.upper(), option(value)) for key, value in options.items()))
            found.append(FileFormat(self._name(row), str(row["TYPE"]), pairs))
        return tuple(sorted(found, key=lambda f: f.name))

    def stages(self, schemas: Sequence[str]) -> tuple[Stage, ...]:
        rows = self._show("stages", schemas)
        return tuple(sorted((Stage(self._name(row), str(row.get("URL") or "")) for row in rows), key=lambda s: s.name))

    def _name(self, row: Row) -> ObjectName:
        return ObjectName(self.database, str(row["SCHEMA_NAME"]), str(row["NAME"]))

    def _show(self, kind: str, schemas: Sequence[str]) -> list[Row]:
        """A SHOW a schema; one that fails, or stops at the limit, is unseen and gives no rows."""
        found: list[Row] = []
        for schema in schemas:
            found += self._soft(f"{kind} in {self.database}.{schema}", self._show_sql(kind, schema))
        return found

    def _soft(self, what: str, sql: str) -> list[Row]:
        try:
            rows = self._rows(sql)
        except Exception as error:
            if number(error) < 0:
                raise
            self.unseen.append(Unseen(what, text(error)))
            return []
        if len(rows) >= SHOW_LIMIT and sql.startswith("SHOW"):
            self.unseen.append(Unseen(what, f"SHOW stops at {SHOW_LIMIT} rows, so some may be missing"))
        return rows

    def _information(self, kind: str, schemas: Sequence[str], view: str, columns: Sequence[str]) -> list[Row]:
        if not schemas:
            return []
        try:
            return self._rows(_information_sql(self.database, schemas, view, columns, ""))
        except Exception as error:
            if number(error) < 0:
                raise
            self.unseen += [Unseen(f"{kind} in {self.database}.{schema}", text(error)) for schema in schemas]
            return []

    def _must(self, sql: str) -> list[Row]:
        try:
            return self._rows(sql)
        except Exception as error:
            if number(error) < 0:
                raise
            raise unreachable(error, self.session.where) from None


_SHOWN = ("columns", "tables", "pipes", "tasks", "streams", "file formats", "stages")
# Columns by name: "do not SELECT *", because Snowflake adds columns to these views.
_TABLE_COLUMNS = ("TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "ROW_COUNT", "BYTES", "COMMENT")
_COLUMN_COLUMNS = (
    "TABLE_SCHEMA",
    "TABLE_NAME",
    "COLUMN_NAME",
    "ORDINAL_POSITION",
    "IS_NULLABLE",
    "DATA_TYPE",
    "CHARACTER_MAXIMUM_LENGTH",
    "CHARACTER_OCTET_LENGTH",
    "NUMERIC_PRECISION",
    "NUMERIC_SCALE",
    "COLUMN_DEFAULT",
    "COMMENT",
    "SCHEMA_EVOLUTION_RECORD",
)
_PROCEDURE_COLUMNS = (
    "PROCEDURE_SCHEMA",
    "PROCEDURE_NAME",
    "ARGUMENT_SIGNATURE",
    "PROCEDURE_LANGUAGE",
    "PROCEDURE_DEFINITION",
    "PROCEDURE_OWNER",
)
_VIEW_COLUMNS = ("TABLE_SCHEMA", "TABLE_NAME", "VIEW_DEFINITION")


def _select(expressions: Iterable[str]) -> str:
    return f"SELECT {', '.join(f'{one} AS S{index}' for index, one in enumerate(expressions))}"


def _information_sql(database: str, schemas: Iterable[str], view: str, columns: Sequence[str], where: str) -> str:
    field = "PROCEDURE_SCHEMA" if view == "PROCEDURES" else "TABLE_SCHEMA"
    listed = ", ".join(literal(schema) for schema in schemas)
    selected = ", ".join(columns)
    return f"SELECT {selected} FROM {quote(database)}.INFORMATION_SCHEMA.{view} WHERE {field} IN ({listed}) {where}"
