"""Queries of Snowflake as queries of DuckDB.

sqlglot parses; one walk then resolves names against the catalog, gives every expression its Snowflake type, and puts
functions and conversions into DuckDB's. The types decide what DuckDB would not: that TRY_CAST takes text alone, which
clock a TIMESTAMP shows, and in which case an identifier must be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from driftguard.sandbox.snowflake import errors, functions, typed
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.nodes import cast, duck, quiet, raw, type_of
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.types import TEXT, VARIANT, SfType, number, read_type


@dataclass(slots=True)
class Relation:
    """Something that stands in FROM: a DuckDB name, and its columns (None: unknown, nothing is checked)."""

    sql: str
    columns: dict[str, SfType] | None


class Context(Protocol):
    """What the walk asks of its surroundings."""

    now: int

    def relation(self, name: QName) -> Relation: ...
    def table_function(self, name: QName, arguments: list[exp.Expr], named: Mapping[str, exp.Expr]) -> Relation: ...
    def variable(self, name: str) -> tuple[object, SfType] | None: ...
    def system(self, name: str, arguments: list[object]) -> tuple[object, SfType] | None: ...
    def constant(self, sql: str) -> object: ...
    def timestamp_mapping(self) -> str: ...


@dataclass(slots=True)
class Scope:
    """The names that an expression may use."""

    sources: dict[str, dict[str, SfType] | None] = field(default_factory=dict)
    aliases: dict[str, SfType | None] = field(default_factory=dict)
    items: dict[str, exp.Expr] = field(default_factory=dict)  # what the aliases stand for
    ctes: dict[str, dict[str, SfType] | None] = field(default_factory=dict)
    parent: Scope | None = None

    def cte(self, name: str) -> tuple[bool, dict[str, SfType] | None]:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes:
                return True, scope.ctes[name]
            scope = scope.parent
        return False, None

    @property
    def open(self) -> bool:
        return any(columns is None for columns in self.sources.values())


class Translator:
    """Walks one statement."""

    def __init__(self, context: Context) -> None:
        self.context = context

    # -- queries -----------------------------------------------------------------------------------------------

    def query(self, node: exp.Expr, parent: Scope | None = None) -> dict[str, SfType] | None:
        """Rewrites a query in place; its columns by name, or None where they are not known."""
        scope = Scope(parent=parent)
        with_ = node.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                if with_.recursive:
                    scope.ctes[cte.alias] = None
                columns = self.query(cte.this, scope)
                scope.ctes[cte.alias] = _renamed(columns, cte)
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, scope)
            self._tail(node, scope)
            return columns
        if isinstance(node, exp.SetOperation):
            left = self.query(node.left, scope)
            right = self.query(node.right, scope)
            if left is not None and right is not None and len(left) != len(right):
                raise errors.compilation(
                    1789, "42601", "invalid number of result columns for set operator input branches"
                )
            scope.aliases = dict(left or {})
            scope.sources["\0left"] = left
            self._tail(node, scope)
            return left
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        if not isinstance(node, exp.Select):
            raise errors.unsupported(f"{node.key.upper()} as a query")
        return self._select(node, scope)

    def _select(self, node: exp.Select, scope: Scope) -> dict[str, SfType] | None:
        from_ = node.args.get("from_")
        if from_ is not None:
            from_.set("this", self.source(from_.this, scope))
        for join in node.args.get("joins") or []:
            join.set("this", self.source(join.this, scope))
            if join.args.get("on") is not None:
                join.set("on", self.expression(join.args["on"], scope))
        for lateral in node.args.get("laterals") or []:
            raise errors.unsupported(f"LATERAL {lateral.sql('snowflake')[:40]}")
        columns: dict[str, SfType] | None = {}
        items: list[exp.Expr] = []
        for item in node.expressions:
            name = item.alias_or_name if isinstance(item, exp.Alias | exp.Column) else _label(item)
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                expanded = _star(item, scope)
                items.append(self._star_node(item, scope))
                columns = None if expanded is None or columns is None else columns | expanded
                continue
            walked = self.expression(item, scope)
            kind = type_of(walked.this if isinstance(walked, exp.Alias) else walked)
            scope.aliases[name] = kind
            scope.items[name] = walked.this if isinstance(walked, exp.Alias) else walked
            if not isinstance(walked, exp.Alias):
                walked = exp.alias_(walked, name, quoted=True, copy=False)
            items.append(walked)
            if columns is not None:
                columns[name if name not in columns else f"{name}\0{len(columns)}"] = kind or SfType("UNKNOWN")
        node.set("expressions", items)
        for key in ("where", "group", "having", "qualify", "distinct", "windows"):
            if node.args.get(key) is not None:
                node.set(key, self._clause(node.args[key], scope))
        self._tail(node, scope)
        return columns

    def _clause(self, clause: object, scope: Scope) -> object:
        if isinstance(clause, list):
            return [self.expression(item, scope) for item in clause]
        return self._children(clause, scope) if isinstance(clause, exp.Expr) else clause

    def _tail(self, node: exp.Expr, scope: Scope) -> None:
        order = node.args.get("order")
        if order is not None:
            scope.items = {}
            node.set("order", self._children(order, scope))
        for key in ("limit", "offset"):
            if node.args.get(key) is not None:
                node.set(key, self._children(node.args[key], scope))

    def _star_node(self, item: exp.Expr, scope: Scope) -> exp.Expr:
        star = item.this if isinstance(item, exp.Column) else item
        for key in ("replace", "rename"):
            if star.args.get(key):
                raise errors.unsupported(f"SELECT * {key.upper()}")
        if isinstance(item, exp.Column) and item.table and item.table not in scope.sources:
            raise errors.invalid_identifier(f"{item.table}.*")
        return item

    def _values(self, node: exp.Values, scope: Scope) -> dict[str, SfType]:
        columns: dict[str, SfType] = {}
        for row, tuple_ in enumerate(node.expressions):
            cells = tuple_.expressions if isinstance(tuple_, exp.Tuple) else [tuple_]
            walked = [self.expression(cell, scope) for cell in cells]
            if isinstance(tuple_, exp.Tuple):
                tuple_.set("expressions", walked)
            for position, cell in enumerate(walked):
                kind = type_of(cell)
                name = f"COLUMN{position + 1}"
                if row == 0 or (kind is not None and columns[name].base in ("NULL", "UNKNOWN")):
                    columns[name] = kind or SfType("UNKNOWN")
                elif kind is not None and kind.base == columns[name].base == "FIXED":
                    columns[name] = _wider(columns[name], kind)
        return columns

    # -- FROM --------------------------------------------------------------------------------------------------

    def source(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """One entry of FROM, rewritten; its columns go into the scope under its alias."""
        for join in node.args.get("joins") or []:
            join.set("this", self.source(join.this, scope))
            if join.args.get("on") is not None:
                join.set("on", self.expression(join.args["on"], scope))
        if isinstance(node, exp.TableFromRows):
            return self._function_source(node, node.this, scope)
        if isinstance(node, exp.Table):
            return self._table(node, scope)
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, scope)
            scope.sources[node.alias or f"\0{len(scope.sources)}"] = _renamed(columns, node)
            return node
        if isinstance(node, exp.Values):
            columns = self._values(node, scope)
            alias = node.alias or f"VALUES{len(scope.sources)}"
            given = [identifier.name for identifier in (node.args["alias"].columns if node.args.get("alias") else [])]
            names = given or list(columns)
            scope.sources[alias] = dict(zip(names, columns.values(), strict=False))
            node.set("alias", _table_alias(alias, names))
            return node
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Explode):
            return self._flatten(node, scope)
        raise errors.unsupported(f"{node.key.upper()} in FROM")

    def _table(self, node: exp.Table, scope: Scope) -> exp.Expr:
        if isinstance(node.this, exp.Func | exp.Anonymous):
            return self._function_source(node, node.this, scope)
        for key in ("when", "changes", "sample", "pivots"):
            if node.args.get(key):
                raise errors.unsupported(f"{key.upper()} in FROM")
        parts = tuple(part.name for part in node.parts)
        alias = node.alias or parts[-1]
        if len(parts) == 1:
            known, columns = scope.cte(parts[0])
            if known:
                scope.sources[alias] = _renamed(columns, node)
                return node
        relation = self.context.relation(QName(parts))
        scope.sources[alias] = _renamed(relation.columns, node)
        return self._relation_node(relation, node, alias)

    def _relation_node(self, relation: Relation, node: exp.Expr, alias: str) -> exp.Expr:
        given = node.args.get("alias")
        names = [identifier.name for identifier in given.columns] if given is not None else []
        table = exp.Table(this=exp.Var(this=relation.sql), alias=_table_alias(alias, names))
        if node.args.get("joins"):
            table.set("joins", node.args["joins"])
        return table

    def _function_source(self, node: exp.Expr, call: exp.Expr, scope: Scope) -> exp.Expr:
        parts: list[str] = []
        while isinstance(call, exp.Dot):
            parts += [piece.name for piece in call.this.find_all(exp.Identifier)] if not parts else [call.this.name]
            call = call.expression
        if isinstance(call, exp.Explode):
            return self._flatten(exp.Lateral(this=call, alias=node.args.get("alias")), scope)
        if isinstance(call, exp.Literal) and call.is_string:
            relation = self.context.relation(Reader(call.name).name())
            scope.sources[node.alias or call.name] = relation.columns
            return self._relation_node(relation, node, node.alias or call.name)
        name = call.name if isinstance(call, exp.Anonymous) else call.sql_name() if isinstance(call, exp.Func) else ""
        positional: list[exp.Expr] = []
        named: dict[str, exp.Expr] = {}
        arguments = call.expressions if isinstance(call, exp.Anonymous) else [one for one in call.args.values() if one]
        for argument in arguments:
            if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
                named[argument.this.name.upper()] = self.expression(argument.expression, scope)
            elif isinstance(argument, exp.Expr):
                positional.append(self.expression(argument, scope))
        relation = self.context.table_function(QName((*parts, name.upper())), positional, named)
        alias = node.alias or name.upper()
        scope.sources[alias] = _renamed(relation.columns, node)
        return self._relation_node(relation, node, alias)

    def _flatten(self, node: exp.Lateral, scope: Scope) -> exp.Expr:
        """LATERAL FLATTEN(INPUT => v): arrays and the members of objects, one level."""
        argument = node.this.this
        if not isinstance(argument, exp.Kwarg) or argument.name.upper() != "INPUT":
            raise errors.unsupported("FLATTEN without INPUT =>, or with further arguments")
        value = duck(self.expression(argument.expression, scope))
        alias = node.alias or "FLATTEN"
        kinds = {"SEQ": number(), "KEY": TEXT, "PATH": TEXT, "INDEX": number(), "VALUE": VARIANT, "THIS": VARIANT}
        scope.sources[alias] = kinds
        sql = (
            f'(SELECT 1 AS "SEQ", CASE WHEN json_type({value}) = \'OBJECT\' THEN e.key END AS "KEY", '
            f'e.fullkey AS "PATH", '
            f'CASE WHEN json_type({value}) = \'ARRAY\' THEN CAST(e.key AS BIGINT) END AS "INDEX", e.value AS "VALUE", '
            f'{value} AS "THIS" FROM json_each({value}) AS e)'
        )
        return exp.Table(this=exp.Var(this=f"LATERAL {sql}"), alias=_table_alias(alias, []))

    # -- expressions -------------------------------------------------------------------------------------------

    def _children(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expr):
                node.set(key, self.expression(value, scope))
            elif isinstance(value, list):
                node.set(key, [self.expression(one, scope) if isinstance(one, exp.Expr) else one for one in value])
        return node

    def expression(self, node: exp.Expr, scope: Scope) -> exp.Expr:
        """`node` for DuckDB, with its Snowflake type."""
        if isinstance(node, exp.Select | exp.SetOperation | exp.Subquery):
            columns = self.query(node, scope)
            node.meta["sf"] = next(iter(columns.values())) if columns else None
            return node
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Placeholder):
            return self._bind(node)
        if isinstance(node, exp.Parameter | exp.SessionParameter):
            raise errors.unsupported("$-variables and column positions ($1) outside COPY")
        if isinstance(node, exp.DataType | exp.Identifier | exp.Var | exp.Star):
            return node
        if isinstance(node, exp.Anonymous) and node.name.upper() in functions.UNIT_FIRST:
            first, *rest = node.expressions
            unit = first.name.upper()
            walked = [self.expression(one, scope) for one in rest]
            return functions.build(self.context, node.name.upper(), [exp.Literal.string(unit), *walked])
        self._children(node, scope)
        if isinstance(node, exp.Window):
            _quiet_window(node)
        return self._walked(node)

    def _walked(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Cast):
            return self._cast(node)
        if isinstance(node, exp.Anonymous):
            return functions.build(self.context, node.name.upper(), node.expressions)
        return typed.typed(self.context, node)

    def _bind(self, node: exp.Placeholder) -> exp.Expr:
        found = self.context.variable(node.name.upper()) if node.name else None
        if found is None:
            raise errors.compilation(
                2049, "42601", f"Bind variable :{node.name} not set." if node.name else "Bind variable ? not set."
            )
        return functions.constant(*found)

    def _column(self, node: exp.Column, scope: Scope) -> exp.Expr:
        name = node.name
        qualifier = node.table
        for key in ("db", "catalog"):
            node.set(key, None)
        here: Scope | None = scope
        opened = False
        while here is not None:
            if qualifier:
                if qualifier in here.sources:
                    columns = here.sources[qualifier]
                    if columns is not None and name not in columns:
                        raise errors.invalid_identifier(f"{qualifier}.{name}")
                    node.meta["sf"] = _known(columns, name)
                    return node
            else:
                holders = [columns for columns in here.sources.values() if columns is not None and name in columns]
                if len(holders) > 1 and name not in here.aliases and not _using(node):
                    raise errors.compilation(2014, "42601", f"ambiguous column name '{name}'")
                if holders:
                    node.meta["sf"] = _known(holders[0], name)
                    return node
                if name in here.aliases:
                    text = duck(here.items[name]) if name in here.items else ""
                    if text != quiet(text):
                        # DuckDB does not let an alias be used again whose expression may raise an error
                        return raw(text, here.aliases[name])
                    node.meta["sf"] = here.aliases[name]
                    return node
                opened = opened or here.open
            here = here.parent
        if not qualifier and not opened:
            found = self.context.variable(name)
            if found is not None:
                return functions.constant(*found)
        if not opened:
            raise errors.invalid_identifier(f"{qualifier}.{name}" if qualifier else name)
        return node

    def _cast(self, node: exp.Cast) -> exp.Expr:
        target = read_type(Reader(node.to.sql(dialect="snowflake")), self.context.timestamp_mapping())
        if isinstance(node.to, exp.DataType) and node.to.this in (exp.DType.TIMESTAMP, exp.DType.DATETIME):
            target = SfType(self.context.timestamp_mapping(), scale=9)
        attempt = isinstance(node, exp.TryCast)
        return cast(node.this, target, attempt=attempt)


def _quiet_window(node: exp.Window) -> None:
    """PARTITION BY and ORDER BY of a window without anything that can raise an error."""
    node.set("partition_by", [raw(quiet(duck(one)), type_of(one)) for one in node.args.get("partition_by") or []])
    order = node.args.get("order")
    for one in order.expressions if order is not None else []:
        if isinstance(one, exp.Ordered):
            one.set("this", raw(quiet(duck(one.this)), type_of(one.this)))


def _known(columns: dict[str, SfType] | None, name: str) -> SfType | None:
    kind = None if columns is None else columns.get(name)
    return None if kind is None or kind.base == "UNKNOWN" else kind


def _using(node: exp.Column) -> bool:
    select = node.find_ancestor(exp.Select)
    return select is not None and any(
        join.args.get("using") or join.args.get("method") == "NATURAL" for join in select.args.get("joins") or []
    )


def _star(item: exp.Expr, scope: Scope) -> dict[str, SfType] | None:
    star = item.this if isinstance(item, exp.Column) else item
    excluded = {one.name for one in star.args.get("except_") or []}
    chosen = [item.table] if isinstance(item, exp.Column) else list(scope.sources)
    out: dict[str, SfType] = {}
    for alias in chosen:
        columns = scope.sources.get(alias)
        if columns is None:
            return None
        for name, kind in columns.items():
            if name not in excluded:
                out[name if name not in out else f"{name}\0{len(out)}"] = kind
    return out


def _label(item: exp.Expr) -> str:
    return (
        item.sql(dialect="snowflake").upper()[:255]
        if not isinstance(item, exp.Literal)
        else (f"'{item.name}'" if item.is_string else item.name)
    )


def _renamed(columns: dict[str, SfType] | None, node: exp.Expr) -> dict[str, SfType] | None:
    alias = node.args.get("alias")
    names = [identifier.name for identifier in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if columns is None:
        return None
    plain = {name.split("\0")[0]: kind for name, kind in columns.items()}
    if not names:
        return plain
    return dict(zip([*names, *list(plain)[len(names) :]], columns.values(), strict=False))


def _table_alias(alias: str, columns: list[str]) -> exp.TableAlias:
    return exp.TableAlias(
        this=exp.to_identifier(alias, quoted=True), columns=[exp.to_identifier(name, quoted=True) for name in columns]
    )


def _wider(left: SfType, right: SfType) -> SfType:
    scale = max(left.scale or 0, right.scale or 0)
    whole = max((left.precision or 38) - (left.scale or 0), (right.precision or 38) - (right.scale or 0))
    return number(min(38, whole + scale), scale)
