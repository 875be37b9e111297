"""Pipes: CREATE, ALTER, what SYSTEM$PIPE_STATUS says, and loading.

"CREATE PIPE", "ALTER PIPE", "SYSTEM$PIPE_STATUS", "Managing Snowpipe" on docs.snowflake.com. A pipe remembers files by
path; one that failed is remembered like one that loaded, and REFRESH does not bring it back. A new pipe sees what is
written after it was made (an inference from how notifications work).
"""

from __future__ import annotations

import json

from driftguard.sandbox.snowflake import clock, copy, errors
from driftguard.sandbox.snowflake.catalog import Located, Pipe
from driftguard.sandbox.snowflake.copy_plan import CopyPlan, parse_copy
from driftguard.sandbox.snowflake.evolution import evolve
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.load import Outcome, compile_transform, load_file
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import Field, Result, status
from driftguard.sandbox.snowflake.stages import StageFile, files

WEEK = 7 * 24 * 3600 * 1_000_000
DONE = "Statement executed successfully."


def create(ex: Execution, reader: Reader, *, replace: bool) -> Result:
    """CREATE [OR REPLACE] PIPE [IF NOT EXISTS] p AUTO_INGEST = TRUE AS COPY INTO …"""
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.name()
    _, schema, last = ex.create_in(name, "PIPE")
    existing = schema.pipes.get(last)
    if existing is not None and not replace:
        if if_not_exists:
            return status(f"{last} already exists, statement succeeded.", changes=False)
        raise errors.already_exists(last)
    values = reader.options(stop=lambda: reader.is_word("AS"))
    for key in values:
        if key not in ("AUTO_INGEST", "COMMENT", "ERROR_INTEGRATION", "AWS_SNS_TOPIC", "INTEGRATION"):
            raise errors.invalid_property(key, "PIPE")
    reader.expect("AS")
    definition = reader.rest()
    plan = parse_copy(ex, Reader(definition), pipe=True)
    if plan.select is not None:
        compile_transform(ex, plan)
    pipe = Pipe(
        last,
        ex.role,
        ex.now,
        str(values["COMMENT"]) if "COMMENT" in values else None,
        definition=definition,
        auto_ingest=bool(values.get("AUTO_INGEST", False)),
        table_id=plan.table.thing.id,
        stage_id=plan.stage.thing.id,
        format_id=plan.format_id,
        resolved_table=(plan.table.database.name, plan.table.schema.name, plan.table.thing.name),
        integration=str(values["INTEGRATION"]) if "INTEGRATION" in values else None,
        error_integration=str(values["ERROR_INTEGRATION"]) if "ERROR_INTEGRATION" in values else None,
    )
    if existing is not None:
        ex.grants.forget(existing.id)
        ex.engine.history.loads = [one for one in ex.engine.history.loads if one.pipe_id != existing.id]
    replaying = ex.engine.log is not None and ex.engine.log.replaying
    there = files(plan.stage.thing, plan.prefix)
    pipe.before = {file.name for file in there if not replaying or file.modified < pipe.created}
    schema.pipes[last] = pipe
    ex.catalog.changed()
    return status(f"Pipe {last} successfully created.")


def alter(ex: Execution, reader: Reader) -> Result:
    """ALTER PIPE p SET … | UNSET … | REFRESH …; the COPY text can never be altered."""
    if_exists = reader.accept("IF", "EXISTS")
    name = reader.name()
    if if_exists and ex.lookup("PIPE", name) is None:
        return status(DONE, changes=False)
    found: Located[Pipe] = ex.find("PIPE", name)
    held = ex.grants.held(ex.role, "PIPE", found.thing.id, found.thing.owner)
    if not held & {"OWNERSHIP", "OPERATE"}:
        raise errors.insufficient("pipe", found.thing.name)
    if reader.accept("REFRESH"):
        return _refresh(ex, found, reader)
    if reader.accept("UNSET"):
        word = reader.identifier_or_reserved()
        if word == "COMMENT":
            found.thing.comment = None
        elif word == "PIPE_EXECUTION_PAUSED":
            found.thing.paused = False
        else:
            raise errors.invalid_property(word, "PIPE")
        return status(DONE)
    reader.expect("SET")
    values = reader.options()
    for key, value in values.items():
        if key == "PIPE_EXECUTION_PAUSED":
            if not isinstance(value, bool):
                raise errors.invalid_value(str(value), key)
            found.thing.paused = value
        elif key == "COMMENT":
            found.thing.comment = str(value)
        elif key == "ERROR_INTEGRATION":
            found.thing.error_integration = str(value)
        else:
            raise errors.invalid_property(key, "PIPE")
    return status(DONE)


def _refresh(ex: Execution, found: Located[Pipe], reader: Reader) -> Result:
    """Queues files of the last seven days that neither this pipe nor a COPY has loaded; failed ones stay failed."""
    values = reader.options()
    for key in values:
        if key not in ("PREFIX", "MODIFIED_AFTER"):
            raise errors.invalid_property(key, "ALTER PIPE REFRESH")
    after = ex.now - WEEK
    if "MODIFIED_AFTER" in values:
        try:
            after = max(after, clock.parse_iso(str(values["MODIFIED_AFTER"])))
        except ValueError:
            raise errors.invalid_value(str(values["MODIFIED_AFTER"]), "MODIFIED_AFTER") from None
    plan = plan_of(ex, found)
    prefix = plan.prefix + str(values.get("PREFIX") or "")
    rows: list[tuple[object, ...]] = []
    copied = {known.rpartition("#")[0] for known in plan.table.thing.loaded}
    for file in copy.candidates(plan):
        if file.name.startswith(prefix) and file.modified >= after and file.name not in found.thing.seen:
            if plan.stage.thing.url + file.name in copied:
                continue
            found.thing.queued[file.name] = ex.now
            rows.append((plan.stage.thing.url + file.name, "SENT"))
    return Result([Field("File"), Field("Status")], rows, changes=True)


def plan_of(ex: Execution, found: Located[Pipe]) -> CopyPlan:
    """The pipe's COPY, compiled again as its owner: that is where a dropped column shows."""
    kept = (ex.session.role, ex.session.database, ex.session.schema)
    ex.session.role, ex.session.database, ex.session.schema = found.thing.owner, found.database.name, found.schema.name
    try:
        plan = parse_copy(ex, Reader(found.thing.definition), pipe=True)
        if plan.select is not None:
            compile_transform(ex, plan)
        return plan
    finally:
        ex.session.role, ex.session.database, ex.session.schema = kept


def state(ex: Execution, found: Located[Pipe]) -> tuple[str, str | None, CopyPlan | None]:
    """executionState, an error text, and the plan where there is one.

    "Pipes are not dynamic": one is not updated when its stage or table is renamed or dropped ("CREATE PIPE"); its table
    and stage are those of the day it was made.
    """
    pipe = found.thing
    if pipe.cloned:
        return "STOPPED_CLONED", None, None
    table = ex.catalog.by_id("TABLE", pipe.table_id)
    if table is None:
        return "STOPPED_MISSING_TABLE", "the table of the pipe was dropped", None
    if (table.database.name, table.schema.name, table.thing.name) != pipe.resolved_table:
        return "STOPPED_MISSING_TABLE", "the table of the pipe was renamed", None
    if ex.catalog.by_id("STAGE", pipe.stage_id) is None:
        return "STOPPED_STAGE_DROPPED", "the stage of the pipe was dropped", None
    if pipe.format_id and ex.catalog.by_id("FILE FORMAT", pipe.format_id) is None:
        return "STOPPED_FILE_FORMAT_DROPPED", "the file format of the pipe was dropped", None
    try:
        plan = plan_of(ex, found)
    except errors.SnowflakeError as error:
        return "STALLED_COMPILATION_ERROR", error.message, None
    return ("PAUSED" if pipe.paused else "RUNNING"), None, plan


def pending(found: Located[Pipe], plan: CopyPlan) -> list[StageFile]:
    """Files that the pipe was told of and has not taken.

    Told by a notification (auto-ingest): the file came, or was written again, after the pipe was made; or by REFRESH.
    """
    pipe = found.thing
    out: list[StageFile] = []
    for file in copy.candidates(plan):
        arrived = file.name not in pipe.before or file.modified > pipe.created
        told = file.name in pipe.queued or (pipe.auto_ingest and arrived)
        if told and file.name not in pipe.seen:
            out.append(file)
    return out


def pipe_status(ex: Execution, found: Located[Pipe]) -> str:
    """SYSTEM$PIPE_STATUS: the JSON of its page, with the fields that have something to say."""
    pipe = found.thing
    name, error, plan = state(ex, found)
    out: dict[str, object] = {"executionState": name}
    if plan is not None:
        waiting = pending(found, plan)
        out["pendingFileCount"] = len(waiting)
        if waiting:
            oldest = min(waiting, key=lambda file: file.modified)
            out["oldestFileTimestamp"] = clock.iso(oldest.modified)
            out["oldestPendingFilePath"] = oldest.name
    if pipe.auto_ingest:
        out["notificationChannelName"] = "arn:aws:sqs:eu-central-1:000000000000:driftguard-sandbox"
        out["numOutstandingMessagesOnChannel"] = 0
    if pipe.last_ingested is not None:
        out["lastIngestedFilePath"], out["lastIngestedTimestamp"] = (
            pipe.last_ingested[0],
            clock.iso(pipe.last_ingested[1]),
        )
        out["lastReceivedMessageTimestamp"] = clock.iso(pipe.last_ingested[1])
    if pipe.last_error is not None:
        out["lastPipeErrorTimestamp"] = clock.iso(pipe.last_error)
    if error is not None:
        out["error"] = error
    return json.dumps(out, separators=(",", ":"))


def load(ex: Execution, found: Located[Pipe], plan: CopyPlan, file: StageFile) -> Outcome:
    """One file through one pipe: recorded whatever becomes of it, never tried again."""
    pipe = found.thing
    ex.lock(plan.table.thing, "share")
    evolve(ex, plan, file, pipe.owner, {"evolutionMode": "SNOWPIPE", "pipeId": str(pipe.id)})
    outcome = load_file(ex, plan, file)
    copy.finish(plan, outcome)
    pipe.seen[file.name] = outcome.status
    received = pipe.queued.pop(file.name, file.modified)
    if outcome.error is None:
        pipe.last_ingested = (file.name, ex.now)
    else:
        pipe.last_error = ex.now
    one = copy.record(plan, outcome, ex.now)
    one.pipe = (found.database.name, found.schema.name, pipe.name)
    one.pipe_id = pipe.id
    one.received = received
    ex.engine.history.loads.append(one)
    return outcome
