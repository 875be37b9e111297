"""The revisions of a folder as one graph with two branches, `expand` and `contract`; Alembic keeps it.

A revision is on the branch of those that it follows. A history without labels is all `expand`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from alembic.script.revision import Revision as GraphNode
from alembic.script.revision import RevisionError as GraphError
from alembic.script.revision import RevisionMap

from driftguard.errors import RevisionError
from driftguard.migrate.revision import CONTRACT, EXPAND, Revision, read

VERSIONS = "versions"


def read_all(directory: Path) -> tuple[Revision, ...]:
    """All revisions of `directory`/versions, each after those it follows or depends on, else in the order of the files.

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
        for missing in {*revision.down, *revision.depends} - set(found):
            raise RevisionError(f"{revision.path} follows {missing}, which is not there", hint="bring its file back")
    try:
        list(graph(found.values()).iterate_revisions("heads", "base"))
    except GraphError as error:
        raise RevisionError(f"{folder}: {error}") from None
    ordered: dict[str, Revision] = {}
    for revision in found.values():
        _put(revision, found, ordered)
    return tuple(ordered.values())


def _put(revision: Revision, found: dict[str, Revision], ordered: dict[str, Revision]) -> None:
    """Add it behind its parents; without recursion, because a history may be long."""
    stack = [revision]
    while stack:
        top = stack[-1]
        before = [found[name] for name in (*top.down, *top.depends) if name not in ordered]
        if before:
            stack += reversed(before)
            continue
        stack.pop()
        if top.id not in ordered:
            later = CONTRACT in top.labels or any(ordered[name].branch == CONTRACT for name in top.down)
            ordered[top.id] = dataclasses.replace(top, branch=CONTRACT if later else EXPAND)


def graph(revisions: Iterable[Revision]) -> RevisionMap:
    """Alembic's graph. Of two revisions with one label the first keeps it, so that two pull requests can bring it."""
    nodes, given = [], set()
    for revision in revisions:
        labels = [label for label in revision.labels if label not in given]
        given.update(labels)
        nodes.append(GraphNode(revision.id, revision.down or None, revision.depends or None, tuple(labels) or None))
    return RevisionMap(lambda: nodes)


def heads(revisions: Collection[Revision], branch: str) -> tuple[str, ...]:
    """The revisions of a branch that none of it follows, in the order of the files."""
    followed = {name for revision in revisions for name in revision.down}
    return tuple(r.id for r in revisions if r.branch == branch and r.id not in followed)


def current(revisions: Sequence[Revision], applied: Collection[str]) -> tuple[str, ...]:
    """What Alembic would have as its version: applied revisions, with all before them, that no applied one needs."""
    whole: dict[str, Revision] = {}
    for revision in revisions:
        if revision.id in applied and all(name in whole for name in (*revision.down, *revision.depends)):
            whole[revision.id] = revision
    needed = {name for revision in whole.values() for name in (*revision.down, *revision.depends)}
    return tuple(name for name in whole if name not in needed)


def up_to(revisions: Sequence[Revision], target: str) -> tuple[Revision, ...]:
    """`target` with all that it needs: an id or its beginning, `heads`, `expand@head`, …; in the given order.

    Raises `RevisionError` where it is none, or several.
    """
    try:
        wanted = {item.revision for item in graph(revisions).iterate_revisions(_known(revisions, target), "base")}
    except GraphError as error:
        raise _no_target(target, error) from None
    return tuple(revision for revision in revisions if revision.id in wanted)


def back_to(revisions: Sequence[Revision], applied: Collection[str], target: str) -> tuple[Revision, ...]:
    """The applied revisions that come off on the way back to `target`, newest first; `base` and `-1` work too.

    Raises `RevisionError` where it is no way back.
    """
    try:
        found = graph(revisions).iterate_revisions(
            current(revisions, applied), _known(revisions, target), select_for_downgrade=True
        )
        gone = [item.revision for item in found]
    except GraphError as error:
        raise _no_target(target, error) from None
    by_id = {revision.id: revision for revision in revisions}
    return tuple(by_id[name] for name in gone)


def _known(revisions: Sequence[Revision], target: str) -> str:
    """The whole id where `target` is the beginning of one; Alembic's own search needs four letters."""
    matching = [revision.id for revision in revisions if revision.id.startswith(target)]
    return matching[0] if len(matching) == 1 else target


def _no_target(target: str, error: GraphError) -> RevisionError:
    return RevisionError(f"{target!r} names no revision to go to: {error}", hint="`driftguard status` lists them")
