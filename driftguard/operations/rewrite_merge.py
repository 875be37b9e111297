"""Make the lists of a hand-written merge longer, in its task or in the procedure that the task calls."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from driftguard.merge.byhand.ddl import with_body
from driftguard.merge.byhand.tokens import Unreadable
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Hazard, HazardKind, Statement
from driftguard.model.snowflake import Estate, Procedure
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.base import (
    DONE,
    READY,
    Operation,
    Readiness,
    State,
    blocked,
    find_table,
    find_task,
    waiting,
    with_task,
)
from driftguard.operations.calls import callers
from driftguard.operations.columns import ColumnDef, lacking
from driftguard.operations.drop_columns import DropColumns
from driftguard.operations.graphs import roots, started
from driftguard.sql.snowflake import qualified


@dataclass(frozen=True, slots=True)
class Edit:
    """At the character `at` of the old text, `new` stands for `old`."""

    at: int
    new: str
    old: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """A column of FINAL that the new text fills, and the STAGING column that it comes from."""

    final: str
    staging: str


@dataclass(frozen=True, slots=True)
class _Text:
    """Somebody's text as it is on Snowflake, without blanks around it."""

    text: str
    procedure: Procedure | None = None


@dataclass(frozen=True)
class RewriteMerge(Operation):
    """SUSPEND the roots → add what STAGING gains → MODIFY AS or CREATE OR REPLACE PROCEDURE → RESUME what was started.

    The text is known by the digests of what it was (`before`) and becomes (`after`): a text that somebody else has
    changed is left alone. `edits` are all that changes in it. `roots` are those of every graph with a task that runs
    the text: none of their runs may be at work while STAGING has a column that the old lists leave out, for the guard
    in FINAL, or a watermark, would keep its values out for good. A procedure is made anew by the statement that GET_DDL
    prints, with COPY GRANTS; its owner would be who runs that, so only its owner may.
    """

    kind = "rewrite_merge"

    task: ObjectName
    staging: ObjectName
    final: ObjectName
    before: str
    after: str
    edits: tuple[Edit, ...]
    roots: tuple[ObjectName, ...]
    columns: tuple[Carried, ...] = ()
    add_to_staging: tuple[ColumnDef, ...] = ()
    procedure: ObjectName | None = None
    signature: str = ""

    @property
    def place(self) -> ObjectName:
        """Where the text stands."""
        return self.procedure or self.task

    def touches(self) -> tuple[ObjectName, ...]:
        names = (self.task, *self.roots, self.place, self.staging, self.final)
        return tuple(dict.fromkeys(names))

    def graphs(self) -> tuple[ObjectName, ...]:
        return self.roots

    def hazards(self) -> tuple[Hazard, ...]:
        return (Hazard(HazardKind.REWRITES_MERGE, f"the text of {self.place} was written by hand: read the diff"),)

    def readiness(self, estate: Estate) -> Readiness:
        found = self._find(estate)
        if isinstance(found, Readiness):
            return found
        done = digest(found.text) == self.after
        if not done and digest(found.text) != self.before:
            return blocked(f"the text of {self.place} has been changed since this was planned")
        added = self._add()
        first = added.readiness(estate) if added is not None else DONE
        if first.state is State.BLOCKED:
            return first
        gained = {c.name for c in self.add_to_staging}
        lists = (
            (self.staging, {c.staging for c in self.columns} - gained),
            (self.final, [c.final for c in self.columns]),
        )
        missing = lacking(estate, *lists)
        if missing is not None:
            return missing
        if done and first == DONE:
            return DONE
        above = self._roots(estate)
        if isinstance(above, Readiness):
            return above
        if above != self.roots:
            return blocked(f"{self.place} is run by other tasks than when this was planned")
        return READY if done else self._may(estate, found)

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        added = self._add()
        work = list(added.statements(estate)) if added is not None else []
        found = self._find(estate)
        if isinstance(found, _Text) and digest(found.text) == self.before:
            work.append(self._change(found))
        if not work:
            return ()
        awake = started(estate, self.roots)
        return (
            *(Statement(f"ALTER TASK {qualified(name)} SUSPEND", f"suspend {name}") for name in awake),
            *work,
            *(Statement(f"ALTER TASK {qualified(name)} RESUME", f"resume {name}") for name in awake),
        )

    def effect(self, estate: Estate) -> Estate:
        added = self._add()
        if added is not None and find_table(estate, self.staging) is not None:
            estate = added.effect(estate)
        for name in self.roots:  # they sleep meanwhile: nobody else may change them
            root = find_task(estate, name)
            if root is not None:
                estate = with_task(estate, dataclasses.replace(root))
        found = self._find(estate)
        if isinstance(found, Readiness) or digest(found.text) != self.before:
            return estate
        text = edited(found.text, self.edits)
        if found.procedure is not None:
            made = dataclasses.replace(found.procedure, definition=text, ddl=self._ddl(found))
            others = (p for p in estate.procedures if p is not found.procedure)
            in_order = sorted((*others, made), key=lambda p: (p.name, p.arguments))
            return dataclasses.replace(estate, procedures=tuple(in_order))
        task = find_task(estate, self.task)
        assert task is not None
        return with_task(estate, dataclasses.replace(task, definition=text))

    def summary(self) -> str:
        parts = []
        if self.add_to_staging:
            parts.append(f"add {', '.join(f'{c.name} {c.type}' for c in self.add_to_staging)} to {self.staging}")
        if self.columns:
            parts.append(f"carry {', '.join(c.final for c in self.columns)} in the merge of {self.place}")
        else:
            parts.append(f"give {self.place} its old text again")
        return " and ".join(parts)

    def diff(self, estate: Estate) -> str:
        found = self._find(estate)
        if isinstance(found, Readiness) or digest(found.text) != self.before:
            return ""
        return unified(str(self.place), found.text, edited(found.text, self.edits))

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        """The old text, character by character, and STAGING without what it has gained."""
        back = dataclasses.replace(
            self, before=self.after, after=self.before, edits=reverse(self.edits), columns=(), add_to_staging=()
        )
        gained = tuple(c.name for c in self.add_to_staging)
        return (back, DropColumns(self.staging, gained)) if gained else (back,)

    def _add(self) -> AddColumns | None:
        return AddColumns(self.staging, self.add_to_staging) if self.add_to_staging else None

    def _find(self, estate: Estate) -> _Text | Readiness:
        """The text, or why it cannot be seen."""
        task = find_task(estate, self.task)
        if task is None:
            seen = estate.saw("tasks", self.task.database, self.task.schema)
            return blocked(f"{self.task} {'does not exist' if seen else 'could not be looked at'}")
        if self.procedure is None:
            return _Text(task.definition.strip())
        name = self.procedure
        made = next((p for p in estate.procedures if (p.name, p.arguments) == (name, self.signature)), None)
        if made is None:
            seen = estate.saw("procedures", name.database, name.schema)
            return blocked(f"{name}{self.signature} {'does not exist' if seen else 'could not be looked at'}")
        if made.definition is None:
            return blocked(f"the role may not read the body of {name}")
        return _Text(made.definition.strip(), made)

    def _roots(self, estate: Estate) -> tuple[ObjectName, ...] | Readiness:
        return roots_of(estate, self.task, self.procedure)

    def _may(self, estate: Estate, found: _Text) -> Readiness:
        """May this role make the procedure anew, from a definition that is whole?"""
        made = found.procedure
        if made is None:
            return READY
        if reason := cannot_remake(made):
            return blocked(f"{made.name} cannot be made anew: {reason}")
        if made.owner and estate.role and made.owner != estate.role:
            return waiting(
                f"{made.name} belongs to {made.owner}, and would be {estate.role}'s once it is made anew: apply with "
                f"the role {made.owner}"
            )
        return READY

    def _change(self, found: _Text) -> Statement:
        if found.procedure is not None:
            return Statement(self._ddl(found), f"make {self.place} anew with longer lists")
        text = edited(found.text, self.edits)
        return Statement(f"ALTER TASK {qualified(self.task)} MODIFY AS\n{text}", f"rewrite the merge of {self.task}")

    def _ddl(self, found: _Text) -> str:
        assert found.procedure is not None
        ddl, name = found.procedure.ddl or "", found.procedure.name
        return with_body(ddl, name, found.text, edited(found.text, self.edits))


def roots_of(estate: Estate, task: ObjectName, procedure: ObjectName | None) -> tuple[ObjectName, ...] | Readiness:
    """Which tasks have to sleep while the text of a task, or of a procedure that it calls, is changed."""
    return roots(estate, (task, *(callers(estate, procedure) if procedure is not None else ())))


def cannot_remake(procedure: Procedure) -> str:
    """Why the procedure cannot be made anew from what is known of it; empty if it can."""
    if procedure.ddl is None:
        return "its whole definition was not seen (GET_DDL)"
    try:
        with_body(procedure.ddl, procedure.name, procedure.definition or "", procedure.definition or "")
    except Unreadable as problem:
        return problem.reason
    return ""


def digest(text: str) -> str:
    """What a text is known by; blanks around it do not count."""
    return hashlib.sha256(text.strip().encode()).hexdigest()


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits, which are in order."""
    out, at = [], 0
    for edit in edits:
        out += [text[at : edit.at], edit.new]
        at = edit.at + len(edit.old)
    return "".join([*out, text[at:]])


def reverse(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """What takes the edits back."""
    found, shift = [], 0
    for edit in edits:
        found.append(Edit(edit.at + shift, edit.old, edit.new))
        shift += len(edit.new) - len(edit.old)
    return tuple(found)


def unified(what: str, before: str, after: str) -> str:
    """The change as a unified diff; empty where nothing changes."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, what, f"{what} (rewritten)", n=1)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
