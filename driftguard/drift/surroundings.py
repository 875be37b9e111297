"""What lies between STAGING and a hand-written merge: the streams over the table, and the views that read either."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from driftguard.merge.byhand.views import ViewText
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, View

_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Streams by the parts of their names, and views whose definitions the role may read."""

    streams: tuple[tuple[str, ...], ...] = ()
    views: tuple[ViewText, ...] = ()


NOTHING = Surroundings()


def around(estate: Estate, table: ObjectName, *, streams: bool = True) -> Surroundings:
    """The streams over a table, and the views whose text names it, one of the streams or such a view."""
    over = [s.name for s in estate.streams if s.table == table]
    over += [c.name for c in estate.consumers if c.domain == "STREAM" and c.reads == table]
    known = tuple(dict.fromkeys(over)) if streams else ()
    by_word = _by_word(estate.views)
    found: dict[ObjectName, View] = {}
    todo = [table, *known]
    while todo:
        words = _WORD.findall(todo.pop().name.upper())
        for view in by_word.get(words[0], ()) if words else ():
            if view.name not in found:
                found[view.name] = view
                todo.append(view.name)
    if not found:
        return Surroundings(tuple(parts(name) for name in known))
    columns = {t.name: tuple(c.name for c in t.columns) for t in estate.tables if t.name in found}
    texts = (ViewText(parts(v.name), v.definition or "", columns.get(v.name, ())) for _, v in sorted(found.items()))
    return Surroundings(tuple(parts(name) for name in known), tuple(texts))


def parts(name: ObjectName) -> tuple[str, ...]:
    return (name.database, name.schema, name.name)


@lru_cache(maxsize=8)
def _by_word(views: tuple[View, ...]) -> Mapping[str, Sequence[View]]:
    found: defaultdict[str, list[View]] = defaultdict(list)
    for view in views:
        for word in {word.upper() for word in _WORD.findall(view.definition or "")}:
            found[word].append(view)
    return found
