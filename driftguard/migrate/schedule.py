"""Which operations may go side by side, and how to run them so that what a person reads keeps its order."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from driftguard.control.journal import Attempt, Place
from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import Estate, FileFormat, Pipe, Procedure, SfTable, Task
from driftguard.operations.base import Operation

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of an apply, for those who watch."""

    revision: str
    operation: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Job:
    """An operation with the statements that are still to run. `changes` is part of what it touches."""

    place: Place
    operation: Operation
    todo: tuple[tuple[int, Statement], ...]
    changes: frozenset[ObjectName]
    attempts: Mapping[int, Mapping[str, Attempt]] = field(default_factory=dict)


def changed(operation: Operation, before: Estate, after: Estate) -> frozenset[ObjectName]:
    """What of its objects the operation leaves otherwise than they were; all that it touches if that is nothing."""
    old = {id(item) for item in _objects(before)}
    found = {item.name for item in _objects(after) if id(item) not in old}
    return frozenset(found & set(operation.touches())) or frozenset(operation.touches())


def _objects(estate: Estate) -> tuple[SfTable | Pipe | Task | Procedure | FileFormat, ...]:
    return (*estate.tables, *estate.pipes, *estate.tasks, *estate.procedures, *estate.file_formats)


def predecessors(jobs: Sequence[Job]) -> list[set[int]]:
    """For each job the earlier ones that it waits for: one of the two changes what the other touches."""
    changers: defaultdict[ObjectName, list[int]] = defaultdict(list)
    touchers: defaultdict[ObjectName, list[int]] = defaultdict(list)
    found: list[set[int]] = []
    for number, job in enumerate(jobs):
        touched = set(job.operation.touches()) | job.changes
        found.append({n for name in touched for n in changers[name]} | {n for o in job.changes for n in touchers[o]})
        for name in touched:
            touchers[name].append(number)
        for name in job.changes:
            changers[name].append(number)
    return found


def run_side_by_side(jobs: Sequence[Job], workers: Sequence[W], run: Callable[[W, int], None]) -> None:
    """Call `run(worker, number)` for every job, each after those that it waits for.

    After the first failure nothing new begins, and what is at work comes to its end; then the failure that stands first
    in the plan is raised.
    """
    if len(workers) == 1:
        for number in range(len(jobs)):
            run(workers[0], number)
        return
    waiting = dict(enumerate(predecessors(jobs)))
    idle: queue.SimpleQueue[W] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def one(number: int) -> None:
        worker = idle.get()
        try:
            run(worker, number)
        finally:
            idle.put(worker)

    running: dict[Future[None], int] = {}
    failures: dict[int, BaseException] = {}
    with ThreadPoolExecutor(len(workers), thread_name_prefix="apply") as pool:
        while running or (waiting and not failures):
            free = [n for n in waiting if not waiting[n]] if not failures else []
            for number in free[: len(workers) - len(running)]:
                del waiting[number]
                running[pool.submit(one, number)] = number
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                number = running.pop(future)
                error = future.exception()
                if error is not None:
                    failures[number] = error
                    continue
                for others in waiting.values():
                    others.discard(number)
    if failures:
        raise failures[min(failures)]


class Narrator:
    """Passes steps on in the plan's order, also while operations go side by side."""

    def __init__(self, watch: Callable[[Step], None] | None) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._head = 0
        self._held: defaultdict[int, list[Step]] = defaultdict(list)
        self._ended: set[int] = set()
        self.steps: defaultdict[int, list[Step]] = defaultdict(list)

    def step(self, number: int, step: Step) -> None:
        with self._lock:
            self.steps[number].append(step)
            self._held[number].append(step)
            self._tell()

    def ended(self, number: int) -> None:
        with self._lock:
            self._ended.add(number)
            self._tell()

    def close(self) -> None:
        """Nothing more comes: what ran behind an operation that failed is told too."""
        with self._lock:
            for number in sorted(self._held):
                self._flush(number)

    def _tell(self) -> None:
        self._flush(self._head)
        while self._head in self._ended:
            self._head += 1
            self._flush(self._head)

    def _flush(self, number: int) -> None:
        for step in self._held.pop(number, ()):
            if self._watch is not None:
                self._watch(step)
