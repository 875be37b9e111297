"""What a revision has to leave for later, because it waits for something."""

from __future__ import annotations

from driftguard.model.identifiers import ObjectName
from driftguard.operations.base import Operation


class Held:
    """What waits holds up what touches the same objects, and what touches those; everything else goes on."""

    def __init__(self) -> None:
        self._waits: list[str] = []
        self._objects: set[ObjectName] = set()

    def behind(self, operation: Operation) -> bool:
        """Does it touch what an earlier one that waits touches? To be asked of all operations in their order."""
        held = not self._objects.isdisjoint(operation.touches())
        if held:
            self._objects.update(operation.touches())
        return held

    def add(self, operation: Operation, why: str) -> None:
        self._waits.append(why)
        self._objects.update(operation.touches())

    @property
    def text(self) -> str:
        """What is waited for; empty where nothing is."""
        return "\n".join(self._waits)
