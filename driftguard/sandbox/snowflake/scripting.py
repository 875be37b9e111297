"""Snowflake Scripting: blocks, LET, IF, loops, exceptions, EXECUTE IMMEDIATE.

"Snowflake Scripting reference" on docs.snowflake.com. A block is parsed as a whole before any of it runs, and embedded
statements are cut at the semicolons that the tokenizer sees, so a string or a comment cuts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.functions import constant
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.nodes import cast
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import CALL, Field, Result
from driftguard.sandbox.snowflake.types import BOOLEAN, NUMBER, TEXT, SfType, read_type

Value = tuple[object, SfType]


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
    from driftguard.sandbox.snowflake.session_statements import is_transaction_begin

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
        from driftguard.sandbox.snowflake.session_statements import is_transaction_begin

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


# -- running ---------------------------------------------------------------------------------------------------


class _Returned(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class _Jumped(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Raised(errors.SnowflakeError):
    """A declared exception on its way; the name finds its handler."""

    def __init__(self, name: str, number: int, message: str) -> None:
        super().__init__(number, "P0001", message)
        self.name = name


class Frame(Mapping[str, Value]):
    """Variables, with the enclosing block's behind them."""

    def __init__(self, parent: Mapping[str, Value] | None = None) -> None:
        self.own: dict[str, Value] = {}
        self.parent = parent if parent is not None else {}

    def __getitem__(self, key: str) -> Value:
        return self.own[key] if key in self.own else self.parent[key]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter({**dict(self.parent), **self.own})

    def __len__(self) -> int:
        return len({**dict(self.parent), **self.own})

    def assign(self, name: str, value: Value) -> bool:
        if name in self.own:
            self.own[name] = value
            return True
        return isinstance(self.parent, Frame) and self.parent.assign(name, value)


class Interpreter:
    """Runs a block."""

    def __init__(self, ex: Execution) -> None:
        self.ex = ex
        self.rows = 0

    def run(self, block: Block, variables: Mapping[str, Value] | None = None) -> Value:
        """The value of RETURN, or NULL."""
        try:
            self.block(block, Frame(variables))
        except _Returned as returned:
            return returned.value
        return None, TEXT

    def evaluate(self, text: str, frame: Frame, kind: SfType | None = None) -> Value:
        """An expression, or a query in brackets, with the variables that are visible."""
        ex = self.ex.inner(frame)
        try:
            value = ex.scalar(text)
            if kind is None or value[1] == kind:
                return value
            if value[0] is None:
                return None, kind
            walked = cast(constant(*value), kind)
            return ex.constant(walked.sql(dialect="duckdb")), kind
        finally:
            ex.close()

    def truth(self, text: str, frame: Frame) -> bool:
        return bool(self.evaluate(text, frame, BOOLEAN)[0])

    def block(self, block: Block, parent: Frame) -> None:
        frame = Frame(parent)
        frame.own["\0exceptions"] = ({**_exceptions(parent), **block.exceptions}, TEXT)
        try:
            for let in block.declared:
                self.statement(let, frame)
            self.body(block.body, frame)
        except errors.SnowflakeError as error:
            if error.errno == errors.CANCELLED[0]:
                raise
            handler = _handler(block, error)
            if handler is None:
                raise
            inner = Frame(frame)
            inner.own["SQLCODE"] = (error.errno, NUMBER)
            inner.own["SQLSTATE"] = (error.sqlstate, TEXT)
            inner.own["SQLERRM"] = (_plain(error), TEXT)
            inner.own["\0error"] = (error, TEXT)
            self.body(handler, inner)

    def body(self, nodes: list[Node], frame: Frame) -> None:
        for node in nodes:
            try:
                self.statement(node, frame)
            except _Raised:
                raise
            except errors.SnowflakeError as error:
                raise _located(error, node) from None

    def statement(self, node: Node, frame: Frame) -> None:
        match node:
            case Block():
                self.block(node, frame)
            case Let(name=name, type=kind, value=value):
                frame.own[name] = (None, kind or TEXT) if value is None else self.evaluate(value, frame, kind)
            case Assign(name=name, value=text):
                if name not in frame:
                    raise errors.invalid_identifier(name)
                if not frame.assign(name, self.evaluate(text, frame, frame[name][1])):
                    raise errors.invalid_identifier(name)
            case If(branches=branches, otherwise=otherwise):
                for condition, body in branches:
                    if self.truth(condition, frame):
                        self.body(body, frame)
                        return
                self.body(otherwise, frame)
            case While():
                self.loop(node, frame)
            case For():
                self.count(node, frame)
            case Return(value=text):
                raise _Returned(self.evaluate(text, frame))
            case Raise(name=name):
                self.raise_(name, frame)
            case Execute(text=text):
                self.immediate(text, frame)
            case Jump(kind=kind_):
                if kind_ != "NULL":
                    raise _Jumped(kind_)
            case Sql(text=text):
                self.sql(text, frame)

    def sql(self, text: str, frame: Frame) -> Result:
        from driftguard.sandbox.snowflake import dispatch

        ex = self.ex.inner(frame)
        try:
            result = dispatch.statement(ex, text)
        finally:
            ex.close()
            self.ex.engine.end_statement(self.ex.session)
        self.rows = result.rowcount if result.rowcount is not None else len(result.rows)
        frame.own["SQLROWCOUNT"] = (self.rows, NUMBER)
        frame.own["SQLFOUND"] = (self.rows > 0, BOOLEAN)
        return result

    def immediate(self, text: str, frame: Frame) -> None:
        value, _ = self.evaluate(text, frame)
        block = parse_body(str(value), self.ex.timestamp_mapping())
        if block is not None:
            self.block(block, frame)
        else:
            self.sql(str(value), frame)

    def loop(self, node: While, frame: Frame) -> None:
        first = node.until
        while first or self.truth(node.condition, frame) is not node.until:
            first = False
            try:
                self.body(node.body, frame)
            except _Jumped as jumped:
                if jumped.kind == "BREAK":
                    return

    def count(self, node: For, frame: Frame) -> None:
        low = int(str(self.evaluate(node.low, frame, NUMBER)[0]))
        high = int(str(self.evaluate(node.high, frame, NUMBER)[0]))
        numbers = range(high, low - 1, -1) if node.reverse else range(low, high + 1)
        for number in numbers:
            inner = Frame(frame)
            inner.own[node.name] = (number, NUMBER)
            try:
                self.body(node.body, inner)
            except _Jumped as jumped:
                if jumped.kind == "BREAK":
                    return

    @staticmethod
    def raise_(name: str | None, frame: Frame) -> None:
        if name is None:
            if "\0error" not in frame:
                raise errors.compilation(1003, "42000", "RAISE without a name is for an exception handler")
            error = frame["\0error"][0]
            assert isinstance(error, errors.SnowflakeError)
            raise error
        known = _exceptions(frame)
        if name not in known:
            raise errors.invalid_identifier(name)
        raise _Raised(name, *known[name])


def _exceptions(frame: Mapping[str, Value]) -> dict[str, tuple[int, str]]:
    found = frame["\0exceptions"][0] if "\0exceptions" in frame else {}
    assert isinstance(found, dict)
    return found


def _handler(block: Block, error: errors.SnowflakeError) -> list[Node] | None:
    for names, body in block.handlers:
        for name in names:
            if name == "OTHER" or (isinstance(error, _Raised) and name == error.name):
                return body
            if name in ("STATEMENT_ERROR", "EXPRESSION_ERROR") and not isinstance(error, _Raised):
                return body
    return None


_PREFIX = "Uncaught exception of type"


def _plain(error: errors.SnowflakeError) -> str:
    return (
        error.message.split(" : ", 1)[1]
        if error.message.startswith(_PREFIX) and " : " in error.message
        else error.message
    )


def _located(error: errors.SnowflakeError, node: Node) -> errors.SnowflakeError:
    """The text that Snowflake gives an error of a block; number and state stay (wording unsourced)."""
    if error.message.startswith(_PREFIX) or error.errno == errors.CANCELLED[0]:
        return error
    kind = "EXPRESSION_ERROR" if isinstance(node, Let | Assign | If | While | Return) else "STATEMENT_ERROR"
    text = f"{_PREFIX} '{kind}' on line {node.line} at position {node.column} : {error.message}"
    return errors.SnowflakeError(error.errno, error.sqlstate, text)


def run_text(ex: Execution, text: str, variables: Mapping[str, Value] | None = None) -> tuple[Value, int]:
    """The body of a task or procedure: its value, and the rows of its last statement."""
    block = parse_body(text, ex.timestamp_mapping())
    interpreter = Interpreter(ex)
    if block is None:
        result = interpreter.sql(text, Frame(variables))
        first = result.rows[0][0] if result.rows else None
        return (first, result.fields[0].type if result.fields else TEXT), interpreter.rows
    return interpreter.run(block, variables), interpreter.rows


def anonymous(ex: Execution, reader: Reader) -> Result:
    """A block, or EXECUTE IMMEDIATE, as a statement of its own."""
    if reader.accept("EXECUTE", "IMMEDIATE"):
        if reader.is_word("FROM"):
            raise errors.unsupported("EXECUTE IMMEDIATE FROM a file")
        value = reader.string()
        reader.end()
        text = value
    else:
        text = reader.rest()
    own = ex.session.transaction
    try:
        (value_, kind), _ = run_text(ex, text, ex.variables)
    except _Raised as error:
        raise errors.SnowflakeError(
            error.errno, error.sqlstate, f"{_PREFIX} '{error.name}' : {error.message}"
        ) from None
    _ = own
    return Result([Field("anonymous block", kind)], [(value_,)], type_id=CALL, changes=True)
