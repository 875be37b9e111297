"""How values get from Aurora to FINAL, in full: what `driftguard explain` shows."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.model.emission import Hop, Loss


@dataclass(frozen=True, slots=True)
class Way:
    """One column's way. `files`: which of DMS's files have it. `final` is "" for what ends in STAGING."""

    name: str
    type: str
    emitted_as: str
    role: str
    files: tuple[str, ...]
    staging: str
    final: str
    cast: str
    key: bool
    hops: tuple[Hop, ...]

    @property
    def loss(self) -> Loss:
        """The worst loss on the way."""
        return max((h.loss for h in self.hops), key=lambda loss: loss.rank, default=Loss.EXACT)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`subject` as asked; `source` where the table was read; `lands_in`: STAGING and FINAL, if anything lands."""

    subject: str
    source: str
    task: str
    ways: tuple[Way, ...]
    lands_in: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()  # columns that are not delivered, and why
    warnings: tuple[str, ...] = ()
    refused: str = ""  # why the table gets no landing
