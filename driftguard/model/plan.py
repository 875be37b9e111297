"""What to do: statements, hazards, and the plan that holds operations in order."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class HazardKind(enum.StrEnum):
    """Why a person must say yes first. `docs/hazards.md` explains each."""

    LOSES_DATA = "LOSES_DATA"
    REBUILDS_TABLE = "REBUILDS_TABLE"
    RELOADS_FILES = "RELOADS_FILES"
    CHANGES_KEY = "CHANGES_KEY"
    EXPOSES_COLUMN = "EXPOSES_COLUMN"
    REPLACES_HANDWRITTEN = "REPLACES_HANDWRITTEN"
    REPLACES_PIPE = "REPLACES_PIPE"
    REWRITES_MERGE = "REWRITES_MERGE"


@dataclass(frozen=True, slots=True)
class Hazard:
    kind: HazardKind
    reason: str


class Phase(enum.StrEnum):
    """Before the Aurora deploy · after the DDL has passed through · when nothing old is left in the pipe."""

    EXPAND = "expand"
    SETTLE = "settle"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement, and in a few words what it does."""

    sql: str
    summary: str
