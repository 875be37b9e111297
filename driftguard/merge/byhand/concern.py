"""Does a text concern a landing, and does it say itself that it is not to be changed?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from driftguard.merge.byhand.entries import entries
from driftguard.merge.byhand.flow import Added, Env, Flow, Tables, output_name, star, starred
from driftguard.merge.byhand.nodes import Query, Select, Sheet, Statement
from driftguard.merge.byhand.tokens import Kind, Unreadable

_GENERATED = re.compile(r"\bdo\s*(not|n't)\s+edit\b|@generated\b|\bdo not modify\b", re.IGNORECASE)
_HOST_COMMENT = re.compile(r"(?:--|//|(?<!\w)#)[^\n]*")
_FORBIDS = re.compile(
    r"\b(not|never|don't|no|without|omit\w*|exclude\w*|skip\w*|drop\w*|purpose|left out|stays?|forbid\w*|private|legal|"
    r"secret|only)\b",
    re.IGNORECASE,
)


def mentions(text: str, tables: Tables) -> bool:
    """Does the text name one of the tables, with its schema or as the text of a template may have it?"""
    for table in (tables.staging, tables.final, *tables.streams):
        name = re.escape(table[-1])
        if re.search(rf"(?<![\w$]){name}(?![\w$])", text, re.IGNORECASE):
            return True
    return False


def forbidden(text: str, sheets: list[Sheet], added: Added) -> None:
    """Raises `Unreadable` where a comment says that the text is generated, or that the column is left out."""
    marked = _GENERATED.search(text)
    if marked:
        raise Unreadable("the text is generated and says so; change what it is generated from", marked.start())
    names = {added.final, added.label, added.source}
    for comment in _HOST_COMMENT.finditer(text):
        if _forbids(comment[0], names):
            raise Unreadable("a comment leaves the column out on purpose, or has it commented out", comment.start())
    for sheet in sheets:
        for token in sheet.fragment.tokens:
            if token.kind is Kind.COMMENT and _forbids(token.text, names):
                raise Unreadable(
                    "a comment leaves the column out on purpose, or has it commented out",
                    sheet.fragment.places[token.start],
                )


def _forbids(comment: str, names: set[str]) -> bool:
    for name in names:
        word = re.escape(name)
        named = re.search(rf"(?<![\w$]){word}(?![\w$])", comment, re.IGNORECASE)
        if named and (
            _FORBIDS.search(comment)
            or re.search(rf"[,.]\s*\"?{word}(?![\w$])|(?<![\w$]){word}\"?\s*[,=]", comment, re.IGNORECASE)
        ):
            return True
        patterns = re.findall(r"([A-Za-z_]\w*)[*%]", comment)
        if any(name.upper().startswith(p.upper()) for p in patterns) and _FORBIDS.search(comment):
            return True
    return False


def reads_columns(flow: Flow, sheet: Sheet, statement: Statement) -> bool:
    """Does the statement take single columns out of STAGING?"""
    queries = [statement.query] if statement.query is not None else []
    queries += [relation.query for relation in statement.relations if relation.query is not None]
    if any(flow.source(sheet, relation, {}).kind == "base" for relation in statement.relations):
        return True
    return any(_takes(flow, sheet, select, env) for query in queries for select, env in _selects(flow, query, {}))


def _takes(flow: Flow, sheet: Sheet, select: Select, env: Env) -> bool:
    sources = flow.sources(sheet, select, env)
    if not any(source.kind == "base" for source in sources):
        return False
    pairs = [(i.value, output_name(sheet.tokens, i)) for i in select.items if star(sheet.tokens, i) is None]
    return len(pairs) < len(select.items) or any(e.main for e in entries(flow, sheet, pairs, sources))


def _selects(flow: Flow, query: Query, env: Env) -> Iterator[tuple[Select, Env]]:
    seen = flow.env(query, env)
    for cte in query.ctes:
        yield from _selects(flow, cte.query, seen)
    for branch in query.branches:
        if isinstance(branch, Query):
            yield from _selects(flow, branch, seen)
            continue
        yield branch, seen
        for relation in branch.relations:
            if relation.query is not None:
                yield from _selects(flow, relation.query, seen)


def all_of_made(flow: Flow, sheet: Sheet, statement: Statement, grown: Callable[[Query], bool]) -> str:
    """The view or temporary table of the text, among those that have grown, of which a statement takes a star."""
    if statement.query is None:
        return ""
    for select, env in _selects(flow, statement.query, {}):
        sources = flow.sources(sheet, select, env)
        for item in select.items:
            if star(sheet.tokens, item) is None:
                continue
            for source in starred(sheet.tokens, item, sources):
                if source.made is not None and source.query is not None and grown(source.query):
                    return ".".join(str(part) for part in source.made.parts)
    return ""
