"""Procedures in Snowflake Scripting, and CALL.

"CREATE PROCEDURE", "CALL" on docs.snowflake.com. A procedure cannot end a transaction that it did not begin, and one
that it leaves open is rolled back with an error ("Transactions", "Stored procedures and transactions").
"""

from __future__ import annotations

from driftguard.sandbox.snowflake import errors, scripting
from driftguard.sandbox.snowflake.blocks import parse_body
from driftguard.sandbox.snowflake.catalog import Procedure
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import CALL, Field, Result, status
from driftguard.sandbox.snowflake.types import SfType, read_type


def create(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] PROCEDURE p(…) RETURNS T LANGUAGE SQL AS $$ … $$"""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "PROCEDURE")
    arguments: list[tuple[str, SfType]] = []
    reader.expect_op("(")
    while not reader.accept_op(")"):
        argument = reader.identifier()
        arguments.append((argument, read_type(reader, ex.timestamp_mapping())))
        if not reader.is_op(")"):
            reader.expect_op(",")
    copy_grants = reader.accept("COPY", "GRANTS")
    reader.expect("RETURNS")
    if reader.is_word("TABLE"):
        raise errors.unsupported("procedures that return a table")
    returns = read_type(reader, ex.timestamp_mapping()).sql
    comment, execute_as, language = None, "OWNER", "SQL"
    reader.accept("NOT", "NULL")
    while not reader.accept("AS"):
        if reader.accept("LANGUAGE"):
            language = reader.identifier_or_reserved()
        elif reader.accept("EXECUTE", "AS"):
            execute_as = reader.identifier_or_reserved()
        elif reader.accept("COMMENT"):
            reader.expect_op("=")
            comment = reader.string()
        elif not (reader.accept("CALLED", "ON", "NULL", "INPUT") or reader.accept("COPY", "GRANTS")):
            raise reader.unexpected()
    if language != "SQL":
        raise errors.unsupported(f"procedures in {language}")
    body = reader.string() if reader.token.kind in (Kind.STRING, Kind.DOLLAR) else reader.rest()
    if parse_body(body, ex.timestamp_mapping()) is None:
        raise errors.syntax(body.strip().split()[0] if body.strip() else "<EOF>")
    existing = schema.procedures.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    if existing is not None and len(existing.arguments) != len(arguments):
        raise errors.unsupported("two procedures of one name (overloading)")
    made = Procedure(
        last, ex.role, ex.now, comment, arguments=arguments, returns=returns, body=body, execute_as=execute_as
    )
    if existing is not None:
        if copy_grants:
            ex.grants.copy(existing.id, made.id)
        ex.grants.forget(existing.id)
    schema.procedures[last] = made
    ex.catalog.changed()
    return status(f"Function {last} successfully created.")


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
    if procedure.execute_as == "OWNER":
        session.role = procedure.owner
    session.database, session.schema = found.database.name, found.schema.name
    try:
        (value, kind), _ = scripting.run_text(ex.inner(variables), procedure.body, variables)
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


def _arguments(text: str):  # type: ignore[no-untyped-def]
    from driftguard.sandbox.snowflake.translate import parse

    return parse(f"SELECT {text}")
