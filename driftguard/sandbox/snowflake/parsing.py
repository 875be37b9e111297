"""Snowflake SQL as trees of sqlglot, names folded. Statements of one shape are parsed once.

Clients send the same statement again and again with other values, and parsing is most of what one costs here. A value
is left out of the shape only where it stands by itself, `SELECT 1 AS a, 'x' AS b … WHERE c = 'y' AND …`: there the
parser makes a literal of it, whatever it is. Everywhere else (`INTERVAL '1 day'`, `VARCHAR(10)`) it is part of it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.snowflake import SnowflakeParser
from sqlglot.tokenizer_core import Token, TokenType

from driftguard.sandbox.snowflake import errors, functions, lexer
from driftguard.sandbox.snowflake.lexer import Kind

_SNOWFLAKE = Snowflake()
# Functions that sqlglot would build nodes of its own for, and `functions` builds from what was written. Their names are
# marked before the parser sees them, which then leaves the call alone: a compiled sqlglot allows no parser of ours.
_MARK = "\0"
_MARKED = functions.OURS & SnowflakeParser.FUNCTIONS.keys() - SnowflakeParser.FUNCTION_PARSERS.keys()
_LONGEST = 20_000  # characters of a shape that is kept

_Path = list[tuple[str, int | None]]  # from the root of a tree: argument, and which of a list


def parse(sql: str) -> exp.Expr:
    """The one statement in `sql`, identifiers folded to the case that Snowflake stores."""
    shape, values = _shape(sql)
    known = _known(shape, len(values)) if len(shape) <= _LONGEST else None
    if known is None:
        return _parsed(sql)
    tree = known[0].copy()
    for (value, _), path in zip(values, known[1], strict=True):
        literal = tree
        for name, position in path:
            literal = literal.args[name] if position is None else literal.args[name][position]
        literal.set("this", value)
    return tree


def _stand_in(number: int, is_string: bool) -> str:
    """What stands for a value in a shape."""
    return f"~value {number}~" if is_string else f"73000000000{number:06d}"


def _shape(sql: str) -> tuple[str, list[tuple[str, bool]]]:
    """The text with a stand-in for each value that may change, and the values."""
    pieces: list[str] = []
    values: list[tuple[str, bool]] = []
    tokens = lexer.tokenize(sql)
    last = 0
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if not _stands_alone(before, token, after, sql):
            continue
        is_string = token.kind is Kind.STRING
        name = _stand_in(len(values), is_string)
        pieces += [sql[last : token.start], f"'{name}'" if is_string else name]
        values.append((token.value, is_string))
        last = token.end
    return "".join(pieces) + sql[last:], values


def _stands_alone(before: lexer.Token, token: lexer.Token, after: lexer.Token, sql: str) -> bool:
    if token.kind is Kind.STRING:
        if sql[token.start + 1 : token.end - 1] != token.value:  # something is escaped in it
            return False
    elif token.kind is not Kind.NUMBER or not (token.value.isascii() and token.value.isdigit()):
        return False
    if before.kind is Kind.OP and before.value == "=":
        return after.kind is Kind.END or (after.kind is Kind.WORD and after.value == "AND")
    item = before.kind in (Kind.OP, Kind.WORD) and before.value in (",", "SELECT")
    return item and after.kind is Kind.WORD and after.value == "AS"


@functools.lru_cache(maxsize=256)
def _known(shape: str, values: int) -> tuple[exp.Expr, list[_Path]] | None:
    """The tree of a shape, not to be changed, and where its values are; None for what has to be parsed by itself."""
    try:
        tree = _parsed(shape)
    except errors.SnowflakeError:  # with a place in the text that was sent
        return None
    literals = list(tree.find_all(exp.Literal))
    paths: list[_Path] = []
    for number in range(values):
        found = [one for one in literals if one.this in (_stand_in(number, True), _stand_in(number, False))]
        if len(found) != 1:
            return None
        paths.append(_path(found[0]))
    for node in tree.walk():
        node._meta = None  # where it stood in the text: to copy that takes longer than the rest
    return tree, paths


def _path(node: exp.Expr) -> _Path:
    path: _Path = []
    while node.parent is not None and node.arg_key is not None:
        path.append((node.arg_key, node.index))
        node = node.parent
    return path[::-1]


def _parsed(sql: str) -> exp.Expr:
    """The one statement in `sql`, identifiers folded to the case that Snowflake stores."""
    try:
        tree = _one(_SNOWFLAKE.parser().parse(_marked(_SNOWFLAKE.tokenize(sql)), sql))
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        first = details[0]
        raise errors.syntax(
            str(first.get("highlight") or "<EOF>"), int(first.get("line") or 1), int(first.get("col") or 0)
        ) from None
    except RecursionError:
        raise errors.unsupported("a statement nested this deep") from None
    for node in tree.find_all(exp.Identifier, exp.Anonymous):
        name = str(node.this).removeprefix(_MARK)
        if isinstance(node, exp.Anonymous):
            node.set("this", name)
        elif not node.args.get("quoted"):
            node.set("this", name.upper())
            node.set("quoted", True)
    return tree


def _marked(tokens: list[Token]) -> list[Token]:
    for token, following in pairwise(tokens):
        if following.token_type is TokenType.L_PAREN and token.token_type not in (
            TokenType.IDENTIFIER,
            TokenType.STRING,
        ):
            token.text = _MARK + token.text if token.text.upper() in _MARKED else token.text
    return tokens


def _one(trees: Sequence[exp.Expr | None]) -> exp.Expr:
    if not trees or trees[0] is None:
        raise ParseError("no statement")
    return exp.Block(expressions=trees) if len(trees) > 1 else trees[0]
