"""One difference or risk, with its code, its reason and what to do about it."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from driftguard.model.identifiers import TableName


class Severity(enum.StrEnum):
    """`unknown` is "could not look", and fails like an error."""

    ERROR = "error"
    UNKNOWN = "unknown"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return ("error", "unknown", "warning", "info").index(self.value)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is: the system (`aurora`, `dms`, `snowflake`, `file`), the object, and a position in a file."""

    system: str
    object: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`message` is the one line that a person reads first; `reason` is why it matters; `remedy` what to do."""

    code: str
    severity: Severity
    message: str
    reason: str
    remedy: str
    table: TableName | None = None
    column: str | None = None
    place: Place | None = None

    @property
    def id(self) -> str:
        """Stable from run to run: the same finding at the same place has the same id."""
        where = "\0".join(
            (self.code, str(self.table or ""), self.column or "", self.place.object if self.place else "")
        )
        return f"{self.code}-{hashlib.sha256(where.encode()).hexdigest()[:10]}"

    @property
    def sort_key(self) -> tuple[int, str, str, str, str]:
        return (self.severity.rank, str(self.table or ""), self.code, self.column or "", self.message)
