"""What exists on Aurora, as pg_catalog tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from driftguard.model.identifiers import TableName


@dataclass(frozen=True, slots=True)
class PgType:
    """A column's type.

    `name` is pg_type.typname of the column's own type, `text` what format_type prints. For a domain,
    `base_name` and `typmod` are those of the type at the end of the chain of domains, so that
    `resolved` always names a type that holds the value. `typmod` is -1 where there is none. `element` and
    `enum_labels` are also those at the end of the chain; the labels of an array are those of its element type.
    """

    name: str
    text: str
    kind: str = "b"  # pg_type.typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange
    typmod: int = -1
    base_name: str = ""
    element: str = ""  # typname of an array's element type
    enum_labels: tuple[str, ...] = ()
    schema: str = "pg_catalog"
    base_text: str = ""  # a domain: what format_type prints for the type at the end of the chain, with its typmod

    @property
    def resolved(self) -> str:
        """The typname that holds the value: the base type of a domain, else the type itself."""
        return self.base_name or self.name

    @property
    def is_array(self) -> bool:
        return bool(self.element)

    @property
    def precision(self) -> int | None:
        """numeric(p,s): p; None for numeric without (p,s) and for other types."""
        if self.resolved != "numeric" or self.typmod < 4:
            return None
        return ((self.typmod - 4) >> 16) & 0xFFFF

    @property
    def scale(self) -> int | None:
        """numeric(p,s): s, which can be negative or exceed p since PostgreSQL 15 (an 11-bit signed field)."""
        if self.resolved != "numeric" or self.typmod < 4:
            return None
        return (((self.typmod - 4) & 0x7FF) ^ 1024) - 1024

    @property
    def length(self) -> int | None:
        """char(n), varchar(n): n characters; bit(n), varbit(n): n bits; None without a limit."""
        if self.typmod < 0:
            return None
        if self.resolved in ("varchar", "bpchar"):
            return self.typmod - 4
        if self.resolved in ("bit", "varbit"):
            return self.typmod
        return None


@dataclass(frozen=True, slots=True)
class Column:
    """A live column (dropped ones are left out; their attnum is never used again)."""

    name: str
    attnum: int
    type: PgType
    nullable: bool = True
    default: str | None = None  # the expression, as pg_get_expr prints it; a domain's own where the column has none
    missing_value: str | None = None  # the constant old rows show: pg_attribute.attmissingval as text
    identity: str = ""  # pg_attribute.attidentity: '' none, 'a' always, 'd' by default
    generated: str = ""  # pg_attribute.attgenerated: '' none, 's' stored, 'v' virtual
    storage: str = "p"  # pg_attribute.attstorage: p plain, e external, x extended, m main
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key, a unique constraint, or a unique index on plain columns without WHERE; columns in key order.

    A deferrable key cannot serve as the replica identity ("ALTER TABLE", REPLICA IDENTITY, in the PostgreSQL manual).
    """

    name: str
    columns: tuple[str, ...]
    deferrable: bool = False
    constraint: bool = True  # False: an index without a constraint


@dataclass(frozen=True, slots=True)
class Table:
    """A table, partitioned table or partition."""

    oid: int
    schema: str
    name: str
    columns: tuple[Column, ...]
    kind: str = "r"  # pg_class.relkind: r table, p partitioned table
    persistence: str = "p"  # pg_class.relpersistence: p permanent, u unlogged
    primary_key: Key | None = None
    unique_keys: tuple[Key, ...] = ()
    replica_identity: str = "d"  # pg_class.relreplident: d primary key, n nothing, f full, i an index
    replica_index: str = ""  # the index's name where replica_identity is 'i'
    partition_of: TableName | None = None
    partition_key: str = ""  # a partitioned table: pg_get_partkeydef, such as RANGE (created_at)
    partition_bound: str = ""  # a partition: its bound as pg_get_expr prints it, such as DEFAULT
    inherits: tuple[TableName, ...] = ()
    comment: str | None = None

    @property
    def id(self) -> TableName:
        return TableName(self.schema, self.name)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that was not looked at, and why: unknown is not absent."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One Aurora database: tables sorted by (schema, name), who it is, and what could not be read."""

    tables: tuple[Table, ...]
    database: str = ""
    database_oid: int = 0
    system_identifier: str = ""  # pg_control_system().system_identifier, "" where it may not be read
    server_version: str = ""
    captured_at: str = ""  # ISO 8601, UTC
    unseen: tuple[Unseen, ...] = field(default=())

    def table(self, name: TableName) -> Table | None:
        return next((t for t in self.tables if t.schema == name.schema and t.name == name.name), None)


def partition_roots(tables: Iterable[Table]) -> dict[TableName, TableName]:
    """The partitioned table at the top, for each partition whose parents are among `tables`."""
    parents = {t.id: t.partition_of for t in tables if t.partition_of is not None}
    roots = {}
    for name, parent in parents.items():
        top = parent
        while (above := parents.get(top)) is not None:
            top = above
        roots[name] = top
    return roots


_new = object.__new__
(
    _set_name,
    _set_attnum,
    _set_type,
    _set_nullable,
    _set_default,
    _set_missing,
    _set_identity,
    _set_generated,
    _set_storage,
    _set_comment,
) = (Column.__dict__[f.name].__set__ for f in fields(Column))


def new_column(
    name: str,
    attnum: int,
    type: PgType,
    nullable: bool = True,
    default: str | None = None,
    missing_value: str | None = None,
    identity: str = "",
    generated: str = "",
    storage: str = "p",
    comment: str | None = None,
) -> Column:
    """`Column(…)` in half the time, for the loops that make hundreds of thousands.

    A frozen dataclass sets its fields through `object.__setattr__`, which looks each name up again.
    """
    column = _new(Column)
    _set_name(column, name)
    _set_attnum(column, attnum)
    _set_type(column, type)
    _set_nullable(column, nullable)
    _set_default(column, default)
    _set_missing(column, missing_value)
    _set_identity(column, identity)
    _set_generated(column, generated)
    _set_storage(column, storage)
    _set_comment(column, comment)
    return column
