"""DG324: two pipes load the same files."""

from __future__ import annotations

from collections.abc import Iterator, Set

from driftguard.drift.context import Context, Pair
from driftguard.drift.reach import Reach, overlaps, reaches
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.model.finding import Finding, Severity
from driftguard.model.identifiers import ObjectName

CODE = "DG324"
TITLE = "two pipes load the same files"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    """Of all pipes that can be seen, where one of the two belongs to a landing."""
    known = reaches(context.estate)
    mine: dict[ObjectName, Pair] = {}
    folders = {}
    for pair in context.pairs:
        for pipe in (pair.pipe, *pair.more_pipes):
            if pipe is None:
                continue
            mine[pipe.name] = pair
            reach = known.get(pipe.name)
            landing = pair.landing
            if reach is not None and reach.stage == landing.stage and landing.path.startswith(reach.path):
                folders[pipe.name] = landing.path
    for wide, inner in overlaps(known, folders):
        owner = mine.get(wide.pipe) or mine.get(inner.pipe)
        if owner is not None:
            yield from _judged(owner, wide, inner, mine.keys())


def _judged(pair: Pair, wide: Reach, inner: Reach, mine: Set[ObjectName]) -> Iterator[Finding]:
    """`mine`: the pipes that feed a landing."""
    if wide.target == inner.target:
        severity = Severity.WARNING
        why = f"each pipe remembers its own files: every row of them is in {wide.target} twice"
    elif (wide.prefix, wide.pattern) == (inner.prefix, inner.pattern) and not {wide.pipe, inner.pipe} <= mine:
        return  # a copy of the folder elsewhere: nobody's rows go astray
    elif wide.pipe not in mine:
        severity = Severity.WARNING
        why = f"rows of {inner.target} go to {wide.target} as well, as far as it has their columns"
    else:
        severity = SEVERITY
        why = f"rows of another table enter {wide.target}; columns of the same name are loaded and merged as its own"
    yield Finding(
        CODE,
        severity,
        f"{wide.pipe} reads {_shown(wide)}, and with it files of {inner.pipe}, which reads {_shown(inner)}",
        why,
        "let each pipe read one folder that no other one contains, with a / at its end: pause the pipe, wait until "
        "nothing is pending, create it again, resume",
        table=source_table(pair.landing),
        place=on_snowflake(wide.pipe),
    )


def _shown(one: Reach) -> str:
    return f"{one.prefix} with a PATTERN" if one.pattern is not None else one.prefix
