"""The whole definitions of the procedures that run below tasks: INFORMATION_SCHEMA.PROCEDURES leaves out half of them.

"GET_DDL", docs.snowflake.com: a procedure is named with the types of its arguments; with TRUE as third argument, the
names in the statement are complete.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from driftguard.merge.stored import PROCEDURE as OWN
from driftguard.model.snowflake import Procedure, Task
from driftguard.operations.calls import mentioned
from driftguard.sql.snowflake import literal, qualified

_NAMED = re.compile(r'\s*(?:"(?:[^"]|"")*"|\S+)\s+(.+)', re.DOTALL)


def with_ddl(
    procedures: Sequence[Procedure], tasks: Sequence[Task], answers: Callable[[Sequence[str]], Sequence[str | None]]
) -> list[Procedure]:
    """The procedures, with the DDL of those that a task names, or such a procedure, but for driftguard's own.

    `answers` gives the values of SQL expressions.
    """
    texts = [task.definition for task in tasks if re.search(r"\bCALL\b", task.definition, re.IGNORECASE)]
    left, called = [p for p in procedures if p.name.name != OWN], list[Procedure]()
    while texts:
        names = mentioned({p.name.name for p in left}, texts)
        reached = [p for p in left if p.name.name in names]
        called += reached
        left = [p for p in left if p.name.name not in names]
        texts = [p.definition for p in reached if p.definition]
    if not called:
        return list(procedures)
    found = answers([f"GET_DDL('PROCEDURE', {literal(_signature(p))}, TRUE)" for p in called])
    ddl = {id(p): text for p, text in zip(called, found, strict=True)}
    return [dataclasses.replace(p, ddl=ddl.get(id(p))) for p in procedures]


def _signature(procedure: Procedure) -> str:
    return f"{qualified(procedure.name)}({', '.join(_types(procedure.arguments))})"


def _types(arguments: str) -> list[str]:
    """The types in an ARGUMENT_SIGNATURE such as `(ID NUMBER, "a name" VARCHAR)`."""
    inner = arguments.strip()[1:-1]
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(inner):
        quoted ^= char == '"'
        depth += 0 if quoted else (char == "(") - (char == ")")
        if char == "," and not depth and not quoted:
            parts.append(inner[start:at])
            start = at + 1
    parts.append(inner[start:])
    found = (_NAMED.fullmatch(part) for part in parts)
    return [match[1].strip() for match in found if match is not None]
