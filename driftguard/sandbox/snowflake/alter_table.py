"""ALTER TABLE, as strict as its page: what may be added, dropped, renamed and retyped, and what may not.

"ALTER TABLE" and "ALTER TABLE … ALTER COLUMN" on docs.snowflake.com. Whatever a statement refuses, it changes nothing:
all clauses are checked before the first is done.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from driftguard.sandbox.snowflake import dml, errors, governance, streams
from driftguard.sandbox.snowflake.catalog import Column, Located, Table, next_id
from driftguard.sandbox.snowflake.ddl_tables import (
    Definition,
    check_default,
    free_name,
    keys_fit,
    read_column,
    read_constraint,
    same_but_for_case,
)
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import quote
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.types import SEMI, SfType, alter_refusal, read_type

DONE = "Statement executed successfully."
Change = Callable[[], None]


def alter_table(ex: Execution, reader: Reader) -> Result:
    """ALTER TABLE [IF EXISTS] t …"""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if if_exists and ex.lookup("TABLE", name) is None:
        return status(DONE, changes=False)
    found = ex.table(name, "OWNERSHIP")
    table = found.thing
    ex.lock(table, "ddl")
    if reader.accept("RENAME", "TO"):
        _rename_table(ex, found, reader)
    elif reader.accept("SWAP", "WITH"):
        _swap(ex, found, reader)
    elif reader.accept("ADD", "ROW", "ACCESS", "POLICY"):
        governance.add_row_policy(ex, reader, table)
    elif reader.accept("DROP", "ROW", "ACCESS", "POLICY"):
        governance.drop_row_policy(ex, reader, table)
    elif reader.accept("ADD"):
        _add(ex, table, reader)
    elif reader.accept("DROP"):
        _drop(ex, table, reader)
    elif reader.accept("RENAME", "COLUMN"):
        _rename_column(table, reader, ex)
    elif reader.accept("ALTER") or reader.accept("MODIFY"):
        _alter_columns(ex, table, reader)
    elif reader.accept("SET"):
        _set(table, reader)
    elif reader.accept("UNSET"):
        _unset(table, reader)
    elif reader.accept("CLUSTER", "BY"):
        table.cluster_by = f"LINEAR({reader.skip_parens()})"
        reader.end()
    else:
        raise reader.unexpected()
    table.last_ddl = ex.now
    ex.catalog.changed()
    return status(DONE)


def _rename_table(ex: Execution, found: Located[Table], reader: Reader) -> None:
    target = reader.name()
    reader.end()
    _, schema, last = ex.create_in(target, "TABLE")
    free_name(schema, last)
    found.schema.tables.pop(found.thing.name)
    found.thing.name = last
    schema.tables[last] = found.thing


def _swap(ex: Execution, found: Located[Table], reader: Reader) -> None:
    """Both renames at once; OWNERSHIP on both."""
    other = ex.table(reader.name(), "OWNERSHIP")
    reader.end()
    ex.lock(other.thing, "ddl")
    first, second = found.thing, other.thing
    found.schema.tables[first.name], other.schema.tables[second.name] = second, first
    first.name, second.name = second.name, first.name


def _add(ex: Execution, table: Table, reader: Reader) -> None:
    key = read_constraint(ex, reader)
    if key is not None:
        reader.end()
        table.constraints.append(key)
        try:
            if key.kind == "PRIMARY KEY":
                for column in key.columns:
                    _no_nulls(ex, table, column)
            keys_fit(table)
        except errors.SnowflakeError:
            table.constraints.remove(key)
            raise
        return
    reader.accept("COLUMN")
    added: list[Definition] = []
    skipped: set[str] = set()
    while True:
        reader.accept("COLUMN")
        if_not_exists = reader.accept("IF", "NOT", "EXISTS")
        one = read_column(ex, reader)
        name = one.column.name
        if if_not_exists and (
            clash := one.inline & {"DEFAULT", "AUTOINCREMENT", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY"}
        ):
            raise errors.compilation(
                1506, "42601", f"IF NOT EXISTS cannot be combined with {sorted(clash)[0]} in ADD COLUMN '{name}'"
            )
        if table.column(name) is not None:
            if not if_not_exists:
                raise errors.compilation(1430, "42601", f"column '{name}' already exists")
            skipped.add(name)
        elif any(other.column.name == name for other in added):
            raise errors.compilation(2025, "42S21", f"duplicate column name '{name}'")
        else:
            added.append(one)
        if not reader.accept_op(","):
            break
    reader.end()
    same_but_for_case([*(column.name for column in table.columns), *(one.column.name for one in added)])
    rows = ex.run(f"SELECT count(*) FROM {table.physical}").fetchone()[0]
    for one in added:
        check_default(ex, one.column, added=True)
        if rows and not one.column.nullable and one.column.default is None:
            raise errors.compilation(
                2108,
                "42601",
                f"Non-nullable column '{one.column.name}' cannot be added to non-empty table '{table.name}' "
                "unless it has a non-null default value.",
            )
        if one.column.autoincrement and rows:
            raise errors.compilation(
                2109, "42601", f"AUTOINCREMENT column '{one.column.name}' cannot be added to a non-empty table"
            )
    for one in added:
        _add_one(ex, table, one)
    keys_fit(table)


def _add_one(ex: Execution, table: Table, one: Definition) -> None:
    column = one.column
    streams.alter(ex, table, f"ADD COLUMN {quote(column.name)} {column.type.duck}")
    table.columns.append(column)
    table.constraints += one.keys
    if column.autoincrement:
        column.sequence = f"s{next_id()}"
        ex.engine.root.execute(f"CREATE SEQUENCE {column.sequence}")
    if column.default is not None:
        column.default_added_later = True
        value = dml.default_sql(ex, column)
        for physical in streams.with_its(table):
            ex.run(f"UPDATE {physical} SET {quote(column.name)} = {value}")


def _drop(ex: Execution, table: Table, reader: Reader) -> None:
    if reader.accept("PRIMARY", "KEY"):
        key = table.primary_key()
        if key is None:
            raise errors.compilation(2043, "02000", "Primary key does not exist, or operation cannot be performed.")
        reader.accept("CASCADE")
        reader.end()
        table.constraints.remove(key)
        return
    if reader.accept("CONSTRAINT"):
        wanted = reader.identifier()
        reader.end()
        named = next((one for one in table.constraints if one.name == wanted), None)
        if named is None:
            raise errors.not_exists("Constraint", wanted)
        table.constraints.remove(named)
        return
    if reader.accept("CLUSTERING", "KEY"):
        reader.end()
        table.cluster_by = None
        return
    reader.accept("COLUMN")
    if_exists = reader.accept("IF", "EXISTS")
    names = [reader.identifier()]
    while reader.accept_op(","):
        reader.accept("COLUMN")
        names.append(reader.identifier())
    reader.end()
    wanted_names: list[str] = []
    for name in names:
        if table.column(name) is None:
            if not if_exists:
                raise errors.invalid_identifier(name)
        elif name in wanted_names:
            raise errors.compilation(2025, "42S21", f"duplicate column name '{name}'")
        else:
            wanted_names.append(name)
    if len(wanted_names) == len(table.columns):
        raise errors.compilation(2111, "42601", f"Cannot drop all columns of table '{table.name}'")
    for name in wanted_names:
        if any(name in key.columns for key in table.constraints):
            table.constraints = [key for key in table.constraints if name not in key.columns]
        streams.alter(ex, table, f"DROP COLUMN {quote(name)}")
        table.columns.remove(_existing(table, name))


def _existing(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise errors.invalid_identifier(name)
    return column


def _rename_column(table: Table, reader: Reader, ex: Execution) -> None:
    old = reader.identifier()
    reader.expect("TO")
    new = reader.identifier()
    reader.end()
    column = _existing(table, old)
    if table.cluster_by is not None and old in Reader(table.cluster_by).sql.upper():
        words = {token.value for token in Reader(table.cluster_by).tokens}
        if old in words:
            raise errors.compilation(2027, "42601", f"Cannot rename column '{old}': it is part of the clustering key")
    if table.column(new) is not None:
        raise errors.compilation(2025, "42S21", f"duplicate column name '{new}'")
    same_but_for_case([new if one is column else one.name for one in table.columns])
    if old.lower() == new.lower():
        streams.alter(ex, table, f"RENAME COLUMN {quote(old)} TO {quote(new + ' ')}")
        streams.alter(ex, table, f"RENAME COLUMN {quote(new + ' ')} TO {quote(new)}")
    else:
        streams.alter(ex, table, f"RENAME COLUMN {quote(old)} TO {quote(new)}")
    column.name, column.evolution = new, None  # changed by hand
    for key in table.constraints:
        key.columns = [new if name == old else name for name in key.columns]


# -- ALTER COLUMN ----------------------------------------------------------------------------------------------


def _alter_columns(ex: Execution, table: Table, reader: Reader) -> None:
    bracket = reader.accept_op("(")
    changes: list[Change] = []
    while True:
        reader.accept("COLUMN")
        changes.append(_clause(ex, table, reader))
        if not reader.accept_op(","):
            break
    if bracket:
        reader.expect_op(")")
    reader.end()
    for change in changes:
        change()


def _clause(ex: Execution, table: Table, reader: Reader) -> Change:
    """One clause, checked; the returned function does it."""
    column = _existing(table, reader.identifier())
    if reader.accept("DROP", "NOT", "NULL"):
        key = table.primary_key()
        if key is not None and column.name in key.columns:
            raise errors.compilation(
                2112, "42601", f"Column '{column.name}' is part of the primary key and cannot be nullable"
            )
        return lambda: setattr(column, "nullable", True)
    if reader.accept("SET", "NOT", "NULL") or reader.accept("NOT", "NULL"):
        if column.type.base in SEMI and ex.run(f"SELECT count(*) FROM {table.physical}").fetchone()[0]:
            raise errors.compilation(
                2113, "42601", f"SET NOT NULL on column '{column.name}' of type {column.type.sql} needs an empty table"
            )
        _no_nulls(ex, table, column.name)
        return lambda: setattr(column, "nullable", False)
    if reader.accept("DROP", "DEFAULT"):
        if column.default is not None and column.default_added_later:
            raise errors.compilation(
                2114,
                "42601",
                f"Cannot drop the default of column '{column.name}': it was added with ALTER TABLE … ADD COLUMN",
            )
        return lambda: setattr(column, "default", None)
    if reader.accept("SET", "DEFAULT"):
        raise errors.compilation(
            2115,
            "42601",
            f"Cannot set the default of column '{column.name}': only the sequence of an existing default can change",
        )
    if reader.accept("COMMENT"):
        reader.accept_op("=")
        text = reader.string()
        return lambda: setattr(column, "comment", text)
    if reader.accept("UNSET", "COMMENT"):
        return lambda: setattr(column, "comment", None)
    changed = copy.copy(column)
    changed.tags = dict(column.tags)
    if governance.alter_column(ex, reader, changed):
        return lambda: _govern(column, changed)
    explicit = reader.accept("SET", "DATA", "TYPE") or reader.accept("TYPE")
    if not explicit and reader.is_word("SET"):
        raise errors.unsupported("projection policies")
    new = read_type(reader, ex.timestamp_mapping())
    return _retype(ex, table, column.name, new)


def _govern(column: Column, changed: Column) -> None:
    column.masking_policy, column.tags = changed.masking_policy, changed.tags


def _no_nulls(ex: Execution, table: Table, name: str) -> None:
    if ex.run(f"SELECT 1 FROM {table.physical} WHERE {quote(name)} IS NULL LIMIT 1").fetchone() is not None:
        raise errors.SnowflakeError(
            100072,
            "22000",
            f"NULL result in a non-nullable column: column '{name}' of table '{table.name}' contains NULL",
        )


def _retype(ex: Execution, table: Table, name: str, new: SfType) -> Change:
    column = _existing(table, name)
    old = column.type
    refusal = alter_refusal(name, old, new)
    if refusal is not None:
        raise refusal
    if old.base == "FIXED" and (new.precision or 0) < (old.precision or 0):
        digits = (new.precision or 0) - (new.scale or 0)
        limit = "1" + "0" * digits
        sql = (
            f"SELECT 1 FROM {table.physical} WHERE abs({quote(name)}) >= CAST('{limit}' AS "
            f"DECIMAL(38,{new.scale if digits < 38 else 0})) LIMIT 1"
        )
        if (
            digits + (new.scale or 0) < 38
            and ex.run(sql.replace(f"DECIMAL(38,{new.scale})", "DOUBLE")).fetchone() is not None
        ):
            raise errors.compilation(
                40052,
                "22000",
                f"cannot change column {name} from type {old.sql} to {new.sql} because it contains values that "
                "do not fit",
            )

    def change() -> None:
        if old.duck != new.duck:
            streams.alter(ex, table, f"ALTER COLUMN {quote(name)} SET DATA TYPE {new.duck}")
        column.type, column.evolution = new, None

    return change


# -- properties ------------------------------------------------------------------------------------------------


def _set(table: Table, reader: Reader) -> None:
    values = reader.options()
    known = {
        "COMMENT",
        "CHANGE_TRACKING",
        "ENABLE_SCHEMA_EVOLUTION",
        "DATA_RETENTION_TIME_IN_DAYS",
        "MAX_DATA_EXTENSION_TIME_IN_DAYS",
    }
    for key in values:
        if key not in known:
            raise errors.invalid_property(key, "TABLE")
    if "COMMENT" in values:
        table.comment = str(values["COMMENT"])
    table.change_tracking = bool(values.get("CHANGE_TRACKING", table.change_tracking))
    table.schema_evolution = bool(values.get("ENABLE_SCHEMA_EVOLUTION", table.schema_evolution))
    table.retention = int(str(values.get("DATA_RETENTION_TIME_IN_DAYS", table.retention)))


def _unset(table: Table, reader: Reader) -> None:
    name = reader.identifier_or_reserved()
    reader.end()
    if name == "COMMENT":
        table.comment = None
    elif name == "DATA_RETENTION_TIME_IN_DAYS":
        table.retention = 1
    else:
        raise errors.invalid_property(name, "TABLE")
