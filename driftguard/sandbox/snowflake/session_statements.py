"""USE, ALTER SESSION, BEGIN and its ends, SET, EXPLAIN, and the flow operator `->>`."""

from __future__ import annotations

import itertools

from sqlglot import exp

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import Kind, tokenize
from driftguard.sandbox.snowflake.names import QName, show
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import SCL, TCL, USE, Field, Result, status
from driftguard.sandbox.snowflake.sessions import DEFAULTS
from driftguard.sandbox.snowflake.translate import Translator

DONE = "Statement executed successfully."


def use(ex: Execution, reader: Reader) -> Result:
    """USE [DATABASE | SCHEMA | WAREHOUSE | ROLE | SECONDARY ROLES] name."""
    reader.expect("USE")
    session = ex.session
    if reader.accept("ROLE"):
        name = reader.identifier()
        reader.end()
        if name not in ex.grants.roles:
            raise errors.operation_impossible()
        session.role = name
    elif reader.accept("SECONDARY", "ROLES"):
        if not (reader.accept("ALL") or reader.accept("NONE")):
            raise errors.unsupported("USE SECONDARY ROLES with role names")
        reader.end()
    elif reader.accept("WAREHOUSE"):
        name = reader.identifier()
        reader.end()
        if name not in ex.catalog.warehouses:
            raise errors.operation_impossible()
        session.warehouse = name
    else:
        database_only = reader.accept("DATABASE")
        schema_only = not database_only and reader.accept("SCHEMA")
        target = reader.name()
        reader.end()
        try:
            _use_schema(ex, target, database_only=database_only, schema_only=schema_only)
        except errors.SnowflakeError as error:
            if error.errno == 2003:
                raise errors.operation_impossible() from None
            raise
    return status(DONE, changes=False, type_id=USE)


def _use_schema(ex: Execution, target: QName, *, database_only: bool, schema_only: bool) -> None:
    if len(target.parts) == 2 or schema_only:
        database, schema = ex.schema(target)
        ex.session.database, ex.session.schema = database.name, schema.name
        return
    found = ex.catalog.database(target.name)
    if not ex.grants.enters(ex.role, found, None):
        raise errors.not_exists("Database", target.name)
    ex.session.database = found.name
    public = found.schemas.get("PUBLIC")
    ex.session.schema = "PUBLIC" if public is not None and ex.grants.enters(ex.role, found, public) else None
    _ = database_only


def alter_session(ex: Execution, reader: Reader) -> Result:
    """ALTER SESSION SET a = 1 b = 2 | UNSET a, b. Setting AUTOCOMMIT commits an open transaction."""
    if reader.accept("SET"):
        values = reader.options()
        reader.end()
        for name, value in values.items():
            ex.session.set_parameter(name, value)
        if "AUTOCOMMIT" in values:
            ex.engine.commit(ex.session)
    else:
        reader.expect("UNSET")
        while True:
            name = reader.identifier_or_reserved()
            if name not in DEFAULTS:
                raise errors.compilation(1999, "22023", f"invalid parameter '{name}'")
            ex.session.parameters.pop(name, None)
            if not reader.accept_op(","):
                break
        reader.end()
    return status(DONE, changes=False, type_id=SCL)


def alter_warehouse(ex: Execution, reader: Reader) -> Result:
    """RESUME, SUSPEND, SET: names only, nothing runs on a warehouse here."""
    reader.accept("IF", "EXISTS")
    warehouse = ex.catalog.warehouses.get(reader.identifier())
    if warehouse is None:
        raise errors.operation_impossible()
    if reader.accept("RESUME"):
        warehouse.state = "STARTED"
    elif reader.accept("SUSPEND"):
        warehouse.state = "SUSPENDED"
    else:
        reader.expect("SET")
        values = reader.options()
        warehouse.size = str(values.get("WAREHOUSE_SIZE", warehouse.size))
    return status(DONE)


# -- transactions ----------------------------------------------------------------------------------------------


def is_transaction_begin(reader: Reader) -> bool:
    """BEGIN; BEGIN TRANSACTION | WORK [NAME x]; everything else that starts with BEGIN is a block."""
    following = reader.peek()
    return (
        following.kind is Kind.END
        or (following.kind is Kind.OP and following.value == ";" and reader.peek(2).kind is Kind.END)
        or (following.kind is Kind.WORD and following.value in ("TRANSACTION", "WORK", "NAME"))
    )


def begin(ex: Execution, reader: Reader) -> Result:
    """BEGIN | START TRANSACTION. Inside an open transaction it is ignored, as Snowflake ignores it."""
    if reader.advance().value == "START":
        reader.expect("TRANSACTION")
    else:
        _ = reader.accept("TRANSACTION") or reader.accept("WORK")
    name = reader.identifier() if reader.accept("NAME") else ""
    reader.end()
    ex.engine.begin(ex.session, name=name)
    return status(DONE, type_id=TCL)


def commit(ex: Execution, reader: Reader) -> Result:
    reader.advance()
    reader.accept("WORK")
    reader.end()
    ex.engine.commit(ex.session)
    return status(DONE, type_id=TCL)


def rollback(ex: Execution, reader: Reader) -> Result:
    reader.advance()
    reader.accept("WORK")
    reader.end()
    ex.engine.rollback(ex.session)
    return status(DONE, type_id=TCL)


# -- variables, flow, explain ----------------------------------------------------------------------------------


def variable(_: Execution, reader: Reader) -> Result:
    raise errors.unsupported(f"session variables ({reader.token.value} name)")


def flow(sql: str) -> list[str] | None:
    """The statements of `a ->> b ->> c`, or None."""
    if "->>" not in sql:
        return None
    parts: list[str] = []
    start = 0
    for token in tokenize(sql):
        if token.kind is Kind.OP and token.value == "->>":
            parts.append(sql[start : token.start])
            start = token.end
    return [*parts, sql[start:]] if parts else None


def over_result(ex: Execution, sql: str, result: Result) -> Result:
    """A query whose `$1` is the answer before it."""
    tokens = tokenize(sql)
    out: list[str] = []
    last = 0
    for token, following in itertools.pairwise(tokens):
        if token.kind is Kind.OP and token.value == "$" and following.kind is Kind.NUMBER and following.value == "1":
            out.append(sql[last : token.start] + '"$1"')
            last = following.end
    rewritten = "".join(out) + sql[last:]
    return query_over(ex, parse(rewritten), {"$1": result})


def query_over(ex: Execution, tree: exp.Expr, results: dict[str, Result]) -> Result:
    """A query in which some names are answers of earlier statements."""
    kept = ex.relation

    def relation(name: QName):  # type: ignore[no-untyped-def]
        found = results.get(name.name) if len(name.parts) == 1 else None
        return ex.virtual(found.fields, found.rows) if found is not None else kept(name)

    ex.relation = relation  # type: ignore[method-assign]
    try:
        return ex.query(tree)
    finally:
        ex.relation = kept  # type: ignore[method-assign]


def explain(ex: Execution, reader: Reader) -> Result:
    """EXPLAIN compiles a query and says little: the stand-in has no plan to show."""
    reader.expect("EXPLAIN")
    if reader.accept("USING"):
        reader.advance()
    tree = parse(reader.rest())
    if not isinstance(tree, exp.Query):
        raise errors.unsupported("EXPLAIN of anything but a query")
    Translator(ex).query(tree)
    return Result([Field("step"), Field("operation")], [(None, "GlobalStats"), ("1", "Result")])


def current(ex: Execution, name: str) -> str | None:
    """The value of CURRENT_… functions."""
    session = ex.session
    values: dict[str, str | None] = {
        "CURRENT_WAREHOUSE": session.warehouse,
        "CURRENT_ROLE": session.role,
        "INVOKER_ROLE": session.role,
        "CURRENT_ACCOUNT": "SANDBOX",
        "CURRENT_ACCOUNT_NAME": "SANDBOX",
        "CURRENT_ORGANIZATION_NAME": "DRIFTGUARD",
        "CURRENT_USER": session.user,
        "CURRENT_DATABASE": session.database,
        "CURRENT_SCHEMA": session.schema,
        "CURRENT_SESSION": str(session.id),
        "CURRENT_REGION": "AWS_EU_CENTRAL_1",
        "CURRENT_VERSION": "9.0.0",
        "CURRENT_CLIENT": "driftguard sandbox",
        "CURRENT_IP_ADDRESS": "127.0.0.1",
        "CURRENT_TRANSACTION": str(session.transaction.id) if session.transaction is not None else None,
        "CURRENT_SECONDARY_ROLES": '{"roles":"","value":""}',
        "CURRENT_STATEMENT": ex.record.text if ex.record is not None else None,
        "LAST_QUERY_ID": session.last_query_id,
        "CURRENT_AVAILABLE_ROLES": "[" + ", ".join(f'"{role}"' for role in sorted(ex.grants.roles)) + "]",
        "CURRENT_SCHEMAS": f'["{show(session.database or "")}.{show(session.schema or "")}"]',
    }
    return values[name]
