"""Reads the statements of a text: MERGE, INSERT, UPDATE, DELETE, COPY, and the views and tables made on the way."""

from __future__ import annotations

from driftguard.merge.byhand.fragments import Fragment, fragments
from driftguard.merge.byhand.nodes import Assignment, Branch, Into, Item, Problem, Sheet, Span, Statement
from driftguard.merge.byhand.queries import Reader
from driftguard.merge.byhand.tokens import Kind, Token, Unreadable

_BEGINNERS = ("BEGIN", "THEN", "ELSE", "DO", "LOOP", "AS", "REPEAT")


def read(text: str, language: str = "sql") -> list[Sheet]:
    """The SQL of a text, taken apart, a sheet for each piece of SQL in it.

    Statements that cannot be read are `problems` of their sheet.
    Raises `Unreadable` where even the pieces cannot be told apart.
    """
    return [sheet(fragment) for fragment in fragments(text, language)]


def sheet(fragment: Fragment) -> Sheet:
    """One piece of SQL, taken apart."""
    tokens = [token for token in fragment.tokens if token.kind not in (Kind.COMMENT, Kind.TAG)]
    tags = {token.end for token in fragment.tokens if token.kind is Kind.TAG}
    result = Sheet(fragment, tokens)
    result.problems += [Problem(reason, at) for at, reason in fragment.dynamic]
    reader = Reader(tokens, result.variables)
    starts = _Starts(fragment, reader, tags)
    n = 0
    while n < len(tokens):
        here = starts.of(n)
        if here == "":
            _settings(reader, result, n)
            n += 1
            continue
        try:
            if here != "call" and not starts.boundary(n):
                raise reader.wrong(n, f"{here.upper()} stands where no statement begins")
            statement = _READERS[here](reader, n, starts)
        except Unreadable as problem:
            if here not in ("select", "call", "delete") or fragment.model:
                result.problems.append(Problem(problem.reason, fragment.places[min(problem.at, len(fragment.text))]))
            n += 1
            while n < len(tokens) and not (tokens[n].op(";") or (starts.of(n) and starts.boundary(n))):
                n += 1
            continue
        result.statements.append(statement)
        n = max(statement.span[1], n + 1)
    return result


def _settings(reader: Reader, result: Sheet, n: int) -> None:
    """`SET name = 'text'` and `USE SCHEMA name`, which later names rest on."""
    first = n == 0 or reader.is_op(n - 1, ";")
    if first and reader.is_word(n, "SET") and reader.is_op(n + 2, "="):
        given, end = reader.at(n + 3), reader.at(n + 4)
        if given is not None and given.kind is Kind.STRING and (end is None or end.op(";")):
            result.variables["$" + reader.tokens[n + 1].value] = given.value
    if first and reader.is_word(n, "USE") and reader.is_word(n + 1, "DATABASE", "SCHEMA"):
        parts, _ = reader.table(n + 2)
        result.used.update(zip(("SCHEMA", "DATABASE"), [p or "" for p in reversed(parts)], strict=False)) if (
            reader.is_word(n + 1, "SCHEMA")
        ) else result.used.update(DATABASE=parts[-1] or "")


class _Starts:
    """Where statements begin and end in one piece of SQL."""

    def __init__(self, fragment: Fragment, reader: Reader, tags: set[int]) -> None:
        self.fragment, self.reader, self.tags = fragment, reader, tags
        self.tag_ends = sorted(tags)

    def of(self, n: int) -> str:
        """The kind of statement that the token begins; empty for none."""
        word = self.reader.is_word
        if word(n, "MERGE") and word(n + 1, "INTO"):
            return "merge"
        if word(n, "COPY") and word(n + 1, "INTO"):
            return "copy"
        if word(n, "INSERT") and word(n + 1, "INTO", "OVERWRITE", "ALL", "FIRST"):
            return "insert"
        if word(n, "CREATE"):
            return self._created(n)
        if word(n, "CALL") and (self.boundary(n) or self._within(n)):
            return "call"
        if self.boundary(n):
            if word(n, "UPDATE"):
                return "update"
            if word(n, "DELETE") and word(n + 1, "FROM"):
                return "delete"
            if word(n, "SELECT", "WITH") or (self.fragment.model and word(n, "SELECT", "WITH")):
                return "select"
        return ""

    def _created(self, n: int) -> str:
        for m in range(n + 1, n + 8):
            if self.reader.is_op(m, ";"):
                break
            if self.reader.is_word(m, "VIEW"):
                return "view"
            if self.reader.is_word(m, "TABLE"):
                return "table"
            if self.reader.is_word(m, "PROCEDURE", "TASK", "PIPE", "FUNCTION", "STREAM", "STAGE", "SCHEMA"):
                return ""
        return ""

    def boundary(self, n: int) -> bool:
        """Can a statement begin here?"""
        before = self.reader.at(n - 1) if n else None
        if before is None or before.op(";") or before.word(*_BEGINNERS):
            return True
        if before.kind is Kind.HOLE and self.fragment.model and "config(" in before.text:
            return True
        return self.tag_between(before.end, self.reader.tokens[n].start)

    def _within(self, n: int) -> bool:
        """`ASYNC (CALL P())` and `x := (CALL P())`."""
        word, op = self.reader.is_word, self.reader.is_op
        return op(n - 1, "(") and (word(n - 2, "ASYNC", "AS") or op(n - 2, ":=", "="))

    def tag_between(self, start: int, end: int) -> bool:
        return any(start < tag <= end for tag in self.tag_ends)

    def end(self, n: int) -> int:
        """The index behind the last token of the statement that begins at `n`."""
        tokens = self.reader.tokens
        at = n
        while at < len(tokens) and not tokens[at].op(";"):
            if tokens[at].op("(", "["):
                at = self.reader.close(at)
            elif tokens[at].op(")", "]"):
                raise self.reader.wrong(at, "a bracket is closed that was not opened")
            at += 1
            if self.fragment.model and at < len(tokens) and self._model_ends(tokens[at - 1], tokens[at]):
                break
        return at

    def _model_ends(self, before: Token, after: Token) -> bool:
        """A tag that closes a block of statements; `{% if %}` inside of a query does not."""
        for token in self.fragment.tokens:
            if token.kind is Kind.TAG and before.end <= token.start and token.end <= after.start:
                word = token.text.strip("{}%- \n").split()[0] if token.text.strip("{}%- \n") else ""
                if word in ("endcall", "endmacro", "endsnapshot", "do", "macro", "call", "snapshot"):
                    return True
        return False


def _merge(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    result = Statement("merge", (n, end))
    result.parts, at = reader.table(n + 2)
    result.alias, at = _alias(reader, at)
    if not reader.is_word(at, "USING"):
        raise reader.wrong(at, "USING is expected in this MERGE")
    on = next((m for m in reader.top(at, end) if reader.is_word(m, "ON")), None)
    if on is None:
        raise reader.wrong(at, "this MERGE has no ON")
    result.relations = [reader.relation(at + 1, on)]
    whens = [m for m in reader.outside_case(on, end) if reader.is_word(m, "WHEN")]
    if not whens:
        raise reader.wrong(on, "this MERGE has no WHEN")
    result.on = (on + 1, whens[0])
    for a, b in zip(whens, [*whens[1:], end], strict=True):
        result.branches.append(_when(reader, a, b))
    return result


def _alias(reader: Reader, at: int) -> tuple[str, int]:
    at += reader.is_word(at, "AS")
    token = reader.at(at)
    if token is None or not token.name or token.word("USING", "SET", "FROM", "WHERE", "SELECT", "VALUES"):
        return "", at
    return token.value, at + 1


def _when(reader: Reader, start: int, end: int) -> Branch:
    at = start + 1
    matched = not reader.is_word(at, "NOT")
    at += not matched
    if not reader.is_word(at, "MATCHED"):
        raise reader.wrong(at, "MATCHED is expected behind WHEN")
    then = next((m for m in reader.outside_case(at, end) if reader.is_word(m, "THEN")), None)
    if then is None:
        raise reader.wrong(at, "a WHEN has no THEN")
    condition = None
    if then > at + 1:
        if not reader.is_word(at + 1, "AND"):
            raise reader.wrong(at + 1, "Snowflake has no such WHEN in a MERGE (BY SOURCE, BY TARGET)")
        condition = (at + 2, then)
    result = Branch((start, end), matched, condition, "")
    at = then + 1
    if matched and reader.is_word(at, "DELETE") and end == at + 1:
        result.kind = "delete"
    elif reader.is_word(at, "UPDATE", "INSERT") and reader.is_word(at + 1, "ALL") and end == at + 4:
        result.kind = "by name"
    elif matched and reader.is_word(at, "UPDATE") and reader.is_word(at + 1, "SET"):
        result.kind = "update"
        result.sets = _assignments(reader, at + 2, end)
    elif not matched and reader.is_word(at, "INSERT"):
        result.kind = "insert"
        result.columns, result.values, at = _insert_values(reader, at + 1)
        if at != end or not result.values:
            raise reader.wrong(at, "an INSERT branch is not understood")
    else:
        raise reader.wrong(at, "a WHEN branch is not understood")
    return result


def _insert_values(reader: Reader, at: int) -> tuple[list[Item] | None, list[Item], int]:
    columns, values = None, []
    if reader.is_op(at, "("):
        if reader.is_word(at + 1, "SELECT", "WITH"):
            return None, [], at
        columns = reader.names(at)
        at = reader.close(at) + 1
    if reader.is_word(at, "VALUES"):
        if not reader.is_op(at + 1, "("):
            raise reader.wrong(at + 1, "VALUES is not understood")
        closing = reader.close(at + 1)
        values = [Item(span, span) for span in reader.split(at + 2, closing)]
        at = closing + 1
        if reader.is_op(at, ","):
            raise reader.wrong(at, "VALUES of several rows are not read")
    return columns, values, at


def _assignments(reader: Reader, start: int, end: int) -> list[Assignment]:
    result = []
    for a, b in reader.split(start, end):
        equals = next((m for m in reader.top(a, b) if reader.is_op(m, "=")), None)
        if equals is None or equals == a or equals == b - 1 or not reader.tokens[equals - 1].name:
            raise reader.wrong(a, "an entry of a SET list is not understood")
        if any(not (t.name or t.op(".") or t.kind is Kind.HOLE) for t in reader.tokens[a:equals]):
            raise reader.wrong(a, "an entry of a SET list is not understood")
        result.append(Assignment((a, b), (a, equals), equals, (equals + 1, b)))
    return result


def _insert(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    result = Statement("insert", (n, end))
    at = n + 1
    if reader.is_word(at, "OVERWRITE"):
        result.options["OVERWRITE"] = "TRUE"
        at += 1
    if reader.is_word(at, "ALL", "FIRST"):
        at += 1
        while not reader.is_word(at, "SELECT", "WITH"):
            if at >= end:
                raise reader.wrong(at, "a multi-table INSERT has no query")
            if reader.is_word(at, "INTO"):
                parts, at = reader.table(at + 1)
                columns, values, at = _insert_values(reader, at)
                result.intos.append(Into(parts, columns, values))
            elif reader.is_word(at, "WHEN", "ELSE"):
                at = next((m for m in reader.top(at, end) if reader.is_word(m, "INTO")), end)
            else:
                raise reader.wrong(at, "a multi-table INSERT is not understood")
        result.options["ALL"] = "TRUE"
        result.query = reader.query(at, end)
        return result
    if not reader.is_word(at, "INTO"):
        raise reader.wrong(at, "INTO is expected here")
    at += 1 + reader.is_word(at + 1, "TABLE")
    parts, at = reader.table(at)
    columns, values, at = _insert_values(reader, at)
    result.parts = parts
    result.intos = [Into(parts, columns, values)]
    if at < end:
        if values:
            raise reader.wrong(at, "an INSERT is not understood")
        result.query = reader.query(at, end)
    elif not values:
        raise reader.wrong(at, "an INSERT has neither VALUES nor a query")
    return result


def _update(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    result = Statement("update", (n, end))
    result.parts, at = reader.table(n + 1)
    result.alias, at = _alias(reader, at)
    if not reader.is_word(at, "SET"):
        raise reader.wrong(at, "SET is expected in this UPDATE")
    marks = [m for m in reader.outside_case(at, end) if reader.is_word(m, "FROM", "WHERE")]
    marks = [m for m in marks if not (reader.is_word(m, "FROM") and reader.is_word(m - 1, "DISTINCT"))]
    words = [reader.tokens[m].value for m in marks]
    if words not in ([], ["FROM"], ["WHERE"], ["FROM", "WHERE"]):
        raise reader.wrong(at, "an UPDATE is not understood")
    stops = [*marks, end]
    result.sets = _assignments(reader, at + 1, stops[0])
    for word, a, b in zip(words, marks, stops[1:], strict=True):
        if word == "FROM":
            result.relations = list(reader.relations(a + 1, b))
        else:
            result.where = (a + 1, b)
    return result


def _delete(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    result = Statement("delete", (n, end))
    result.parts, at = reader.table(n + 2)
    result.where = (at, end)
    return result


def _call(reader: Reader, n: int, starts: _Starts) -> Statement:
    """Without its arguments; (None,) where the name is not in the text."""
    try:
        parts, at = reader.table(n + 1)
    except Unreadable:
        return Statement("call", (n, n + 2), (None,))
    return Statement("call", (n, reader.close(at) + 1 if reader.is_op(at, "(") else starts.end(n)), parts)


def _select(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    return Statement("select", (n, end), query=reader.query(n, end))


def _created(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    at = next((m for m in range(n, end) if reader.is_word(m, "VIEW", "TABLE")), end)
    result = Statement(reader.tokens[at].value.lower(), (n, end))
    result.temporary = any(reader.is_word(m, "TEMP", "TEMPORARY", "TRANSIENT") for m in range(n, at))
    if reader.is_word(at + 1, "IF"):
        at += 3
    result.parts, at = reader.table(at + 1)
    if reader.is_op(at, "("):
        result.columns = reader.names(at)
        at = reader.close(at) + 1
    begin = next((m for m in reader.top(at, end) if reader.is_word(m, "AS")), None)
    if begin is not None:
        result.query = reader.query(begin + 1, end)
    return result


def _copy(reader: Reader, n: int, starts: _Starts) -> Statement:
    end = starts.end(n)
    result = Statement("copy", (n, end))
    if reader.is_op(n + 2, "@") or (reader.at(n + 2) or reader.tokens[n]).kind is Kind.STRING:
        return Statement("unload", (n, end))
    result.parts, at = reader.table(n + 2)
    if reader.is_op(at, "("):
        result.columns = reader.names(at)
        at = reader.close(at) + 1
    if not reader.is_word(at, "FROM"):
        raise reader.wrong(at, "FROM is expected in this COPY")
    at += 1
    if reader.is_op(at, "("):
        closing = reader.close(at)
        result.query = reader.query(at + 1, closing)
        at = closing + 1
    else:
        while at < end and not reader.is_op(at + 1, "="):
            at += 1
    _options(reader, result, at, end)
    return result


def _options(reader: Reader, result: Statement, at: int, end: int) -> None:
    """`NAME = value` and `NAME = (…)` up to the end."""
    while at < end:
        token = reader.tokens[at]
        if not (token.name and reader.is_op(at + 1, "=") and at + 2 < end):
            raise reader.wrong(at, f"{token.text!r} is not understood among the options of a COPY")
        stop = reader.close(at + 2) + 1 if reader.is_op(at + 2, "(") else at + 3
        while stop < end and not reader.is_op(stop + 1, "="):
            stop += 1
        result.options[token.value] = " ".join(t.value if t.name else t.text for t in reader.tokens[at + 2 : stop])
        at = stop


_READERS = {
    "merge": _merge,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "call": _call,
    "select": _select,
    "view": _created,
    "table": _created,
    "copy": _copy,
}


def span_text(here: Sheet, span: Span) -> str:
    """What stands in a span, as it is written."""
    return here.fragment.text[here.tokens[span[0]].start : here.tokens[span[1] - 1].end]
