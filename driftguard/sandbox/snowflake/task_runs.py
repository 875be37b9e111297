"""Running tasks: EXECUTE TASK, a graph, one task, and whether one has anything to do.

"EXECUTE TASK", "Create a sequence of tasks with a task graph", "TASK_HISTORY" on docs.snowflake.com.
"""

from __future__ import annotations

import threading
import uuid

from driftguard.sandbox.snowflake import errors, scripting
from driftguard.sandbox.snowflake.catalog import Located, Task
from driftguard.sandbox.snowflake.engine import Engine
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.history import QueryRecord, TaskRun
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status
from driftguard.sandbox.snowflake.tasks import children, suspend

SKIPPED = ("SKIPPED", 40003, "Conditional expression for task evaluated to false.")


def execute(ex: Execution, reader: Reader) -> Result:
    """EXECUTE TASK t: starts one run in the background, also of a suspended root; it answers at once."""
    reader.expect("EXECUTE")
    reader.expect("TASK")
    found: Located[Task] = ex.find("TASK", reader.name())
    if reader.is_word("RETRY"):
        raise errors.unsupported("EXECUTE TASK … RETRY LAST")
    reader.end()
    held = ex.grants.held(ex.role, "TASK", found.thing.id, found.thing.owner)
    if not held & {"OWNERSHIP", "OPERATE"}:
        raise errors.insufficient("task", found.thing.name)
    engine = ex.engine
    run_id = engine.next_run_id()
    found.thing.graph_version = max(1, found.thing.graph_version)

    def work() -> None:
        with engine.condition:
            run_graph(engine, found, run_id=run_id, source="EXECUTE TASK")

    thread = threading.Thread(target=work, name="execute-task", daemon=True)
    engine.background.append(thread)
    thread.start()
    return status(f"Task {found.thing.name} is scheduled to run immediately.", changes=False)


def run_graph(
    engine: Engine, root: Located[Task], *, run_id: int | None = None, source: str = "SCHEDULE"
) -> list[TaskRun]:
    """The root, then every started child whose predecessors have run; a suspended child counts as done."""
    number = run_id if run_id is not None else engine.next_run_id()
    engine.graphs[number] = root
    try:
        return _run_graph(engine, root, number, source)
    finally:
        del engine.graphs[number]


def _run_graph(engine: Engine, root: Located[Task], number: int, source: str) -> list[TaskRun]:
    runs = [run_one(engine, root, root.thing, number, source)]
    if runs[0].state == "SKIPPED":
        return runs
    done = {root.thing.id: runs[0].state == "SUCCEEDED"}
    session = engine.new_session()
    try:
        ex = Execution(engine, session, None)
        todo = children(ex, root.thing)
        while todo:
            found = todo.pop(0)
            if found.thing.id in done or not all(one in done for one in found.thing.predecessors):
                continue
            if not all(done[one] for one in found.thing.predecessors):
                done[found.thing.id] = False
                continue
            if found.thing.state == "started":
                run = run_one(engine, found, root.thing, number, source)
                runs.append(run)
                done[found.thing.id] = run.state in ("SUCCEEDED", "SKIPPED")
            else:
                done[found.thing.id] = True
            todo += children(ex, found.thing)
    finally:
        engine.close_session(session)
    return runs


def run_one(engine: Engine, found: Located[Task], root: Task, run_id: int, source: str) -> TaskRun:
    """One task, as its owner, in a session of its own; where its WHEN is not true, it is skipped."""
    task = found.thing
    session = engine.new_session("SYSTEM", task.owner)
    session.warehouse, session.database, session.schema = task.warehouse, found.database.name, found.schema.name
    session.parameters.update(task.parameters)
    record = QueryRecord(
        str(uuid.uuid4()),
        task.definition,
        session.id,
        "SYSTEM",
        task.owner,
        task.warehouse,
        found.database.name,
        found.schema.name,
        str(session.parameter("QUERY_TAG")),
        engine.clock.now(),
    )
    ex = Execution(engine, session, record)
    run = TaskRun(
        record.query_id,
        task.id,
        (found.database.name, found.schema.name, task.name),
        task.definition,
        "EXECUTING",
        ex.now,
        root.task_id,
        root.graph_version,
        run_id,
        source,
        started=ex.now,
        condition=task.condition,
        config=root.config,
    )
    engine.history.runs.append(run)
    before = dict(_versions(ex))
    try:
        if task.condition is not None and not ex.scalar(task.condition)[0]:
            run.state, run.error_code, run.error_message = SKIPPED
            task.reads = {table: before[table] for table in ex.reads}
            return run
        engine.history.queries.append(record)
        if engine.log is not None:
            engine.log.task(ex.now, found.full_name, run_id)
        value, _ = scripting.run_text(ex, task.definition)
        if session.transaction is not None:
            engine.rollback(session)
        run.state = record.status = "SUCCEEDED"
        record.status = "SUCCESS"
        run.return_value = None if value[0] is None else str(value[0])
        task.failures = 0
        task.reads = {table: before.get(table, -1) for table in ex.reads if table not in ex.written}
    except errors.SnowflakeError as error:
        _failed(ex, task, root, run, record, error)
    except Exception as error:
        _failed(ex, task, root, run, record, errors.from_engine(error))
    finally:
        ex.close()
        run.completed = record.end = engine.clock.now()
        engine.close_session(session)
    return run


def _versions(ex: Execution) -> list[tuple[int, int]]:
    return [(table.id, table.version) for _, schema in ex.catalog.schemas() for table in schema.tables.values()]


def _failed(
    ex: Execution, task: Task, root: Task, run: TaskRun, record: QueryRecord, error: errors.SnowflakeError
) -> None:
    run.state, record.status = "FAILED", "FAILED_WITH_ERROR"
    run.error_code = record.error_code = error.errno
    run.error_message = record.error_message = error.message
    task.reads = None
    root.failures += 1
    if root.suspend_after and root.failures >= root.suspend_after and root.state == "started":
        run.state = "FAILED_AND_AUTO_SUSPENDED"
        suspend(ex, root, "SUSPENDED_DUE_TO_ERRORS")


def has_work(engine: Engine, task: Task) -> bool:
    """Whether what it read, and did not write itself, has changed since it last ran."""
    if task.reads is None:
        return True
    for table, version in task.reads.items():
        found = engine.catalog.table_by_id(table)
        if found is None or found.version != version:
            return True
    return False
