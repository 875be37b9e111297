"""The pump: pipes take their files, tasks with work run, until nothing moves. The stand-in's only clockwork."""

from __future__ import annotations

import random
import threading
from typing import Any

from driftguard.sandbox.snowflake import pipes, task_runs, tasks
from driftguard.sandbox.snowflake.catalog import Located, Pipe, Task
from driftguard.sandbox.snowflake.copy import candidates
from driftguard.sandbox.snowflake.copy_plan import CopyPlan
from driftguard.sandbox.snowflake.engine import Engine
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import dotted
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.stages import StageFile

MOST_ROUNDS = 10


def pump(engine: Engine, *, seed: int | None = None, rounds: int = MOST_ROUNDS) -> dict[str, Any]:
    """Counts and failures. Files load by name, or as `seed` shuffles them: Snowpipe promises no order."""
    for thread in [one for one in engine.background if one is not threading.current_thread()]:
        thread.join(timeout=60)
        engine.background.remove(thread)
    out: dict[str, Any] = {
        "files_loaded": 0,
        "rows_loaded": 0,
        "files_failed": [],
        "tasks_run": 0,
        "tasks_failed": [],
        "rounds": 0,
    }
    shuffle = random.Random(seed) if seed is not None else None  # noqa: S311  a load order, not a secret
    failed: set[int] = set()
    for _ in range(rounds):
        with engine.condition:
            moved = _load_all(engine, out, shuffle)
            moved = _run_all(engine, out, failed) or moved
        if not moved:
            break
        out["rounds"] += 1
    return out


def _load_all(engine: Engine, out: dict[str, Any], shuffle: random.Random | None) -> bool:
    session = engine.new_session("SNOWPIPE")
    work: list[tuple[Located[Pipe], CopyPlan, StageFile]] = []
    try:
        ex = Execution(engine, session, None)
        for found in engine.catalog.pipes():
            name, _, plan = pipes.state(ex, found)
            if name == "RUNNING" and plan is not None:
                work += [(found, plan, file) for file in pipes.pending(found, plan)]
        work.sort(key=lambda one: (one[0].full_name, one[2].name))
        if shuffle is not None:
            shuffle.shuffle(work)
        for found, plan, file in work:
            _load(engine, ex, out, found, plan, file)
    finally:
        engine.close_session(session)
    return bool(work)


def _load(
    engine: Engine, ex: Execution, out: dict[str, Any], found: Located[Pipe], plan: CopyPlan, file: StageFile
) -> None:
    step = ex.inner()
    try:
        outcome = pipes.load(step, found, plan, file)
    finally:
        step.close()
        engine.end_statement(step.session)
    if engine.log is not None:
        engine.log.load(step.now, found.full_name, file.name, file.modified)
    if outcome.error is None or outcome.loaded:
        out["files_loaded"] += 1
        out["rows_loaded"] += outcome.loaded
    if outcome.error is not None:
        out["files_failed"].append({"pipe": found.full_name, "file": file.name, "error": outcome.error.message})


def _run_all(engine: Engine, out: dict[str, Any], failed: set[int]) -> bool:
    moved = False
    session = engine.new_session()
    try:
        ex = Execution(engine, session, None)
        for found in list(engine.catalog.tasks()):
            task = found.thing
            if task.predecessors or task.state != "started" or task.id in failed or not _graph_has_work(ex, task):
                continue
            runs = task_runs.run_graph(engine, found)
            runs = [run for run in runs if run.state != "SKIPPED"]
            moved = moved or bool(runs)
            out["tasks_run"] += len(runs)
            for run in runs:
                if run.state.startswith("FAILED"):
                    failed.add(task.id)
                    out["tasks_failed"].append({"task": dotted(*run.task), "error": run.error_message})
    finally:
        engine.close_session(session)
    return moved


def _graph_has_work(ex: Execution, root: Task) -> bool:
    todo, seen = [root], set()
    while todo:
        task = todo.pop()
        if task.id in seen:
            continue
        seen.add(task.id)
        if task.state == "started" and task_runs.has_work(ex.engine, task):
            return True
        todo += [child.thing for child in tasks.children(ex, task)]
    return False


# -- replay ----------------------------------------------------------------------------------------------------


def _find(ex: Execution, kind: str, name: str) -> Any:
    return ex.find(kind, Reader(name).name())


def load_again(engine: Engine, pipe: str, file: str) -> str | None:
    """A load of the log: the file is read from the lake once more."""
    session = engine.new_session("SNOWPIPE")
    try:
        ex = Execution(engine, session, None)
        found = _find(ex, "PIPE", pipe)
        _, error, plan = pipes.state(ex, found)
        if plan is None:
            return f"pipe {pipe}: {error}"
        one = next((one for one in candidates(plan) if one.name == file), None)
        if one is None:
            found.thing.seen[file] = "LOADED"
            return f"pipe {pipe}: the file {file} is no longer in the lake"
        ex = ex.inner()
        pipes.load(ex, found, plan, one)
        engine.end_statement(session)
        return None
    finally:
        engine.close_session(session)


def run_again(engine: Engine, task: str, run: int) -> None:
    """A task run of the log. Its failure is history too, and already known."""
    session = engine.new_session()
    try:
        ex = Execution(engine, session, None)
        found = _find(ex, "TASK", task)
        all_roots = tasks.roots(ex, found.thing)
        task_runs.run_one(engine, found, all_roots[0].thing if all_roots else found.thing, run, "SCHEDULE")
    finally:
        engine.close_session(session)
