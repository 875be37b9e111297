"""Cuts SQL that people wrote into tokens, with the holes that templates leave in it.

Nothing is lost: every token knows where it stood, and comments are tokens. Strings take doubled quotes, `$$…$$` takes
nothing ("String and binary data types", docs.snowflake.com). Holes are what another program fills in before
Snowflake sees the text: `{{ … }}`, `${…}`, `{name}`, `&{name}`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Unreadable(Exception):
    """The text cannot be taken apart: why, in plain words, and where (an offset)."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class Kind(enum.Enum):
    """What a token is. COMMENT and TAG (`{% … %}`) are not part of the SQL."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    DOLLAR = "dollar"
    VARIABLE = "variable"
    NUMBER = "number"
    OP = "op"
    HOLE = "hole"
    COMMENT = "comment"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what stands there; `value` the name as Snowflake stores it, the upper-case word or the operator."""

    kind: Kind
    text: str
    value: str
    start: int
    end: int

    def word(self, *values: str) -> bool:
        """Is it one of these key words?"""
        return self.kind is Kind.WORD and self.value in values

    def op(self, *values: str) -> bool:
        """Is it one of these operators?"""
        return self.kind is Kind.OP and self.value in values

    @property
    def name(self) -> bool:
        """Can it be an identifier?"""
        return self.kind in (Kind.WORD, Kind.QUOTED)


_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
_PATTERNS = [
    (Kind.COMMENT, r"--[^\n]*|//[^\n]*|/\*.*?\*/|\{\#.*?\#\}"),
    (Kind.TAG, r"\{%.*?%\}"),
    (Kind.HOLE, r"\{\{.*?\}\}|\$\{[^{}]*\}|&\{[^{}]*\}|&[A-Za-z_]\w*|\{[^{}]*\}"),
    (Kind.STRING, r"'(?:[^'\\]|''|\\.)*'"),
    (Kind.QUOTED, r'"(?:[^"]|"")*"'),
    (Kind.DOLLAR, r"\$\$.*?\$\$"),
    (Kind.VARIABLE, r"\$\w+"),
    (Kind.WORD, r"[^\W\d][\w$]*"),
    (Kind.NUMBER, r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+"),
    (Kind.OP, r"->>|::|:=|=>|->|\|\||<>|!=|<=|>=|[-+*/%=<>(),;.:?@\[\]|^~!&#]"),
]
_TOKEN = re.compile("|".join(f"(?P<{kind.name}>{pattern})" for kind, pattern in _PATTERNS), re.DOTALL)
_BLANK = re.compile(r"[\s\ufeff]+")


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, comments and tags among them.

    Raises `Unreadable` for a string, comment or bracketed name without an end, and for the marks of a merge conflict.
    """
    conflict = _CONFLICT.search(text)
    if conflict:
        raise Unreadable("there are unresolved conflict marks in the text", conflict.start())
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank:
            at = blank.end()
            continue
        found = _TOKEN.match(text, at)
        if found is None or (found[0] == "/" and text.startswith("/*", at)):
            raise Unreadable(f"{text[at : at + 12]!r} has no end or is no SQL", at)
        kind = Kind[str(found.lastgroup)]
        tokens.append(Token(kind, found[0], _value(kind, found[0]), at, found.end()))
        at = found.end()
    return tokens


def _value(kind: Kind, text: str) -> str:
    if kind is Kind.QUOTED:
        return text[1:-1].replace('""', '"')
    if kind is Kind.STRING:
        return text[1:-1].replace("''", "'")
    if kind is Kind.DOLLAR:
        return text[2:-2]
    return text.upper() if kind in (Kind.WORD, Kind.VARIABLE) else text


_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")

# Words that cannot be a column's name without quotes ("Reserved & limited keywords", docs.snowflake.com).
_RESERVED = """
    ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE
    CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DELETE DISTINCT DROP ELSE EXISTS FALSE FOLLOWING FOR FROM FULL GRANT
    GROUP HAVING ILIKE IN INCREMENT INNER INSERT INTERSECT INTO IS JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP
    MINUS NATURAL NOT NULL OF ON OR ORDER QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SELECT SET SOME START TABLE
    TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES WHEN WHENEVER WHERE WITH"""
RESERVED = frozenset(_RESERVED.split())


def spelled(name: str, like: Token, source: str) -> str:
    """The column `name` in the manner of a neighbour: quoted or not, capitals or not.

    `source` is the name as the source table spells it; it is used in lists that mix capitals and small letters.
    """
    if like.kind is Kind.QUOTED or not _PLAIN.fullmatch(name) or name in RESERVED:
        return '"' + name.replace('"', '""') + '"'
    if like.text.isupper() or not like.text.isascii():
        return name
    if like.text.islower():
        return name.lower()
    return source if source.upper() == name else name


def closing_of(tokens: list[Token], n: int, end: int) -> int:
    """The index of the bracket that closes the one at `n`; `end` where there is none before."""
    depth = 0
    while n < end:
        depth += tokens[n].op("(", "[")
        depth -= tokens[n].op(")", "]")
        if depth == 0:
            return n
        n += 1
    return end
