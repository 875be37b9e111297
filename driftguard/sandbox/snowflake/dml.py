"""INSERT, UPDATE, DELETE, TRUNCATE, MERGE.

Every value is stored through `conversions.store_sql`: converted as an assignment converts, its length and NULL checked,
because the tables of DuckDB carry no constraint. MERGE refuses a target row that several source rows would update
("MERGE", nondeterministic results; ERROR_ON_NONDETERMINISTIC_MERGE).
"""

from __future__ import annotations

from typing import cast as typing_cast

from sqlglot import exp

from driftguard.sandbox.snowflake import errors, streams
from driftguard.sandbox.snowflake.catalog import Column, Table
from driftguard.sandbox.snowflake.conversions import Refused, store_sql
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import QName, quote
from driftguard.sandbox.snowflake.nodes import duck, type_of
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.results import DELETE, INSERT, MERGE, UPDATE, Result, counts
from driftguard.sandbox.snowflake.translate import Scope, Translator
from driftguard.sandbox.snowflake.types import SfType, assignable


def run(ex: Execution, sql: str) -> Result:
    """One DML statement. It moves the offset of every stream that it reads."""
    ex.streams = {}
    result = _run(ex, parse(sql))
    streams.consume(ex)
    return result


def _run(ex: Execution, tree: exp.Expr) -> Result:
    match tree:
        case exp.Insert():
            return insert(ex, tree)
        case exp.Update():
            return update(ex, tree)
        case exp.Delete():
            return delete(ex, tree)
        case exp.Merge():
            return merge(ex, tree)
    raise errors.unsupported(f"{tree.key.upper()}")


def _name(node: exp.Expr) -> QName:
    if not isinstance(node, exp.Table):
        raise errors.unsupported("this target of a DML statement")
    return QName(tuple(part.name for part in node.parts))


def _column(table: Table, name: str) -> Column:
    found = table.column(name)
    if found is None:
        raise errors.invalid_identifier(name)
    return found


def stored(value: str, kind: SfType | None, column: Column) -> str:
    """`value` for a column, or 002023 when nothing converts it."""
    kind = kind or SfType("UNKNOWN")
    if kind.base != "UNKNOWN" and not assignable(kind, column.type):
        raise errors.type_mismatch(column.type.sql, kind.sql, column.name)
    if kind.base == "UNKNOWN":
        kind = column.type
    try:
        return store_sql(value, kind, column.type, nullable=column.nullable, label=column.name)
    except Refused:
        raise errors.type_mismatch(column.type.sql, kind.sql, column.name) from None


def default_sql(ex: Execution, column: Column) -> str:
    """What a column that is not named gets."""
    if column.autoincrement:
        return f"nextval('{column.sequence}')"
    if column.default is not None:
        tree = parse(f"SELECT {column.default}")
        Translator(ex).query(tree)
        value = tree.expressions[0]
        value = value.this if isinstance(value, exp.Alias) else value
        return stored(duck(value), type_of(value), column)
    return stored("NULL", SfType("NULL"), column)


def _resolve(known: dict[str, SfType] | None, found: list[SfType]) -> list[SfType]:
    if known is None or len(known) != len(found):
        return found
    out = []
    for walked, have in zip(known.values(), found, strict=True):
        out.append(walked if walked.base in ("TIMESTAMP_TZ", "OBJECT", "ARRAY") and have.base != "NULL" else have)
    return out


def _fits(item: exp.Expr, column: Column) -> bool:
    """A value in the statement that the column takes as it is: there is nothing to ask DuckDB, nor for it to check."""
    value = item.this if isinstance(item, exp.Alias) else item
    if not isinstance(value, exp.Literal):
        known, kind = value.meta.get("value"), type_of(value)
        if known is None or kind is None or kind.base != column.type.base:
            return False
        return kind.base == "TIMESTAMP_NTZ" or (kind.base == "TEXT" and len(str(known)) <= (column.type.length or 0))
    if value.is_string:
        return column.type.base == "TEXT" and len(value.name) <= (column.type.length or 0)
    whole = (column.type.precision or 0) - (column.type.scale or 0)
    return column.type.base == "FIXED" and value.name.isdigit() and len(value.name) <= whole


def insert(ex: Execution, tree: exp.Insert) -> Result:
    """INSERT [OVERWRITE] INTO t [(columns)] VALUES … | SELECT …"""
    target = tree.this
    named: list[str] | None = None
    if isinstance(target, exp.Schema):
        named = [one.name for one in target.expressions]
        target = target.this
    name = _name(target)
    found = ex.table(name, "INSERT")
    table = found.thing
    if named is not None and len(set(named)) != len(named):
        raise errors.compilation(
            2025, "42S21", f"duplicate column name '{next(n for n in named if named.count(n) > 1)}'"
        )
    columns = [_column(table, one) for one in named] if named is not None else list(table.columns)
    source = tree.expression
    defaults = _explicit_defaults(source)
    if defaults:
        raise errors.unsupported("DEFAULT inside VALUES")
    if tree.args.get("with_") is not None and isinstance(source, exp.Select):
        source.set("with_", tree.args["with_"])
        tree.set("with_", None)
    if isinstance(source, exp.Values):
        source = exp.Select(expressions=[exp.Star()]).from_(source)
    known = Translator(ex).query(source)
    items = list(source.expressions) if isinstance(source, exp.Select) else []
    sql = source.sql(dialect="duckdb", copy=False)
    fits = list(map(_fits, items, columns)) if len(items) == len(columns) else []
    width, kinds = len(items), [column.type for column in columns]
    if not fits or not all(fits):
        _, described = ex.described(sql, known)
        width, kinds = len(described), _resolve(known, described)
    if width != len(columns):
        raise errors.compilation(
            2020, "21S01", f"Insert value list does not match column list expecting {len(columns)} but got {width}"
        )
    into = f"INSERT INTO {table.physical}"
    taken = [column.name for column in columns]
    if fits and all(fits) and all(column.name in taken or _left_empty(column) for column in table.columns):
        into = f"{into} ({', '.join(map(quote, taken))}) {sql}"
    else:
        into = f"{into} {_converted(ex, table, columns, kinds, fits, sql)}"
    ex.lock(table, "ddl" if tree.args.get("overwrite") else "share")
    gone = ex.write(f"DELETE FROM {table.physical}")[0][0] if tree.args.get("overwrite") else 0
    rows = ex.write(into)[0][0]
    streams.follow(ex, table, rows)
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, rows + gone)
    return counts(INSERT, inserted=rows)


def _left_empty(column: Column) -> bool:
    """Is it NULL where an INSERT does not name it?"""
    return column.nullable and column.default is None and not column.autoincrement


def _converted(
    ex: Execution, table: Table, columns: list[Column], kinds: list[SfType], fits: list[bool], sql: str
) -> str:
    """A query of DuckDB as one for all columns of the table, each value made one of its column."""
    given = {
        column.name: f"q.c{n}" if fits and fits[n] else stored(f"q.c{n}", kinds[n], column)
        for n, column in enumerate(columns)
    }
    values = [given.get(column.name) or default_sql(ex, column) for column in table.columns]
    names = ", ".join(f"c{n}" for n in range(len(columns)))
    return f"SELECT {', '.join(values)} FROM ({sql}) AS q({names})"


def _explicit_defaults(source: exp.Expr) -> bool:
    return (
        isinstance(source, exp.Values) and any(isinstance(one, exp.Default) for one in source.find_all(exp.Default))
        if hasattr(exp, "Default")
        else False
    )


def _target_scope(table: Table, alias: str) -> Scope:
    return Scope(sources={alias: {column.name: column.type for column in table.columns}})


def _assignments(ex: Execution, table: Table, alias: str, items: list[exp.Expr], scope: Scope) -> list[str]:
    """`"C" = value` for each SET item."""
    translator = Translator(ex)
    out: list[str] = []
    seen: set[str] = set()
    for item in items:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise errors.syntax(item.sql(dialect="snowflake"))
        if item.this.table not in ("", alias):
            raise errors.invalid_identifier(f"{item.this.table}.{item.this.name}")
        column = _column(table, item.this.name)
        if column.name in seen:
            raise errors.compilation(2025, "42S21", f"duplicate column name '{column.name}'")
        seen.add(column.name)
        value = translator.expression(item.expression, scope)
        out.append(f"{quote(column.name)} = {stored(duck(value), _kind(value), column)}")
    return out


def _kind(value: exp.Expr) -> SfType | None:
    return type_of(value)


def update(ex: Execution, tree: exp.Update) -> Result:
    """UPDATE t SET … [FROM …] [WHERE …]; the row count is in the answer."""
    name = _name(tree.this)
    found = ex.table(name, "UPDATE")
    table = found.thing
    alias = tree.this.alias or name.name
    scope = _target_scope(table, alias)
    translator = Translator(ex)
    tail = ""
    from_ = tree.args.get("from_")
    if from_ is not None:
        tail = f" FROM {duck(translator.source(from_.this, scope))}"
    sets = _assignments(ex, table, alias, tree.expressions, scope)
    where = tree.args.get("where")
    if where is not None:
        tail += f" WHERE {duck(translator.expression(where.this, scope))}"
    ex.lock(table, "exclusive")
    sql = f"UPDATE {table.physical} AS {quote(alias)} SET {', '.join(sets)}{tail}"
    rows = ex.write(sql)[0][0]
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, rows)
    out = counts(UPDATE, updated=rows)
    multi = counts(UPDATE, number_of_multi_joined_rows_updated=0)
    out.fields += multi.fields
    out.rows = [(*out.rows[0], 0)]
    return out


def delete(ex: Execution, tree: exp.Delete) -> Result:
    """DELETE FROM t [USING …] [WHERE …]."""
    name = _name(tree.this)
    table = ex.table(name, "DELETE").thing
    alias = tree.this.alias or name.name
    scope = _target_scope(table, alias)
    translator = Translator(ex)
    tail = ""
    using = tree.args.get("using")
    if using:
        tail = " USING " + ", ".join(duck(translator.source(one, scope)) for one in using)
    where = tree.args.get("where")
    if where is not None:
        tail += f" WHERE {duck(translator.expression(where.this, scope))}"
    ex.lock(table, "exclusive")
    rows = ex.write(f"DELETE FROM {table.physical} AS {quote(alias)}{tail}")[0][0]
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, rows)
    return counts(DELETE, deleted=rows)


def truncate(ex: Execution, table: Table) -> None:
    """All rows and the table's own load history (COPY); a pipe's memory stays ("TRUNCATE TABLE")."""
    ex.lock(table, "ddl")
    rows = ex.write(f"DELETE FROM {table.physical}")[0][0]
    table.loaded.clear()
    table.truncated = ex.now
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, rows)


# -- MERGE -----------------------------------------------------------------------------------------------------


def merge(ex: Execution, tree: exp.Merge) -> Result:
    """MERGE INTO t USING s ON … WHEN …"""
    name = _name(tree.this)
    found = ex.table(name)
    table = found.thing
    alias = tree.this.alias or name.name
    translator = Translator(ex)
    scope = Scope()
    source = translator.source(tree.args["using"], scope)
    source_alias, source_columns = next(iter(scope.sources.items()))
    source_kinds = source_columns or {}
    scope.sources[alias] = {column.name: column.type for column in table.columns}
    condition = duck(translator.expression(tree.args["on"], scope))
    source_scope = Scope(sources={source_alias: source_columns})
    whens: list[str] = []
    actions: list[tuple[str, str]] = []
    kinds: set[str] = set()
    open_matched = open_missing = False
    for when in tree.args["whens"].expressions:
        matched = bool(when.args.get("matched"))
        if open_matched if matched else open_missing:
            raise errors.compilation(1003, "42000", "a WHEN clause without AND must be the last of its kind")
        guard = when.args.get("condition")
        inside = scope if matched else source_scope
        test = duck(translator.expression(guard, inside)) if guard is not None else "TRUE"
        if guard is None:
            open_matched, open_missing = open_matched or matched, open_missing or not matched
        then = when.args["then"]
        head = f"WHEN {'MATCHED' if matched else 'NOT MATCHED'}{'' if guard is None else f' AND {test}'} THEN "
        if matched:
            actions.append((test, "U" if isinstance(then, exp.Update) else "D"))
        if isinstance(then, exp.Update):
            kinds.add("updated")
            ex.grants.require(ex.role, "UPDATE", found)
            sets = _assignments(ex, table, alias, then.expressions, scope)
            whens.append(head + "UPDATE SET " + ", ".join(sets))
        elif isinstance(then, exp.Insert):
            kinds.add("inserted")
            ex.grants.require(ex.role, "INSERT", found)
            whens.append(head + _merge_insert(ex, table, then, source_scope, test))
        elif then.name.upper() == "DELETE" and matched:
            kinds.add("deleted")
            ex.grants.require(ex.role, "DELETE", found)
            whens.append(head + "DELETE")
        else:
            raise errors.syntax(then.sql(dialect="snowflake"))
    if not source_kinds and source_columns is not None:
        raise errors.compilation(1003, "42000", "the source of MERGE has no columns")
    ex.lock(table, "exclusive")
    target = f"{table.physical} AS {quote(alias)}"
    using = duck(source)
    if actions and _duplicates(ex, target, alias, using, condition, actions):
        using = _one_a_row(target, alias, using, source_alias, condition, actions)
    text = f"MERGE INTO {target} USING {using} ON {condition} {' '.join(whens)} RETURNING merge_action"
    done = [row[0] for row in ex.write(text)]
    numbers = {
        key: sum(1 for one in done if one == action)
        for key, action in (("inserted", "INSERT"), ("updated", "UPDATE"), ("deleted", "DELETE"))
        if key in kinds
    }
    streams.follow(ex, table, numbers.get("inserted", 0))
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, len(done))
    return counts(MERGE, **numbers)


def _merge_insert(ex: Execution, table: Table, then: exp.Insert, scope: Scope, test: str) -> str:
    """`test` stands in front of each value too: DuckDB works values out for rows that the WHEN leaves out."""
    translator = Translator(ex)
    this = then.this
    columns = (
        [_column(table, one.name) for one in this.expressions] if isinstance(this, exp.Tuple) else list(table.columns)
    )
    if len({column.name for column in columns}) != len(columns):
        raise errors.compilation(2025, "42S21", "duplicate column name in the INSERT clause of MERGE")
    values = typing_cast(list[exp.Expr], then.expression.expressions if then.expression is not None else [])
    if len(values) != len(columns):
        raise errors.compilation(
            2020,
            "21S01",
            f"Insert value list does not match column list expecting {len(columns)} but got {len(values)}",
        )
    given: dict[str, str] = {}
    for column, value in zip(columns, values, strict=True):
        walked = translator.expression(value, scope)
        value_sql = stored(duck(walked), type_of(walked), column)
        given[column.name] = value_sql if test == "TRUE" else f"CASE WHEN {test} THEN {value_sql} END"
    full = [given.get(column.name) or default_sql(ex, column) for column in table.columns]
    names = ", ".join(quote(column.name) for column in table.columns)
    return f"INSERT ({names}) VALUES ({', '.join(full)})"


def _action(actions: list[tuple[str, str]]) -> str:
    return "CASE " + " ".join(f"WHEN {test} THEN '{action}'" for test, action in actions) + " END"


def _duplicates(
    ex: Execution, target: str, alias: str, source: str, condition: str, actions: list[tuple[str, str]]
) -> bool:
    """Whether several source rows change one target row. If one of them is an update: 100090 (42P18), by default."""
    sql = (
        f"SELECT max(a = 'U') FROM (SELECT {quote(alias)}.rowid AS r, {_action(actions)} AS a FROM {target} "
        f"JOIN {source} ON {condition}) AS m WHERE a IS NOT NULL GROUP BY r HAVING count(*) > 1"
    )
    found = [row[0] for row in ex.run(sql)]
    if any(found) and ex.session.parameter("ERROR_ON_NONDETERMINISTIC_MERGE"):
        raise errors.SnowflakeError(100090, "42P18", "Duplicate row detected during DML action")
    return bool(found)


def _one_a_row(
    target: str, alias: str, source: str, source_alias: str, condition: str, actions: list[tuple[str, str]]
) -> str:
    """The source with one row for each target row, because DuckDB refuses more: which one is undefined."""
    numbered = f"(SELECT *, row_number() OVER () AS dg_rn FROM {source}) AS {quote(source_alias)}"
    extra = (
        "SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY r ORDER BY n) AS k FROM (SELECT "
        f"{quote(source_alias)}.dg_rn AS n, "
        f"{quote(alias)}.rowid AS r, {_action(actions)} AS a FROM {target} JOIN {numbered} ON {condition}) AS m "
        "WHERE a IS NOT NULL) AS o WHERE k > 1"
    )
    return f"(SELECT * EXCLUDE (dg_rn) FROM {numbered} WHERE dg_rn NOT IN ({extra})) AS {quote(source_alias)}"
