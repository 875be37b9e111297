"""SHOW and DESCRIBE. Column sets: the SHOW pages of docs.snowflake.com; SHOW ends at 10,000 rows, whatever LIKE says.

The order of columns and those that the stand-in has nothing to say about (budget, …) follow the pages too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Database, Located, Procedure, Schema, Table, Task
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.listing import (
    Row,
    data_type,
    fields,
    like,
    predecessors,
    rows_of,
    schemas,
    visible,
)
from driftguard.sandbox.snowflake.names import QName, dotted
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import SHOW, Result
from driftguard.sandbox.snowflake.sessions import DEFAULTS

MOST_ROWS = 10_000


@dataclass(slots=True)
class Asked:
    """Where to look, and for what names."""

    database: Database | None = None
    schema: Schema | None = None
    table: Located[Table] | None = None
    like: str | None = None
    starts: str | None = None
    limit: int = MOST_ROWS
    after: str | None = None
    terse: bool = False

    def fits(self, name: str) -> bool:
        if self.like is not None and not like(self.like, name):
            return False
        if self.starts is not None and not name.startswith(self.starts):
            return False
        return self.after is None or name > self.after


def _asked(ex: Execution, reader: Reader, *, table: bool = False, default: str = "schema") -> Asked:
    """[HISTORY] [LIKE 'p'] [IN …] [STARTS WITH 's'] [LIMIT n [FROM 's']]"""
    out = Asked()
    reader.accept("HISTORY")
    if reader.accept("LIKE"):
        out.like = reader.string()
    if reader.accept("IN"):
        _place(ex, reader, out, table=table)
    elif default == "schema" and ex.session.database is not None:
        out.database = ex.catalog.databases.get(ex.session.database)
        if out.database is not None and ex.session.schema is not None:
            out.schema = out.database.schemas.get(ex.session.schema)
    elif default == "database" and ex.session.database is not None:
        out.database = ex.catalog.databases.get(ex.session.database)
    if reader.accept("LIKE"):
        out.like = reader.string()
    if reader.accept("STARTS", "WITH"):
        out.starts = reader.string()
    if reader.accept("LIMIT"):
        out.limit = min(MOST_ROWS, reader.integer())
        if reader.accept("FROM"):
            out.after = reader.string()
    reader.end()
    return out


def _place(ex: Execution, reader: Reader, out: Asked, *, table: bool) -> None:
    if reader.accept("ACCOUNT"):
        return
    if reader.accept("DATABASE"):
        name = reader.name() if not reader.done and not reader.is_word("LIKE") else QName((ex.session.database or "",))
        out.database = _database(ex, name.name)
        return
    try:
        if reader.accept("SCHEMA"):
            name_ = (
                reader.name()
                if not reader.done and not reader.is_word("LIKE") and not reader.is_word("LIMIT")
                else None
            )
            out.database, out.schema = ex.schema(name_)
            return
        if table and (reader.accept("TABLE") or not reader.is_word("VIEW")):
            out.table = ex.find("TABLE", reader.name())
            return
        out.database, out.schema = ex.schema(reader.name())
    except errors.SnowflakeError as error:
        if error.errno == 2003:
            raise errors.operation_impossible() if table is False else error from None
        raise


def _database(ex: Execution, name: str) -> Database:
    found = ex.catalog.databases.get(name)
    if found is None or not ex.grants.enters(ex.role, found, None):
        raise errors.operation_impossible()
    return found


def _cut(text: str, rows: Iterable[Row], asked: Asked) -> Result:
    out: list[Row] = []
    for row in rows:
        if len(out) >= min(asked.limit, MOST_ROWS):
            break
        out.append(row)
    return Result(fields(text), out, type_id=SHOW)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _owner_type(owner: str) -> str:
    return "ROLE" if owner else ""


# -- the kinds -------------------------------------------------------------------------------------------------


def _tables(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.thing.created, one.thing.name, one.database.name, one.schema.name,
            "TRANSIENT" if one.thing.transient else "TABLE", one.thing.comment or "", one.thing.cluster_by or "",
            rows_of(ex, one.thing), 0, one.thing.owner, str(one.thing.retention), "ON" if one.thing.change_tracking else "OFF",
            "N", "Y" if one.thing.schema_evolution else "N", "ROLE", "N", None, "N", "N",
        )
        for one in visible(ex, "TABLE", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name database_name schema_name kind comment cluster_by rows# bytes# owner retention_time change_tracking "
        "is_external enable_schema_evolution owner_role_type is_event budget is_hybrid is_iceberg",
        rows,
        asked,
    )


def _views(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.thing.created, one.thing.name, "", one.database.name, one.schema.name, one.thing.owner, one.thing.comment or "",
         one.thing.text, _flag(False), _flag(False), "ROLE", "OFF")
        for one in visible(ex, "VIEW", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name reserved database_name schema_name owner comment text is_secure is_materialized owner_role_type change_tracking",
        rows,
        asked,
    )


def _asked_tables(ex: Execution, asked: Asked) -> Iterable[Located[Table]]:
    return [asked.table] if asked.table is not None else visible(ex, "TABLE", asked.database, asked.schema)


def _columns(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.thing.name, one.schema.name, column.name, data_type(column), "true" if column.nullable else "NOT_NULL",
         column.default or "", "COLUMN", "", column.comment or "", one.database.name,
         "IDENTITY START 1 INCREMENT 1 NOORDER" if column.autoincrement else "", None)
        for one in _asked_tables(ex, asked)
        for column in one.thing.columns
        if asked.fits(column.name)
    )  # fmt: skip
    return _cut(
        "table_name schema_name column_name data_type null?? default kind expression comment database_name autoincrement "
        "schema_evolution_record",
        rows,
        asked,
    )


def _keys(kind: str) -> Callable[[Execution, Asked], Result]:
    def listing(ex: Execution, asked: Asked) -> Result:
        rows = (
            (
                key.created,
                one.database.name,
                one.schema.name,
                one.thing.name,
                column,
                position,
                key.name,
                _flag(False),
                None,
            )
            for one in _asked_tables(ex, asked)
            for key in one.thing.constraints
            if key.kind == kind
            for position, column in enumerate(key.columns, start=1)
        )
        return _cut(
            "created_on@ database_name schema_name table_name column_name key_sequence# constraint_name rely comment",
            rows,
            asked,
        )

    return listing


def _pipes(ex: Execution, asked: Asked) -> Result:
    from driftguard.sandbox.snowflake import pipes

    rows = (
        (one.thing.created, one.thing.name, one.database.name, one.schema.name, one.thing.definition, one.thing.owner,
         "arn:aws:sqs:eu-central-1:000000000000:driftguard-sandbox" if one.thing.auto_ingest else None,
         one.thing.comment or "", one.thing.integration, None, one.thing.error_integration, "ROLE",
         pipes.state(ex, one)[1], "STAGE")
        for one in visible(ex, "PIPE", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name database_name schema_name definition owner notification_channel comment integration pattern "
        "error_integration owner_role_type invalid_reason kind",
        rows,
        asked,
    )


TASK_COLUMNS = (
    "created_on@ name id database_name schema_name owner comment warehouse schedule predecessors state definition condition "
    "allow_overlapping_execution error_integration last_committed_on@ last_suspended_on@ owner_role_type config budget "
    "task_relations last_suspended_reason target_completion_interval"
)


def task_row(ex: Execution, one: Located[Task]) -> Row:
    task = one.thing
    before = predecessors(ex, task)
    return (
        task.created, task.name, f"{task.id:08d}-sandbox-task", one.database.name, one.schema.name, task.owner, task.comment or "",
        task.warehouse, task.schedule, json.dumps(before), task.state, task.definition, task.condition,
        _flag(task.allow_overlapping), None, task.last_committed, task.last_suspended, "ROLE", task.config, None,
        json.dumps({"Predecessors": before}, separators=(",", ":")), task.last_suspended_reason, None,
    )  # fmt: skip


def _tasks(ex: Execution, asked: Asked) -> Result:
    rows = (
        task_row(ex, one) for one in visible(ex, "TASK", asked.database, asked.schema) if asked.fits(one.thing.name)
    )
    return _cut(TASK_COLUMNS, rows, asked)


def _procedures(ex: Execution, asked: Asked) -> Result:
    def row(one: Located[Procedure]) -> Row:
        procedure = one.thing
        count = len(procedure.arguments)
        return (
            procedure.created, procedure.name, one.schema.name, "N", "N", "N", count, count,
            f"{procedure.signature} RETURN {procedure.returns.split('(')[0]}", procedure.comment or "user-defined procedure",
            one.database.name, "N", "N", "N", None, None,
        )  # fmt: skip

    rows = (row(one) for one in visible(ex, "PROCEDURE", asked.database, asked.schema) if asked.fits(one.thing.name))
    return _cut(
        "created_on@ name schema_name is_builtin is_aggregate is_ansi min_num_arguments# max_num_arguments# arguments description "
        "catalog_name is_table_function valid_for_clustering is_secure secrets external_access_integrations",
        rows,
        asked,
    )


def _formats(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.thing.created, one.thing.name, one.database.name, one.schema.name, one.thing.type, one.thing.owner,
         one.thing.comment or "", json.dumps({"TYPE": one.thing.type, **one.thing.options}, separators=(",", ":")), "ROLE")
        for one in visible(ex, "FILE FORMAT", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name database_name schema_name type owner comment format_options owner_role_type", rows, asked
    )


def _stages(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.thing.created, one.thing.name, one.database.name, one.schema.name, one.thing.url, "N", "N", one.thing.owner,
         one.thing.comment or "", None, "EXTERNAL", None, None, None, "N", "ROLE")
        for one in visible(ex, "STAGE", asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name database_name schema_name url has_credentials has_encryption_key owner comment region type cloud "
        "notification_channel storage_integration directory_enabled owner_role_type",
        rows,
        asked,
    )


def _streams(ex: Execution, asked: Asked) -> Result:
    def row(one) -> Row:  # type: ignore[no-untyped-def]
        table = ex.catalog.by_id("TABLE", one.thing.table_id)
        return (one.thing.created, one.thing.name, one.database.name, one.schema.name, one.thing.owner, one.thing.comment or "",
                table.full_name if table is not None else None, "Table", "DELTA", _flag(table is None), "DEFAULT", "ROLE")  # fmt: skip

    rows = (row(one) for one in visible(ex, "STREAM", asked.database, asked.schema) if asked.fits(one.thing.name))
    return _cut(
        "created_on@ name database_name schema_name owner comment table_name source_type type stale mode owner_role_type",
        rows,
        asked,
    )


def _schemas(ex: Execution, asked: Asked) -> Result:
    found = [
        (schema.created, schema.name, "N", "Y" if schema.name == ex.session.schema else "N", database.name, schema.owner,
         schema.comment or "", "", "1", "ROLE", None)
        for database, schema in schemas(ex, asked.database)
        if asked.fits(schema.name)
    ]  # fmt: skip
    databases = {database.name for database, _ in schemas(ex, asked.database)} | (
        {asked.database.name} if asked.database is not None else set()
    )
    system = [
        (
            0,
            "INFORMATION_SCHEMA",
            "N",
            "N",
            name,
            "",
            "Views describing the contents of schemas in this database",
            "",
            "1",
            "",
            None,
        )
        for name in sorted(databases)
        if asked.fits("INFORMATION_SCHEMA")
    ]
    rows = sorted([*found, *system], key=lambda row: (str(row[4]), str(row[1])))
    return _cut(
        "created_on@ name is_default is_current database_name owner comment options retention_time owner_role_type budget",
        rows,
        asked,
    )


def _databases(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.created, one.name, "N", "Y" if one.name == ex.session.database else "N", "", one.owner, one.comment or "", "", "1",
         "STANDARD", None, "ROLE")
        for one in sorted(ex.catalog.databases.values(), key=lambda one: one.name)
        if ex.grants.enters(ex.role, one, None) and asked.fits(one.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name is_default is_current origin owner comment options retention_time kind budget owner_role_type",
        rows,
        asked,
    )


def _warehouses(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.name, one.state, "STANDARD", one.size, 0, 0, "N", "Y" if one.name == ex.session.warehouse else "N", one.created,
         one.owner, one.comment or "")
        for one in sorted(ex.catalog.warehouses.values(), key=lambda one: one.name)
        if asked.fits(one.name)
    )  # fmt: skip
    return _cut("name state type size running# queued# is_default is_current created_on@ owner comment", rows, asked)


def _roles(ex: Execution, asked: Asked) -> Result:
    rows = (
        (
            one.created,
            one.name,
            "N",
            "Y" if one.name == ex.role else "N",
            "N",
            0,
            0,
            len(one.granted),
            "ACCOUNTADMIN",
            one.comment or "",
        )
        for one in sorted(ex.grants.roles.values(), key=lambda one: one.name)
        if asked.fits(one.name)
    )
    return _cut(
        "created_on@ name is_default is_current is_inherited assigned_to_users# granted_to_roles# granted_roles# owner comment",
        rows,
        asked,
    )


def _objects(ex: Execution, asked: Asked) -> Result:
    rows = (
        (one.thing.created, one.thing.name, one.database.name, one.schema.name, kind, one.thing.comment or "", "", 0, 0,
         one.thing.owner, "1", "ROLE")
        for kind in ("TABLE", "VIEW")
        for one in visible(ex, kind, asked.database, asked.schema)
        if asked.fits(one.thing.name)
    )  # fmt: skip
    return _cut(
        "created_on@ name database_name schema_name kind comment cluster_by rows# bytes# owner retention_time owner_role_type",
        rows,
        asked,
    )


def _parameters(ex: Execution, reader: Reader) -> Result:
    pattern = reader.string() if reader.accept("LIKE") else None
    if reader.accept("IN") or reader.accept("FOR"):
        while not reader.done and not reader.is_word("LIKE"):
            reader.advance()
    if reader.accept("LIKE"):
        pattern = reader.string()
    rows = [
        (
            name,
            _text(ex.session.parameter(name)),
            _text(default),
            "SESSION" if name in ex.session.parameters else "",
            "",
            kind.upper(),
        )
        for name, (default, kind) in sorted(DEFAULTS.items())
        if pattern is None or like(pattern, name)
    ]
    return Result(fields("key value default level description type"), list(rows), type_id=SHOW)


def _text(value: object) -> str:
    return _flag(value) if isinstance(value, bool) else str(value)


def _grants(ex: Execution, reader: Reader) -> Result:
    """SHOW GRANTS [TO ROLE r | ON <kind> name | OF ROLE r]."""
    if reader.accept("TO"):
        reader.accept("ROLE")
        role = reader.identifier() if not reader.accept("USER") else reader.identifier() and ex.role
        reader.end()
        ex.grants.role(role)
        granted = [
            (0, "USAGE", "ROLE", one, "ROLE", role, "false", "SECURITYADMIN")
            for one in sorted(ex.grants.roles[role].granted)
        ]
        given = [
            (one.created, one.privilege, one.kind.replace(" ", "_"), one.name, "ROLE", role, _flag(one.option), one.by)
            for one in ex.grants.grants
            if one.role == role
        ]
        owned = [row for row in _owned(ex) if row[5] == role]
        return Result(
            _GRANTS,
            sorted([*granted, *given, *owned], key=lambda row: (str(row[2]), str(row[3]), str(row[1]))),
            type_id=SHOW,
        )
    if reader.accept("OF"):
        reader.expect("ROLE")
        role = reader.identifier()
        rows = [
            (one.created, role, "ROLE", one.name, "ACCOUNTADMIN")
            for one in ex.grants.roles.values()
            if role in one.granted
        ]
        return Result(fields("created_on@ role granted_to grantee_name granted_by"), list(rows), type_id=SHOW)
    if reader.accept("ON"):
        from driftguard.sandbox.snowflake.grant_statements import _targets

        kind, targets = _targets(ex, reader)
        reader.end()
        wanted = {object_id for object_id, _, _ in targets}
        given = [
            (one.created, one.privilege, kind, one.name, "ROLE", one.role, _flag(one.option), one.by)
            for one in ex.grants.grants
            if one.object_id in wanted and one.kind == kind
        ]
        owners = [(0, "OWNERSHIP", kind, name, "ROLE", owner, "true", owner) for _, name, owner in targets]
        return Result(_GRANTS, [*owners, *given], type_id=SHOW)
    reader.end()
    return _grants(ex, Reader(f'TO ROLE "{ex.role}"'))


_GRANTS = fields("created_on@ privilege granted_on name granted_to grantee_name grant_option granted_by")


def _owned(ex: Execution) -> list[tuple[object, ...]]:
    out: list[tuple[object, ...]] = []
    for database in ex.catalog.databases.values():
        out.append(
            (
                database.created,
                "OWNERSHIP",
                "DATABASE",
                dotted(database.name),
                "ROLE",
                database.owner,
                "true",
                database.owner,
            )
        )
    for database, schema in ex.catalog.schemas():
        out.append(
            (
                schema.created,
                "OWNERSHIP",
                "SCHEMA",
                dotted(database.name, schema.name),
                "ROLE",
                schema.owner,
                "true",
                schema.owner,
            )
        )
    for kind in ("TABLE", "VIEW", "FILE FORMAT", "STAGE", "PIPE", "TASK", "PROCEDURE"):
        for one in ex.catalog.everything(kind):
            owner = one.thing.owner
            out.append(
                (one.thing.created, "OWNERSHIP", kind.replace(" ", "_"), one.full_name, "ROLE", owner, "true", owner)
            )
    return out


def _locks(ex: Execution, reader: Reader) -> Result:
    rows = []
    for table_id, session_id in ex.engine.locks.held():
        found = ex.catalog.by_id("TABLE", table_id)
        rows.append((found.full_name if found is not None else "", "PARTITIONS", session_id, "HOLDING"))
    return Result(fields("resource type session# status"), list(rows), type_id=SHOW)


Lister = Callable[[Execution, Asked], Result]
_LISTERS: dict[tuple[str, ...], tuple[Lister, str]] = {
    ("TABLES",): (_tables, "schema"),
    ("VIEWS",): (_views, "schema"),
    ("OBJECTS",): (_objects, "schema"),
    ("COLUMNS",): (_columns, "schema"),
    ("PRIMARY", "KEYS"): (_keys("PRIMARY KEY"), "schema"),
    ("UNIQUE", "KEYS"): (_keys("UNIQUE"), "schema"),
    ("PIPES",): (_pipes, "schema"),
    ("TASKS",): (_tasks, "schema"),
    ("PROCEDURES",): (_procedures, "schema"),
    ("FILE", "FORMATS"): (_formats, "schema"),
    ("STAGES",): (_stages, "schema"),
    ("STREAMS",): (_streams, "schema"),
    ("SCHEMAS",): (_schemas, "database"),
    ("DATABASES",): (_databases, "account"),
    ("WAREHOUSES",): (_warehouses, "account"),
    ("ROLES",): (_roles, "account"),
}


def show(ex: Execution, reader: Reader) -> Result:
    """SHOW <kind> …"""
    reader.expect("SHOW")
    terse = reader.accept("TERSE")
    if reader.accept("PARAMETERS"):
        return _parameters(ex, reader)
    if reader.accept("GRANTS"):
        return _grants(ex, reader)
    if reader.accept("LOCKS"):
        return _locks(ex, reader)
    for words, (lister, default) in _LISTERS.items():
        if reader.accept(*words):
            table = words[0] in ("COLUMNS", "PRIMARY", "UNIQUE")
            asked = _asked(ex, reader, table=table, default=default)
            asked.terse = terse
            return lister(ex, asked)
    if reader.token.value in ("IMPORTED", "FUNCTIONS", "SEQUENCES", "USERS", "INTEGRATIONS", "TRANSACTIONS", "VARIABLES", "DYNAMIC",
                              "EXTERNAL", "ICEBERG", "HYBRID", "MASKING", "ROW", "TAGS", "STORAGE"):  # fmt: skip
        if reader.accept("IMPORTED", "KEYS"):
            return Result(fields("created_on@ pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name "
                                 "fk_table_name fk_column_name key_sequence# update_rule delete_rule fk_name pk_name deferrability rely comment"),
                          [], type_id=SHOW)  # fmt: skip
        raise errors.unsupported(f"SHOW {reader.token.value}")
    raise reader.unexpected()


def describe(ex: Execution, reader: Reader) -> Result:
    """DESCRIBE TABLE | VIEW | PIPE | TASK | PROCEDURE | FILE FORMAT | STAGE."""
    reader.advance()
    if reader.accept("FILE", "FORMAT"):
        one = _found(ex, "FILE FORMAT", reader)
        rows = [
            (
                key,
                "Boolean" if isinstance(value, bool) else "List" if isinstance(value, list) else "String",
                _shown(value),
                _shown(value),
            )
            for key, value in {"TYPE": one.thing.type, **one.thing.options}.items()
        ]
        return Result(fields("property property_type property_value property_default"), list(rows), type_id=SHOW)
    if reader.accept("PIPE"):
        one = _found(ex, "PIPE", reader)
        return _only(_pipes(ex, Asked(one.database, one.schema)), one.thing.name)
    if reader.accept("TASK"):
        one = _found(ex, "TASK", reader)
        return Result(fields(TASK_COLUMNS), [task_row(ex, one)], type_id=SHOW)
    if reader.accept("STAGE"):
        one = _found(ex, "STAGE", reader)
        rows_ = [("STAGE_LOCATION", "URL", "String", f'["{one.thing.url}"]', "")]
        return Result(
            fields("parent_property property property_type property_value property_default"), list(rows_), type_id=SHOW
        )
    if reader.accept("PROCEDURE"):
        return _describe_procedure(ex, reader)
    kind = "VIEW" if reader.accept("VIEW") else "TABLE"
    _ = reader.accept("TABLE")
    name = reader.name()
    reader.accept("TYPE")
    if kind == "VIEW" or ex.lookup("TABLE", name) is None:
        raise errors.not_exists(kind, ".".join(ex.session.qualify(name, kind)))
    table: Table = ex.find("TABLE", name).thing
    key = table.primary_key()
    unique = {one for found in table.constraints if found.kind == "UNIQUE" for one in found.columns}
    columns = [
        (column.name, column.type.sql, "COLUMN", "Y" if column.nullable else "N", column.default,
         "Y" if key is not None and column.name in key.columns else "N", "Y" if column.name in unique else "N",
         None, None, column.comment, None, None, None, None)
        for column in table.columns
    ]  # fmt: skip
    text = "name type kind null?? default primary_key unique_key check expression comment policy_name privacy_domain name_mapping schema_evolution_record"
    shown = fields(text)
    import dataclasses

    shown = [
        dataclasses.replace(
            one,
            name=one.name.replace("primary_key", "primary key")
            .replace("unique_key", "unique key")
            .replace("policy_name", "policy name")
            .replace("privacy_domain", "privacy domain"),
        )
        for one in shown
    ]
    return Result(shown, list(columns), type_id=SHOW)


def _found(ex: Execution, kind: str, reader: Reader) -> Located:  # type: ignore[type-arg]
    name = reader.name()
    reader.end()
    return ex.find(kind, name)


def _only(result: Result, name: str) -> Result:
    result.rows = [row for row in result.rows if row[1] == name]
    return result


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(one) for one in value) + "]"
    return _text(value)


def _describe_procedure(ex: Execution, reader: Reader) -> Result:
    name = reader.name()
    reader.skip_parens()
    procedure: Procedure = ex.find("PROCEDURE", name).thing
    signature = "(" + ", ".join(f"{argument} {kind.name}" for argument, kind in procedure.arguments) + ")"
    rows = [("signature", signature), ("returns", procedure.returns), ("language", "SQL"),
            ("execute as", procedure.execute_as), ("body", procedure.body)]  # fmt: skip
    return Result(fields("property value"), list(rows), type_id=SHOW)


__all__ = ["MOST_ROWS", "describe", "show"]
