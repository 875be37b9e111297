"""Cuts Snowflake SQL into tokens, so that nothing later mistakes the inside of a string for SQL.

Strings take doubled quotes and backslash escapes; `$$…$$` takes nothing; identifiers in double quotes keep their case
("Literals" and "Identifier requirements", docs.snowflake.com). Comments (`--`, `//`, `/* */`) are dropped, but every
token knows where it stood, so that a body can be cut out verbatim.
"""

from __future__ import annotations

import enum
import functools
import itertools
import re
from typing import NamedTuple

from driftguard.sandbox.snowflake import errors


class Kind(enum.Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    DOLLAR = "dollar"
    NUMBER = "number"
    OP = "op"
    END = "end"


class Token(NamedTuple):
    """One token. `value` is the upper-case word, the unescaped identifier or string, or the operator."""

    kind: Kind
    value: str
    start: int
    end: int
    line: int
    column: int


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"'}
_TWO = ("->>", "::", ":=", "=>", "->", "||", "<>", "!=", "<=", ">=")
# The common tokens, with the blanks and comments before them; what it does not take is read letter by letter.
_COMMON = re.compile(
    r"""(?>(?:[\s\ufeff]+|(?:--|//)[^\n]*|/\*.*?\*/)*)
    (?:(?P<WORD>[A-Za-z_][\w$]*)
    |(?P<STRING>'[^'\\]*')(?!')
    |(?P<QUOTED>"[^"]*")(?!")
    |(?P<NUMBER>[0-9][0-9.]*)(?![\w.])
    |(?P<OP>->>|::|:=|=>|->|\|\||<>|!=|<=|>=|[-+*(),;=<>:?%]|\.(?![0-9]|[^\x00-\x7f])))""",
    re.DOTALL | re.VERBOSE,
)
_KINDS = (Kind.END, *(Kind[name] for name in _COMMON.groupindex))


def _is_word_start(char: str) -> bool:
    return char == "_" or char.isalpha()


def _is_word(char: str) -> bool:
    return char in "_$" or char.isalnum()


def _string(sql: str, start: int) -> tuple[str, int]:
    """The value of the literal that starts at `start`, and where it ends."""
    out: list[str] = []
    at = start + 1
    while at < len(sql):
        char = sql[at]
        if char == "'":
            if sql[at + 1 : at + 2] != "'":
                return "".join(out), at + 1
            out.append("'")
            at += 2
        elif char == "\\" and at + 1 < len(sql):
            following = sql[at + 1]
            if following == "u" and at + 6 <= len(sql):
                out.append(chr(int(sql[at + 2 : at + 6], 16)))
                at += 6
            elif following == "x" and at + 4 <= len(sql):
                out.append(chr(int(sql[at + 2 : at + 4], 16)))
                at += 4
            else:
                out.append(_ESCAPES.get(following, following))
                at += 2
        else:
            out.append(char)
            at += 1
    raise errors.syntax("<EOF>")


def _quoted(sql: str, start: int) -> tuple[str, int]:
    out: list[str] = []
    at = start + 1
    while at < len(sql):
        if sql[at] == '"':
            if sql[at + 1 : at + 2] != '"':
                return "".join(out), at + 1
            out.append('"')
            at += 2
        else:
            out.append(sql[at])
            at += 1
    raise errors.syntax("<EOF>")


def _skip(sql: str, at: int) -> int:
    """The first position at or after `at` that is neither blank nor comment."""
    while at < len(sql):
        if sql[at].isspace() or sql[at] == "\ufeff":
            at += 1
        elif sql.startswith("--", at) or sql.startswith("//", at):
            newline = sql.find("\n", at)
            at = len(sql) if newline < 0 else newline + 1
        elif sql.startswith("/*", at):
            close = sql.find("*/", at + 2)
            if close < 0:
                raise errors.syntax("<EOF>")
            at = close + 2
        else:
            break
    return at


def _number_end(sql: str, at: int) -> int:
    while at < len(sql) and (sql[at].isdigit() or sql[at] == "."):
        at += 1
    if at < len(sql) and sql[at] in "eE":
        exponent = at + 1
        if exponent < len(sql) and sql[exponent] in "+-":
            exponent += 1
        if exponent < len(sql) and sql[exponent].isdigit():
            at = exponent
            while at < len(sql) and sql[at].isdigit():
                at += 1
    return at


@functools.lru_cache(maxsize=64)
def tokenize(sql: str) -> list[Token]:
    """All tokens of `sql`, an END token last. The list is shared: readers do not change it."""
    tokens: list[Token] = []
    at, line, line_start = 0, 1, 0
    many = "\n" in sql
    while True:
        common = _COMMON.match(sql, at)
        before, group = at, 0 if common is None else common.lastindex or 0
        start = _skip(sql, at) if common is None else common.start(group)
        if many and (newlines := sql.count("\n", before, start)):
            line += newlines
            line_start = sql.rfind("\n", before, start) + 1
        if common is not None:
            kind, value, at = _KINDS[group], common[group], common.end()
            if kind is Kind.WORD:
                value = value.upper()
            elif kind is Kind.STRING or kind is Kind.QUOTED:
                value = value[1:-1]
        elif start >= len(sql):
            tokens.append(Token(Kind.END, "<EOF>", len(sql), len(sql), line, start - line_start))
            return tokens
        else:
            kind, value, at = _uncommon(sql, start, line, start - line_start)
        tokens.append(Token(kind, value, start, at, line, start - line_start))
        if many and (newlines := sql.count("\n", start, at)):
            line += newlines
            line_start = sql.rfind("\n", start, at) + 1


def _uncommon(sql: str, start: int, line: int, column: int) -> tuple[Kind, str, int]:
    """Kind and value of the token that starts at `start`, and where it ends."""
    at, char = start, sql[start]
    if char == "'":
        return Kind.STRING, *_string(sql, start)
    if char == '"':
        return Kind.QUOTED, *_quoted(sql, start)
    if sql.startswith("$$", at):
        close = sql.find("$$", at + 2)
        if close < 0:
            raise errors.syntax("<EOF>", line, column)
        return Kind.DOLLAR, sql[at + 2 : close], close + 2
    if _is_word_start(char):
        while at < len(sql) and _is_word(sql[at]):
            at += 1
        return Kind.WORD, sql[start:at].upper(), at
    if char.isdigit() or (char == "." and sql[at + 1 : at + 2].isdigit()):
        at = _number_end(sql, at)
        return Kind.NUMBER, sql[start:at], at
    value = next((op for op in _TWO if sql.startswith(op, at)), char)
    return Kind.OP, value, at + len(value)


def statements(sql: str) -> list[str]:
    """`sql` cut at semicolons that stand outside strings, `$$` and comments. Not for scripting blocks."""
    out: list[str] = []
    begin = None
    last = 0
    for token in tokenize(sql):
        if token.kind is Kind.END or (token.kind is Kind.OP and token.value == ";"):
            if begin is not None:
                out.append(sql[begin:last])
            begin = None
        else:
            if begin is None:
                begin = token.start
            last = token.end
    return out


def is_block(sql: str) -> bool:
    """Whether the text is one scripting block, or holds one as a body: its semicolons separate nothing."""
    words = [token for token in tokenize(sql) if token.kind in (Kind.WORD, Kind.OP)]
    first = words[0].value if words else ""
    if first == "BEGIN":
        return len(words) > 1 and words[1].value not in (";", "TRANSACTION", "WORK", "NAME")
    if first == "DECLARE":
        return True
    return first in ("CREATE", "ALTER") and any(token.value in ("TASK", "PROCEDURE") for token in words[:6])


def bind(sql: str, values: list[tuple[str, object]]) -> str:
    """`sql` with each `?` (or `:1`) replaced by a literal of its value, as the connector describes it."""
    tokens = tokenize(sql)
    out: list[str] = []
    last = used = 0
    for token, following in itertools.pairwise(tokens):
        position = None
        end = token.end
        if token.kind is Kind.OP and token.value == "?":
            position, used = used, used + 1
        elif (
            token.kind is Kind.OP
            and token.value == ":"
            and following.kind is Kind.NUMBER
            and following.start == token.end
        ):
            position, end = int(following.value) - 1, following.end
        if position is not None:
            if position >= len(values):
                raise errors.compilation(2049, "42601", "Bind variable ? not set.")
            out += [sql[last : token.start], _bound(*values[position])]
            last = end
    return "".join(out) + sql[last:]


def _bound(kind: str, value: object) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("\\", "\\\\").replace("'", "''")
    match kind.upper():
        case "FIXED":
            return text
        case "REAL":
            return f"'{text}'::FLOAT"
        case "BOOLEAN":
            return "TRUE" if text.lower() in ("true", "1") else "FALSE"
        case "DATE":
            days = int(text) // 86_400_000
            return f"DATEADD('day', {days}, '1970-01-01'::DATE)"
        case "TIME":
            return f"DATEADD('microsecond', {int(text) // 1000}, '00:00:00'::TIME)"
        case "TIMESTAMP_NTZ":
            return f"DATEADD('microsecond', {int(text) // 1000}, '1970-01-01'::TIMESTAMP_NTZ)"
        case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            micros = int(text.split()[0]) // 1000
            return f"DATEADD('microsecond', {micros}, '1970-01-01 00:00:00 +00:00'::{kind.upper()})"
        case "BINARY":
            return f"TO_BINARY('{text}')"
        case _:
            return f"'{text}'"
