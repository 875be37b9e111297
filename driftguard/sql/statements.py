"""Where the statements of an SQL script begin and end, as psql sees them.

A `;` ends a statement only outside strings, quoted names, dollar quotes, comments, parentheses and `BEGIN ATOMIC`
bodies ("Lexical Structure" and "CREATE FUNCTION" in the PostgreSQL manual).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
    | (?P<string>'(?:[^']|'')*(?:'|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_CLIENT = {("FROM", "STDIN"), ("TO", "STDOUT")}
_TRANSACTION = {"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"}


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement: its text without leading comments, its offset in the script, its first words in upper case.

    Of COPY all words are there.
    """

    text: str
    offset: int
    words: tuple[str, ...]

    @property
    def is_transaction_control(self) -> bool:
        """BEGIN, COMMIT and their like; not savepoints, which need a transaction around them."""
        if not self.words or self.words[0] not in _TRANSACTION:
            return self.words[:2] == ("PREPARE", "TRANSACTION")
        return not (self.words[0] == "ROLLBACK" and "TO" in self.words)

    @property
    def reads_from_client(self) -> bool:
        """COPY … FROM stdin (or TO stdout): a client without psql's data lines would wait for ever."""
        pairs = set(zip(self.words, self.words[1:], strict=False))
        return self.words[:1] == ("COPY",) and not pairs.isdisjoint(_CLIENT)


def split(script: str) -> list[Sql]:
    """The statements of `script` in order. What follows the last `;` is one too, if there is more than comments."""
    found: list[Sql] = []
    position, start, depth, atomic = 0, -1, 0, 0
    words: list[str] = []
    while match := _TOKEN.match(script, position):  # matches anything but the end
        kind, piece = match.lastgroup, match[0]
        position = match.end()
        if kind == "block":
            position = _after_block(script, position)
            continue
        if kind in ("space", "line"):
            continue
        if piece == ";" and depth <= 0 and atomic == 0:
            if start >= 0:
                found.append(Sql(script[start:position], start, tuple(words)))
            start, depth, words = -1, 0, []
            continue
        if start < 0:
            start = match.start()
        if kind == "dollar":
            end = script.find(piece, position)
            position = len(script) if end < 0 else end + len(piece)
        elif kind == "word":
            word = piece.upper()
            if len(words) < 8 or words[0] == "COPY":
                words.append(word)
            atomic = _atomic_depth(atomic, word, words)
        elif piece == "(":
            depth += 1
        elif piece == ")":
            depth -= 1
    if start >= 0:
        found.append(Sql(script[start:], start, tuple(words)))
    return found


def line_and_column(script: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    before = script[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _after_block(script: str, position: int) -> int:
    """The position after a block comment, which may hold others. An open one reaches to the end."""
    level = 1
    while level:
        edge = _BLOCK_EDGE.search(script, position)
        if edge is None:
            return len(script)
        level += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _atomic_depth(depth: int, word: str, words: list[str]) -> int:
    """How deep we are in the SQL body of a function: BEGIN and CASE open, END closes."""
    rest = words[3:4] if words[1:3] == ["OR", "REPLACE"] else words[1:2]
    if words[0] != "CREATE" or rest not in (["FUNCTION"], ["PROCEDURE"]):
        return 0
    if word == "BEGIN" or (word == "CASE" and depth):
        return depth + 1
    return depth - 1 if word == "END" and depth else depth
