"""GRANT and REVOKE: privileges on objects to roles, roles to roles, ownership.

"GRANT <privileges>", "GRANT OWNERSHIP", "GRANT ROLE" on docs.snowflake.com.
"""

from __future__ import annotations

from dataclasses import replace

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Located, Thing
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.grants import PRIVILEGES, Future, Grant
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.names import dotted
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status

DONE = "Statement executed successfully."
_PLURAL = {
    "TABLES": "TABLE",
    "VIEWS": "VIEW",
    "STAGES": "STAGE",
    "PIPES": "PIPE",
    "TASKS": "TASK",
    "PROCEDURES": "PROCEDURE",
    "STREAMS": "STREAM",
}
_MAY_GRANT = frozenset({"ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN"})


def grant(ex: Execution, reader: Reader) -> Result:
    reader.expect("GRANT")
    if reader.accept("ROLE"):
        return _role(ex, reader, give=True)
    if reader.accept("OWNERSHIP"):
        return _ownership(ex, reader)
    if reader.accept("DATABASE", "ROLE"):
        return _snowflake_role(ex, reader, give=True)
    return _privileges(ex, reader, give=True)


def revoke(ex: Execution, reader: Reader) -> Result:
    reader.expect("REVOKE")
    reader.accept("GRANT", "OPTION", "FOR")
    if reader.accept("ROLE"):
        return _role(ex, reader, give=False)
    if reader.accept("DATABASE", "ROLE"):
        return _snowflake_role(ex, reader, give=False)
    return _privileges(ex, reader, give=False)


def _snowflake_role(ex: Execution, reader: Reader, *, give: bool) -> Result:
    """GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE r: only of the database that shares ACCOUNT_USAGE."""
    name = reader.name()
    if name.parts not in (("SNOWFLAKE", "OBJECT_VIEWER"), ("SNOWFLAKE", "GOVERNANCE_VIEWER")):
        raise errors.unsupported(f"the database role {name}")
    reader.expect("TO" if give else "FROM")
    reader.expect("ROLE")
    role = ex.grants.role(reader.identifier()).name
    reader.end()
    if "ACCOUNTADMIN" not in ex.grants.reach(ex.role):
        raise errors.insufficient("database", "SNOWFLAKE")
    held = ex.grants.database_roles.setdefault(role, set())
    if give:
        held.add(name.name)
    else:
        held.discard(name.name)
    return status(DONE)


def _role(ex: Execution, reader: Reader, *, give: bool) -> Result:
    """GRANT ROLE a TO ROLE b: b inherits what a has. Any user of the stand-in may take any role."""
    granted = reader.identifier()
    ex.grants.role(granted)
    reader.expect("TO" if give else "FROM")
    if reader.accept("USER"):
        reader.identifier()
        return status(DONE)
    reader.expect("ROLE")
    receiver = ex.grants.role(reader.identifier())
    reader.end()
    if give:
        if receiver.name in ex.grants.reach(granted) - {"PUBLIC"}:
            raise errors.compilation(
                3007, "42601", f"Cannot grant role '{granted}' to '{receiver.name}': it would be a circle"
            )
        receiver.granted.add(granted)
    else:
        receiver.granted.discard(granted)
    return status(DONE)


def _words(reader: Reader, stop: str) -> list[str]:
    """Privileges: words with blanks between, commas between two, up to ON."""
    out: list[str] = []
    words: list[str] = []
    while not reader.is_word(stop):
        if reader.accept_op(","):
            out.append(" ".join(words))
            words = []
            continue
        if reader.token.kind is not Kind.WORD:
            raise reader.unexpected()
        words.append(reader.advance().value)
    if not words:
        raise reader.unexpected()
    return [*out, " ".join(words)]


def read_targets(ex: Execution, reader: Reader) -> tuple[str, list[tuple[int, str, str]]]:
    """The kind and (id, name, owner) of what a grant is about."""
    if reader.accept("ACCOUNT"):
        return "ACCOUNT", [(0, "SANDBOX", "ACCOUNTADMIN")]
    if reader.accept("WAREHOUSE"):
        warehouse = ex.catalog.warehouses.get(reader.identifier())
        if warehouse is None:
            raise errors.operation_impossible()
        return "WAREHOUSE", [(warehouse.id, warehouse.name, warehouse.owner)]
    if reader.accept("DATABASE"):
        database = ex.catalog.database(reader.identifier())
        return "DATABASE", [(database.id, database.name, database.owner)]
    if reader.accept("SCHEMA"):
        database, schema = ex.schema(reader.name())
        return "SCHEMA", [(schema.id, dotted(database.name, schema.name), schema.owner)]
    if reader.accept("ALL"):
        kind = _PLURAL.get(reader.advance().value, "")
        if reader.accept("SCHEMAS"):
            kind = "SCHEMA"
        reader.expect("IN")
        return kind, _all(ex, reader, kind)
    words = reader.advance().value
    kind = "FILE FORMAT" if words == "FILE" and reader.accept("FORMAT") else words
    if words == "MASKING" and reader.accept("POLICY"):
        kind = "MASKING POLICY"
    if words == "ROW" and reader.accept("ACCESS", "POLICY"):
        kind = "ROW ACCESS POLICY"
    if kind not in PRIVILEGES:
        raise reader.unexpected()
    found: Located[Thing] = ex.find(kind, reader.name())
    if kind == "PROCEDURE":
        reader.skip_parens()
    return kind, [(found.thing.id, found.full_name, found.thing.owner)]


def _all(ex: Execution, reader: Reader, kind: str) -> list[tuple[int, str, str]]:
    if not kind:
        raise reader.unexpected()
    if reader.accept("SCHEMA"):
        database, schema = ex.schema(reader.name())
        schemas = [(database, schema)]
    else:
        reader.expect("DATABASE")
        database = ex.catalog.database(reader.identifier())
        schemas = [(database, schema) for schema in database.schemas.values()]
    if kind == "SCHEMA":
        return [(schema.id, dotted(database.name, schema.name), schema.owner) for database, schema in schemas]
    return [
        (thing.id, dotted(database.name, schema.name, thing.name), thing.owner)
        for database, schema in schemas
        for thing in schema.room(kind).values()
    ]


def _future(ex: Execution, reader: Reader, wanted: list[str], *, give: bool) -> Result:
    """ON FUTURE TABLES IN SCHEMA s | IN DATABASE d."""
    plural = reader.advance().value
    kind = "SCHEMA" if plural == "SCHEMAS" else "FILE FORMAT" if plural == "FILE" else _PLURAL.get(plural, "")
    if kind == "FILE FORMAT":
        reader.expect("FORMATS")
    if not kind:
        raise reader.unexpected()
    reader.expect("IN")
    if reader.accept("SCHEMA"):
        found, inner = ex.schema(reader.name())
        database, schema = found.name, inner.name
    else:
        reader.expect("DATABASE")
        database, schema = ex.catalog.database(reader.identifier()).name, None
    reader.expect("TO" if give else "FROM")
    reader.accept("ROLE")
    role = ex.grants.role(reader.identifier()).name
    reader.accept("WITH", "GRANT", "OPTION")
    reader.end()
    if not (ex.grants.reach(ex.role) & _MAY_GRANT):
        raise errors.insufficient("schema" if schema else "database", schema or database)
    for one in wanted:
        everything = one in ("ALL", "ALL PRIVILEGES")
        if not everything and one not in PRIVILEGES[kind]:
            raise errors.compilation(3008, "42601", f"Privilege '{one}' is not valid for object type '{kind}'")
        for privilege in sorted(PRIVILEGES[kind] - {"OWNERSHIP"}) if everything else [one]:
            future = Future(privilege, kind, database, schema, role, ex.role)
            kept = [other for other in ex.grants.future if replace(other, by=ex.role) != future]
            ex.grants.future = [*kept, future] if give else kept
    return status(DONE)


def _privileges(ex: Execution, reader: Reader, *, give: bool) -> Result:
    wanted = _words(reader, "ON")
    reader.expect("ON")
    if reader.accept("FUTURE"):
        return _future(ex, reader, wanted, give=give)
    kind, targets = read_targets(ex, reader)
    reader.expect("TO" if give else "FROM")
    reader.accept("ROLE")
    role = ex.grants.role(reader.identifier()).name
    option = reader.accept("WITH", "GRANT", "OPTION")
    _ = reader.accept("CASCADE") or reader.accept("RESTRICT")
    reader.end()
    for object_id, name, owner in targets:
        if not (ex.grants.reach(ex.role) & _MAY_GRANT) and "OWNERSHIP" not in ex.grants.held(
            ex.role, kind, object_id, owner
        ):
            raise errors.insufficient(kind, name)
        for one in wanted:
            everything = one in ("ALL", "ALL PRIVILEGES")
            if not everything and one not in PRIVILEGES[kind]:
                raise errors.compilation(3008, "42601", f"Privilege '{one}' is not valid for object type '{kind}'")
            if give:
                for privilege in sorted(PRIVILEGES[kind] - {"OWNERSHIP"}) if everything else [one]:
                    ex.grants.add(Grant(privilege, kind, object_id, name, role, option, ex.role, ex.now))
            else:
                ex.grants.remove("ALL" if everything else one, kind, object_id, role)
    return status(DONE)


def _ownership(ex: Execution, reader: Reader) -> Result:
    """GRANT OWNERSHIP ON … TO ROLE r [COPY | REVOKE CURRENT GRANTS]. Of a task, it severs the links of its graph."""
    reader.expect("ON")
    kind, targets = read_targets(ex, reader)
    reader.expect("TO")
    reader.accept("ROLE")
    role = ex.grants.role(reader.identifier()).name
    keep = True
    if reader.accept("REVOKE"):
        keep = False
        reader.expect("CURRENT", "GRANTS")
    elif reader.accept("COPY"):
        reader.expect("CURRENT", "GRANTS")
    reader.end()
    for object_id, name, owner in targets:
        if not (ex.grants.reach(ex.role) & _MAY_GRANT) and "OWNERSHIP" not in ex.grants.held(
            ex.role, kind, object_id, owner
        ):
            raise errors.insufficient(kind, name)
        thing = _thing(ex, kind, object_id)
        thing.owner = role
        if kind == "TASK":
            thing.predecessors = []  # type: ignore[attr-defined]
            thing.state = "suspended"  # type: ignore[attr-defined]
        if not keep:
            ex.grants.forget(object_id)
    return status(DONE)


def _thing(ex: Execution, kind: str, object_id: int) -> Thing:
    if kind == "DATABASE":
        return next(one for one in ex.catalog.databases.values() if one.id == object_id)
    if kind == "WAREHOUSE":
        return next(one for one in ex.catalog.warehouses.values() if one.id == object_id)
    if kind == "SCHEMA":
        return next(schema for _, schema in ex.catalog.schemas() if schema.id == object_id)
    found = ex.catalog.by_id(kind, object_id)
    if found is None:
        raise errors.operation_impossible()
    return found.thing
