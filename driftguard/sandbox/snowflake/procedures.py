"""Procedures in Snowflake Scripting and JavaScript (in Python: kept, not run), and CALL.

"CREATE PROCEDURE", "CALL" on docs.snowflake.com. A procedure cannot end a transaction that it did not begin, and one
that it leaves open is rolled back with an error ("Transactions", "Stored procedures and transactions").
"""

from __future__ import annotations

from driftguard.sandbox.snowflake import errors, javascript, scripting
from driftguard.sandbox.snowflake.blocks import parse_body
from driftguard.sandbox.snowflake.catalog import Located, Procedure
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.names import quote, snowflake_literal
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import CALL, Field, Result, status
from driftguard.sandbox.snowflake.types import TEXT, read_type

_LANGUAGES = ("SQL", "JAVASCRIPT", "PYTHON")
_PROPERTIES = ("RUNTIME_VERSION", "PACKAGES", "IMPORTS", "HANDLER")


def create(ex: Execution, reader: Reader, *, replace: bool, secure: bool = False) -> Result:
    """CREATE [OR REPLACE] [SECURE] PROCEDURE p(…) [COPY GRANTS] RETURNS T LANGUAGE … AS $$ … $$"""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "PROCEDURE")
    made = Procedure(last, ex.role, ex.now, secure=secure)
    reader.expect_op("(")
    while not reader.accept_op(")"):
        argument = reader.identifier()
        made.arguments.append((argument, read_type(reader, ex.timestamp_mapping())))
        if reader.accept("DEFAULT"):
            made.defaults[argument] = _default(reader)
        if not reader.is_op(")"):
            reader.expect_op(",")
    copy_grants = reader.accept("COPY", "GRANTS")
    reader.expect("RETURNS")
    if reader.is_word("TABLE"):
        raise errors.unsupported("procedures that return a table")
    made.returns = read_type(reader, ex.timestamp_mapping()).sql
    made.not_null = reader.accept("NOT", "NULL")
    while not reader.accept("AS"):
        _property(made, reader)
    if made.language not in _LANGUAGES:
        raise errors.unsupported(f"procedures in {made.language}")
    made.body = reader.string() if reader.token.kind in (Kind.STRING, Kind.DOLLAR) else reader.rest()
    if made.language == "SQL" and parse_body(made.body, ex.timestamp_mapping()) is None:
        raise errors.syntax(made.body.strip().split()[0] if made.body.strip() else "<EOF>")
    if made.language == "PYTHON" and not {"RUNTIME_VERSION", "PACKAGES", "HANDLER"} <= set(made.properties):
        raise errors.compilation(1003, "42000", "RUNTIME_VERSION, PACKAGES and HANDLER are required for PYTHON")
    existing = schema.procedures.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    if existing is not None and len(existing.arguments) != len(made.arguments):
        raise errors.unsupported("two procedures of one name (overloading)")
    if existing is not None:
        ex.grants.require(ex.role, "OWNERSHIP", ex.find("PROCEDURE", name))
        if copy_grants:
            ex.grants.copy(existing.id, made.id)
        ex.grants.forget(existing.id)
    schema.procedures[last] = made
    ex.catalog.changed()
    return status(f"Function {last} successfully created.")


def _default(reader: Reader) -> str:
    """The expression behind DEFAULT, as it is written."""
    start = end = reader.token.start
    while not (reader.is_op(",") or reader.is_op(")")):
        if reader.is_op("("):
            reader.skip_parens()
            end = reader.token.start
        else:
            end = reader.advance().end
    return reader.sql[start:end].strip()


def _property(made: Procedure, reader: Reader) -> None:
    if reader.accept("LANGUAGE"):
        made.language = reader.identifier_or_reserved().upper()
    elif reader.accept("EXECUTE", "AS"):
        made.execute_as = reader.identifier_or_reserved().upper()
    elif reader.accept("COMMENT"):
        reader.expect_op("=")
        made.comment = reader.string()
    elif reader.accept("STRICT") or reader.accept("RETURNS", "NULL", "ON", "NULL", "INPUT"):
        made.strict = True
    elif reader.token.value in _PROPERTIES:
        key = reader.advance().value
        reader.expect_op("=")
        made.properties[key] = reader.option_value()
    elif not (reader.accept("CALLED", "ON", "NULL", "INPUT") or reader.accept("NOT", "NULL")):
        raise reader.unexpected()


def sees_body(ex: Execution, found: Located[Procedure]) -> bool:
    """Who does not own a secure procedure does not see it ("Protecting sensitive information with secure UDFs …")."""
    procedure = found.thing
    return not procedure.secure or "OWNERSHIP" in ex.grants.held(ex.role, "PROCEDURE", procedure.id, procedure.owner)


def ddl(ex: Execution, found: Located[Procedure], shown: str) -> str:
    """GET_DDL: the body in a string literal, whatever it was written in (the order of the clauses is unsourced)."""
    made = found.thing
    if not sees_body(ex, found):
        raise errors.insufficient("procedure", made.name)
    arguments = ", ".join(
        f"{quote(name)} {kind.sql}{f' DEFAULT {made.defaults[name]}' if name in made.defaults else ''}"
        for name, kind in made.arguments
    )
    lines = [
        f"CREATE OR REPLACE {'SECURE ' if made.secure else ''}PROCEDURE {shown}({arguments})",
        f"RETURNS {made.returns}{' NOT NULL' if made.not_null else ''}",
        f"LANGUAGE {made.language}",
        *(["STRICT"] if made.strict else []),
        *(f"{key} = {_value(value)}" for key, value in made.properties.items()),
        *([f"COMMENT={snowflake_literal(made.comment)}"] if made.comment else []),
        f"EXECUTE AS {made.execute_as}",
        f"AS {snowflake_literal(made.body)};",
    ]
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, list):
        return "(" + ",".join(snowflake_literal(str(one)) for one in value) + ")"
    return snowflake_literal(str(value))


def alter(ex: Execution, reader: Reader) -> Result:
    """ALTER PROCEDURE p(…) SET COMMENT = '…'."""
    found = ex.find("PROCEDURE", reader.name(), "OWNERSHIP")
    reader.skip_parens()
    reader.expect("SET")
    values = reader.options()
    if set(values) != {"COMMENT"}:
        raise errors.unsupported("ALTER PROCEDURE with anything but SET COMMENT")
    found.thing.comment = str(values["COMMENT"])
    return status("Statement executed successfully.")


def call(ex: Execution, reader: Reader) -> Result:
    """CALL p(arguments)."""
    reader.expect("CALL")
    if reader.is_word("SYSTEM$WAIT"):
        value, kind = ex.scalar(reader.rest())
        return Result([Field("SYSTEM$WAIT", kind)], [(value,)], type_id=CALL)
    name = reader.name()
    text = reader.skip_parens()
    reader.end()
    found = ex.find("PROCEDURE", name, "USAGE")
    procedure: Procedure = found.thing
    values = ex.query(_arguments(text)).rows[0] if text.strip() else ()
    kinds = ex.query(_arguments(text)).fields if text.strip() else []
    given = len(values)
    if given < len(procedure.arguments):
        rest = [procedure.defaults[name] for name, _ in procedure.arguments[given:] if name in procedure.defaults]
        if len(rest) == len(procedure.arguments) - given:
            more = ex.query(_arguments(", ".join(rest)))
            values, kinds = (*values, *more.rows[0]), [*kinds, *more.fields]
    if len(values) != len(procedure.arguments):
        shown = ", ".join(field.type.sql for field in kinds)
        raise errors.compilation(1044, "42P13", f"Invalid argument types for function '{procedure.name}': ({shown})")
    variables = {
        argument: (value, field.type)
        for (argument, _), value, field in zip(procedure.arguments, values, kinds, strict=True)
    }
    session = ex.session
    before = session.transaction
    kept = (session.role, session.database, session.schema)
    if procedure.strict and any(value is None for value in values):
        return Result([Field(procedure.name, TEXT)], [(None,)], type_id=CALL)
    if procedure.execute_as == "OWNER":
        session.role = procedure.owner
    session.database, session.schema = found.database.name, found.schema.name
    try:
        value, kind = _run(ex.inner(variables), procedure, variables)
    finally:
        session.role, session.database, session.schema = kept
    if session.transaction is not None and session.transaction is not before:
        ex.engine.rollback(session)
        raise errors.SnowflakeError(
            90232,
            "P0000",
            "Stored procedure execution error: Scoped transaction started in stored procedure is incomplete and "
            "it was rolled back.",
        )
    return Result([Field(procedure.name, kind)], [(value,)], type_id=CALL, changes=True)


def _run(ex: Execution, procedure: Procedure, variables: dict[str, scripting.Value]) -> scripting.Value:
    if procedure.language == "JAVASCRIPT":
        return javascript.run(ex, procedure.name, procedure.body, variables)
    if procedure.language != "SQL":
        raise errors.unsupported(f"running procedures in {procedure.language}")
    return scripting.run_text(ex, procedure.body, variables)[0]


def _arguments(text: str):  # type: ignore[no-untyped-def]
    from driftguard.sandbox.snowflake.parsing import parse

    return parse(f"SELECT {text}")
