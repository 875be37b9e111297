"""CREATE TABLE in its forms, DROP, UNDROP, TRUNCATE, COMMENT, and what a table is in DuckDB.

"CREATE TABLE", "DROP TABLE", "CREATE TABLE … CLONE" on docs.snowflake.com. DDL commits an open transaction first; the
dispatcher sees to that.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field

from sqlglot import exp

from driftguard.sandbox.snowflake import dml, errors, governance, streams
from driftguard.sandbox.snowflake.catalog import Column, Constraint, Located, Schema, Table, View, next_id
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.names import QName, quote
from driftguard.sandbox.snowflake.nodes import type_of
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.translate import Translator
from driftguard.sandbox.snowflake.types import TEXT, SfType, read_type


@dataclass(slots=True)
class Definition:
    """One column as written, with the constraints that stand beside it."""

    column: Column
    keys: list[Constraint] = field(default_factory=list)
    inline: set[str] = field(default_factory=set)


def same_but_for_case(names: list[str]) -> None:
    """DuckDB folds names; two columns that differ by case alone cannot be kept (docs/sandbox.md)."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise errors.unsupported(
                f"the columns {quote(other)} and {quote(name)} in one table, which differ by case alone"
            )


def read_column(ex: Execution, reader: Reader) -> Definition:
    """`name type [DEFAULT e | AUTOINCREMENT] [NOT NULL] [UNIQUE | PRIMARY KEY | REFERENCES …] [COMMENT 's']`."""
    name = reader.identifier()
    column = Column(name, read_type(reader, ex.timestamp_mapping()))
    out = Definition(column)
    constraint = ""
    while True:
        if reader.accept("CONSTRAINT"):
            constraint = reader.identifier()
        elif reader.accept("NOT", "NULL"):
            column.nullable = False
            out.inline.add("NOT NULL")
        elif reader.accept("NULL"):
            continue
        elif reader.accept("DEFAULT"):
            out.inline.add("DEFAULT")
            column.default = _default_text(reader)
        elif reader.accept("AUTOINCREMENT") or reader.accept("IDENTITY"):
            out.inline.add("AUTOINCREMENT")
            column.autoincrement = True
            if reader.is_op("("):
                reader.skip_parens()
            while reader.accept("START") or reader.accept("INCREMENT"):
                reader.accept_op("=")
                reader.integer()
            _ = reader.accept("ORDER") or reader.accept("NOORDER")
        elif reader.accept("PRIMARY", "KEY"):
            out.inline.add("PRIMARY KEY")
            out.keys.append(Constraint(constraint, "PRIMARY KEY", [name], ex.now))
            column.nullable = False
            _key_properties(reader)
        elif reader.accept("UNIQUE"):
            out.inline.add("UNIQUE")
            out.keys.append(Constraint(constraint, "UNIQUE", [name], ex.now))
            _key_properties(reader)
        elif reader.accept("FOREIGN", "KEY") or reader.is_word("REFERENCES"):
            out.inline.add("FOREIGN KEY")
            reader.expect("REFERENCES")
            out.keys.append(_references(reader, Constraint(constraint, "FOREIGN KEY", [name], ex.now)))
            _key_properties(reader)
        elif reader.accept("COMMENT"):
            reader.accept_op("=")
            column.comment = reader.string()
        elif reader.accept("COLLATE"):
            raise errors.unsupported("COLLATE")
        elif not governance.read_inline(ex, reader, column):
            return out


def _default_text(reader: Reader) -> str:
    """The text of a default expression: up to the next word that is a constraint, a comma or the closing bracket."""
    start = reader.token.start
    end = start
    depth = 0
    stop = {"NOT", "NULL", "COMMENT", "PRIMARY", "UNIQUE", "CONSTRAINT", "REFERENCES", "FOREIGN", "COLLATE"}
    stop |= {"WITH", "MASKING", "TAG"}
    first = True
    while not reader.done:
        token = reader.token
        if depth == 0 and token.kind is Kind.OP and token.value in (",", ")"):
            break
        if depth == 0 and not first and token.kind is Kind.WORD and token.value in stop:
            break
        depth += {"(": 1, ")": -1}.get(token.value, 0) if token.kind is Kind.OP else 0
        end = token.end
        first = False
        reader.advance()
    if first:
        raise reader.unexpected()
    return reader.sql[start:end]


def _key_properties(reader: Reader) -> None:
    words = ("ENFORCED", "DEFERRABLE", "RELY", "NORELY", "VALIDATE", "NOVALIDATE", "ENABLE", "DISABLE")
    while (
        any(reader.is_word(word) for word in words)
        or reader.is_word("NOT", "ENFORCED")
        or reader.is_word("NOT", "DEFERRABLE")
        or reader.is_word("INITIALLY")
    ):
        if reader.advance().value == "INITIALLY":
            reader.advance()


def _references(reader: Reader, key: Constraint) -> Constraint:
    key.references = reader.name()
    if reader.is_op("("):
        reader.list_of(reader.identifier)
    while reader.accept("ON"):
        reader.advance()
        reader.advance()
    return key


def read_constraint(ex: Execution, reader: Reader) -> Constraint | None:
    """An out-of-line constraint, if one stands here."""
    name = reader.identifier() if reader.accept("CONSTRAINT") else ""
    if reader.accept("PRIMARY", "KEY"):
        kind = "PRIMARY KEY"
    elif reader.accept("UNIQUE"):
        kind = "UNIQUE"
    elif reader.accept("FOREIGN", "KEY"):
        kind = "FOREIGN KEY"
    elif name:
        raise reader.unexpected()
    else:
        return None
    key = Constraint(name, kind, reader.list_of(reader.identifier), ex.now)
    if kind == "FOREIGN KEY":
        reader.expect("REFERENCES")
        key = _references(reader, key)
    _key_properties(reader)
    return key


def check_default(ex: Execution, column: Column, *, added: bool) -> None:
    """A default must have the column's type; a default of ADD COLUMN must be a literal too (002263, 002023)."""
    if column.default is None:
        return
    tree = parse(f"SELECT {column.default}")
    value = tree.expressions[0]
    inner = value.this if isinstance(value, exp.Neg | exp.Paren) else value
    literal = isinstance(inner, exp.Literal | exp.Boolean | exp.Null) or (
        isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal)
    )
    if added and not literal:
        raise errors.compilation(2263, "22000", f"Invalid column default expression [{column.default}]")
    Translator(ex).query(tree)
    walked = tree.expressions[0]
    kind = type_of(walked.this if isinstance(walked, exp.Alias) else walked)
    if kind is not None and kind.base != "NULL" and not _same_family(kind, column.type):
        raise errors.compilation(
            2023,
            "22000",
            "Expression type does not match column data type, expecting "
            f"{column.type.sql} but got {kind.sql} for column {column.name}",
        )


def _same_family(kind: SfType, target: SfType) -> bool:
    if kind.base == target.base:
        return True
    if kind.base == "FIXED" and target.base == "REAL":
        return True
    return kind.base.startswith("TIMESTAMP") and target.base.startswith("TIMESTAMP")


def physical_table(ex: Execution, table: Table) -> None:
    """The DuckDB table under `table`: types only, no constraint."""
    table.physical = f"t{next_id()}"
    columns = ", ".join(f"{quote(column.name)} {column.type.duck}" for column in table.columns)
    ex.engine.root.execute(f"CREATE TABLE {table.physical} ({columns})")
    for column in table.columns:
        if column.autoincrement:
            column.sequence = f"s{next_id()}"
            ex.engine.root.execute(f"CREATE SEQUENCE {column.sequence}")


def keys_fit(table: Table) -> None:
    """The columns of every key exist; there is one primary key at most, and it makes its columns NOT NULL."""
    if sum(1 for key in table.constraints if key.kind == "PRIMARY KEY") > 1:
        raise errors.compilation(2200, "42601", "Multiple primary keys are not allowed.")
    for key in table.constraints:
        for name in key.columns:
            column = table.column(name)
            if column is None:
                raise errors.invalid_identifier(name)
            if key.kind == "PRIMARY KEY":
                column.nullable = False
        if not key.name:
            key.name = f"SYS_CONSTRAINT_{next_id():08x}-{table.id:08x}"


def create_table(ex: Execution, reader: Reader, *, replace: bool, transient: bool) -> Result:
    """CREATE [OR REPLACE] [TRANSIENT] TABLE [IF NOT EXISTS] …"""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    if replace and if_not_exists:
        raise errors.syntax("IF NOT EXISTS", reader.token.line, reader.token.column)
    name = reader.name()
    database, schema, last = ex.create_in(name, "TABLE")
    existing = schema.tables.get(last)
    if (existing is not None or last in schema.views) and not replace:
        if if_not_exists and existing is not None:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last if len(name.parts) == 1 else f"{database.name}.{schema.name}.{last}")
    table = Table(last, ex.role, ex.now, transient=transient, last_ddl=ex.now)
    query: str | None = None
    copied: Table | None = None
    if reader.accept("CLONE"):
        copied = ex.table(reader.name(), "SELECT").thing
        if reader.is_word("AT") or reader.is_word("BEFORE"):
            raise errors.unsupported("CLONE of the past")
        if copied.transient and not transient:
            raise errors.compilation(2120, "0A000", "Transient object cannot be cloned to a permanent object.")
        _like(table, copied)
    elif reader.accept("LIKE"):
        _like(table, ex.table(reader.name(), "SELECT").thing)
    elif reader.is_op("("):
        _body(ex, reader, table)
    elif not reader.is_word("AS") and not reader.is_word("USING"):
        raise reader.unexpected()
    copy_grants = _properties(ex, reader, table)
    if reader.accept("AS"):
        query = reader.rest()
        _columns_of_query(ex, table, query)
    else:
        reader.end()
    if not table.columns:
        raise errors.compilation(2026, "42601", "Invalid column definition list")
    keys_fit(table)
    same_but_for_case([column.name for column in table.columns])
    physical_table(ex, table)
    try:
        if query is not None:
            ex.streams = {}
            _fill(ex, table, query)
            streams.consume(ex)
        elif copied is not None:
            ex.engine.root.execute(f"INSERT INTO {table.physical} SELECT * FROM {copied.physical}")
    except errors.SnowflakeError:
        ex.engine.root.execute(f"DROP TABLE {table.physical}")
        raise
    if existing is not None:
        if copy_grants:
            ex.grants.copy(existing.id, table.id)
        ex.grants.forget(existing.id)
        schema.dropped[last] = existing
    schema.tables[last] = table
    ex.catalog.changed()
    return status(f"Table {last} successfully created.")


def _body(ex: Execution, reader: Reader, table: Table) -> None:
    reader.expect_op("(")
    while True:
        key = read_constraint(ex, reader)
        if key is not None:
            table.constraints.append(key)
        else:
            one = read_column(ex, reader)
            if table.column(one.column.name) is not None:
                raise errors.compilation(2025, "42S21", f"duplicate column name '{one.column.name}'")
            check_default(ex, one.column, added=False)
            table.columns.append(one.column)
            table.constraints += one.keys
        if reader.accept_op(")"):
            return
        reader.expect_op(",")


def _properties(ex: Execution, reader: Reader, table: Table) -> bool:
    """What may stand behind the columns; whether COPY GRANTS does."""
    copy_grants = False
    while not reader.done and not reader.is_word("AS"):
        if reader.accept("COMMENT"):
            reader.accept_op("=")
            table.comment = reader.string()
        elif reader.accept("COPY", "GRANTS"):
            copy_grants = True
        elif reader.accept("CLUSTER", "BY"):
            table.cluster_by = f"LINEAR({reader.skip_parens()})"
        elif reader.accept("DATA_RETENTION_TIME_IN_DAYS"):
            reader.accept_op("=")
            table.retention = reader.integer()
        elif reader.accept("CHANGE_TRACKING"):
            reader.expect_op("=")
            table.change_tracking = bool(reader.option_value())
        elif reader.accept("ENABLE_SCHEMA_EVOLUTION"):
            reader.expect_op("=")
            table.schema_evolution = bool(reader.option_value())
        elif reader.accept("STAGE_FILE_FORMAT") or reader.accept("MAX_DATA_EXTENSION_TIME_IN_DAYS"):
            reader.expect_op("=")
            reader.option_value()
        else:
            raise reader.unexpected()
    _ = ex
    return copy_grants


def _like(table: Table, other: Table) -> None:
    table.columns = copy.deepcopy(other.columns)
    table.constraints = copy.deepcopy(other.constraints)
    for key in table.constraints:
        if re.match(r"SYS_CONSTRAINT_", key.name):
            key.name = ""
    table.comment = other.comment
    table.cluster_by = other.cluster_by
    table.schema_evolution = other.schema_evolution
    table.change_tracking = other.change_tracking
    table.row_policy = other.row_policy


def _columns_of_query(ex: Execution, table: Table, query: str) -> None:
    tree = parse(query)
    known = Translator(ex).query(tree)
    sql = tree.sql(dialect="duckdb")
    names, kinds = ex.described(sql, known)
    names = [name.split("\0")[0] for name in known] if known is not None else names
    if len(set(names)) != len(names):
        raise errors.compilation(
            2025, "42S21", f"duplicate column name '{next(n for n in names if names.count(n) > 1)}'"
        )
    if table.columns:
        if len(table.columns) != len(names):
            raise errors.compilation(2026, "42601", "Invalid column definition list")
        return
    walked = list(known.values()) if known is not None else kinds
    for name, kind, seen in zip(names, kinds, walked, strict=True):
        chosen = seen if seen.base not in ("UNKNOWN", "NULL") else kind
        chosen = SfType("TEXT", length=16_777_216) if chosen.base in ("NULL", "UNKNOWN") else chosen
        table.columns.append(Column(name, chosen))


def _fill(ex: Execution, table: Table, query: str) -> None:
    tree = parse(query)
    known = Translator(ex).query(tree)
    sql = tree.sql(dialect="duckdb")
    _, kinds = ex.described(sql, known)
    if known is not None and len(known) == len(kinds):
        kinds = [w if w.base == "TIMESTAMP_TZ" else k for w, k in zip(known.values(), kinds, strict=True)]
    values = ", ".join(dml.stored(f"q.c{n}", kinds[n], column) for n, column in enumerate(table.columns))
    names = ", ".join(f"c{n}" for n in range(len(kinds)))
    ex.run(f"INSERT INTO {table.physical} SELECT {values} FROM ({sql}) AS q({names})")


def create_view(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] VIEW v [(columns)] AS SELECT …; its column list is fixed when it is made (unsourced)."""
    text = reader.sql
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    database, schema, last = ex.create_in(name, "VIEW")
    if (last in schema.views and not replace) or last in schema.tables:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    columns = reader.list_of(reader.identifier) if reader.is_op("(") else []
    comment = None
    while not reader.is_word("AS"):
        if reader.accept("COMMENT"):
            reader.accept_op("=")
            comment = reader.string()
        elif not reader.accept("COPY", "GRANTS"):
            raise reader.unexpected()
    reader.expect("AS")
    query = reader.rest()
    known = Translator(ex).query(parse(query))
    names = columns or [one.split("\0")[0] for one in (known or {})]
    view = View(
        last,
        ex.role,
        ex.now,
        comment,
        query=query,
        text=text,
        columns=names,
        types=[TEXT if kind.base in ("NULL", "UNKNOWN") else kind for kind in (known or {}).values()],
        database=database.name,
        schema=schema.name,
    )
    schema.views[last] = view
    return status(f"View {last} successfully created.")


def drop_table(ex: Execution, found: Located[Table]) -> None:
    """Gone from the catalog; UNDROP finds it again."""
    ex.lock(found.thing, "ddl")
    found.schema.tables.pop(found.thing.name)
    found.schema.dropped[found.thing.name] = found.thing
    ex.catalog.changed()


def undrop(ex: Execution, name: QName) -> Result:
    """UNDROP TABLE: the table that was dropped last under this name."""
    _, schema, last = ex.home(name)
    if last in schema.tables:
        raise errors.already_exists(last)
    table = schema.dropped.pop(last, None)
    if table is None:
        raise errors.not_exists("Table", last)
    schema.tables[last] = table
    ex.catalog.changed()
    return status(f"Table {last} successfully restored.")


def free_name(schema: Schema, name: str) -> None:
    if name in schema.tables or name in schema.views:
        raise errors.already_exists(name)
