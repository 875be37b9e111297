"""What lies between STAGING and a hand-written merge: the streams over the table, and the views that read either."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from driftguard.merge.byhand.views import ViewText
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Procedure, View

_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Streams by the parts of their names, and views whose definitions the role may read."""

    streams: tuple[tuple[str, ...], ...] = ()
    views: tuple[ViewText, ...] = ()


NOTHING = Surroundings()


@dataclass(slots=True)
class _Index:
    """An estate by what is asked of it for every landing."""

    estate: Estate
    streams: defaultdict[ObjectName, list[ObjectName]] = field(default_factory=lambda: defaultdict(list))
    procedures: defaultdict[ObjectName, list[Procedure]] = field(default_factory=lambda: defaultdict(list))
    views: defaultdict[str, list[View]] = field(default_factory=lambda: defaultdict(list))  # by the words in them
    columns: dict[ObjectName, tuple[str, ...]] = field(default_factory=dict)  # of the views


def around(estate: Estate, table: ObjectName, *, streams: bool = True) -> Surroundings:
    """The streams over a table, and the views whose text names it, one of the streams or such a view."""
    index = _indexed(estate)
    known = tuple(dict.fromkeys(index.streams.get(table, ()))) if streams else ()
    found: dict[ObjectName, View] = {}
    todo = [table, *known]
    while todo:
        words = _WORD.findall(todo.pop().name.upper())
        for view in index.views.get(words[0], ()) if words else ():
            if view.name not in found:
                found[view.name] = view
                todo.append(view.name)
    texts = (
        ViewText(parts(name), view.definition or "", index.columns.get(name, ()))
        for name, view in sorted(found.items())
    )
    return Surroundings(tuple(parts(name) for name in known), tuple(texts))


def procedures(estate: Estate) -> dict[ObjectName, list[Procedure]]:
    """The procedures by name; those of one name differ in their arguments."""
    return _indexed(estate).procedures


def parts(name: ObjectName) -> tuple[str, ...]:
    return (name.database, name.schema, name.name)


_latest: list[_Index] = []  # of one estate: many rules ask about each landing of the same one


def _indexed(estate: Estate) -> _Index:
    latest = next((one for one in _latest if one.estate is estate), None)
    if latest is not None:
        return latest
    index = _Index(estate)
    for stream in estate.streams:
        if stream.table is not None:
            index.streams[stream.table].append(stream.name)
    for consumer in estate.consumers:
        if consumer.domain == "STREAM":
            index.streams[consumer.reads].append(consumer.name)
    for procedure in estate.procedures:
        index.procedures[procedure.name].append(procedure)
    for view in estate.views:
        for word in {word.upper() for word in _WORD.findall(view.definition or "")}:
            index.views[word].append(view)
    made = {view.name for view in estate.views}
    index.columns = {t.name: tuple(c.name for c in t.columns) for t in estate.tables if t.name in made}
    _latest[:] = [index]
    return index
