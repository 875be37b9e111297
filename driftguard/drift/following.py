"""The procedures that a text calls, and those that they call: what each does, or why it cannot be followed.

"Understanding caller's rights and owner's rights stored procedures", docs.snowflake.com: a procedure with owner's
rights resolves names in its own schema, one with caller's rights in that of whoever calls it. Both are looked at.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from driftguard.merge.byhand.describe import Description
from driftguard.merge.byhand.fragments import CODE, called
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Procedure, Task

DEEPEST = 8
_Parts = tuple[str | None, ...]
_SNOWPARK = re.compile(r"""\.call\(\s*(["'])([\w$."]+?)\1""")  # session.call("P", …)


@dataclass(frozen=True, slots=True)
class Reached:
    """A procedure of the chain. `does` is None where it cannot be followed, and `why` then says so."""

    name: ObjectName
    procedure: Procedure | None = None
    does: Description | None = None
    why: str = ""


def follow(
    task: Task,
    calls: Sequence[_Parts],
    known: Mapping[ObjectName, Sequence[Procedure]],
    described: Callable[[Procedure], Description],
) -> list[Reached]:
    """Every procedure below a task once, those that it calls itself first. A cycle ends where it began."""
    found: list[Reached] = []
    seen: set[ObjectName] = set()
    todo = deque((parts, task.name, "it", 1) for parts in calls)
    while todo:
        parts, beside, caller, depth = todo.popleft()
        if not parts or parts[-1] is None:
            found.append(Reached(beside, why=f"{caller} calls a procedure whose name is put together while it runs"))
            continue
        places = [_resolved(parts, beside), _resolved(parts, task.name)]
        name = next((place for place in places if place in known), places[0])
        if name in seen:
            continue
        seen.add(name)
        reached = _reached(name, caller, depth, known.get(name, ()), described)
        found.append(reached)
        if reached.does is not None and reached.procedure is not None:
            inner = _calls(reached.procedure, reached.does)
            todo.extend((one, name, str(name), depth + 1) for one in inner)
    return found


def _reached(
    name: ObjectName,
    caller: str,
    depth: int,
    candidates: Sequence[Procedure],
    described: Callable[[Procedure], Description],
) -> Reached:
    said = f"{caller} calls {name}, "
    if depth > DEEPEST:
        return Reached(name, why=f"{said}and procedures are followed {DEEPEST} deep")
    if len(candidates) != 1:
        return Reached(name, why=said + ("of which there are several" if candidates else "which was not read"))
    (one,) = candidates
    if one.definition is None:
        return Reached(name, one, why=f"{said}whose body the role may not read")
    does = described(one)
    ends = not _calls(one, does)
    return Reached(name, one, does, f"{said}which does not write FINAL" if ends else "")


def _calls(procedure: Procedure, does: Description) -> list[_Parts]:
    """What it calls: in SQL, in the string literals of a program, or by Snowpark's own method."""
    language, text = (procedure.language or "SQL").lower(), procedure.definition or ""
    if language not in CODE:
        return list(does.calls)
    by_method = (tuple(_part(p) for p in name.split(".")) for _, name in _SNOWPARK.findall(text))
    return list(dict.fromkeys([*does.calls, *called(text, language), *by_method]))


def _part(text: str) -> str:
    return text.strip('"') if text.startswith('"') else text.upper()


def _resolved(parts: _Parts, beside: ObjectName) -> ObjectName:
    full = [beside.database, beside.schema, ""][: 3 - len(parts)] + [part or "" for part in parts[-3:]]
    return ObjectName(full[0], full[1], full[2])
