"""SHOW: which listing answers, and the listings that are not of objects. It ends at 10,000 rows, whatever LIKE says."""

from __future__ import annotations

from collections.abc import Callable

from driftguard.sandbox.snowflake import errors, show_objects, show_tables
from driftguard.sandbox.snowflake.asked import Asked, flag, read_asked
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.grant_statements import read_targets
from driftguard.sandbox.snowflake.listing import fields, like
from driftguard.sandbox.snowflake.names import dotted
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import SHOW, Result
from driftguard.sandbox.snowflake.sessions import DEFAULTS


def _parameters(ex: Execution, reader: Reader) -> Result:
    pattern = reader.string() if reader.accept("LIKE") else None
    account = False
    if reader.accept("IN") or reader.accept("FOR"):
        account = reader.is_word("ACCOUNT")
        while not reader.done and not reader.is_word("LIKE"):
            reader.advance()
    if reader.accept("LIKE"):
        pattern = reader.string()
    rows = [
        (
            name,
            text_of(default if account else ex.session.parameter(name)),
            text_of(default),
            "SESSION" if name in ex.session.parameters and not account else "",
            "",
            kind.upper(),
        )
        for name, (default, kind) in sorted(DEFAULTS.items())
        if pattern is None or like(pattern, name)
    ]
    return Result(fields("key value default level description type"), list(rows), type_id=SHOW)


def text_of(value: object) -> str:
    return flag(value) if isinstance(value, bool) else str(value)


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
            (one.created, one.privilege, one.kind.replace(" ", "_"), one.name, "ROLE", role, flag(one.option), one.by)
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
        kind, targets = read_targets(ex, reader)
        reader.end()
        wanted = {object_id for object_id, _, _ in targets}
        given = [
            (one.created, one.privilege, kind, one.name, "ROLE", one.role, flag(one.option), one.by)
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


def _locks(ex: Execution, _: Reader) -> Result:
    rows = []
    for table_id, session_id in ex.engine.locks.held():
        found = ex.catalog.by_id("TABLE", table_id)
        rows.append((found.full_name if found is not None else "", "PARTITIONS", session_id, "HOLDING"))
    return Result(fields("resource type session# status"), list(rows), type_id=SHOW)


Lister = Callable[[Execution, Asked], Result]
_LISTERS: dict[tuple[str, ...], tuple[Lister, str]] = {
    ("TABLES",): (show_tables.tables, "schema"),
    ("VIEWS",): (show_tables.views, "schema"),
    ("OBJECTS",): (show_tables.objects, "schema"),
    ("COLUMNS",): (show_tables.columns, "schema"),
    ("PRIMARY", "KEYS"): (show_tables.keys("PRIMARY KEY"), "schema"),
    ("UNIQUE", "KEYS"): (show_tables.keys("UNIQUE"), "schema"),
    ("PIPES",): (show_objects.pipes, "schema"),
    ("TASKS",): (show_objects.tasks, "schema"),
    ("PROCEDURES",): (show_objects.procedures, "schema"),
    ("FILE", "FORMATS"): (show_objects.formats, "schema"),
    ("STAGES",): (show_objects.stages, "schema"),
    ("STREAMS",): (show_objects.streams, "schema"),
    ("SCHEMAS",): (show_objects.schemas, "database"),
    ("DATABASES",): (show_objects.databases, "account"),
    ("WAREHOUSES",): (show_objects.warehouses, "account"),
    ("ROLES",): (show_objects.roles, "account"),
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
            asked = read_asked(ex, reader, table=table, default=default)
            asked.terse = terse
            return lister(ex, asked)
    if reader.token.value in (
        "IMPORTED",
        "FUNCTIONS",
        "SEQUENCES",
        "USERS",
        "INTEGRATIONS",
        "TRANSACTIONS",
        "VARIABLES",
        "DYNAMIC",
        "EXTERNAL",
        "ICEBERG",
        "HYBRID",
        "MASKING",
        "ROW",
        "TAGS",
        "STORAGE",
    ):
        if reader.accept("IMPORTED", "KEYS"):
            return Result(
                fields(
                    "created_on@ pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name "
                    "fk_schema_name "
                    "fk_table_name fk_column_name key_sequence# update_rule delete_rule fk_name pk_name "
                    "deferrability rely comment"
                ),
                [],
                type_id=SHOW,
            )
        raise errors.unsupported(f"SHOW {reader.token.value}")
    raise reader.unexpected()
