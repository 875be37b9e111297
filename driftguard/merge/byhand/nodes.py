"""What a reader makes of hand-written SQL: statements, queries and lists, each with its place in the tokens.

All spans are half-open ranges of indexes into the tokens of one fragment, comments left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from driftguard.merge.byhand.fragments import Fragment
from driftguard.merge.byhand.tokens import Token

Span = tuple[int, int]


@dataclass(slots=True)
class Item:
    """One entry of a list. `value` is the span without the alias; `alias` the index of its token."""

    span: Span
    value: Span
    alias: int | None = None


@dataclass(slots=True)
class Assignment:
    """`target = value` of a SET list; `equals` is the index of the sign."""

    span: Span
    target: Span
    equals: int
    value: Span


@dataclass(slots=True)
class Relation:
    """One table, sub-select or stage of a FROM clause.

    `parts` is its name (None for a part that a template fills in), `query` what stands in brackets.
    """

    span: Span
    parts: tuple[str | None, ...] = ()
    query: Query | None = None
    alias: str = ""
    stage: bool = False
    opaque: str = ""
    on: Span | None = None


@dataclass(slots=True)
class Select:
    """One SELECT."""

    span: Span
    items: list[Item] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    clauses: dict[str, Span] = field(default_factory=dict)
    group: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Cte:
    """One named query of a WITH clause, with its column list where it has one."""

    name: str
    columns: list[Item]
    query: Query


@dataclass(slots=True)
class Query:
    """SELECTs joined by set operations (`operators` between them), behind the queries that WITH names."""

    span: Span
    ctes: list[Cte] = field(default_factory=list)
    branches: list[Select | Query] = field(default_factory=list)
    operators: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Branch:
    """One WHEN of a MERGE. `kind`: update, insert, delete, by name. `columns` is None where INSERT has no list."""

    span: Span
    matched: bool
    condition: Span | None
    kind: str
    sets: list[Assignment] = field(default_factory=list)
    columns: list[Item] | None = None
    values: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Into:
    """One target of an INSERT: columns (None without a list) and VALUES (empty where a query follows)."""

    parts: tuple[str | None, ...]
    columns: list[Item] | None
    values: list[Item]


@dataclass(slots=True)
class Statement:
    """One statement: merge, insert, update, delete, copy, table, view, select or call."""

    kind: str
    span: Span
    parts: tuple[str | None, ...] = ()
    alias: str = ""
    relations: list[Relation] = field(default_factory=list)
    on: Span | None = None
    branches: list[Branch] = field(default_factory=list)
    intos: list[Into] = field(default_factory=list)
    query: Query | None = None
    columns: list[Item] | None = None
    sets: list[Assignment] = field(default_factory=list)
    where: Span | None = None
    options: dict[str, str] = field(default_factory=dict)
    temporary: bool = False


@dataclass(slots=True)
class Problem:
    """What could not be read: why, and where in the whole text."""

    reason: str
    at: int


@dataclass(slots=True)
class Sheet:
    """One fragment read: its tokens without comments, its statements, what could not be read."""

    fragment: Fragment
    tokens: list[Token]
    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
