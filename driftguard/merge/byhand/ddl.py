"""A procedure's CREATE statement, as GET_DDL prints it, with another body and COPY GRANTS; nothing else changes.

"CREATE PROCEDURE", "GET_DDL", "String & binary data types", docs.snowflake.com. CREATE OR REPLACE takes all grants away
unless COPY GRANTS is written, which stands between the arguments and RETURNS.
"""

from __future__ import annotations

import re

from driftguard.merge.byhand.tokens import Kind, Token, Unreadable, closing_of, tokenize
from driftguard.model.identifiers import ObjectName
from driftguard.sql.snowflake import literal

_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "'": "'", '"': '"', "\\": "\\"}


def with_body(ddl: str, name: ObjectName, old: str, new: str) -> str:
    """The statement that makes the procedure anew with `new` for `old` in its body.

    Raises `Unreadable` unless the statement is CREATE OR REPLACE PROCEDURE of this name with just this body.
    """
    tokens = [t for t in tokenize(ddl) if t.kind is not Kind.COMMENT]
    while tokens and tokens[-1].op(";"):
        tokens.pop()
    close = _arguments_end(tokens, name)
    if len(tokens) < close + 3 or not tokens[-2].word("AS") or tokens[-1].kind not in (Kind.STRING, Kind.DOLLAR):
        raise Unreadable("GET_DDL shows no body")
    body = tokens[-1]
    inside = body.value if body.kind is Kind.DOLLAR else _unescaped(body)
    if inside.strip() != old.strip():
        raise Unreadable("GET_DDL shows another body than INFORMATION_SCHEMA.PROCEDURES does")
    lead, trail = inside[: len(inside) - len(inside.lstrip())], inside[len(inside.rstrip()) :]
    text = f"{lead}{new.strip()}{trail}"
    if body.kind is Kind.DOLLAR and "$$" in text:
        raise Unreadable("the new body has $$ in it")
    written = f"$${text}$$" if body.kind is Kind.DOLLAR else literal(text)
    kept = tokens[close + 1].word("COPY") and tokens[close + 2].word("GRANTS")
    at = tokens[close].end
    return f"{ddl[:at]}{'' if kept else ' COPY GRANTS'}{ddl[at : body.start]}{written}"


def _arguments_end(tokens: list[Token], name: ObjectName) -> int:
    """The index of the bracket behind the arguments."""
    words = [token.value for token in tokens[:5]]
    start = 4 + (words[3:4] == ["SECURE"])
    if words[:3] != ["CREATE", "OR", "REPLACE"] or words[start - 1 : start] != ["PROCEDURE"]:
        raise Unreadable("GET_DDL does not begin with CREATE OR REPLACE PROCEDURE")
    after = start + 5
    shown = tuple(token.value for token in tokens[start:after:2])
    if shown != (name.database, name.schema, name.name) or after >= len(tokens) or not tokens[after].op("("):
        raise Unreadable(f"GET_DDL does not show {name}")
    return closing_of(tokens, after, len(tokens))


def _unescaped(token: Token) -> str:
    r"""The text of a literal. Raises `Unreadable` for escapes with a number, such as `\x41`."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "'"
        if match[1] not in _ESCAPED and match[1].isalnum():
            raise Unreadable(f"GET_DDL shows a body with the escape \\{match[1]}")
        return _ESCAPED.get(match[1], match[1])

    return _ESCAPE.sub(one, token.text[1:-1])
