"""Reads tokens from left to right: the small parser under every DDL statement."""

from __future__ import annotations

from collections.abc import Callable

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.lexer import Kind, Token, tokenize
from driftguard.sandbox.snowflake.names import RESERVED, QName

OptionValue = str | bool | int | float | list[str] | dict[str, "OptionValue"] | None


class Reader:
    """A position in a token list, with the questions a recursive-descent parser asks."""

    def __init__(self, sql: str, tokens: list[Token] | None = None) -> None:
        self.sql = sql
        self.tokens = tokenize(sql) if tokens is None else tokens
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    @property
    def done(self) -> bool:
        return self.token.kind is Kind.END or self.is_op(";")

    def advance(self) -> Token:
        token = self.token
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        """Whether the next tokens are these words, in this order."""
        return all(
            self.peek(offset).kind is Kind.WORD and self.peek(offset).value == word for offset, word in enumerate(words)
        )

    def is_op(self, op: str) -> bool:
        return self.token.kind is Kind.OP and self.token.value == op

    def accept(self, *words: str) -> bool:
        if self.is_word(*words):
            self.at += len(words)
            return True
        return False

    def accept_op(self, op: str) -> bool:
        if self.is_op(op):
            self.at += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def expect_op(self, op: str) -> None:
        if not self.accept_op(op):
            raise self.unexpected()

    def unexpected(self) -> errors.SnowflakeError:
        token = self.token
        text = self.sql[token.start : token.end] if token.kind is not Kind.END else "<EOF>"
        return errors.syntax(text, token.line, token.column)

    def end(self) -> None:
        """Nothing but a semicolon may follow."""
        self.accept_op(";")
        if self.token.kind is not Kind.END:
            raise self.unexpected()

    def rest(self) -> str:
        """The text from here on, verbatim, without the closing semicolon."""
        last = self.tokens[-1].start
        for token in reversed(self.tokens[:-1]):
            if token.kind is Kind.OP and token.value == ";":
                last = token.start
                continue
            last = token.end
            break
        return self.sql[self.token.start : max(last, self.token.start)]

    # -- names and literals ------------------------------------------------------------------------------------

    def identifier(self) -> str:
        """One part of a name; a reserved word must be quoted."""
        token = self.token
        if token.kind is Kind.QUOTED or (token.kind is Kind.WORD and token.value not in RESERVED):
            self.at += 1
            return token.value
        raise self.unexpected()

    def name(self) -> QName:
        """A name of one to three parts; `db..name` means the schema PUBLIC; IDENTIFIER('…') is resolved."""
        if self.is_word("IDENTIFIER") and self.peek().value == "(" and self.peek(2).kind is Kind.STRING:
            inner = Reader(self.peek(2).value)
            self.at += 3
            self.expect_op(")")
            return inner.name()
        parts = [self.identifier()]
        while self.accept_op("."):
            parts.append("PUBLIC" if self.is_op(".") else self.identifier())
        if len(parts) > 3:
            raise self.unexpected()
        return QName(tuple(parts))

    def string(self) -> str:
        if self.token.kind in (Kind.STRING, Kind.DOLLAR):
            return self.advance().value
        raise self.unexpected()

    def integer(self) -> int:
        if self.token.kind is Kind.NUMBER and self.token.value.isdigit():
            return int(self.advance().value)
        raise self.unexpected()

    def list_of(self, item: Callable[[], str]) -> list[str]:
        """`( item, item )`, possibly empty."""
        self.expect_op("(")
        out: list[str] = []
        if self.accept_op(")"):
            return out
        while True:
            out.append(item())
            if self.accept_op(")"):
                return out
            self.expect_op(",")

    def skip_parens(self) -> str:
        """The text of a balanced `( … )`, without the parentheses."""
        self.expect_op("(")
        start = self.token.start
        depth = 1
        while True:
            token = self.advance()
            if token.kind is Kind.END:
                raise errors.syntax("<EOF>", token.line, token.column)
            if token.kind is Kind.OP and token.value == "(":
                depth += 1
            elif token.kind is Kind.OP and token.value == ")":
                depth -= 1
                if depth == 0:
                    return self.sql[start : token.start]

    # -- NAME = value options ----------------------------------------------------------------------------------

    def option_value(self) -> OptionValue:
        token = self.token
        if token.kind in (Kind.STRING, Kind.DOLLAR):
            return self.advance().value
        if token.kind is Kind.NUMBER:
            self.advance()
            return float(token.value) if "." in token.value or "e" in token.value.lower() else int(token.value)
        if self.is_op("("):
            return self._parenthesised()
        if self.accept("TRUE"):
            return True
        if self.accept("FALSE"):
            return False
        if self.accept("NULL"):
            return None
        if token.kind in (Kind.WORD, Kind.QUOTED):
            return str(self.name()) if self.peek().value == "." else self.advance().value
        raise self.unexpected()

    def _parenthesised(self) -> OptionValue:
        """`( A = 1 B = 2 )` is a dictionary, `( 'a', 'b' )` a list, `()` an empty list."""
        if self.peek().kind in (Kind.WORD, Kind.QUOTED) and self.peek(2).kind is Kind.OP and self.peek(2).value == "=":
            self.expect_op("(")
            out: dict[str, OptionValue] = {}
            while not self.accept_op(")"):
                key = self.identifier_or_reserved()
                self.expect_op("=")
                out[key] = self.option_value()
                self.accept_op(",")
            return out
        return self.list_of(lambda: str(self.option_value()))

    def identifier_or_reserved(self) -> str:
        if self.token.kind in (Kind.WORD, Kind.QUOTED):
            return self.advance().value
        raise self.unexpected()

    def options(self, stop: Callable[[], bool] | None = None) -> dict[str, OptionValue]:
        """`A = 1 B = (…)` up to the end, or until `stop` says so."""
        out: dict[str, OptionValue] = {}
        while not self.done and not (stop is not None and stop()):
            if self.accept_op(","):
                continue
            key_token = self.token
            key = self.identifier_or_reserved()
            if key in out:
                raise errors.compilation(1003, "42000", f"duplicate property '{key}'")
            if not self.accept_op("="):
                raise errors.syntax(self.sql[key_token.start : key_token.end], key_token.line, key_token.column)
            out[key] = self.option_value()
        return out
