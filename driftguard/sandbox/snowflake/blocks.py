"""Snowflake Scripting blocks as trees: what a block is made of, and its parser.

"Snowflake Scripting reference" on docs.snowflake.com. A block is parsed as a whole before any of it runs, and embedded
statements are cut at the semicolons that the tokenizer sees, so a string or a comment cuts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.session_statements import is_transaction_begin
from driftguard.sandbox.snowflake.types import SfType, read_type


@dataclass(slots=True)
class Node:
    """A statement of a block, and where it stands."""

    line: int
    column: int


@dataclass(slots=True)
class Sql(Node):
    text: str


@dataclass(slots=True)
class Let(Node):
    name: str
    type: SfType | None
    value: str | None
    is_query: bool = False


@dataclass(slots=True)
class Assign(Node):
    name: str
    value: str


@dataclass(slots=True)
class If(Node):
    branches: list[tuple[str, list[Node]]]
    otherwise: list[Node]


@dataclass(slots=True)
class While(Node):
    condition: str
    body: list[Node]
    until: bool = False


@dataclass(slots=True)
class For(Node):
    name: str
    low: str
    high: str
    reverse: bool
    body: list[Node]


@dataclass(slots=True)
class Return(Node):
    value: str


@dataclass(slots=True)
class Raise(Node):
    name: str | None


@dataclass(slots=True)
class Execute(Node):
    text: str
    using: list[str]


@dataclass(slots=True)
class Jump(Node):
    kind: str


@dataclass(slots=True)
class Block(Node):
    declared: list[Let] = field(default_factory=list)
    exceptions: dict[str, tuple[int, str]] = field(default_factory=dict)
    body: list[Node] = field(default_factory=list)
    handlers: list[tuple[list[str], list[Node]]] = field(default_factory=list)


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_block(reader: Reader, mapping: str = "TIMESTAMP_NTZ") -> Block:
    """DECLARE … BEGIN … EXCEPTION … END at the reader."""
    return _Parser(reader, mapping).block()


def parse_body(text: str, mapping: str = "TIMESTAMP_NTZ") -> Block | None:
    """A task's or procedure's body as a block; None if it is one plain statement."""
    reader = Reader(text)
    if reader.is_word("DECLARE") or (reader.is_word("BEGIN") and not is_transaction_begin(reader)):
        block = parse_block(reader, mapping)
        reader.end()
        return block
    return None


class _Parser:
    def __init__(self, reader: Reader, mapping: str) -> None:
        self.reader = reader
        self.mapping = mapping

    def place(self) -> tuple[int, int]:
        return self.reader.token.line, self.reader.token.column

    def text_to(self, *stops: str) -> str:
        """Verbatim text up to one of these words or operators at the outer level; the stop is consumed."""
        reader = self.reader
        start = reader.token.start
        end = start
        depth = cases = 0
        while True:
            token = reader.token
            if token.kind is Kind.END:
                raise reader.unexpected()
            word = token.value if token.kind in (Kind.WORD, Kind.OP) else ""
            if depth == 0 and cases == 0 and word in stops:
                if end == start:
                    raise reader.unexpected()
                reader.advance()
                return reader.sql[start:end]
            if token.kind is Kind.OP:
                depth += {"(": 1, ")": -1}.get(word, 0)
            elif word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            end = token.end
            reader.advance()

    def block(self) -> Block:
        reader = self.reader
        out = Block(*self.place())
        if reader.accept("DECLARE"):
            while not reader.is_word("BEGIN"):
                self.declaration(out)
        reader.expect("BEGIN")
        out.body = self.body("END", "EXCEPTION")
        if reader.accept("EXCEPTION"):
            while reader.accept("WHEN"):
                names = [reader.identifier_or_reserved()]
                while reader.accept("OR"):
                    names.append(reader.identifier_or_reserved())
                reader.accept("EXIT")
                reader.expect("THEN")
                out.handlers.append((names, self.body("END", "WHEN")))
            if not out.handlers:
                raise reader.unexpected()
        reader.expect("END")
        return out

    def declaration(self, block: Block) -> None:
        reader = self.reader
        line, column = self.place()
        name = reader.identifier()
        if reader.accept("EXCEPTION"):
            number, message = -20001, "User-defined exception"
            if reader.accept_op("("):
                minus = -1 if reader.accept_op("-") else 1
                number = minus * reader.integer()
                if reader.accept_op(","):
                    message = reader.string()
                reader.expect_op(")")
            reader.expect_op(";")
            block.exceptions[name] = (number, message)
            return
        if reader.is_word("CURSOR") or reader.is_word("RESULTSET"):
            raise errors.unsupported(f"{reader.token.value} in a scripting block")
        kind = None if reader.is_word("DEFAULT") or reader.is_op(":=") else read_type(reader, self.mapping)
        value = None
        if reader.accept("DEFAULT") or reader.accept_op(":="):
            value = self.text_to(";")
        else:
            reader.expect_op(";")
        block.declared.append(Let(line, column, name, kind, value))

    def body(self, *ends: str) -> list[Node]:
        reader = self.reader
        out: list[Node] = []
        while not any(reader.is_word(end) for end in ends):
            if reader.token.kind is Kind.END:
                raise reader.unexpected()
            out.append(self.statement())
        if not out:
            raise reader.unexpected()
        return out

    def statement(self) -> Node:
        reader = self.reader
        line, column = self.place()
        if reader.is_word("BEGIN") and not is_transaction_begin_inside(reader, is_transaction_begin(reader)):
            inner = self.block()
            reader.expect_op(";")
            return inner
        if reader.is_word("DECLARE"):
            inner = self.block()
            reader.expect_op(";")
            return inner
        if reader.accept("LET"):
            return self.let(line, column)
        if reader.accept("IF"):
            return self.if_(line, column)
        if reader.accept("WHILE"):
            condition = self.text_to("DO", "LOOP")
            inner_body = self.body("END")
            reader.expect("END")
            _ = reader.accept("WHILE") or reader.accept("LOOP")
            reader.expect_op(";")
            return While(line, column, condition, inner_body)
        if reader.accept("REPEAT"):
            inner_body = self.body("UNTIL")
            reader.expect("UNTIL")
            condition = self.text_to("END")
            reader.expect("REPEAT")
            reader.expect_op(";")
            return While(line, column, condition, inner_body, until=True)
        if reader.accept("LOOP"):
            inner_body = self.body("END")
            reader.expect("END", "LOOP")
            reader.expect_op(";")
            return While(line, column, "TRUE", inner_body)
        if reader.accept("FOR"):
            return self.for_(line, column)
        if reader.accept("RETURN"):
            return Return(line, column, self.text_to(";"))
        if reader.accept("RAISE"):
            name = None if reader.is_op(";") else reader.identifier()
            reader.expect_op(";")
            return Raise(line, column, name)
        if reader.accept("BREAK") or reader.accept("EXIT"):
            reader.expect_op(";")
            return Jump(line, column, "BREAK")
        if reader.accept("CONTINUE") or reader.accept("ITERATE"):
            reader.expect_op(";")
            return Jump(line, column, "CONTINUE")
        if reader.accept("NULL"):
            reader.expect_op(";")
            return Jump(line, column, "NULL")
        if reader.accept("EXECUTE", "IMMEDIATE"):
            text = self.text_to(";")
            return Execute(line, column, text, [])
        if (
            reader.token.kind in (Kind.WORD, Kind.QUOTED)
            and reader.peek().value == ":="
            and reader.peek().kind is Kind.OP
        ):
            name = reader.advance().value
            reader.expect_op(":=")
            return Assign(line, column, name, self.text_to(";"))
        if reader.token.kind is not Kind.WORD and not reader.is_op("("):
            raise reader.unexpected()
        return Sql(line, column, self.text_to(";"))

    def let(self, line: int, column: int) -> Let:
        reader = self.reader
        name = reader.identifier()
        if reader.is_word("CURSOR") or reader.is_word("RESULTSET"):
            raise errors.unsupported(f"{reader.token.value} in a scripting block")
        kind = None if reader.is_op(":=") or reader.is_word("DEFAULT") else read_type(reader, self.mapping)
        if not (reader.accept_op(":=") or reader.accept("DEFAULT")):
            raise reader.unexpected()
        return Let(line, column, name, kind, self.text_to(";"))

    def if_(self, line: int, column: int) -> If:
        reader = self.reader
        branches = [(self.text_to("THEN"), self.body("ELSEIF", "ELSE", "END"))]
        while reader.accept("ELSEIF"):
            branches.append((self.text_to("THEN"), self.body("ELSEIF", "ELSE", "END")))
        otherwise = self.body("END") if reader.accept("ELSE") else []
        reader.expect("END", "IF")
        reader.expect_op(";")
        return If(line, column, branches, otherwise)

    def for_(self, line: int, column: int) -> For:
        reader = self.reader
        name = reader.identifier()
        reader.expect("IN")
        reverse = reader.accept("REVERSE")
        low = self.text_to("TO")
        high = self.text_to("DO", "LOOP")
        inner = self.body("END")
        reader.expect("END")
        _ = reader.accept("FOR") or reader.accept("LOOP")
        reader.expect_op(";")
        return For(line, column, name, low, high, reverse, inner)


def is_transaction_begin_inside(reader: Reader, plain: bool) -> bool:
    """Inside a block `BEGIN TRANSACTION` (or WORK, NAME) begins one; a bare BEGIN is a nested block."""
    return plain and reader.peek().kind is Kind.WORD
