"""What the files on the lake look like: read from their footers, not predicted."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.model.emission import Emission


@dataclass(frozen=True, slots=True)
class ObservedColumn:
    """A column of a Parquet file. `parquet_type` is a word of the type maps; empty where the file's own types, which
    are in `raw`, are none that driftguard knows."""

    name: str
    parquet_type: str
    raw: str
    nullable: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Footer:
    """One file: where it is below the lake, what is in it, who wrote it and when."""

    path: str
    columns: tuple[ObservedColumn, ...]
    rows: int
    created_by: str
    modified: str  # ISO 8601, UTC
    age_days: float = 0.0  # when it was looked at
    note: str = ""

    def column(self, name: str) -> ObservedColumn | None:
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class NotSeen:
    """No footer, and why. `empty`: the listing was whole and held no such file; otherwise nobody could look."""

    reason: str
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """The newest full-load file and the newest CDC file of one folder of the lake."""

    path: str
    full_load: Footer | NotSeen
    cdc: Footer | NotSeen

    @property
    def footers(self) -> tuple[Footer, ...]:
        """What was seen, the newest first."""
        seen = [f for f in (self.cdc, self.full_load) if isinstance(f, Footer)]
        return tuple(sorted(seen, key=lambda f: f.modified, reverse=True))


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen in a folder, beside what should be in it: the sources that write there, as they are now and not as
    a proposal would make them."""

    observed: Observed
    predictions: tuple[Emission, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a lake: where, when, and every folder of it."""

    lake: str
    at: str  # ISO 8601, UTC
    folders: tuple[Observed, ...]

    @property
    def files(self) -> int:
        return sum(len(folder.footers) for folder in self.folders)
