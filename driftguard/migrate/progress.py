"""How far each revision is, and what of it may run next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from driftguard.control.journal import RevisionRecord
from driftguard.errors import RevisionError
from driftguard.migrate.revision import Revision
from driftguard.model.plan import Phase
from driftguard.operations.base import Operation

ALL_PHASES = tuple(Phase)


@dataclass(frozen=True, slots=True)
class Due:
    """Work of a later phase that an expanded revision has ahead of it."""

    revision: str
    phase: Phase
    operations: int


def pending(revisions: Sequence[Revision], records: Mapping[str, RevisionRecord]) -> tuple[Revision, ...]:
    """Revisions that are not applied. Raises `RevisionError` for one that was edited or half undone."""
    waiting = []
    for revision in revisions:
        record = records.get(revision.id)
        if record is not None and record.digest != revision.digest:
            state = "applied" if record.applied else "begun"
            raise RevisionError(
                f"{revision.path} was edited after it was {state}",
                hint="restore the file, and put the further change into a new revision",
            )
        if record is not None and record.undo:
            raise RevisionError(
                f"revision {revision.id} is half undone", hint="run the downgrade again: it goes on from there"
            )
        if record is None or not record.applied:
            waiting.append(revision)
    return tuple(waiting)


class Progress:
    """By the journal, and by what `done` and `apply` are told."""

    def __init__(self, revisions: Sequence[Revision], records: Mapping[str, RevisionRecord]) -> None:
        self._revisions = {revision.id: revision for revision in revisions}
        self._applied = {name for name, record in records.items() if record.applied}
        self._done = {
            (name, index)
            for name, record in records.items()
            for index, operation in record.operations.items()
            if operation.known and not operation.open
        }
        self._begun = {name for name, record in records.items() if record.operations}

    def done(self, revision: str, indexes: Sequence[int]) -> None:
        self._done |= {(revision, index) for index in indexes}

    def apply(self, revision: str) -> None:
        self._applied.add(revision)

    def applied(self, name: str) -> bool:
        return name in self._applied

    def open(self, revision: Revision, *phases: Phase) -> tuple[tuple[int, Operation], ...]:
        """Operations of these phases that are still to do, with their numbers."""
        if self.applied(revision.id):
            return ()
        return tuple(
            (index, operation)
            for index, operation in enumerate(revision.operations)
            if operation.phase in phases and (revision.id, index) not in self._done
        )

    def whole(self, revision: Revision) -> bool:
        """Is everything of it done, and everything before it applied?"""
        before = (*revision.down, *revision.depends)
        return not self.open(revision, *ALL_PHASES) and all(self.applied(name) for name in before)

    def held(self, revision: Revision, phase: Phase) -> str:
        """Why this phase of the revision may not begin; empty where it may."""
        for name in revision.depends:
            if not self.applied(name):
                return f"revision {name}, which it depends on, is not applied"
        earlier = ALL_PHASES[: ALL_PHASES.index(phase)]
        if self.open(revision, *earlier):
            return f"its {' and '.join(p for p in earlier if self.open(revision, p))} part is not done"
        if phase is Phase.EXPAND:
            for name in revision.down:
                parent = self._revisions.get(name)
                if self.open(parent, phase) if parent else not self.applied(name):
                    return f"revision {name}, which it follows, is not applied"
            return ""
        mine = {name for _, operation in self.open(revision, phase) for name in operation.touches()}
        for other in self._revisions.values():
            if other is revision:
                break
            for _, operation in self.open(other, Phase.SETTLE, Phase.CONTRACT):
                shared = mine & set(operation.touches())
                if shared:
                    return f"revision {other.id} has work left on {min(shared)}"
        return ""

    def due(self) -> tuple[Due, ...]:
        """What waits for the Aurora deploy, or for what comes after it."""
        return tuple(
            Due(revision.id, phase, len(found))
            for revision in self._revisions.values()
            if all(self.applied(name) for name in revision.depends) and not self.open(revision, Phase.EXPAND)
            for phase in (Phase.SETTLE, Phase.CONTRACT)
            if (found := self.open(revision, phase))
        )


def walk(
    revisions: Sequence[Revision],
    phases: Sequence[Phase],
    progress: Progress,
    part: Callable[[Revision, Phase], str],
    whole: Callable[[Revision], None],
) -> list[str]:
    """Every phase of every revision that may begin, in order; returns why others wait.

    `part` does one phase of a revision, and says what it waits for where it could not do all of it; `whole` is called
    for a revision of which nothing is left to do.
    """
    waits = []
    for phase in phases:
        for revision in revisions:
            if progress.applied(revision.id):
                continue
            if progress.open(revision, phase):
                why = progress.held(revision, phase) or part(revision, phase)
                if why:
                    waits.append(f"revision {revision.id} ({phase}): {why}")
            if progress.whole(revision):
                whole(revision)
                progress.apply(revision.id)
    return waits
