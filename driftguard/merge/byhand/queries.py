"""Reads queries: WITH, SELECT lists, FROM, GROUP BY, set operations. By position, every token accounted for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from driftguard.merge.byhand.nodes import Cte, Item, Query, Relation, Select, Span
from driftguard.merge.byhand.tokens import Kind, Token, Unreadable

_CLAUSES = ("FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "FETCH", "INTO")
_SETS = ("UNION", "EXCEPT", "MINUS", "INTERSECT")
_JOINS = ("JOIN", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "ASOF", "LATERAL")
_ENDINGS = """END NULL TRUE FALSE ASC DESC FIRST LAST ROW ROWS AND OR NOT IS IN LIKE BETWEEN DISTINCT CURRENT_TIMESTAMP
    CURRENT_DATE CURRENT_USER SYSDATE THEN ELSE"""
NOT_ALIAS = frozenset(_ENDINGS.split())
_OPERATORS = "AND OR NOT IS IN LIKE ILIKE BETWEEN CASE WHEN THEN ELSE SELECT DISTINCT ALL BY ON AS"
_NO_OPERAND = frozenset(_OPERATORS.split())


class Reader:
    """The tokens of a fragment, and the ways to cut them up."""

    def __init__(self, tokens: list[Token], variables: dict[str, str]) -> None:
        self.tokens = tokens
        self.variables = variables
        self._close: dict[int, int] = {}
        opened: list[int] = []
        pairs = {")": "(", "]": "["}
        for n, token in enumerate(tokens):
            if token.op("(", "["):
                opened.append(n)
            elif token.op(")", "]") and opened and tokens[opened[-1]].value == pairs[token.value]:
                self._close[opened.pop()] = n

    def at(self, n: int) -> Token | None:
        return self.tokens[n] if 0 <= n < len(self.tokens) else None

    def is_word(self, n: int, *values: str) -> bool:
        token = self.at(n)
        return token is not None and token.word(*values)

    def is_op(self, n: int, *values: str) -> bool:
        token = self.at(n)
        return token is not None and token.op(*values)

    def close(self, n: int) -> int:
        """The index of the bracket that closes the one at `n`."""
        if n not in self._close:
            raise self.wrong(n, "a bracket is not closed")
        return self._close[n]

    def wrong(self, n: int, why: str) -> Unreadable:
        token = self.at(n)
        place = token.start if token else (self.tokens[-1].end if self.tokens else 0)
        return Unreadable(why, place)

    def top(self, start: int, end: int) -> Iterator[int]:
        """The indexes from start to end that stand in no bracket opened after start."""
        n = start
        while n < end:
            yield n
            if self.is_op(n, "(", "["):
                n = self.close(n)
                if n >= end:
                    raise self.wrong(n, "brackets do not match")
                yield n
            n += 1

    def outside_case(self, start: int, end: int) -> Iterator[int]:
        """`top`, without what stands between CASE and END."""
        depth = 0
        for n in self.top(start, end):
            depth += self.is_word(n, "CASE")
            if depth == 0:
                yield n
            depth -= depth > 0 and self.is_word(n, "END")

    def split(self, start: int, end: int) -> list[Span]:
        """The spans between commas."""
        if start >= end:
            return []
        spans, begin = [], start
        for n in self.top(start, end):
            if self.is_op(n, ","):
                spans.append((begin, n))
                begin = n + 1
        spans.append((begin, end))
        if any(a >= b for a, b in spans):
            raise self.wrong(start, "a list has an empty place")
        return spans

    def items(self, start: int, end: int) -> list[Item]:
        return [self.item(span) for span in self.split(start, end)]

    def names(self, opening: int) -> list[Item]:
        """A bracketed list of column names, each with attributes perhaps."""
        items = []
        for a, b in self.split(opening + 1, self.close(opening)):
            token = self.tokens[a]
            if not token.name:
                raise self.wrong(a, "a list of columns has something other than names")
            items.append(Item((a, b), (a, a + 1)))
        return items

    def item(self, span: Span) -> Item:
        """An entry of a select list: its value, and its alias with or without AS."""
        start, end = span
        last, before = self.tokens[end - 1], self.at(end - 2) if end - 2 >= start else None
        if before is None or not last.name or (last.kind is Kind.WORD and last.value in NOT_ALIAS):
            return Item(span, span)
        if before.word("AS"):
            return Item(span, (start, end - 2), end - 1)
        operand = before.op(")", "]", "*") or (before.kind is not Kind.OP and before.value not in _NO_OPERAND)
        if before.op("*") and end - start != 2:
            operand = False
        return Item(span, (start, end - 1), end - 1) if operand else Item(span, span)

    def query(self, start: int, end: int) -> Query:
        """The query that fills the span."""
        if self.is_op(start, "(") and self.close(start) == end - 1:
            return self.query(start + 1, end - 1)
        result = Query((start, end))
        at = start
        if self.is_word(at, "WITH"):
            at += 2 if self.is_word(at + 1, "RECURSIVE") else 1
            while True:
                at = self._cte(at, end, result)
                if not self.is_op(at, ","):
                    break
                at += 1
        begin = at
        for n in self.outside_case(at, end):
            if self.is_word(n, *_SETS):
                result.branches.append(self._branch(begin, n))
                result.operators.append(self.tokens[n].value)
                begin = n + 1
                while self.is_word(begin, "ALL", "DISTINCT", "BY", "NAME"):
                    if self.is_word(begin, "BY"):
                        raise self.wrong(n, "UNION BY NAME is not read")
                    begin += 1
        result.branches.append(self._branch(begin, end))
        return result

    def _cte(self, at: int, end: int, result: Query) -> int:
        token = self.at(at)
        if token is None or not token.name:
            raise self.wrong(at, "a WITH clause is not understood")
        columns: list[Item] = []
        at += 1
        if self.is_op(at, "("):
            columns = self.names(at)
            at = self.close(at) + 1
        if not self.is_word(at, "AS") or not self.is_op(at + 1, "("):
            raise self.wrong(at, "a WITH clause is not understood")
        closing = self.close(at + 1)
        if closing >= end:
            raise self.wrong(at, "brackets do not match")
        result.ctes.append(Cte(token.value, columns, self.query(at + 2, closing)))
        return closing + 1

    def _branch(self, start: int, end: int) -> Select | Query:
        if self.is_op(start, "("):
            closing = self.close(start)
            if closing != end - 1 and not self.is_word(closing + 1, "ORDER", "LIMIT", "FETCH"):
                raise self.wrong(start, "a query is not understood")
            return self.query(start + 1, closing)
        if not self.is_word(start, "SELECT"):
            raise self.wrong(start, "a SELECT is expected here")
        return self._select(start, end)

    def _select(self, start: int, end: int) -> Select:
        result = Select((start, end))
        marks = [("SELECT", start)]
        for n in self.outside_case(start + 1, end):
            token = self.tokens[n]
            if token.op(";"):
                raise self.wrong(n, "a statement ends inside a query")
            if not token.word(*_CLAUSES) or self.is_op(n - 1, "."):
                continue
            if token.value in ("GROUP", "ORDER") and not self.is_word(n + 1, "BY"):
                continue
            if token.value == "FROM" and self.is_word(n - 1, "DISTINCT") and self.is_word(n - 2, "IS", "NOT"):
                continue
            marks.append((token.value, n))
        names = [name for name, _ in marks]
        if len(set(names)) != len(names):
            raise self.wrong(start, "a SELECT has a clause twice")
        for (name, n), following in zip(marks, [n for _, n in marks[1:]] + [end], strict=True):
            skipped = 2 if name in ("GROUP", "ORDER") else 1
            if n + skipped >= following:
                raise self.wrong(n, f"nothing stands behind {name}")
            result.clauses[name] = (n + skipped, following)
        first, last = result.clauses["SELECT"]
        first += self.is_word(first, "DISTINCT", "ALL")
        if self.is_word(first, "TOP"):
            first += 2
        result.items = self.items(first, last)
        if "FROM" in result.clauses:
            result.relations = list(self.relations(*result.clauses["FROM"]))
        if "GROUP" in result.clauses:
            result.group = [Item(span, span) for span in self.split(*result.clauses["GROUP"])]
        return result

    def relations(self, start: int, end: int) -> Iterator[Relation]:
        """The tables of a FROM clause."""
        cuts = [start - 1]
        for n in self.top(start, end):
            if self.is_op(n, ",") or self.is_word(n, *_JOINS):
                cuts.append(n)
        cuts.append(end)
        for a, b in itertools.pairwise(cuts):
            if b > a + 1:
                yield self.relation(a + 1, b)

    def relation(self, start: int, end: int) -> Relation:
        """One table with its alias and its ON."""
        result = Relation((start, end))
        last = end
        for n in self.top(start, end):
            if self.is_word(n, "ON") or (self.is_word(n, "USING") and n > start):
                result.on, last = (n + 1, end), n
                break
        at = self._source(result, start, last)
        while at < last:
            token = self.tokens[at]
            if token.word("AS"):
                at += 1
            elif token.word("CHANGES", "AT", "BEFORE", "END", "SAMPLE", "TABLESAMPLE") and self.is_op(at + 1, "("):
                at = self.close(at + 1) + 1
            elif token.word("PIVOT", "UNPIVOT", "MATCH_RECOGNIZE") and self.is_op(at + 1, "("):
                result.opaque = token.value
                at = self.close(at + 1) + 1
            elif token.op("(") and result.stage:
                at = self.close(at) + 1
            elif token.op("(") and result.alias:
                result.opaque = "a column list behind the alias"
                at = self.close(at) + 1
            elif token.name and not result.alias:
                result.alias = token.value
                at += 1
            else:
                raise self.wrong(at, f"{token.text!r} is not understood in a FROM clause")
        return result

    def _source(self, result: Relation, start: int, end: int) -> int:
        token = self.tokens[start]
        if token.op("("):
            closing = self.close(start)
            if self.is_word(start + 1, "SELECT", "WITH") or self.is_op(start + 1, "("):
                result.query = self.query(start + 1, closing)
            else:
                result.opaque = "brackets around joined tables"
            return closing + 1
        if token.op("@"):
            return self._stage(result, start + 1, end)
        if token.kind is Kind.STRING and token.value.startswith("@"):
            result.stage = True
            result.parts = tuple(_STAGE.sub("", token.value[1:]).upper().split("."))
            return start + 1
        if (token.word("TABLE") or token.name) and self.is_op(start + 1, "(") and not token.word("IDENTIFIER"):
            result.opaque = f"{token.text}(…)"
            return self.close(start + 1) + 1
        result.parts, at = self.table(start)
        return at

    def _stage(self, result: Relation, at: int, end: int) -> int:
        """`@stage/path/`: the name, then everything up to a blank that is followed by a word or a bracket."""
        result.stage = True
        result.parts, at = self.table(at)
        while at < end and self.tokens[at].start == self.tokens[at - 1].end and not self.is_op(at, "(", ")"):
            at += 1
        return at

    def table(self, start: int) -> tuple[tuple[str | None, ...], int]:
        """A table's name from `start` on, None for a part from a template, and the index behind it."""
        token = self.at(start)
        if token is not None and token.word("IDENTIFIER") and self.is_op(start + 1, "("):
            given, closing = self.tokens[start + 2], self.close(start + 1)
            known = given.value if given.kind is Kind.STRING else self.variables.get(given.value)
            if known is None or closing != start + 3:
                raise self.wrong(start, f"which table {given.text} is, is decided outside the text")
            return tuple(part.strip('"') if '"' in part else part.upper() for part in known.split(".")), closing + 1
        if token is not None and token.kind is Kind.HOLE and not self.is_op(start + 1, "."):
            named = _jinja_name(token.text)
            if named:
                return named, start + 1
        parts: list[str | None] = []
        at = start
        while True:
            token = self.at(at)
            if token is None or not (token.name or token.kind is Kind.HOLE):
                raise self.wrong(at, "a table's name is expected here")
            parts.append(None if token.kind is Kind.HOLE else token.value)
            at += 1
            if not self.is_op(at, "."):
                break
            at += 1
        if token is not None and token.kind is Kind.HOLE:
            raise self.wrong(at - 1, f"which table {token.text} is, is decided outside the text")
        following = self.at(at)
        assert token is not None
        if following is not None and following.start == token.end and following.kind in (Kind.HOLE, Kind.WORD):
            raise self.wrong(at, "a table's name is put together from pieces")
        return tuple(parts), at


_STAGE = re.compile(r"/.*", re.DOTALL)
_SOURCE = re.compile(r"""\{\{-?\s*source\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]\s*\)\s*-?\}\}""")
_REF = re.compile(r"""\{\{-?\s*ref\(\s*['"](\w+)['"]\s*\)\s*-?\}\}""")


def _jinja_name(hole: str) -> tuple[str | None, ...]:
    """What dbt's source() and ref() name ("About dbt source/ref functions", docs.getdbt.com)."""
    source = _SOURCE.fullmatch(hole)
    if source:
        return (source[1].upper(), source[2].upper())
    named = _REF.fullmatch(hole)
    if named:
        return (named[1].upper(),)
    return ("{{ THIS }}",) if re.fullmatch(r"\{\{-?\s*this\s*-?\}\}", hole) else ()
