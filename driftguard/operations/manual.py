"""Work that somebody does outside driftguard: `apply` stops there, says what it is, and goes on once it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Operation, Readiness
from driftguard.operations.predicate import Predicate


@dataclass(frozen=True)
class Manual(Operation):
    """`text` tells a person what to do, its first line in short; `until` says on the estate when it is done."""

    kind: ClassVar[str] = "manual"

    text: str
    until: Predicate

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.until.object,)

    def readiness(self, estate: Estate) -> Readiness:
        return self.until.judge(estate)

    def statements(self, estate: Estate) -> tuple[Statement, ...]:  # noqa: ARG002
        return ()

    def effect(self, estate: Estate) -> Estate:
        return self.until.met(estate)

    def summary(self) -> str:
        return f"wait until somebody has done this: {self.text.partition(chr(10))[0]}"

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()


@dataclass(frozen=True)
class ManualAfter(Manual):
    """The same, once the DDL has passed through."""

    kind = "manual_after"
    phase = Phase.SETTLE
