"""Tasks: CREATE, ALTER, EXECUTE, graphs, and running one.

"CREATE TASK", "ALTER TASK", "EXECUTE TASK", "Create a sequence of tasks with a task graph" on docs.snowflake.com. A
schedule is kept and shown, never followed: a pump runs what is resumed and has work.
"""

from __future__ import annotations

from itertools import pairwise

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.blocks import parse_body
from driftguard.sandbox.snowflake.catalog import Located, Task
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import Kind, tokenize
from driftguard.sandbox.snowflake.names import QName
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Result, status

DONE = "Statement executed successfully."
_SESSION_PARAMETERS = (
    "TIMEZONE",
    "QUERY_TAG",
    "TIMESTAMP_TYPE_MAPPING",
    "ERROR_ON_NONDETERMINISTIC_MERGE",
    "LOCK_TIMEOUT",
    "STATEMENT_TIMEOUT_IN_SECONDS",
    "AUTOCOMMIT",
)
_OWN = (
    "WAREHOUSE",
    "SCHEDULE",
    "COMMENT",
    "CONFIG",
    "ALLOW_OVERLAPPING_EXECUTION",
    "OVERLAP_POLICY",
    "USER_TASK_TIMEOUT_MS",
    "SUSPEND_TASK_AFTER_NUM_FAILURES",
    "ERROR_INTEGRATION",
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
    "TASK_AUTO_RETRY_ATTEMPTS",
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS",
    "TARGET_COMPLETION_INTERVAL",
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE",
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
)


def create(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] TASK [IF NOT EXISTS] t … AS <statement | CALL | block>; made suspended."""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "TASK")
    existing = schema.tasks.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    task = Task(last, ex.role, ex.now)
    while not reader.is_word("AS"):
        if reader.accept("AFTER"):
            names = [reader.name()]
            while reader.accept_op(","):
                names.append(reader.name())
            task.predecessors = [_predecessor(ex, one).thing.id for one in names]
        elif reader.accept("WHEN"):
            start = reader.token.start
            while not reader.is_word("AS") and not reader.done:
                reader.advance()
            task.condition = checked_condition(reader.sql[start : reader.token.start])
        elif reader.done:
            raise reader.unexpected()
        else:
            values = reader.options(
                stop=lambda: reader.is_word("AS") or reader.is_word("AFTER") or reader.is_word("WHEN")
            )
            _set(ex, task, dict(values))
    reader.expect("AS")
    task.definition = reader.rest()
    check_body(ex, task.definition)
    if task.predecessors and task.schedule:
        raise errors.compilation(1506, "42601", "a task has a SCHEDULE or predecessors (AFTER), not both")
    task.last_committed = ex.now
    if task.predecessors:
        _root_suspended(ex, Located(ex.home(name)[0], schema, task), "add a child to")
    schema.tasks[last] = task
    if existing is not None:
        ex.grants.forget(existing.id)
        _sever(ex, existing)
    ex.catalog.changed()
    return status(f"Task {last} successfully created.")


def _sever(ex: Execution, gone: Task) -> None:
    for found in ex.catalog.tasks():
        task = found.thing
        task.predecessors = [one for one in task.predecessors if one != gone.id]


def _predecessor(ex: Execution, name: QName) -> Located[Task]:
    found: Located[Task] = ex.find("TASK", name, "OWNERSHIP")
    return found


_ASKED = ("SYSTEM$STREAM_HAS_DATA", "SYSTEM$GET_PREDECESSOR_RETURN_VALUE")


def checked_condition(text: str) -> str:
    """What stands behind WHEN: it may ask these two functions, compare and combine, and nothing else."""
    tokens = tokenize(text)
    for token, following in pairwise(tokens):
        called = token.kind is Kind.WORD and following.kind is Kind.OP and following.value == "("
        if called and token.value not in (*_ASKED, "AND", "OR", "NOT", "IN"):
            raise errors.compilation(
                91090, "42601", f"Invalid condition of a task: the function {token.value} is not allowed in WHEN"
            )
    if len(tokens) < 2:
        raise errors.syntax("<EOF>")
    return text.strip().rstrip(";").rstrip()


def check_body(ex: Execution, text: str) -> None:
    """The body parses: a block, a CALL, or one statement."""
    if not text.strip():
        raise errors.syntax("<EOF>")
    if parse_body(text, ex.timestamp_mapping()) is None:
        from driftguard.sandbox.snowflake.dispatch import known_verb

        reader = Reader(text)
        if not known_verb(reader):
            raise reader.unexpected()
        if reader.token.value in ("INSERT", "MERGE", "UPDATE", "DELETE", "SELECT", "WITH"):
            from driftguard.sandbox.snowflake.parsing import parse

            parse(reader.rest())


def _set(ex: Execution, task: Task, values: dict[str, object]) -> None:
    for key, value in values.items():
        if key in _SESSION_PARAMETERS:
            from driftguard.sandbox.snowflake.sessions import checked

            task.parameters[key] = checked(key, value)
            if key == "AUTOCOMMIT" and not task.parameters[key]:
                raise errors.invalid_value("FALSE", "AUTOCOMMIT")
        elif key not in _OWN:
            raise errors.invalid_property(key, "TASK")
        elif key == "WAREHOUSE":
            if str(value) not in ex.catalog.warehouses:
                raise errors.not_exists("Warehouse", str(value))
            task.warehouse = str(value)
        elif key == "SCHEDULE":
            task.schedule = _schedule(str(value))
        elif key == "COMMENT":
            task.comment = str(value)
        elif key == "CONFIG":
            task.config = str(value)
        elif key == "ALLOW_OVERLAPPING_EXECUTION":
            task.allow_overlapping = bool(value)
        elif key == "SUSPEND_TASK_AFTER_NUM_FAILURES":
            task.suspend_after = int(str(value))


_UNITS = ("MINUTE", "MINUTES", "M", "HOUR", "HOURS", "H", "SECOND", "SECONDS", "S")


def _schedule(text: str) -> str:
    """`<n> MINUTE` (HOUR, SECOND) or `USING CRON <five fields> <zone>` ("CREATE TASK")."""
    words = text.upper().split()
    interval = len(words) == 2 and words[0].isdigit() and words[1] in _UNITS
    cron = len(words) == 8 and words[:2] == ["USING", "CRON"]
    if not interval and not cron:
        raise errors.invalid_value(text, "SCHEDULE")
    return text


# -- ALTER -----------------------------------------------------------------------------------------------------


def alter(ex: Execution, reader: Reader) -> Result:
    """ALTER TASK t RESUME | SUSPEND | SET | UNSET | MODIFY AS | MODIFY WHEN | ADD AFTER | REMOVE AFTER."""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if if_exists and ex.lookup("TASK", name) is None:
        return status(DONE, changes=False)
    found: Located[Task] = ex.find("TASK", name)
    task = found.thing
    held = ex.grants.held(ex.role, "TASK", task.id, task.owner)
    if reader.is_word("RESUME") or reader.is_word("SUSPEND"):
        if not held & {"OWNERSHIP", "OPERATE"}:
            raise errors.insufficient("task", task.name)
        word = reader.advance().value
        reader.end()
        _resume(ex, found) if word == "RESUME" else suspend(ex, task, "USER_SUSPENDED")
        return status(DONE)
    if "OWNERSHIP" not in held:
        raise errors.insufficient("task", task.name)
    _root_suspended(ex, found, "update")
    if reader.accept("MODIFY", "AS"):
        definition = reader.rest()
        check_body(ex, definition)
        task.definition = definition
        task.reads = None
    elif reader.accept("MODIFY", "WHEN"):
        task.condition = checked_condition(reader.rest())
    elif reader.accept("REMOVE", "WHEN"):
        reader.end()
        task.condition = None
    elif reader.accept("SET"):
        values = reader.options()
        if task.predecessors and "SCHEDULE" in values:
            raise errors.compilation(1506, "42601", "a task has a SCHEDULE or predecessors (AFTER), not both")
        _set(ex, task, dict(values))
    elif reader.accept("UNSET"):
        _unset(task, reader)
    elif reader.accept("ADD", "AFTER"):
        task.predecessors += [_predecessor(ex, one).thing.id for one in _names(reader)]
        if _cycle(ex, task):
            task.predecessors = task.predecessors[:-1]
            raise errors.compilation(1506, "42601", f"Task '{task.name}' would be its own predecessor")
    elif reader.accept("REMOVE", "AFTER"):
        gone = {ex.find("TASK", one).thing.id for one in _names(reader)}
        task.predecessors = [one for one in task.predecessors if one not in gone]
    else:
        raise reader.unexpected()
    task.last_committed = ex.now
    return status(DONE)


def _names(reader: Reader) -> list[QName]:
    out = [reader.name()]
    while reader.accept_op(","):
        out.append(reader.name())
    reader.end()
    return out


def _unset(task: Task, reader: Reader) -> None:
    while not reader.done:
        word = reader.identifier_or_reserved()
        if word == "COMMENT":
            task.comment = None
        elif word == "WAREHOUSE":
            task.warehouse = None
        elif word == "SCHEDULE":
            task.schedule = None
        elif word in _SESSION_PARAMETERS:
            task.parameters.pop(word, None)
        elif word not in _OWN:
            raise errors.invalid_property(word, "TASK")
        reader.accept_op(",")


def _task(ex: Execution, wanted: int) -> Located[Task] | None:
    return next((found for found in ex.catalog.tasks() if found.thing.id == wanted), None)


def roots(ex: Execution, task: Task) -> list[Located[Task]]:
    """The roots of the graphs that a task is in; itself if it has no predecessor."""
    out: list[Located[Task]] = []
    todo, seen = [task.id], set()
    while todo:
        found = _task(ex, todo.pop())
        if found is None or found.thing.id in seen:
            continue
        seen.add(found.thing.id)
        if found.thing.predecessors:
            todo += found.thing.predecessors
        else:
            out.append(found)
    return out


def _root_suspended(ex: Execution, found: Located[Task], doing: str) -> None:
    """A standalone task, or the root of a graph, must be suspended before anything in it changes ("ALTER TASK")."""
    todo = [found.thing] if not found.thing.predecessors else []
    for one in found.thing.predecessors:
        above = _task(ex, one)
        if above is not None:
            todo += [root.thing for root in roots(ex, above.thing)]
    for root in todo:
        if root.state == "started":
            raise errors.SnowflakeError(
                91089,
                "55000",
                f"Unable to {doing} graph with root task {root.name} since that root task is not suspended.",
            )


def _resume(ex: Execution, found: Located[Task]) -> None:
    task = found.thing
    if task.predecessors:
        _root_suspended(ex, found, "update")
        if task.state != "started":
            task.state = "started"
            task.reads = None
        return
    if not task.schedule and not task.condition:
        raise errors.SnowflakeError(
            91083,
            "55000",
            f"Task {task.name} cannot be resumed: it has neither a schedule, a predecessor nor a condition.",
        )
    if not ex.grants.global_privilege(task.owner, "EXECUTE TASK"):
        raise errors.SnowflakeError(
            91089, "55000", f"Cannot execute task, EXECUTE TASK privilege must be granted to owner role ({task.owner})"
        )
    if task.state != "started":
        task.state = "started"
        task.graph_version += 1
        task.failures = 0
        task.reads = None


def suspend(ex: Execution, task: Task, reason: str) -> None:
    if task.state == "started":
        task.last_suspended = ex.now
        task.last_suspended_reason = reason
    task.state = "suspended"


def children(ex: Execution, parent: Task) -> list[Located[Task]]:
    return [found for found in ex.catalog.tasks() if parent.id in found.thing.predecessors]


def _cycle(ex: Execution, task: Task) -> bool:
    todo, seen = list(task.predecessors), set()
    while todo:
        one = todo.pop()
        if one == task.id:
            return True
        found = _task(ex, one)
        if found is not None and one not in seen:
            seen.add(one)
            todo += found.thing.predecessors
    return False


def enable_dependents(ex: Execution, name: QName) -> None:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: the task and everything below it, whether or not it was suspended on purpose."""
    root: Located[Task] = ex.find("TASK", name, "OWNERSHIP")
    todo = [root]
    order: list[Located[Task]] = []
    while todo:
        one = todo.pop(0)
        if one.thing.id not in {found.thing.id for found in order}:
            order.append(one)
            todo += children(ex, one.thing)
    for one in reversed(order):
        if one.thing.state != "started":
            one.thing.state = "started"
            one.thing.reads = None
    root.thing.graph_version += 1
