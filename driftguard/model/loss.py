"""What the way from Aurora to FINAL costs: the loss ledger."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.model.emission import Loss
from driftguard.model.identifiers import TableName


@dataclass(frozen=True, slots=True)
class LossEntry:
    """One way in which values of some columns do not arrive as they are.

    `values` says which values, `becomes` what they turn into; `documented` is False where no document says so and the
    stand-in's behaviour is taken for granted. `step` is the hop; `remedy` what avoids it, "" where nothing does.
    `columns` are (table, column), sorted.
    """

    loss: Loss
    step: str
    values: str
    becomes: str
    documented: bool
    remedy: str
    columns: tuple[tuple[TableName, str], ...]
