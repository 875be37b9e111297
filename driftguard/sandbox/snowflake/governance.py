"""Masking policies, row access policies and tags: made, set, taken off. They mask and hide nothing here.

"CREATE MASKING POLICY", "CREATE ROW ACCESS POLICY", "CREATE TAG", "ALTER TABLE" (dataGovnPolicyTagAction) and
"Understanding Column-level Security" on docs.snowflake.com. A policy's type must be the column's; a column has one
masking policy and a table one row access policy at most; setting one takes APPLY on it beside OWNERSHIP of the table.
"""

from __future__ import annotations

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Column, MaskingPolicy, RowAccessPolicy, Table, Tag, Thing
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.types import SfType, read_type

MOST_TAGS = 20


def create_masking_policy(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] MASKING POLICY [IF NOT EXISTS] p AS (v T, …) RETURNS T -> body"""
    reader.expect("POLICY")
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    arguments = _signature(ex, reader)
    returns = read_type(reader, ex.timestamp_mapping())
    if returns.base != arguments[0][1].base:
        raise errors.compilation(
            3511,
            "42601",
            f"Masking policy argument type {arguments[0][1].sql} and return type {returns.sql} must match.",
        )
    reader.expect_op("->")
    made = MaskingPolicy(name.name, ex.role, ex.now, arguments=arguments, body=reader.rest())
    return _keep(ex, made, name, replace=replace, if_not_exists=if_not_exists)


def create_row_policy(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] ROW ACCESS POLICY [IF NOT EXISTS] p AS (v T, …) RETURNS BOOLEAN -> body"""
    reader.expect("ACCESS", "POLICY")
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    arguments = _signature(ex, reader)
    if read_type(reader, ex.timestamp_mapping()).base != "BOOLEAN":
        raise errors.syntax("RETURNS")
    reader.expect_op("->")
    made = RowAccessPolicy(name.name, ex.role, ex.now, arguments=arguments, body=reader.rest())
    return _keep(ex, made, name, replace=replace, if_not_exists=if_not_exists)


def create_tag(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] TAG [IF NOT EXISTS] t [ALLOWED_VALUES 'a', …] [COMMENT = '…']"""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    allowed: list[str] = []
    if reader.accept("ALLOWED_VALUES"):
        allowed.append(reader.string())
        while reader.accept_op(","):
            allowed.append(reader.string())
    comment = None
    if reader.accept("COMMENT"):
        reader.accept_op("=")
        comment = reader.string()
    reader.end()
    made = Tag(name.name, ex.role, ex.now, comment, allowed=allowed)
    return _keep(ex, made, name, replace=replace, if_not_exists=if_not_exists)


def _signature(ex: Execution, reader: Reader) -> list[tuple[str, SfType]]:
    reader.expect("AS")
    reader.expect_op("(")
    arguments = []
    while True:
        argument = reader.identifier()
        arguments.append((argument, read_type(reader, ex.timestamp_mapping())))
        if reader.accept_op(")"):
            break
        reader.expect_op(",")
    reader.expect("RETURNS")
    return arguments


def _keep(ex: Execution, made: Thing, name: QName, *, replace: bool, if_not_exists: bool) -> Result:
    _, schema, last = ex.create_in(name, made.kind)
    room = schema.room(made.kind)
    existing = room.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    if existing is not None:
        made.id = existing.id  # what it is set on stays under it
    room[last] = made
    ex.catalog.changed()
    return status(f"{made.kind.capitalize()} {last} successfully created.")


def in_use(ex: Execution, thing: Thing) -> bool:
    """Is the policy or tag set on anything? It cannot be dropped then (a tag can)."""
    return thing.kind != "TAG" and any(
        table.row_policy == thing.id or any(column.masking_policy == thing.id for column in table.columns)
        for _, schema in ex.catalog.schemas()
        for table in schema.tables.values()
    )


# -- on tables -------------------------------------------------------------------------------------------------------


def read_inline(ex: Execution, reader: Reader, column: Column) -> bool:
    """[WITH] MASKING POLICY p | [WITH] TAG (t = 'v', …) behind a column's type. False where none stands here."""
    if reader.accept("WITH", "MASKING", "POLICY") or reader.accept("MASKING", "POLICY"):
        mask(ex, reader, column)
    elif reader.accept("WITH", "TAG") or reader.accept("TAG"):
        reader.expect_op("(")
        set_tags(ex, reader, column)
        reader.expect_op(")")
    else:
        return False
    return True


def alter_column(ex: Execution, reader: Reader, column: Column) -> bool:
    """SET | UNSET MASKING POLICY, SET | UNSET TAG of a column. False where something else stands here."""
    if reader.accept("SET", "MASKING", "POLICY"):
        mask(ex, reader, column)
    elif reader.accept("UNSET", "MASKING", "POLICY"):
        column.masking_policy = None
    elif reader.accept("SET", "TAG"):
        set_tags(ex, reader, column)
    elif reader.accept("UNSET", "TAG"):
        while True:
            column.tags.pop(ex.find("TAG", reader.name()).thing.id, None)
            if not reader.accept_op(","):
                break
    else:
        return False
    return True


def mask(ex: Execution, reader: Reader, column: Column) -> None:
    policy = _applicable(ex, reader, "MASKING POLICY")
    assert isinstance(policy, MaskingPolicy)
    if reader.accept("USING"):
        reader.list_of(reader.identifier)
    elif len(policy.arguments) > 1:
        raise errors.compilation(
            3550, "42601", f"Masking policy '{policy.name}' has {len(policy.arguments)} arguments: USING is missing."
        )
    force = reader.accept("FORCE")
    if column.masking_policy not in (None, policy.id) and not force:
        raise errors.compilation(
            3540, "42601", f"Specified column already attached to another masking policy: '{column.name}'."
        )
    wanted = policy.arguments[0][1]
    if wanted.base != column.type.base:
        raise errors.compilation(
            3541,
            "42601",
            f"Masking policy '{policy.name}' is for {wanted.sql} and column '{column.name}' is {column.type.sql}.",
        )
    column.masking_policy = policy.id


def set_tags(ex: Execution, reader: Reader, column: Column) -> None:
    """t = 'v', …"""
    while True:
        tag = ex.find("TAG", reader.name()).thing
        if not ex.grants.global_privilege(ex.role, "APPLY TAG"):
            ex.grants.require_any(ex.role, ("APPLY", "OWNERSHIP"), tag)
        reader.expect_op("=")
        value = reader.string()
        if tag.allowed and value not in tag.allowed:
            raise errors.compilation(1008, "22023", f"invalid value ['{value}'] for tag '{tag.name}'")
        if len(column.tags.keys() | {tag.id}) > MOST_TAGS:
            raise errors.compilation(391_001, "42601", f"Column '{column.name}' can have at most {MOST_TAGS} tags.")
        column.tags[tag.id] = value
        if (reader.is_op(",") and reader.peek().value == "COLUMN") or not reader.accept_op(","):
            return


def add_row_policy(ex: Execution, reader: Reader, table: Table) -> None:
    """ADD ROW ACCESS POLICY p ON (c, …): the columns' types are the arguments'."""
    policy = _applicable(ex, reader, "ROW ACCESS POLICY")
    assert isinstance(policy, RowAccessPolicy)
    reader.expect("ON")
    names = reader.list_of(reader.identifier)
    reader.end()
    if table.row_policy is not None:
        raise errors.compilation(3549, "42601", f"Object {table.name} already has a ROW_ACCESS_POLICY.")
    columns = [table.column(name) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column is None:
            raise errors.invalid_identifier(name)
    if [c.type.base for c in columns if c] != [kind.base for _, kind in policy.arguments]:
        raise errors.compilation(3541, "42601", f"The columns do not fit the signature of '{policy.name}'.")
    table.row_policy = policy.id


def drop_row_policy(ex: Execution, reader: Reader, table: Table) -> None:
    policy = ex.find("ROW ACCESS POLICY", reader.name()).thing
    reader.end()
    if table.row_policy != policy.id:
        raise errors.not_exists("Row access policy", policy.name)
    table.row_policy = None


def _applicable(ex: Execution, reader: Reader, kind: str) -> Thing:
    policy: Thing = ex.find(kind, reader.name()).thing
    if not ex.grants.global_privilege(ex.role, f"APPLY {kind}"):
        ex.grants.require_any(ex.role, ("APPLY", "OWNERSHIP"), policy)
    return policy
