"""Which files the pipes of an estate load: two pipes whose places overlap both load what both can reach.

"COPY INTO <table>", docs.snowflake.com: the path behind the stage is the beginning of names, not a folder, unless it
ends in `/`. "Troubleshooting Snowpipe": pipes with overlapping paths each load the file, into one table or several.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from driftguard.drift.copying import Place, Unreadable, where
from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate, Pipe

_NAMES = ("LOAD00000001.parquet", "20260101-000000000.parquet")  # as DMS names its files


@dataclass(frozen=True, slots=True)
class Reach:
    """What a pipe reads. `root` is the stage's URL, or its name where the URL is not known; `path` is below it."""

    pipe: ObjectName
    target: ObjectName
    stage: ObjectName
    root: str
    path: str
    pattern: str | None = None

    @property
    def prefix(self) -> str:
        return f"{self.root}/{self.path}"

    def takes(self, file: str) -> bool:
        """Does it load a file of this full name? How much of a name PATTERN sees depends on the stage: any will do."""
        if not file.startswith(self.prefix):
            return False
        if self.pattern is None:
            return True
        seen = (file, file.removeprefix(f"{self.root}/"), file.removeprefix(self.prefix).lstrip("/"))
        try:
            return any(re.fullmatch(self.pattern, name, re.DOTALL) for name in seen)
        except re.error:
            return True


def reaches(estate: Estate) -> dict[ObjectName, Reach]:
    """What each pipe reads, but for those that do not read a named stage."""
    urls = {stage.name: stage.url.rstrip("/") for stage in estate.stages if stage.url}
    found = {}
    for pipe in estate.pipes:
        place = _place(pipe)
        if place is not None:
            root = urls.get(place.stage) or f"@{place.stage}"
            path = place.path.lstrip("/")
            found[pipe.name] = Reach(pipe.name, place.target, place.stage, root, path, place.pattern)
    return found


def _place(pipe: Pipe) -> Place | None:
    try:
        return where(pipe)
    except Unreadable:
        return None


def overlaps(known: Mapping[ObjectName, Reach], folders: Mapping[ObjectName, str]) -> Iterator[tuple[Reach, Reach]]:
    """Pairs of which the first loads files of the second too. `folders`: where the files of a pipe are known to lie.

    Names are sorted, so that the work grows with the number of pipes and not with its square.
    """
    starts: defaultdict[str, list[Reach]] = defaultdict(list)
    files: defaultdict[str, list[Reach]] = defaultdict(list)
    for one in known.values():
        starts[one.prefix].append(one)
        folder = f"{one.root}/{folders.get(one.pipe, one.path)}"
        for name in _NAMES:
            file = f"{folder}{'' if folder.endswith('/') else '/'}{name}"
            if one.takes(file):
                files[file].append(one)
    above: list[str] = []
    found: dict[tuple[ObjectName, ObjectName], None] = {}
    for text in sorted({*starts, *files}):
        while above and not text.startswith(above[-1]):
            above.pop()
        if text in starts:
            above.append(text)
        for owner in files.get(text, ()):
            wider = (one for start in above for one in starts[start] if one is not owner)
            found |= {(one.pipe, owner.pipe): None for one in wider if one.takes(text)}
    for wide, inner in sorted(found):
        one, other = known[wide], known[inner]
        if (inner, wide) not in found or (one.prefix, wide) < (other.prefix, inner):
            yield one, other  # where each loads files of the other, it is said once
