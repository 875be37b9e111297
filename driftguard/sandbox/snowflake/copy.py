"""COPY INTO as a statement: which files, all or nothing, and the answer.

"COPY INTO <table>" on docs.snowflake.com.
"""

from __future__ import annotations

import hashlib
import re

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.copy_plan import CopyPlan, parse_copy
from driftguard.sandbox.snowflake.evolution import evolve
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.history import LoadRecord
from driftguard.sandbox.snowflake.load import Outcome, as_variant_error, compile_transform, load_file
from driftguard.sandbox.snowflake.reader import Reader
from driftguard.sandbox.snowflake.results import COPY, Field, Result, status
from driftguard.sandbox.snowflake.stages import StageFile
from driftguard.sandbox.snowflake.stages import files as files_of
from driftguard.sandbox.snowflake.types import NUMBER

_RESULT = [
    Field("file"),
    Field("status"),
    Field("rows_parsed", NUMBER),
    Field("rows_loaded", NUMBER),
    Field("error_limit", NUMBER),
    Field("errors_seen", NUMBER),
    Field("first_error"),
    Field("first_error_line", NUMBER),
    Field("first_error_character", NUMBER),
    Field("first_error_column_name"),
]


def candidates(plan: CopyPlan) -> list[StageFile]:
    """The files that the plan names."""
    found = files_of(plan.stage.thing, plan.prefix)
    if plan.files is not None:
        by_name = {one.name: one for one in files_of(plan.stage.thing, "")}
        missing = [name for name in plan.files if plan.prefix + name not in by_name]
        if missing:
            raise errors.SnowflakeError(
                91016, "22000", f"Remote file '{plan.stage.thing.url}{plan.prefix}{missing[0]}' was not found."
            )
        found = [by_name[plan.prefix + name] for name in plan.files]
    if plan.pattern is not None:
        pattern = re.compile(plan.pattern)
        found = [one for one in found if pattern.fullmatch(one.name)]
    return found


def copy_into(ex: Execution, reader: Reader) -> Result:
    """COPY INTO as a statement: all files or, under ABORT_STATEMENT, none."""
    plan = parse_copy(ex, reader, pipe=False)
    table = plan.table.thing
    ex.lock(table, "share")
    files = candidates(plan)
    for file in files:
        evolve(ex, plan, file, ex.role, {"evolutionMode": "COPY", "queryId": ex.record.query_id if ex.record else ""})
    own = ex.session.transaction is None
    if own:
        ex.engine.begin(ex.session, explicit=False)
    outcomes: list[Outcome] = []
    try:
        if plan.select is not None:
            compile_transform(ex, plan)
        for file in files:
            key = hashlib.md5(file.path.read_bytes(), usedforsecurity=False).hexdigest()
            known = f"{plan.stage.thing.url}{file.name}#{key}"
            if known in table.loaded and not plan.force:
                continue
            outcome = load_file(ex, plan, file)
            finish(plan, outcome)
            outcomes.append(outcome)
            if outcome.error is not None and plan.on_error == "ABORT_STATEMENT":
                raise _aborted(outcome, outcome.error)
            if outcome.error is None or outcome.loaded:
                table.loaded[known] = ex.now
            if plan.purge and outcome.error is None:
                file.path.unlink()
    except BaseException:
        if own:
            ex.engine.rollback(ex.session)
        raise
    if own and ex.session.autocommit:
        ex.engine.commit(ex.session)
    for outcome in outcomes:
        ex.engine.history.loads.append(record(plan, outcome, ex.now))
    if not outcomes:
        return status("Copy executed with 0 files processed.", changes=False, type_id=COPY)
    rows = [_row(plan, outcome) for outcome in outcomes]
    return Result(list(_RESULT), rows, type_id=COPY, rowcount=sum(one.loaded for one in outcomes), changes=True)


def finish(plan: CopyPlan, outcome: Outcome) -> None:
    """A transformation's cast errors get the number of a VARIANT's."""
    if plan.select is not None and outcome.error is not None:
        outcome.error = as_variant_error(outcome.error)


def _row(plan: CopyPlan, outcome: Outcome) -> tuple[object, ...]:
    bad = outcome.error
    return (
        plan.stage.thing.url + outcome.file.name,
        outcome.status,
        outcome.parsed,
        outcome.loaded,
        1,
        outcome.errors,
        bad.message if bad is not None else None,
        outcome.line,
        None if outcome.line is None else 0,
        outcome.column,
    )


def _aborted(outcome: Outcome, error: errors.SnowflakeError) -> errors.SnowflakeError:
    text = (
        f"{error.message}\n  File '{outcome.file.name}', line {outcome.line or 1}, character 0\n  Row "
        f"{outcome.line or 1}"
    )
    if outcome.column is not None:
        text += f", column {outcome.column}"
    text += (
        "\n  If you would like to continue loading when an error is encountered, use other values such as "
        "'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option."
    )
    return errors.SnowflakeError(error.errno, error.sqlstate, text)


_SPELLING = {"LOADED": "Loaded", "PARTIALLY_LOADED": "Partially loaded", "LOAD_FAILED": "Load failed"}


def record(plan: CopyPlan, outcome: Outcome, at: int) -> LoadRecord:
    """A row for COPY_HISTORY."""
    table = plan.table
    bad = outcome.error
    return LoadRecord(
        file_name=outcome.file.name,
        stage_location=plan.stage.thing.url,
        loaded=at,
        rows=outcome.loaded,
        parsed=outcome.parsed,
        size=outcome.file.size,
        status=_SPELLING[outcome.status],
        table_id=table.thing.id,
        table=(table.database.name, table.schema.name, table.thing.name),
        error=bad.message if bad is not None else None,
        error_line=outcome.line,
        error_column=outcome.column,
        errors=outcome.errors,
    )
