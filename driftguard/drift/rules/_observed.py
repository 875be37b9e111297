"""What the rules about real files have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftguard.drift.context import Context, Pair
from driftguard.model.emission import EmittedColumn, Role
from driftguard.model.finding import Place
from driftguard.model.identifiers import TableName
from driftguard.model.observed import Footer, NotSeen, Sighting

AGAIN = "change a row of the table, wait for the next file, and look again"
_OLD_DAYS = 7


@dataclass(frozen=True, slots=True)
class Seen:
    """One footer, and the columns that its kind of file should have in each source that writes there."""

    sighting: Sighting
    footer: Footer
    cdc: bool
    newest: bool

    @property
    def table(self) -> TableName:
        return table_of(self.sighting)

    @property
    def place(self) -> Place:
        """The kind of file rather than its name, so that a finding keeps its id when the next file comes."""
        return Place("dms", self.sighting.observed.path + ("" if self.cdc else "LOAD*.parquet"))

    @property
    def what(self) -> str:
        """`the newest CDC file dms/…/20261122-101500000.parquet, 12 days old`."""
        kind = "CDC" if self.cdc else "full-load"
        age = f", {self.footer.age_days:.0f} days old" if self.footer.age_days >= _OLD_DAYS else ""
        return f"the newest {kind} file {self.footer.path}{age}"

    def predicted(self, name: str) -> tuple[EmittedColumn, ...]:
        """The column of that name as each source should write it."""
        return tuple(c for columns in self._sources() for c in columns if c.name == name)

    def everywhere(self) -> Iterator[EmittedColumn]:
        """Columns that every source should write, so that they cannot be missing in a file."""
        sources = self._sources()
        names = [{c.name for c in columns} for columns in sources]
        yield from (c for c in sources[0] if all(c.name in present for present in names))

    def names(self) -> frozenset[str]:
        return frozenset(c.name for columns in self._sources() for c in columns)

    def has(self, role: Role) -> bool:
        return any(c.role is role for columns in self._sources() for c in columns)

    def _sources(self) -> list[tuple[EmittedColumn, ...]]:
        return [e.cdc if self.cdc else e.full_load for e in self.sighting.predictions]


def table_of(sighting: Sighting) -> TableName:
    return sighting.predictions[0].source.table


def footers(context: Context) -> Iterator[Seen]:
    """Every footer that was read; of each folder the newest first."""
    for sighting in context.observed:
        for number, footer in enumerate(sighting.observed.footers):
            yield Seen(sighting, footer, footer is sighting.observed.cdc, newest=number == 0)


def unseen(sighting: Sighting) -> list[NotSeen]:
    found = sighting.observed
    return [item for item in (found.full_load, found.cdc) if isinstance(item, NotSeen)]


def pair_of(context: Context, path: str) -> Pair | None:
    """The landing that a folder feeds."""
    return next((p for p in context.pairs if any(e.path == path for e in p.landing.emissions)), None)
