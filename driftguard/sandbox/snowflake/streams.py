"""Append-only streams: the rows that one has still to give, and when its offset moves.

"Introduction to streams", "CREATE STREAM", "SYSTEM$STREAM_HAS_DATA" on docs.snowflake.com. An append-only stream gives
the rows that were inserted since its offset, those too that are deleted again. The offset moves to the start of the
transaction that read the stream in a change of rows, once that commits; all statements of a transaction see the stream
as it was when the transaction began. A stream that tracks updates and deletes can be made and listed, not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Located, Stream, Table, next_id
from driftguard.sandbox.snowflake.names import quote
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.types import BOOLEAN, TEXT

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.engine import Engine
    from driftguard.sandbox.snowflake.execution import Execution
    from driftguard.sandbox.snowflake.sessions import Session, Transaction
    from driftguard.sandbox.snowflake.translate import Relation

_BATCH = "METADATA$BATCH"  # of the stand-in's own: no query sees it
_DAY = 86_400_000_000
_EXTENSION = 14  # MAX_DATA_EXTENSION_TIME_IN_DAYS, its default


def create(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] STREAM [IF NOT EXISTS] s ON TABLE t [APPEND_ONLY = TRUE] [SHOW_INITIAL_ROWS = TRUE].

    Needs SELECT on the table, and OWNERSHIP as long as nobody tracks its changes ("CREATE STREAM").
    """
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    if replace and if_not_exists:
        raise errors.syntax("IF NOT EXISTS", reader.token.line, reader.token.column)
    _, schema, last = ex.create_in(reader.name(), "STREAM")
    existing = schema.streams.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    copy_grants = reader.accept("COPY", "GRANTS")
    reader.expect("ON")
    if not reader.accept("TABLE"):
        raise errors.unsupported(f"a stream on {reader.token.value}")
    source = ex.table(reader.name(), "SELECT")
    table = source.thing
    if reader.is_word("AT") or reader.is_word("BEFORE"):
        raise errors.unsupported("a stream from the past")
    options = reader.options()
    reader.end()
    for key in options:
        if key not in ("APPEND_ONLY", "SHOW_INITIAL_ROWS", "COMMENT"):
            raise errors.invalid_property(key, "STREAM")
    if not table.change_tracking:
        ex.grants.require(ex.role, "OWNERSHIP", source)
        table.change_tracking = True
    ex.lock(table, "ddl")
    made = Stream(
        last,
        ex.role,
        ex.now,
        str(options["COMMENT"]) if "COMMENT" in options else None,
        table_id=table.id,
        append_only=bool(options.get("APPEND_ONLY")),
        offset=ex.now,
    )
    if made.append_only:
        made.physical = f"s{next_id()}"
        ex.engine.root.execute(
            f"CREATE TABLE {made.physical} AS SELECT 0::BIGINT AS {quote(_BATCH)}, * FROM {table.physical} LIMIT 0"
        )
        if options.get("SHOW_INITIAL_ROWS"):
            _copy(ex, made, table, "")
        table.streams.append(made)
    if existing is not None:
        if copy_grants:
            ex.grants.copy(existing.id, made.id)
        ex.grants.forget(existing.id)
        forget(ex, existing)
    schema.streams[last] = made
    table.version += 1  # whoever waits for work may find some in it
    ex.catalog.changed()
    return status(f"Stream {last} successfully created.")


def forget(ex: Execution, stream: Stream) -> None:
    """The stream is gone: its table goes on without it."""
    table = ex.catalog.table_by_id(stream.table_id)
    if table is not None:
        table.streams = [one for one in table.streams if one.id != stream.id]
    if stream.physical:
        ex.engine.root.execute(f"DROP TABLE {stream.physical}")


def alter(ex: Execution, table: Table, change: str) -> None:
    """An ALTER TABLE of DuckDB on the rows of a table and of its streams: a stream has the table's present columns."""
    for physical in with_its(table):
        ex.engine.root.execute(f"ALTER TABLE {physical} {change}")


def with_its(table: Table) -> list[str]:
    """The tables of DuckDB with the rows of a table and of its streams."""
    return [table.physical, *(stream.physical for stream in table.streams)]


def follow(ex: Execution, table: Table, rows: int) -> None:
    """The last `rows` rows of the table have just been inserted."""
    for stream in table.streams if rows else ():
        _copy(ex, stream, table, f" ORDER BY rowid DESC LIMIT {rows}")


def _copy(ex: Execution, stream: Stream, table: Table, which: str) -> None:
    number, transaction = next_id(), ex.session.transaction
    rows = ex.write(f"INSERT INTO {stream.physical} SELECT {number}, * FROM {table.physical}{which}")[0][0]
    if not rows:
        return
    if transaction is not None:
        stream.batches[number] = None
        transaction.inserted.append((stream, number))
    else:
        ex.engine.commits += 1
        stream.batches[number] = ex.engine.commits


def relation(ex: Execution, found: Located[Stream]) -> Relation:
    """What a query sees of a stream: the table's columns, and three of its own. Needs SELECT on both."""
    from driftguard.sandbox.snowflake.translate import Relation

    stream = found.thing
    ex.grants.require(ex.role, "SELECT", found)
    table = _source(ex, found)
    if ex.streams is not None:
        ex.lock(stream, "exclusive")
        ex.streams[stream.id] = stream
    numbers = ", ".join(map(str, _visible(ex.engine, stream, ex.session.transaction)))
    names = ", ".join(quote(column.name) for column in table.columns)
    own = f"""'INSERT' AS "METADATA$ACTION", FALSE AS "METADATA$ISUPDATE", md5({quote(_BATCH)} || '-' || rowid) """
    where = f"{quote(_BATCH)} IN ({numbers})" if numbers else "FALSE"
    columns = {column.name: column.type for column in table.columns}
    columns |= {"METADATA$ACTION": TEXT, "METADATA$ISUPDATE": BOOLEAN, "METADATA$ROW_ID": TEXT}
    return Relation(f'(SELECT {names}, {own} AS "METADATA$ROW_ID" FROM {stream.physical} WHERE {where})', columns)


def has_data(ex: Execution, name: str) -> bool:
    """SYSTEM$STREAM_HAS_DATA. Asked while it is empty, a stream does not become stale."""
    found: Located[Stream] = ex.find("STREAM", Reader(name).name(), "SELECT")
    _source(ex, found)
    if _visible(ex.engine, found.thing, None):
        return True
    found.thing.offset = ex.now
    return False


def stale_after(stream: Stream, table: Table | None) -> int:
    """Until when its offset is kept: the retention of the table, which is extended to 14 days."""
    return stream.offset + max(table.retention if table is not None else 0, _EXTENSION) * _DAY


def is_stale(ex: Execution, stream: Stream) -> bool:
    table = ex.catalog.table_by_id(stream.table_id)
    return table is None or stale_after(stream, table) < ex.now


def _source(ex: Execution, found: Located[Stream]) -> Table:
    """The stream's table. The numbers of the errors are unsourced."""
    stream = found.thing
    source = ex.catalog.by_id("TABLE", stream.table_id)
    if source is None:
        raise errors.compilation(91901, "02000", f"Base table dropped, cannot read from stream '{stream.name}'")
    if is_stale(ex, stream):
        raise errors.compilation(91902, "55000", f"Stream '{found.full_name}' is stale and can no longer be read")
    if not stream.append_only:
        raise errors.unsupported("reading a stream that is not append-only")
    ex.grants.require(ex.role, "SELECT", source)
    table = cast("Located[Table]", source).thing
    ex.reads[table.id] = table.version
    return table


def _visible(engine: Engine, stream: Stream, transaction: Transaction | None) -> list[int]:
    upto = engine.commits if transaction is None else transaction.began
    return [number for number, commit in stream.batches.items() if commit is not None and commit <= upto]


# -- the offset ------------------------------------------------------------------------------------------------


def consume(ex: Execution) -> None:
    """A change of rows has read these streams: now, or when its transaction commits, their offsets move."""
    read, ex.streams = ex.streams or {}, None
    transaction = ex.session.transaction
    if transaction is not None:
        transaction.consumed.update(read)
        return
    for stream in read.values():
        _move(ex.engine, ex.session, stream, None, ex.now)


def advance(engine: Engine, session: Session, transaction: Transaction) -> None:
    """Right before the transaction commits."""
    for stream in transaction.consumed.values():
        _move(engine, session, stream, transaction, transaction.at)


def _move(engine: Engine, session: Session, stream: Stream, transaction: Transaction | None, at: int) -> None:
    read = _visible(engine, stream, transaction)
    if read:
        numbers = ", ".join(map(str, read))
        session.connection.execute(f"DELETE FROM {stream.physical} WHERE {quote(_BATCH)} IN ({numbers})")
    for number in read:
        del stream.batches[number]
    stream.offset = at


def committed(engine: Engine, transaction: Transaction) -> None:
    """What the transaction has inserted can be read from now on."""
    if transaction.inserted:
        engine.commits += 1
    for stream, number in transaction.inserted:
        stream.batches[number] = engine.commits


def rolled_back(transaction: Transaction) -> None:
    for stream, number in transaction.inserted:
        stream.batches.pop(number, None)
