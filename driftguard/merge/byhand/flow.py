"""Which staging column a value in hand-written SQL comes from: through sub-selects, CTEs, views, temporary tables."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from driftguard.merge.byhand.clues import compared, headers, key_names
from driftguard.merge.byhand.nodes import Cte, Item, Query, Relation, Select, Sheet, Span, Statement
from driftguard.merge.byhand.tokens import Kind, Token, Unreadable, closing_of
from driftguard.merge.byhand.views import ViewText, opened

Parts = Sequence[str | None]
Env = dict[str, tuple[Cte, "Env"]]  # the CTEs in sight, each with those in its own sight


@dataclass(frozen=True, slots=True)
class Added:
    """One new column: its name at the source, in STAGING and in FINAL, and its types there.

    `staging` may be `COLUMN:key`, a key of a VARIANT column.
    """

    source: str
    staging: str
    final: str
    staging_type: str
    final_type: str

    @property
    def label(self) -> str:
        """What the flow calls it: the staging column or the key."""
        return self.staging.split(":")[-1]


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables of a landing as a text may name them: (database, schema, name), fewer parts where not known.

    `streams` are the streams over STAGING. Columns are name → type, without the added ones, in the order of the table.
    `schema` is where names without one are looked for. `views` are those of the database that the text may read.
    """

    staging: tuple[str, ...]
    final: tuple[str, ...]
    staging_columns: dict[str, str]
    final_columns: dict[str, str]
    streams: tuple[tuple[str, ...], ...] = ()
    schema: str = ""
    views: tuple[ViewText, ...] = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """A column named in an expression: the tokens before its name, the name, the last key of a path behind it."""

    qualifier: tuple[str | None, ...]
    name: int
    key: int | None
    span: Span


_NO_COLUMNS = """
    AND OR NOT IS NULL DISTINCT FROM CASE WHEN THEN ELSE END IN LIKE ILIKE BETWEEN ASC DESC NULLS FIRST LAST IGNORE
    RESPECT TRUE FALSE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_USER CURRENT_TIME LOCALTIMESTAMP SYSDATE EXCLUDE RENAME
    REPLACE ESCAPE INTERVAL ANY ALL EXISTS UNION SELECT QUALIFY WHERE"""
_NOT_COLUMNS = frozenset(_NO_COLUMNS.split())


def refs(tokens: list[Token], span: Span) -> list[Ref]:
    """The columns that an expression names, those inside OVER (…) and WITHIN GROUP (…) and types left out."""
    found: list[Ref] = []
    n, end = span
    while n < end:
        token = tokens[n]
        following = tokens[n + 1] if n + 1 < end else None
        if token.word("OVER", "GROUP") and following is not None and following.op("("):
            n = closing_of(tokens, n + 1, end)
        elif token.op("::") or token.word("AS"):
            n += 1
            while n + 1 < end and tokens[n + 1].kind is Kind.WORD and tokens[n + 1].value in ("PRECISION", "VARYING"):
                n += 1
            if n + 1 < end and tokens[n + 1].op("("):
                n = closing_of(tokens, n + 1, end)
        elif token.op(":"):
            n += 1  # a bind variable
        elif (token.name and not (token.kind is Kind.WORD and token.value in _NOT_COLUMNS)) or token.kind in _ROOTS:
            n = _chain(tokens, n, end, found)
            continue
        n += 1
    return found


_ROOTS = (Kind.HOLE, Kind.VARIABLE)


def _chain(tokens: list[Token], n: int, end: int, found: list[Ref]) -> int:
    """One dotted name from `n` on, with the path behind it; the index behind both."""
    start = n
    while n + 2 < end and tokens[n + 1].op(".") and (tokens[n + 2].name or tokens[n + 2].kind in _ROOTS):
        n += 2
    if n + 1 < end and tokens[n + 1].op("(", "."):
        return n + 1  # a function, or alias.*
    key, at = None, n + 1
    while at < end:
        if tokens[at].op(":", ".") and at + 1 < end and tokens[at + 1].name:
            key, at = at + 1, at + 2
        elif tokens[at].op("[") and at + 2 < end and tokens[at + 1].kind in (Kind.STRING, Kind.NUMBER):
            key = at + 1 if tokens[at + 1].kind is Kind.STRING else key
            at += 3
        else:
            break
    if tokens[n].kind is Kind.HOLE:
        return at
    qualifier = tuple(None if tokens[m].kind is Kind.HOLE else tokens[m].value for m in range(start, n, 2))
    found.append(Ref(qualifier, n, key, (start, at)))
    return at


@dataclass(slots=True)
class Source:
    """Where a relation's rows come from: `base` (STAGING or a stage), `query`, or `other` (not from STAGING)."""

    kind: str
    sheet: Sheet
    relation: Relation
    alias: tuple[str | None, ...]
    query: Query | None = None
    names: tuple[str, ...] = ()
    env: Env = field(default_factory=dict)
    made: Statement | None = None


RECORD = "*"  # the label of a value that holds a whole row
_HEADER = re.compile(
    r"_.*|AR_H_.*|DMS_.*|CDC_.*|(.*_)?(OP|COMMIT_TS|COMMIT_TIME|COMMIT_TIMESTAMP|TRANSACT_TS|CDC_TS|DMS_TS|LSN|SCN)"
)


class Flow:
    """The statements of a text, and from which staging column each value in them comes."""

    def __init__(self, sheets: list[Sheet], tables: Tables, added: Added) -> None:
        self.sheets, self.tables, self.added = sheets, tables, added
        self.views = list(opened(tables.views))
        self.made = [(sheet, s) for sheet in sheets for s in sheet.statements if s.kind in ("view", "table")]
        self.made += [(one.sheet, one.statement) for one in self.views]
        self._outputs: dict[tuple[int, str, tuple[str, ...]], frozenset[str] | None] = {}
        self._names: dict[int, list[str | None]] = {}  # what the items of a SELECT are called; None for a star
        self.variant = added.staging.split(":")[0] if ":" in added.staging else ""
        every = [*sheets, *(one.sheet for one in self.views)]
        self.headers = {name for sheet in every for name in headers(sheet.tokens)}
        self.compared = {name for sheet in every for name in compared(sheet.tokens)}
        self.keys = {name for sheet in every for name in key_names(sheet)}
        self.read_views: dict[int, Source] = {}  # of the database, by their statements' ids

    def matches(self, sheet: Sheet, parts: Parts, table: Parts) -> bool:
        """Is `parts`, as written in the sheet, that table? A part that a template fills in may be anything."""
        if not parts or parts[-1] is None:
            return False
        if len(parts) == 1:
            schema = sheet.used.get("SCHEMA") or self.tables.schema
            parts = (schema, *parts) if schema else parts
            if not schema:
                return False
        pairs = list(zip(reversed(parts), reversed(table), strict=False))
        return all(a is None or a == b for a, b in pairs)

    def is_staging(self, sheet: Sheet, parts: Parts) -> bool:
        return any(self.matches(sheet, parts, table) for table in (self.tables.staging, *self.tables.streams))

    def source(self, sheet: Sheet, relation: Relation, env: Env) -> Source:
        """Where the rows of one relation come from."""
        alias: tuple[str | None, ...] = (relation.alias,) if relation.alias else relation.parts
        names: tuple[str, ...] = ()
        kind, query, made, inner = "other", relation.query, None, env
        if relation.opaque:
            return Source("opaque", sheet, relation, alias)
        if query is not None:
            kind = "query"
        elif len(relation.parts) == 1 and relation.parts[0] in env:
            cte, inner = env[str(relation.parts[0])]
            kind, query, names = "query", cte.query, tuple(sheet.tokens[i.value[0]].value for i in cte.columns)
        elif relation.stage or self.is_staging(sheet, relation.parts):
            kind = "base"
        else:
            for where, statement in self.made:
                if statement.query is not None and self._same(sheet, relation.parts, statement.parts):
                    names = tuple(where.tokens[i.value[0]].value for i in statement.columns or [])
                    found = Source("query", where, relation, alias, statement.query, names, {}, statement)
                    self.read_views[id(statement)] = found
                    return found
        return Source(kind, sheet, relation, alias, query, names, inner, made)

    def _same(self, sheet: Sheet, parts: Parts, made: Parts) -> bool:
        if len(parts) == len(made) == 1:
            return parts == made
        return len(made) > 1 and self.matches(sheet, parts, made)

    def env(self, query: Query, env: Env) -> Env:
        """The CTEs that the branches of a query see."""
        seen = dict(env)
        for cte in query.ctes:
            seen[cte.name] = (cte, dict(seen))
        return seen

    def leaves(self, query: Query, env: Env) -> Iterator[tuple[Select, Env]]:
        """The SELECTs whose rows are the rows of the query, each with the CTEs that it sees."""
        seen = self.env(query, env)
        for branch in query.branches:
            if isinstance(branch, Query):
                yield from self.leaves(branch, seen)
            else:
                yield branch, seen

    def sources(self, sheet: Sheet, select: Select, env: Env) -> list[Source]:
        return [self.source(sheet, relation, env) for relation in select.relations]

    def columns(self, sheet: Sheet, span: Span, sources: list[Source]) -> frozenset[str]:
        """The staging columns (labels) that an expression takes its value from."""
        found: set[str] = set()
        text = sheet.tokens[span[0] : span[1]]
        if any(token.word("SELECT") for token in text):
            return frozenset()
        if any(t.word("OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL") for t in text) and any(
            a.op("(") and b.op("*") for a, b in itertools.pairwise(text)
        ):
            return frozenset({RECORD}) if any(s.kind != "other" for s in sources) else frozenset()
        for ref in refs(sheet.tokens, span):
            labels = self.ref(sheet, ref, sources)
            found |= labels[1] if labels else frozenset()
        return frozenset(found)

    def ref(self, sheet: Sheet, ref: Ref, sources: list[Source]) -> tuple[Source, frozenset[str]] | None:
        """The relation that a column belongs to and the staging columns behind it; None where there are none."""
        name = sheet.tokens[ref.name].value
        for source in sources:
            if ref.qualifier and not _suffix(source.alias, ref.qualifier):
                continue
            labels = self.lookup(source, name)
            if labels is None:
                if ref.qualifier and source.kind == "query" and not _metadata(name):
                    prefix = ".".join(str(part) for part in ref.qualifier)
                    raise Unreadable(
                        f"{prefix}.{name} is used, but its source does not give {name}",
                        sheet.fragment.places[sheet.tokens[ref.name].start],
                    )
                continue
            if labels == {RECORD} or (source.kind == "base" and self._keyed(source, name)):
                labels = frozenset({sheet.tokens[ref.key].value}) if ref.key is not None else labels
            elif ref.key is not None:
                labels = frozenset()
            return source, labels
        return None

    def _keyed(self, source: Source, name: str) -> bool:
        return source.relation.stage or name == self.variant

    def lookup(self, source: Source, name: str) -> frozenset[str] | None:
        """The staging columns behind one column of a relation; None where it has no such column."""
        if source.kind == "base":
            if source.relation.stage:
                return frozenset({RECORD}) if name.startswith("$") else None
            known = name in self.tables.staging_columns or name == self.added.staging or name == self.variant
            return frozenset({name}) if known else None
        if source.query is None:
            return None
        select, env = next(self.leaves(source.query, source.env))
        return self.output(source.sheet, select, env, name, source.names)

    def output(
        self, sheet: Sheet, select: Select, env: Env, name: str, names: Sequence[str] = ()
    ) -> frozenset[str] | None:
        """The staging columns behind one output of a SELECT."""
        asked = (id(select), name, tuple(names))
        if asked not in self._outputs:
            self._outputs[asked] = self._output(sheet, select, env, name, names)
        return self._outputs[asked]

    def _output(self, sheet: Sheet, select: Select, env: Env, name: str, names: Sequence[str]) -> frozenset[str] | None:
        if id(select) not in self._names:
            self._names[id(select)] = [
                None if star(sheet.tokens, item) is not None else output_name(sheet.tokens, item)
                for item in select.items
            ]
        for n, (own, item) in enumerate(zip(self._names[id(select)], select.items, strict=True)):
            if own is None:
                for source in starred(sheet.tokens, item, self.sources(sheet, select, env)):
                    labels = self.lookup(source, name)
                    if labels is not None and name not in star_words(sheet.tokens, item):
                        return labels
            elif (names[n] if n < len(names) else own) == name:
                return self.columns(sheet, item.value, self.sources(sheet, select, env))
        return None

    def header(self, label: str) -> bool:
        """Is it a column of the replication, not of the source table?"""
        return label.upper() in self.headers or bool(_HEADER.fullmatch(label.upper()))


def _metadata(name: str) -> bool:
    return name.startswith("METADATA$")


def _suffix(full: Parts, given: Parts) -> bool:
    """Does `given` name the relation called `full`: the alias, or the end of its name?"""
    if len(given) > len(full):
        return False
    tail = list(full)[len(full) - len(given) :]
    return all(a is None or b is None or a == b for a, b in zip(tail, given, strict=True))


def star(tokens: list[Token], item: Item) -> str | None:
    """The alias in front of a star (empty for none); None for an item that is no star."""
    start, end = item.span
    if tokens[start].op("*"):
        return ""
    for n in range(start, end - 1):
        if not (tokens[n].name or tokens[n].op(".")):
            return None
        if tokens[n].op(".") and tokens[n + 1].op("*"):
            return tokens[n - 1].value
    return None


def star_words(tokens: list[Token], item: Item) -> set[str]:
    """The names behind a star: what EXCLUDE, RENAME or ILIKE say."""
    return {token.value for token in tokens[item.span[0] : item.span[1]] if token.name}


def starred(tokens: list[Token], item: Item, sources: list[Source]) -> list[Source]:
    """The relations whose columns a star gives."""
    alias = star(tokens, item)
    return [source for source in sources if not alias or source.alias[-1:] == (alias,)]


def output_name(tokens: list[Token], item: Item) -> str:
    """The name that a select item gives its column; empty for an expression without an alias."""
    if item.alias is not None:
        return tokens[item.alias].value
    found = refs(tokens, item.value)
    if len(found) == 1 and found[0].span == item.value and found[0].key is None:
        return tokens[found[0].name].value
    return ""
