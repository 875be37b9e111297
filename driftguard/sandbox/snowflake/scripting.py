"""Runs Snowflake Scripting: variables, control flow, exceptions, EXECUTE IMMEDIATE.

"Snowflake Scripting reference" on docs.snowflake.com; the wording of uncaught exceptions is unsourced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.blocks import (
    Assign,
    Block,
    Execute,
    For,
    If,
    Jump,
    Let,
    Node,
    Raise,
    Return,
    Sql,
    While,
    parse_body,
)
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.functions import constant
from driftguard.sandbox.snowflake.nodes import cast
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import CALL, Field, Result
from driftguard.sandbox.snowflake.types import BOOLEAN, NUMBER, TEXT, SfType

Value = tuple[object, SfType]


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

    def __iter__(self) -> Iterator[str]:
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
            raise error if isinstance(error, errors.SnowflakeError) else errors.syntax("RAISE")
        known = _exceptions(frame)
        if name not in known:
            raise errors.invalid_identifier(name)
        raise _Raised(name, *known[name])


def _exceptions(frame: Mapping[str, Value]) -> dict[str, tuple[int, str]]:
    found = frame["\0exceptions"][0] if "\0exceptions" in frame else {}
    return found if isinstance(found, dict) else {}


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
    try:
        (value_, kind), _ = run_text(ex, text, ex.variables)
    except _Raised as error:
        raise errors.SnowflakeError(
            error.errno, error.sqlstate, f"{_PREFIX} '{error.name}' : {error.message}"
        ) from None
    return Result([Field("anonymous block", kind)], [(value_,)], type_id=CALL, changes=True)
