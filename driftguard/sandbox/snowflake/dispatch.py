"""One statement: which part of the stand-in runs it, and what surrounds every statement.

The first words decide; the text is tokenised before it is looked at. DDL commits an open transaction first
("Transactions", "DDL"): that is done here for all of it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import duckdb

from driftguard.sandbox.snowflake import (
    alter_table,
    ddl_objects,
    ddl_tables,
    describe,
    dml,
    errors,
    formats,
    governance,
    grant_statements,
    pipes,
    procedures,
    scripting,
    session_statements,
    show,
    stages,
    streams,
    task_runs,
    tasks,
)
from driftguard.sandbox.snowflake.catalog import next_id
from driftguard.sandbox.snowflake.copy import copy_into
from driftguard.sandbox.snowflake.engine import Engine, check
from driftguard.sandbox.snowflake.execution import Execution, Variables
from driftguard.sandbox.snowflake.history import QueryRecord
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.sessions import Session

CreateBuilder = Callable[[Execution, Reader, bool], Result]


def _create(ex: Execution, reader: Reader) -> Result:
    reader.expect("CREATE")
    replace = reader.accept("OR", "REPLACE")
    if reader.is_word("OR", "ALTER"):
        raise errors.unsupported("CREATE OR ALTER")
    transient = False
    while reader.is_word("TRANSIENT") or reader.is_word("TEMPORARY") or reader.is_word("TEMP"):
        if reader.advance().value != "TRANSIENT":
            raise errors.unsupported("temporary objects")
        transient = True
    if reader.accept("SECURE") and not reader.is_word("VIEW"):
        if reader.accept("PROCEDURE"):
            return procedures.create(ex, reader, replace=replace, secure=True)
        raise reader.unexpected()
    if reader.accept("TABLE"):
        return ddl_tables.create_table(ex, reader, replace=replace, transient=transient)
    if reader.accept("FILE", "FORMAT"):
        return formats.create_format(ex, reader, replace=replace)
    makers: dict[str, Callable[..., Result]] = {
        "DATABASE": ddl_objects.create_database,
        "SCHEMA": ddl_objects.create_schema,
        "WAREHOUSE": ddl_objects.create_warehouse,
        "ROLE": ddl_objects.create_role,
        "STAGE": stages.create_stage,
        "VIEW": ddl_tables.create_view,
        "PIPE": pipes.create,
        "TASK": tasks.create,
        "PROCEDURE": procedures.create,
        "STREAM": streams.create,
        "MASKING": governance.create_masking_policy,
        "ROW": governance.create_row_policy,
        "TAG": governance.create_tag,
    }
    word = reader.token.value
    if reader.token.kind is not Kind.WORD or word not in makers:
        if word in (
            "USER",
            "FUNCTION",
            "SEQUENCE",
            "INTEGRATION",
            "STORAGE",
            "NOTIFICATION",
            "DYNAMIC",
            "ICEBERG",
            "EXTERNAL",
            "HYBRID",
            "ALERT",
            "SHARE",
            "MATERIALIZED",
        ):
            raise errors.unsupported(f"CREATE {word}")
        raise reader.unexpected()
    reader.advance()
    return makers[word](ex, reader, replace=replace)


def _alter(ex: Execution, reader: Reader) -> Result:
    reader.expect("ALTER")
    if reader.accept("TABLE"):
        return alter_table.alter_table(ex, reader)
    if reader.accept("FILE", "FORMAT"):
        return formats.alter_format(ex, reader)
    word = reader.token.value
    makers: dict[str, Callable[[Execution, Reader], Result]] = {
        "STAGE": stages.alter_stage,
        "PIPE": pipes.alter,
        "TASK": tasks.alter,
        "SESSION": session_statements.alter_session,
        "WAREHOUSE": session_statements.alter_warehouse,
        "PROCEDURE": procedures.alter,
    }
    if word in makers and reader.token.kind is Kind.WORD:
        reader.advance()
        return makers[word](ex, reader)
    raise errors.unsupported(f"ALTER {word}")


_KINDS = (
    "TABLE",
    "VIEW",
    "STAGE",
    "PIPE",
    "TASK",
    "PROCEDURE",
    "STREAM",
    "TAG",
    "DATABASE",
    "SCHEMA",
    "WAREHOUSE",
    "ROLE",
)


def _drop(ex: Execution, reader: Reader) -> Result:
    reader.expect("DROP")
    if reader.accept("FILE", "FORMAT"):
        return ddl_objects.drop(ex, "FILE FORMAT", reader)
    for kind in ("MASKING POLICY", "ROW ACCESS POLICY"):
        if reader.accept(*kind.split()):
            return ddl_objects.drop(ex, kind, reader)
    kind = reader.token.value
    if kind not in _KINDS:
        raise reader.unexpected()
    reader.advance()
    return ddl_objects.drop(ex, kind, reader)


def _truncate(ex: Execution, reader: Reader) -> Result:
    reader.expect("TRUNCATE")
    reader.accept("TABLE")
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    reader.end()
    if not (if_exists and ex.lookup("TABLE", name) is None):
        dml.truncate(ex, ex.table(name, "TRUNCATE").thing)
    return status("Statement executed successfully.")


def _undrop(ex: Execution, reader: Reader) -> Result:
    reader.expect("UNDROP")
    reader.expect("TABLE")
    name = reader.name()
    reader.end()
    return ddl_tables.undrop(ex, name)


def _comment(ex: Execution, reader: Reader) -> Result:
    reader.expect("COMMENT")
    return ddl_objects.comment_on(ex, reader)


def _list(ex: Execution, reader: Reader) -> Result:
    reader.advance()
    return stages.list_stage(ex, reader)


def _query(ex: Execution, reader: Reader) -> Result:
    return ex.query(parse(reader.rest()))


def _dml(ex: Execution, reader: Reader) -> Result:
    return dml.run(ex, reader.rest())


def _with(ex: Execution, reader: Reader) -> Result:
    return ex.query(parse(reader.rest()))


DDL: dict[str, Callable[[Execution, Reader], Result]] = {
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "TRUNCATE": _truncate,
    "UNDROP": _undrop,
    "COMMENT": _comment,
    "GRANT": grant_statements.grant,
    "REVOKE": grant_statements.revoke,
}
OTHER: dict[str, Callable[[Execution, Reader], Result]] = {
    "SELECT": _query,
    "WITH": _with,
    "VALUES": _query,
    "INSERT": _dml,
    "UPDATE": _dml,
    "DELETE": _dml,
    "MERGE": _dml,
    "COPY": copy_into,
    "SHOW": show.show,
    "DESC": describe.describe,
    "DESCRIBE": describe.describe,
    "LIST": _list,
    "LS": _list,
    "USE": session_statements.use,
    "SET": session_statements.variable,
    "UNSET": session_statements.variable,
    "BEGIN": session_statements.begin,
    "START": session_statements.begin,
    "COMMIT": session_statements.commit,
    "ROLLBACK": session_statements.rollback,
    "CALL": procedures.call,
    "EXECUTE": task_runs.execute,
    "DECLARE": scripting.anonymous,
    "EXPLAIN": session_statements.explain,
}
_LOGGED = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "BEGIN", "START", "COMMIT", "ROLLBACK", "CALL", "DECLARE", *DDL}
)
# with these, what ran before an error stays done
_PARTIAL = frozenset({"CALL", "DECLARE", "BLOCK", "EXECUTE"})


def verb(reader: Reader) -> str:
    """The word that decides; a scripting block is BLOCK, a bracketed query SELECT."""
    token = reader.token
    if token.kind is Kind.OP and token.value == "(":
        return "SELECT"
    if token.kind is not Kind.WORD:
        raise reader.unexpected()
    if token.value == "BEGIN" and not session_statements.is_transaction_begin(reader):
        return "BLOCK"
    if token.value == "EXECUTE" and reader.is_word("EXECUTE", "IMMEDIATE"):
        return "BLOCK"
    return token.value


def known_verb(reader: Reader) -> bool:
    """Whether a statement can begin like this."""
    word = verb(reader)
    return word in DDL or word in OTHER or word == "BLOCK"


def statement(ex: Execution, sql: str) -> Result:
    """Runs one statement inside an execution: the way in for blocks, procedures and tasks too."""
    if not sql.strip():
        raise errors.compilation(900, "42000", "Empty SQL statement.")
    piped = session_statements.flow(sql)
    if piped is not None:
        return _flow(ex, piped)
    reader = Reader(sql)
    if reader.done:
        raise errors.compilation(900, "42000", "Empty SQL statement.")
    word = verb(reader)
    if word == "BLOCK":
        return scripting.anonymous(ex, reader)
    handler = DDL.get(word)
    if handler is not None:
        ends = not (word == "ALTER" and reader.is_word("ALTER", "SESSION"))
        if ends:
            ex.engine.commit(ex.session)
        marker = next_id()
        result = handler(ex, reader)
        if word == "CREATE":
            ex.grants.apply_future(ex.catalog, marker, ex.now)
        return result
    other = OTHER.get(word)
    if other is None:
        raise reader.unexpected()
    return other(ex, reader)


def _flow(ex: Execution, parts: list[str]) -> Result:
    """`SHOW … ->> SELECT … FROM $1`: each statement reads the answer of the one before."""
    result = statement(ex, parts[0])
    for part in parts[1:]:
        result = session_statements.over_result(ex, part, result)
    return result


def run(
    engine: Engine,
    session: Session,
    sql: str,
    *,
    request_id: str = "",
    overrides: dict[str, object] | None = None,
    variables: Variables | None = None,
    query_id: str | None = None,
) -> tuple[str, Result]:
    """Runs a statement of a client: recorded, timed, cancellable, logged."""
    with session.lock:
        record = QueryRecord(
            query_id=query_id or str(uuid.uuid4()),
            text=sql,
            session_id=session.id,
            user=session.user,
            role=session.role,
            warehouse=session.warehouse,
            database=session.database,
            schema=session.schema,
            tag="",
            start=engine.clock.now(),
            request_id=request_id,
        )
        session.overrides = overrides or {}
        record.tag = str(session.parameter("QUERY_TAG"))
        limit = int(str(session.parameter("STATEMENT_TIMEOUT_IN_SECONDS")))
        record.timed_out = time.monotonic() + limit if limit else None
        engine.history.queries.append(record)
        with engine.condition:
            return record.query_id, _recorded(engine, session, record, sql, variables)


def _recorded(engine: Engine, session: Session, record: QueryRecord, sql: str, variables: Variables | None) -> Result:
    ex = Execution(engine, session, record, variables)
    context = engine.log.context(session) if engine.log is not None else None
    try:
        check(record)
        result = statement(ex, sql)
    except errors.SnowflakeError as error:
        _fail(engine, record, error)
        if engine.log is not None and _kind(sql) in _PARTIAL:
            engine.log.statement(ex.now, session, context, sql)
        raise
    except duckdb.Error as error:
        refused = errors.from_engine(error)
        _fail(engine, record, refused)
        raise refused from error
    except RecursionError:
        refused = errors.unsupported("a statement nested this deep")
        _fail(engine, record, refused)
        raise refused from None
    finally:
        ex.close()
        session.overrides = {}
        engine.end_statement(session)
    record.status = "SUCCESS"
    record.end = engine.clock.now()
    record.rows = len(result.rows)
    record.kind = _kind(sql)
    session.last_query_id = record.query_id
    session.results[record.query_id] = result
    while len(session.results) > 50:
        session.results.pop(next(iter(session.results)))
    if engine.log is not None and (_kind(sql) in _LOGGED or _kind(sql) in _PARTIAL) and result.changes:
        engine.log.statement(ex.now, session, context, sql)
    return result


def _kind(sql: str) -> str:
    try:
        return verb(Reader(sql))
    except errors.SnowflakeError:
        return "UNKNOWN"


def _fail(engine: Engine, record: QueryRecord, error: errors.SnowflakeError) -> None:
    record.status = "FAILED_WITH_ERROR"
    record.end = engine.clock.now()
    record.error_code = error.errno
    record.error_message = error.message
