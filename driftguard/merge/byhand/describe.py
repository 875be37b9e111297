"""What a hand-written merge does, for the checks: what it fills, from where, by which key, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from driftguard.merge.byhand.clues import OPERATIONS
from driftguard.merge.byhand.entries import Entry, entries
from driftguard.merge.byhand.flow import Added, Env, Flow, Source, Tables, refs, star
from driftguard.merge.byhand.nodes import Item, Query, Relation, Select, Sheet, Span, Statement
from driftguard.merge.byhand.read import read
from driftguard.merge.byhand.tokens import Kind, Unreadable, closing_of

_NOBODY = Added("", "", "", "", "")
RANKS = ("RANK", "DENSE_RANK")
_NEWEST = ("ROW_NUMBER", *RANKS, "MAX_BY", "MIN_BY", "MAX", "LAST_VALUE", "FIRST_VALUE", "ARRAY_AGG")


@dataclass(slots=True)
class Description:
    """The statements of a text that write one FINAL table.

    `updates`, `inserts`: for each list, FINAL column → the staging columns that fill it. `everything`: a star or
    columns matched by name carry whatever is there. `positional`: an INSERT has no column list. `ranks` and `orders`:
    the window functions of the dedupe and the columns that they order by, `others` the columns behind the first.
    """

    writes: int = 0
    updates: list[dict[str, frozenset[str]]] = field(default_factory=list)
    inserts: list[dict[str, frozenset[str]]] = field(default_factory=list)
    everything: bool = False
    positional: bool = False
    key: frozenset[str] = frozenset()
    deletes: bool = False
    guarded: bool = False
    newest: list[str] = field(default_factory=list)
    orders: list[tuple[str, ...]] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    calls: list[tuple[str | None, ...]] = field(default_factory=list)


def describe(text: str, language: str, tables: Tables) -> Description:
    """The writes into FINAL that a text has; what could not be read of it is in `unread`. Nothing is raised."""
    found = Description()
    try:
        sheets = read(text, language)
    except (Unreadable, RecursionError) as problem:
        found.unread.append(getattr(problem, "reason", "brackets are nested too deeply"))
        return found
    found.unread += [problem.reason for sheet in sheets for problem in sheet.problems]
    flow = Flow(sheets, tables, _NOBODY)
    for sheet in sheets:
        for statement in sheet.statements:
            if statement.kind == "call":
                found.calls.append(statement.parts)
            try:
                _statement(found, flow, sheet, statement)
            except Unreadable as problem:
                found.disagreements.append(problem.reason)
            except RecursionError:
                found.unread.append("its queries are nested too deeply, or views read each other")
                return found
    return found


def _statement(found: Description, flow: Flow, sheet: Sheet, statement: Statement) -> None:
    final = flow.tables.final
    if statement.kind == "merge" and flow.matches(sheet, statement.parts, final):
        found.writes += 1
        _merge(found, flow, sheet, statement)
    elif statement.kind == "update" and flow.matches(sheet, statement.parts, final):
        found.writes += 1
        sources = [flow.source(sheet, relation, {}) for relation in statement.relations]
        pairs = [(s.value, sheet.tokens[s.target[1] - 1].value) for s in statement.sets]
        _list(found.updates, entries(flow, sheet, pairs, sources))
        _sources(found, flow, sheet, statement.relations)
    elif statement.kind == "delete" and flow.matches(sheet, statement.parts, final):
        found.deletes = True
    for into in statement.intos:
        if flow.matches(sheet, into.parts, final):
            found.writes += 1
            _insert(found, flow, sheet, statement, into.columns, into.values)


def _merge(found: Description, flow: Flow, sheet: Sheet, statement: Statement) -> None:
    source = flow.source(sheet, statement.relations[0], {})
    target = statement.alias or (statement.parts[-1] or "")
    assert statement.on is not None
    found.key |= _key(sheet, statement.on, target, flow.tables)
    for branch in statement.branches:
        found.deletes = found.deletes or branch.kind == "delete" or _says_delete(sheet, branch.condition)
        if branch.kind == "by name":
            found.everything = True
        elif branch.kind == "update":
            pairs = [(s.value, sheet.tokens[s.target[1] - 1].value) for s in branch.sets]
            _list(found.updates, entries(flow, sheet, pairs, [source], (target,)))
        elif branch.kind == "insert":
            found.guarded = found.guarded or _says_delete(sheet, branch.condition)
            _values(found, flow, sheet, branch.columns, branch.values, [source])
    _sources(found, flow, sheet, statement.relations)


def _key(sheet: Sheet, on: Span, target: str, tables: Tables) -> frozenset[str]:
    """The target's columns in the equalities of ON."""
    named = refs(sheet.tokens, on)
    return frozenset(
        sheet.tokens[ref.name].value
        for ref in named
        if ref.qualifier[-1:] == (target,)
        or (not ref.qualifier and sheet.tokens[ref.name].value in tables.final_columns)
    )


def _says_delete(sheet: Sheet, condition: Span | None) -> bool:
    """Does a condition look at the operation?"""
    if condition is None:
        return False
    return any(
        t.kind is Kind.STRING and t.value.upper() in OPERATIONS for t in sheet.tokens[condition[0] : condition[1]]
    )


def _deleted(sheet: Sheet, span: Span) -> bool:
    return any(t.kind is Kind.STRING and t.value.upper() in ("D", "DELETE") for t in sheet.tokens[span[0] : span[1]])


def _list(into: list[dict[str, frozenset[str]]], given: list[Entry]) -> None:
    if any(entry.columns for entry in given):
        into.append({entry.out: entry.columns for entry in given})


def _values(
    found: Description, flow: Flow, sheet: Sheet, columns: list[Item] | None, values: list[Item], sources: list[Source]
) -> None:
    outs = _names(found, flow, sheet, columns, len(values))
    if outs is not None:
        _list(found.inserts, entries(flow, sheet, list(zip((v.span for v in values), outs, strict=True)), sources))


def _names(found: Description, flow: Flow, sheet: Sheet, columns: list[Item] | None, count: int) -> list[str] | None:
    """What the values of an INSERT fill; None, and a disagreement, where the numbers differ."""
    if columns is None:
        found.positional = True
    outs = [sheet.tokens[c.value[0]].value for c in columns] if columns is not None else [*flow.tables.final_columns]
    if len(outs) == count:
        return outs
    found.disagreements.append(f"an INSERT fills {len(outs)} columns with {count} values")
    return None


def _insert(
    found: Description, flow: Flow, sheet: Sheet, statement: Statement, columns: list[Item] | None, values: list[Item]
) -> None:
    if statement.query is None:
        return
    if values:
        select = next(flow.leaves(statement.query, {}))[0]
        _values(
            found, flow, sheet, columns, values, [Source("query", sheet, Relation(select.span), (), statement.query)]
        )
    for select, env in flow.leaves(statement.query, {}):
        if any(star(sheet.tokens, item) is not None for item in select.items):
            found.everything = found.everything or columns is None
            found.positional = found.positional or columns is None
        elif not values:
            outs = _names(found, flow, sheet, columns, len(select.items))
            if outs is not None:
                pairs = list(zip((item.value for item in select.items), outs, strict=True))
                _list(found.inserts, entries(flow, sheet, pairs, flow.sources(sheet, select, env)))
    _queries(found, flow, sheet, statement.query, {})


def _sources(found: Description, flow: Flow, sheet: Sheet, relations: list[Relation]) -> None:
    for relation in relations:
        source = flow.source(sheet, relation, {})
        if source.query is not None:
            _queries(found, flow, source.sheet, source.query, source.env)


def _queries(found: Description, flow: Flow, sheet: Sheet, query: Query, env: Env) -> None:
    """The dedupe and the filters of a source, at any depth."""
    seen = flow.env(query, env)
    for cte in query.ctes:
        _queries(found, flow, sheet, cte.query, seen)
    for branch in query.branches:
        if isinstance(branch, Query):
            _queries(found, flow, sheet, branch, seen)
            continue
        _windows(found, sheet, branch)
        if any(_deleted(sheet, item.span) for item in branch.items):
            found.deletes = found.guarded = True  # a flag made from the operation
        if _says_delete(sheet, branch.clauses.get("WHERE")) or _says_delete(sheet, branch.clauses.get("QUALIFY")):
            found.guarded = True
        for relation in branch.relations:
            source = flow.source(sheet, relation, seen)
            if source.query is not None and (relation.query is not None or source.made is not None):
                _queries(found, flow, source.sheet, source.query, source.env)


def _windows(found: Description, sheet: Sheet, select: Select) -> None:
    tokens = sheet.tokens
    for n in range(*select.span):
        if not (tokens[n].word(*_NEWEST) and n + 1 < len(tokens) and tokens[n + 1].op("(")):
            continue
        word = tokens[n].value
        closing = closing_of(tokens, n + 1, len(tokens))
        if word in ("ROW_NUMBER", *RANKS):
            if closing + 2 < len(tokens) and tokens[closing + 1].word("OVER"):
                found.newest.append(word)
                over = closing_of(tokens, closing + 2, len(tokens))
                found.orders.append(tuple(_ordered(sheet, (closing + 3, over))))
        elif any(item.value[0] <= n < item.value[1] for item in select.items) and word not in found.newest:
            found.newest.append(word)


def _ordered(sheet: Sheet, span: Span) -> Iterator[str]:
    """The columns of ORDER BY in a window; `(…)` around a name that is not used as it is."""
    tokens = sheet.tokens
    start = next((n for n in range(*span) if tokens[n].word("ORDER")), None)
    if start is None:
        return
    begin = start + 2
    parts: list[Span] = []
    depth = 0
    for n in range(begin, span[1]):
        depth += tokens[n].op("(")
        depth -= tokens[n].op(")")
        if depth == 0 and tokens[n].op(","):
            parts.append((begin, n))
            begin = n + 1
    parts.append((begin, span[1]))
    for part in parts:
        found = refs(tokens, part)
        if found:
            bare = found[0].span[0] == part[0] and not any(t.op("::") for t in tokens[part[0] : part[1]])
            name = tokens[found[0].name].value
            yield name if bare else f"({name})"


@dataclass(frozen=True, slots=True)
class Loading:
    """A COPY INTO a table: its own list of columns (None without one), and options in upper case."""

    columns: tuple[str, ...] | None
    options: dict[str, str]


def loading(text: str) -> Loading | None:
    """The COPY of a pipe; None where it cannot be read."""
    try:
        found = [(sheet, s) for sheet in read(text, "sql") for s in sheet.statements if s.kind == "copy"]
    except (Unreadable, RecursionError):
        return None
    if len(found) != 1:
        return None
    [(sheet, statement)] = found
    options = {name: value.strip("'").upper() for name, value in statement.options.items()}
    if statement.columns is None:
        return Loading(None, options)
    return Loading(tuple(sheet.tokens[item.value[0]].value for item in statement.columns), options)
