"""What a text itself says about its columns: which are operation or order, which are compared, which are keys."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.merge.byhand.nodes import Query, Relation, Select, Sheet, Statement
from driftguard.merge.byhand.tokens import Kind, Token, closing_of

OPERATIONS = ("I", "U", "D", "R", "INSERT", "UPDATE", "DELETE")


def headers(tokens: list[Token]) -> Iterator[str]:
    """Names that the text itself treats as operation or order: compared with 'D', ordered by in a dedupe."""
    for n, token in enumerate(tokens):
        if not token.name:
            continue
        compared_with = tokens[n + 2] if n + 2 < len(tokens) and tokens[n + 1].op("=", "<>", "!=") else None
        if compared_with is not None and compared_with.kind is Kind.STRING:
            yield from [token.value] * (compared_with.value.upper() in OPERATIONS)
        if token.word("OVER", "GROUP") and n + 1 < len(tokens) and tokens[n + 1].op("("):
            closing = closing_of(tokens, n + 1, len(tokens))
            ordered = False
            for inner in tokens[n + 1 : closing]:
                ordered = ordered or inner.word("ORDER")
                if ordered and inner.name and not inner.word("ORDER", "BY", "DESC", "ASC", "NULLS", "LAST", "FIRST"):
                    yield inner.value
        if token.word("MAX_BY", "MIN_BY") and n + 1 < len(tokens) and tokens[n + 1].op("("):
            closing = closing_of(tokens, n + 1, len(tokens))
            if closing > n + 3 and tokens[closing - 1].name:
                yield tokens[closing - 1].value


def compared(tokens: list[Token]) -> Iterator[str]:
    """Names that stand next to an unequal sign or DISTINCT FROM."""
    for n, token in enumerate(tokens):
        if token.op("<>", "!=") or token.word("DISTINCT"):
            yield from (t.value for t in tokens[max(0, n - 2) : n + 5] if t.name)


def key_names(sheet: Sheet) -> Iterator[str]:
    """Names on both sides of an equals sign in ON clauses, and in the WHERE of UPDATE and DELETE."""
    spans = [s.on for s in sheet.statements if s.on]
    spans += [r.on for s in sheet.statements for q in _queries(s) for r in _relations(q) if r.on]
    spans += [s.where for s in sheet.statements if s.kind in ("update", "delete") and s.where]
    for start, end in spans:
        for n in range(start + 1, end - 1):
            if sheet.tokens[n].op("="):
                yield from (t.value for t in (sheet.tokens[n - 1], sheet.tokens[n + 1]) if t.name)
                if n + 3 < end and sheet.tokens[n + 2].op("."):
                    yield sheet.tokens[n + 3].value
                if n + 5 < end and sheet.tokens[n + 4].op("."):
                    yield sheet.tokens[n + 5].value


def _queries(statement: Statement) -> Iterator[Query]:
    if statement.query is not None:
        yield statement.query
    for relation in statement.relations:
        if relation.query is not None:
            yield relation.query


def _relations(query: Query) -> Iterator[Relation]:
    for cte in query.ctes:
        yield from _relations(cte.query)
    for branch in query.branches:
        if isinstance(branch, Query):
            yield from _relations(branch)
        else:
            for relation in branch.relations:
                yield relation
                if relation.query is not None:
                    yield from _relations(relation.query)


def positions(sheet: Sheet, select: Select) -> list[int]:
    """The numbers by which GROUP BY and ORDER BY of a SELECT name its columns."""
    return [
        int(sheet.tokens[n].text)
        for clause in ("GROUP", "ORDER")
        for n in range(*select.clauses.get(clause, (0, 0)))
        if sheet.tokens[n].kind is Kind.NUMBER
        and (n == select.clauses[clause][0] or sheet.tokens[n - 1].op(","))
        and sheet.tokens[n].text.isdigit()
    ]
