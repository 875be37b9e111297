"""Writes plans as revision files, and revisions that bring several heads together."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from alembic.util import rev_id, template_to_file

from driftguard.errors import RevisionError
from driftguard.migrate.history import VERSIONS, heads, read_all
from driftguard.migrate.literals import render
from driftguard.migrate.revision import CONTRACT, EXPAND, Revision
from driftguard.model.plan import Phase
from driftguard.operations.base import Operation
from driftguard.resources import data_dir


def write(
    directory: Path, message: str, operations: Sequence[Operation], *, now: datetime | None = None
) -> tuple[Revision, ...]:
    """Add a revision on top of the newest of each branch, or of all newest ones where pull requests met.

    What comes before the Aurora deploy goes onto `expand`; the rest onto `contract`, and depends on it. Without a
    `message` each is called by the first thing that it does. Returns what was written, as it is read back. Raises
    `RevisionError` where a file cannot be written; nothing is written then.
    """
    known = read_all(directory)
    now = now or datetime.now(UTC)
    parts = {
        EXPAND: tuple(op for op in operations if op.phase is Phase.EXPAND),
        CONTRACT: tuple(op for phase in (Phase.SETTLE, Phase.CONTRACT) for op in operations if op.phase is phase),
    }
    written: list[Path] = []
    needed = heads(known, EXPAND)
    ids: list[str] = []
    try:
        for branch, part in parts.items():
            if not part:
                continue
            depends = needed if branch == CONTRACT else ()
            identifier, path = _write(
                directory, message or _summary(part), part, branch, heads(known, branch), depends, known, now
            )
            written.append(path)
            ids.append(identifier)
            if branch == EXPAND:
                needed = (identifier,)
    except RevisionError:
        for path in written:
            path.unlink()
        raise
    return _read_back(directory, ids)


def write_merges(directory: Path, message: str = "", *, now: datetime | None = None) -> tuple[Revision, ...]:
    """An empty revision on each branch that has several heads, as `alembic merge` writes it.

    Of two revisions with one branch label, which Alembic refuses to read, the first keeps it. Returns what was written.
    """
    known = read_all(directory)
    now = now or datetime.now(UTC)
    _relabel(known)
    ids = []
    for branch in (EXPAND, CONTRACT):
        tops = heads(known, branch)
        if len(tops) > 1:
            text = message or f"merge {', '.join(tops)}"
            ids.append(_write(directory, text, (), branch, tops, (), known, now)[0])
    return _read_back(directory, ids)


def _summary(operations: Sequence[Operation]) -> str:
    more = len(operations) - 1
    return f"{operations[0].summary()} and {more} more" if more else operations[0].summary()


def _read_back(directory: Path, ids: Sequence[str]) -> tuple[Revision, ...]:
    found = {revision.id: revision for revision in read_all(directory)}
    return tuple(found[name] for name in ids)


def _relabel(known: Collection[Revision]) -> None:
    given: set[str] = set()
    for revision in known:
        if given & set(revision.labels):
            text = revision.path.read_text(encoding="utf-8")
            revision.path.write_text(
                re.sub(r"^branch_labels\b.*$", "branch_labels = None", text, flags=re.MULTILINE), encoding="utf-8"
            )
        given.update(revision.labels)


def _write(
    directory: Path,
    message: str,
    operations: Sequence[Operation],
    branch: str,
    tops: tuple[str, ...],
    depends: tuple[str, ...],
    known: Collection[Revision],
    now: datetime,
) -> tuple[str, Path]:
    folder = directory / VERSIONS
    identifier = rev_id()
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or "revision"
    ending = "" if branch == EXPAND else f"_{branch}"
    path = folder / f"{now:%Y%m%d%H%M%S}_{identifier}_{slug}{ending}.py"
    unfinished = path.with_name(f".{path.name}.new")  # half a revision under its own name would stop every command
    labelled = any(branch in revision.labels for revision in known)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        template_to_file(
            str(data_dir("migrations") / "script.py.mako"),
            str(unfinished),
            "utf-8",
            message=" ".join(message.split()).replace('"""', "'''").replace("\\", "/") or "revision",
            up_revision=identifier,
            down_revision=_scalar(tops),
            branch_labels=None if labelled else (branch,),
            depends_on=_scalar(depends),
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
    return identifier, path


def _scalar(names: tuple[str, ...]) -> str | tuple[str, ...] | None:
    return names[0] if len(names) == 1 else names or None


def _call(operation: Operation) -> str:
    arguments = operation.arguments()
    return "".join(f"\n        {name}={render(value, 8)}," for name, value in arguments.items()) + "\n    "
