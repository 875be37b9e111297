"""Reads a revision file.

A revision is an Alembic revision whose `upgrade()` holds one `op.<kind>(…)` call an operation, with literal arguments.
It is read by its syntax tree and never executed, so that a check of somebody's pull request runs none of its code.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from driftguard.errors import RevisionError
from driftguard.model.plan import Phase
from driftguard.operations.base import Operation, build
from driftguard.operations.catalogue import KINDS

EXPAND, CONTRACT = "expand", "contract"  # the two branches of a history
_STOCK = ("collections.abc", "typing")  # what Alembic's own templates import


@dataclass(frozen=True)
class Revision:
    """One file: its id, what it follows, and its operations.

    `depends`: revisions of the other branch that come first; `labels`: names that it gives to its branch; `branch`:
    the one that it is on, which is `expand` where nothing says otherwise.
    """

    id: str
    down: tuple[str, ...]
    message: str
    operations: tuple[Operation, ...]
    path: Path
    depends: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    branch: str = EXPAND

    @cached_property
    def digest(self) -> str:
        """Of the operations alone: a comment or a reformatting does not change it."""
        text = repr([(op.kind, op.arguments()) for op in self.operations])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of its operations, in their order."""
        return tuple(phase for phase in Phase if any(op.phase is phase for op in self.operations))


def read(path: Path) -> Revision:
    """One revision file, by its syntax tree. Raises `RevisionError`."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise RevisionError(f"{path}{f':{line}' if line else ''}: not valid Python ({error})") from None
    header: dict[str, Any] = {}
    operations: tuple[Operation, ...] | None = None
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.ImportFrom(module="__future__"):
                continue
            case ast.ImportFrom(module="alembic", names=[ast.alias(name="op", asname=None)]):
                continue
            case ast.ImportFrom(module=module) if module in _STOCK:
                continue
            case ast.Import(names=[ast.alias(name="sqlalchemy", asname="sa")]):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                header[name] = _literal(value, path)
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                header[name] = _literal(value, path)
            case ast.FunctionDef(name="upgrade", body=body):
                operations = tuple(_operation(item, path) for item in _calls(body))
            case ast.FunctionDef(name="downgrade"):
                continue
            case _:
                raise RevisionError(f"{path}:{node.lineno}: only upgrade() and its op calls belong in a revision")
    if operations is None or not isinstance(header.get("revision"), str):
        raise RevisionError(f"{path}: not a revision (no `revision`, or no upgrade())")
    down = header.get("down_revision")
    message = (ast.get_docstring(tree) or "").partition("\n")[0]
    return Revision(
        header["revision"],
        _tuple(down),
        message,
        operations,
        path,
        _tuple(header.get("depends_on")),
        _tuple(header.get("branch_labels")),
    )


def _calls(body: list[ast.stmt]) -> list[ast.stmt]:
    return [
        node
        for node in body
        if not isinstance(node, ast.Pass) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def _operation(node: ast.stmt, path: Path) -> Operation:
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id="op"), attr=kind), args=[], keywords=keywords)
        ):
            pass
        case _:
            raise RevisionError(f"{path}:{node.lineno}: only calls like op.add_columns(table=…) belong in upgrade()")
    if kind not in KINDS:
        raise RevisionError(
            f"{path}:{node.lineno}: op.{kind} is no operation", hint=f"known: {', '.join(sorted(KINDS))}"
        )
    arguments = {}
    for keyword in keywords:
        if keyword.arg is None:
            raise RevisionError(f"{path}:{node.lineno}: ** is not a literal argument")
        arguments[keyword.arg] = _literal(keyword.value, path)
    try:
        return build(kind, arguments)
    except ValueError as error:
        raise RevisionError(f"{path}:{node.lineno}: op.{kind}: {error}") from None


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise RevisionError(f"{path}:{node.lineno}: only literals belong here, not {ast.unparse(node)[:60]}") from None


def _tuple(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
