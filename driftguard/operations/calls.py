"""Which procedures run below which tasks: by the names that their texts hold, through procedures that call others."""

from __future__ import annotations

import re
from collections.abc import Iterable

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Procedure, Task

_WORD = re.compile(r"[\w$]+")
_CALL = re.compile(
    r'\bCALL\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+)){0,2})\s*\(', re.IGNORECASE
)
_LAST = re.compile(r'(?:"((?:[^"]|"")+)"|([\w$]+))\Z')


def callers(estate: Estate, procedure: ObjectName) -> tuple[ObjectName, ...]:
    """The tasks that may run a procedure: their text names it, or a procedure whose text does, and so on.

    A name in a string or a comment counts: the text may be put together, and one task more that sleeps does no harm. A
    procedure whose body was not read is taken to call nothing.
    """
    names, todo = {procedure.name}, [procedure.name]
    while todo:
        name = todo.pop()
        for other in estate.procedures:
            if other.name.name not in names and names_word(other.definition or "", name):
                names.add(other.name.name)
                todo.append(other.name.name)
    return tuple(task.name for task in estate.tasks if any(names_word(task.definition, name) for name in names))


def below(task: Task, procedures: Iterable[Procedure]) -> list[Procedure]:
    """The procedures that a task calls, and those that they call, each once; all of a name, whatever their schema."""
    known = list(procedures)
    found: list[Procedure] = []
    texts = [task.definition]
    while texts:
        called = {_last(match[1]) for text in texts for match in _CALL.finditer(text)}
        more = [p for p in known if p.name.name in called and not any(p is one for one in found)]
        found += more
        texts = [p.definition or "" for p in more]
    return found


def mentioned(names: Iterable[str], texts: Iterable[str]) -> set[str]:
    """Those of the names that stand in one of the texts as a word of their own, whatever their capitals."""
    together = "\n".join(texts)
    words = {word.upper() for word in _WORD.findall(together)}
    return {name for name in names if (name.upper() in words if _WORD.fullmatch(name) else names_word(together, name))}


def names_word(text: str, name: str) -> bool:
    """Does a text hold a name as a word of its own, whatever its capitals?"""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None


def _last(name: str) -> str:
    match = _LAST.search(name)
    assert match is not None
    return match[1].replace('""', '"') if match[1] else match[2].upper()
