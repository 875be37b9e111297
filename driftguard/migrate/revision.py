"""Writes and reads revision files.

A revision is an Alembic revision whose `upgrade()` holds one `op.<kind>(…)` call an operation, with literal arguments.
It is read by its syntax tree and never executed, so that a check of somebody's pull request runs none of its code.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.script.revision import Revision as GraphNode
from alembic.script.revision import RevisionError as GraphError
from alembic.script.revision import RevisionMap
from alembic.util import rev_id, template_to_file

from driftguard.errors import RevisionError
from driftguard.migrate.literals import render
from driftguard.operations.base import Operation, build
from driftguard.operations.catalogue import KINDS
from driftguard.resources import data_dir

VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Revision:
    """One file: its id, what it follows, and its operations."""

    id: str
    down: tuple[str, ...]
    message: str
    operations: tuple[Operation, ...]
    path: Path

    @property
    def digest(self) -> str:
        """Of the operations alone: a comment or a reformatting does not change it."""
        text = repr([(op.kind, op.arguments()) for op in self.operations])
        return hashlib.sha256(text.encode()).hexdigest()


def read_all(directory: Path) -> tuple[Revision, ...]:
    """All revisions of `directory`/versions, each after those it follows.

    Raises `RevisionError` with file and line for a file that is not a revision, and for a broken chain.
    """
    folder = directory / VERSIONS
    if not folder.is_dir():
        return ()
    found: dict[str, Revision] = {}
    for revision in (read(path) for path in sorted(folder.glob("*.py"))):
        other = found.setdefault(revision.id, revision)
        if other is not revision:
            raise RevisionError(
                f"{revision.path} and {other.path.name} are both revision {revision.id}", hint="remove the copy"
            )
    for revision in found.values():
        for missing in set(revision.down) - set(found):
            raise RevisionError(f"{revision.path} follows {missing}, which is not there", hint="bring its file back")
    try:
        ordered = [node.revision for node in _graph(found.values()).iterate_revisions("heads", "base")]
    except GraphError as error:
        raise RevisionError(f"{folder}: {error}") from None
    return tuple(found[name] for name in reversed(ordered))


def heads(revisions: Iterable[Revision]) -> tuple[str, ...]:
    """The revisions that none follows."""
    return tuple(_graph(revisions).heads)


def _graph(revisions: Iterable[Revision]) -> RevisionMap:
    return RevisionMap(lambda: [GraphNode(r.id, r.down or None) for r in revisions])


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
    return Revision(header["revision"], _tuple(down), message, operations, path)


def write(directory: Path, message: str, operations: tuple[Operation, ...], *, now: datetime | None = None) -> Revision:
    """Add a revision on top of the newest one, or of all newest ones where pull requests met; returns it as read back.

    Raises `RevisionError` where the file cannot be written.
    """
    tops = heads(read_all(directory))
    folder = directory / VERSIONS
    now = now or datetime.now(UTC)
    identifier = rev_id()
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or "revision"
    path = folder / f"{now:%Y%m%d%H%M%S}_{identifier}_{slug}.py"
    unfinished = path.with_name(f".{path.name}.new")  # half a revision under its own name would stop every command
    try:
        folder.mkdir(parents=True, exist_ok=True)
        template_to_file(
            str(data_dir("migrations") / "script.py.mako"),
            str(unfinished),
            "utf-8",
            message=" ".join(message.split()).replace('"""', "'''").replace("\\", "/") or "revision",
            up_revision=identifier,
            down_revision=tops[0] if len(tops) == 1 else tops or None,
            create_date=now.isoformat(timespec="seconds"),
            calls=[f"op.{op.kind}({_call(op)})" for op in operations],
        )
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise RevisionError(
            f"{folder}: {error.strerror}", hint="nothing was written; [revisions] dir names the folder"
        ) from None
    return read(path)


def _call(operation: Operation) -> str:
    arguments = operation.arguments()
    return "".join(f"\n        {name}={render(value, 8)}," for name, value in arguments.items()) + "\n    "


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
