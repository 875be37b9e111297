"""What a revision has to leave for later because somebody has to do something first."""

from __future__ import annotations

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import Estate
from driftguard.operations.base import Operation, State
from driftguard.operations.manual import Manual


class Held:
    """Work of others holds up what touches the same objects, and what touches those; everything else goes on."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self._objects: set[ObjectName] = set()

    def holds(self, operation: Operation, estate: Estate) -> bool:
        """Must this operation wait? To be asked of all operations in their order."""
        touched = set(operation.touches())
        readiness = operation.readiness(estate)
        if readiness.state is State.WAITING:
            text = operation.text if isinstance(operation, Manual) else operation.summary()
            self.waits.append(f"{text}\n(until then: {readiness.reason})")
        elif not touched & self._objects:
            return False
        self._objects |= touched
        return True
