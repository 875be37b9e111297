"""What a step of the stand-in did."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Rows written for one source table; `ignored` were in the WAL and are not written, as DMS would not."""

    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class StartReport:
    """What a full load did: rows and files by source table, what was left out and why."""

    rows: dict[str, int]
    files: tuple[str, ...]
    skipped: dict[str, str]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run over the WAL did. File names are relative to the lake; `last_commit_lsn` is None if nothing came."""

    files: tuple[str, ...]
    tables: dict[str, Counts]
    last_commit_lsn: str | None
    notices: tuple[str, ...]
    suspended: dict[str, str] = field(default_factory=dict)

    @property
    def inserts(self) -> int:
        return sum(counts.inserts for counts in self.tables.values())

    @property
    def updates(self) -> int:
        return sum(counts.updates for counts in self.tables.values())

    @property
    def deletes(self) -> int:
        return sum(counts.deletes for counts in self.tables.values())
