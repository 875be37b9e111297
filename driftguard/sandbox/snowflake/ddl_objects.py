"""Databases, schemas, warehouses, roles, file formats, stages: CREATE, ALTER, DROP, COMMENT ON.

"CREATE FILE FORMAT", "CREATE STAGE", "DROP …" on docs.snowflake.com.
"""

from __future__ import annotations

from collections.abc import Callable

from driftguard.sandbox.snowflake import errors, governance, streams
from driftguard.sandbox.snowflake.catalog import Database, Schema, Stream, Table, Warehouse
from driftguard.sandbox.snowflake.ddl_tables import drop_table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.grants import Role
from driftguard.sandbox.snowflake.names import QName, dotted
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status


def create_database(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    if not ex.grants.admin(ex.role) and not ex.grants.global_privilege(ex.role, "CREATE DATABASE"):
        raise errors.insufficient("account", "SANDBOX")
    if name in ex.catalog.databases and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    comment = _comment_only(reader, "DATABASE")
    database = Database(name, ex.role, ex.now, comment)
    database.schemas["PUBLIC"] = Schema("PUBLIC", ex.role, ex.now, database=name)
    ex.catalog.databases[name] = database
    ex.session.database, ex.session.schema = name, "PUBLIC"
    ex.catalog.changed()
    return status(f"Database {name} successfully created.")


def _comment_only(reader: Reader, kind: str) -> str | None:
    values = reader.options()
    reader.end()
    for key in values:
        if key not in ("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"):
            raise errors.invalid_property(key, kind)
    return str(values["COMMENT"]) if "COMMENT" in values else None


def create_schema(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    if len(name.parts) > 2:
        raise reader.unexpected()
    parts = name.parts if len(name.parts) == 2 else (ex.session.database or "", name.parts[0])
    if not parts[0]:
        raise errors.no_database("CREATE SCHEMA")
    database = ex.catalog.databases.get(parts[0])
    if database is None or not ex.grants.enters(ex.role, database, None):
        raise errors.not_exists("Database", dotted(parts[0]))
    if "CREATE SCHEMA" not in ex.grants.held(ex.role, "DATABASE", database.id, database.owner):
        raise errors.insufficient("database", database.name)
    if reader.is_word("CLONE"):
        raise errors.unsupported("CREATE SCHEMA … CLONE")
    reader.accept("WITH", "MANAGED", "ACCESS")
    if parts[1] in database.schemas and not replace:
        if if_not_exists:
            return status(f"{parts[1]} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(parts[1])
    schema = Schema(parts[1], ex.role, ex.now, _comment_only(reader, "SCHEMA"), database=database.name)
    database.schemas[parts[1]] = schema
    ex.session.database, ex.session.schema = database.name, schema.name
    ex.catalog.changed()
    return status(f"Schema {parts[1]} successfully created.")


def create_warehouse(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    reader.accept("WITH")
    values = reader.options()
    if name in ex.catalog.warehouses and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    comment = str(values["COMMENT"]) if "COMMENT" in values else None
    ex.catalog.warehouses[name] = Warehouse(
        name, ex.role, ex.now, comment, size=str(values.get("WAREHOUSE_SIZE", "X-Small"))
    )
    ex.session.warehouse = name
    return status(f"Warehouse {name} successfully created.")


def create_role(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.identifier()
    comment = _comment_only(reader, "ROLE")
    if not ex.grants.admin(ex.role) and not ex.grants.global_privilege(ex.role, "CREATE ROLE"):
        raise errors.insufficient("account", "SANDBOX")
    if name in ex.grants.roles and not replace:
        if if_not_exists:
            return status(f"{name} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(name)
    ex.grants.roles[name] = Role(name, ex.now, comment=comment)
    return status(f"Role {name} successfully created.")


# -- DROP ------------------------------------------------------------------------------------------------------


def drop(ex: Execution, kind: str, reader: Reader) -> Result:
    """DROP <kind> [IF EXISTS] name [CASCADE | RESTRICT]."""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if kind == "PROCEDURE":
        reader.list_of(lambda: reader.advance().value)
    _ = reader.accept("CASCADE") or reader.accept("RESTRICT")
    reader.end()
    gone = status(f"{name.name} successfully dropped.")
    missing = status(f"Drop statement executed successfully ({name.name} already dropped).", changes=False)
    simple: dict[str, Callable[[], bool]] = {
        "DATABASE": lambda: _drop_database(ex, name),
        "SCHEMA": lambda: _drop_schema(ex, name),
        "WAREHOUSE": lambda: ex.catalog.warehouses.pop(name.name, None) is not None,
        "ROLE": lambda: ex.grants.roles.pop(name.name, None) is not None,
    }
    if kind in simple:
        if simple[kind]():
            return gone
        if if_exists:
            return missing
        raise errors.not_exists(kind, str(name))
    if if_exists and ex.lookup(kind, name) is None:
        return missing
    found = ex.find(kind, name, "OWNERSHIP")
    if isinstance(found.thing, Table):
        drop_table(ex, found)
    else:
        if governance.in_use(ex, found.thing):
            raise errors.compilation(
                3513,
                "42601",
                f"Policy {found.thing.name} cannot be dropped as it is associated with one or more entities.",
            )
        found.schema.room(kind).pop(found.thing.name)
        if isinstance(found.thing, Stream):
            streams.forget(ex, found.thing)
        ex.grants.forget(found.thing.id)
        ex.catalog.changed()
    return gone


def _drop_database(ex: Execution, name: QName) -> bool:
    database = ex.catalog.databases.get(name.name)
    if database is None or not ex.grants.enters(ex.role, database, None):
        return False
    if "OWNERSHIP" not in ex.grants.held(ex.role, "DATABASE", database.id, database.owner):
        raise errors.insufficient("database", database.name)
    del ex.catalog.databases[name.name]
    if ex.session.database == name.name:
        ex.session.database = ex.session.schema = None
    ex.catalog.changed()
    return True


def _drop_schema(ex: Execution, name: QName) -> bool:
    try:
        database, schema = ex.schema(name)
    except errors.SnowflakeError as error:
        if error.errno == 2003:
            return False
        raise
    if "OWNERSHIP" not in ex.grants.held(ex.role, "SCHEMA", schema.id, schema.owner):
        raise errors.insufficient("schema", schema.name)
    del database.schemas[schema.name]
    if (ex.session.database, ex.session.schema) == (database.name, schema.name):
        ex.session.schema = None
    ex.catalog.changed()
    return True


def comment_on(ex: Execution, reader: Reader) -> Result:
    """COMMENT [IF EXISTS] ON <kind> name IS '…'; COLUMN too."""
    if_exists = reader.accept("IF", "EXISTS")
    reader.expect("ON")
    done = status("Statement executed successfully.")
    if reader.accept("COLUMN"):
        parts = reader.identifier(), *_more(reader)
        table: Table = ex.table(QName(parts[:-1]), "OWNERSHIP").thing
        column = table.column(parts[-1])
        if column is None:
            raise errors.invalid_identifier(parts[-1])
        reader.expect("IS")
        column.comment = reader.string()
        return done
    kind = reader.advance().value
    if kind == "FILE":
        reader.expect("FORMAT")
        kind = "FILE FORMAT"
    name = reader.name()
    if kind == "PROCEDURE":
        reader.skip_parens()
    reader.expect("IS")
    text = reader.string()
    if kind == "DATABASE":
        ex.catalog.database(name.name).comment = text
    elif kind == "SCHEMA":
        ex.schema(name)[1].comment = text
    elif kind in ("TABLE", "VIEW", "FILE FORMAT", "STAGE", "PIPE", "TASK", "PROCEDURE", "STREAM"):
        if if_exists and ex.lookup(kind, name) is None:
            return done
        ex.find(kind, name, "OWNERSHIP").thing.comment = text
    else:
        raise errors.unsupported(f"COMMENT ON {kind}")
    return done


def _more(reader: Reader) -> list[str]:
    out: list[str] = []
    while reader.accept_op("."):
        out.append(reader.identifier())
    return out
