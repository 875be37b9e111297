"""COPY INTO as written: parsed and checked, for the statement and for a pipe.

"COPY INTO <table>", "CREATE PIPE" on docs.snowflake.com. What a pipe may not say is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from driftguard.sandbox.snowflake import errors
from driftguard.sandbox.snowflake.catalog import Located, Stage, Table
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.formats import read_format
from driftguard.sandbox.snowflake.lexer import Kind
from driftguard.sandbox.snowflake.parquet import Scanner
from driftguard.sandbox.snowflake.reader import OptionValue, Reader
from driftguard.sandbox.snowflake.stages import read_location
from driftguard.sandbox.snowflake.types import SEMI

METADATA = ("FILENAME", "FILE_ROW_NUMBER", "FILE_CONTENT_KEY", "FILE_LAST_MODIFIED", "START_SCAN_TIME")
_OPTIONS = frozenset(
    [
        "FILE_FORMAT",
        "FILES",
        "PATTERN",
        "ON_ERROR",
        "SIZE_LIMIT",
        "PURGE",
        "RETURN_FAILED_ONLY",
        "MATCH_BY_COLUMN_NAME",
        "INCLUDE_METADATA",
        "ENFORCE_LENGTH",
        "TRUNCATECOLUMNS",
        "FORCE",
        "LOAD_UNCERTAIN_FILES",
        "FILE_PROCESSOR",
        "LOAD_MODE",
        "VALIDATION_MODE",
        "COMMENT",
    ]
)
_NOT_IN_PIPE = ("FILES", "SIZE_LIMIT", "PURGE", "RETURN_FAILED_ONLY", "FORCE", "VALIDATION_MODE")


@dataclass(slots=True)
class CopyPlan:
    """One COPY, ready to load files."""

    table: Located[Table]
    stage: Located[Stage]
    prefix: str
    format_name: str | None
    format_id: int
    scanner: Scanner
    columns: list[str] | None = None
    select: str | None = None
    match: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    on_error: str = "ABORT_STATEMENT"
    files: list[str] | None = None
    pattern: str | None = None
    force: bool = False
    purge: bool = False
    truncate: bool = False


def parse_copy(ex: Execution, reader: Reader, *, pipe: bool) -> CopyPlan:
    """`COPY INTO t [(columns)] FROM … options` at the reader."""
    reader.expect("COPY")
    reader.expect("INTO")
    if reader.is_op("@"):
        raise errors.unsupported("COPY INTO a location (unloading)")
    name = reader.name()
    table = ex.table(name, "INSERT")
    columns = reader.list_of(reader.identifier) if reader.is_op("(") else None
    select: str | None = None
    reader.expect("FROM")
    if reader.accept_op("("):
        select, stage, prefix = _transform(ex, reader, pipe=pipe)
    else:
        stage, prefix = read_location(ex, reader)
    values = _options(ex, reader)
    reader.end()
    if pipe:
        for key in _NOT_IN_PIPE:
            if key in values:
                raise errors.compilation(2085, "42601", f"COPY option '{key}' is not allowed in a pipe definition")
    _matched_and_selected(values, select)
    kind, options, named = _format(ex, values, stage.thing)
    if kind != "PARQUET":
        raise errors.unsupported(f"loading {kind} files")
    plan = CopyPlan(
        table=table,
        stage=stage,
        prefix=prefix,
        format_name=named.name if named is not None else None,
        format_id=named.id if named is not None else 0,
        scanner=Scanner.of(options),
        columns=columns,
        select=select,
        on_error="SKIP_FILE" if pipe else "ABORT_STATEMENT",
    )
    _apply(plan, values, pipe=pipe)
    _check_target(plan)
    return plan


def _options(ex: Execution, reader: Reader) -> dict[str, OptionValue]:
    """The options; INCLUDE_METADATA's right-hand sides hold `METADATA$…`, which is one word to the tokenizer."""
    _ = ex
    values = reader.options()
    for key in values:
        if key not in _OPTIONS:
            raise errors.invalid_property(key, "COPY")
    return values


def _matched_and_selected(values: dict[str, OptionValue], select: str | None) -> None:
    match = str(values.get("MATCH_BY_COLUMN_NAME", "NONE")).upper()
    if match not in ("NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE"):
        raise errors.invalid_value(match, "MATCH_BY_COLUMN_NAME")
    if match != "NONE" and select is not None:
        raise errors.compilation(2018, "0A000", "match_by_column_name is not supported with copy transform.")
    if match != "NONE" and "VALIDATION_MODE" in values:
        raise errors.compilation(2018, "0A000", "VALIDATION_MODE is not supported with MATCH_BY_COLUMN_NAME.")
    if "INCLUDE_METADATA" in values and match == "NONE":
        raise errors.compilation(2018, "0A000", "INCLUDE_METADATA can only be used with MATCH_BY_COLUMN_NAME.")
    if "VALIDATION_MODE" in values:
        raise errors.unsupported("VALIDATION_MODE")


def _format(ex: Execution, values: dict[str, OptionValue], stage: Stage):  # type: ignore[no-untyped-def]
    if "FILE_FORMAT" in values:
        return read_format(ex, values["FILE_FORMAT"])
    if stage.file_format:
        options = dict(stage.file_format)
        return str(options.pop("TYPE")), options, None
    return "CSV", {}, None


def _apply(plan: CopyPlan, values: dict[str, OptionValue], *, pipe: bool) -> None:
    match = str(values.get("MATCH_BY_COLUMN_NAME", "NONE")).upper()
    plan.match = None if match == "NONE" else match
    if "ON_ERROR" in values:
        plan.on_error = str(values["ON_ERROR"]).upper()
        if not re.fullmatch(r"CONTINUE|SKIP_FILE(_\d+%?)?|ABORT_STATEMENT", plan.on_error):
            raise errors.invalid_value(plan.on_error, "ON_ERROR")
        if pipe and plan.on_error == "ABORT_STATEMENT":
            raise errors.compilation(2085, "42601", "ON_ERROR = ABORT_STATEMENT is not allowed in a pipe definition")
        if plan.on_error not in ("CONTINUE", "SKIP_FILE", "ABORT_STATEMENT"):
            raise errors.unsupported(f"ON_ERROR = {plan.on_error}")
    if "FILES" in values:
        given = values["FILES"]
        plan.files = [str(one) for one in given] if isinstance(given, list) else [str(given)]
        if len(plan.files) > 1000:
            raise errors.compilation(1003, "42000", "FILES takes at most 1000 names")
    plan.pattern = str(values["PATTERN"]) if "PATTERN" in values else None
    plan.force = bool(values.get("FORCE", False))
    plan.purge = bool(values.get("PURGE", False))
    plan.truncate = bool(values.get("TRUNCATECOLUMNS", False)) or values.get("ENFORCE_LENGTH") is False
    for key in ("SIZE_LIMIT", "RETURN_FAILED_ONLY"):
        if key in values:
            raise errors.unsupported(f"COPY option {key}")
    included = values.get("INCLUDE_METADATA", {})
    if not isinstance(included, dict):
        raise errors.invalid_value(str(included), "INCLUDE_METADATA")
    for column, source in included.items():
        text = str(source).upper()
        name = text.removeprefix("METADATA$")
        if not text.startswith("METADATA$") or name not in METADATA:
            raise errors.invalid_value(str(source), "INCLUDE_METADATA")
        if plan.table.thing.column(column) is None:
            raise errors.invalid_identifier(column)
        plan.metadata[column] = name


def _check_target(plan: CopyPlan) -> None:
    table = plan.table.thing
    for name in plan.columns or []:
        if table.column(name) is None:
            raise errors.invalid_identifier(name)
    if plan.columns is not None and plan.match is not None:
        raise errors.compilation(2018, "0A000", "a column list is not supported with MATCH_BY_COLUMN_NAME.")
    if plan.select is None and plan.match is None:
        wanted = plan.columns or [column.name for column in table.columns]
        only = table.column(wanted[0]) if len(wanted) == 1 else None
        if only is None or only.type.base not in SEMI:
            raise errors.compilation(
                2019,
                "0A000",
                "PARQUET file format can produce one and only one column of type variant, object, or array. Load "
                "data into "
                "separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with transformation.",
            )


def _transform(ex: Execution, reader: Reader, *, pipe: bool) -> tuple[str, Located[Stage], str]:
    """`SELECT … FROM @stage/path [alias])`: the query over a relation called STAGED, `$1` made a name."""
    if not reader.is_word("SELECT"):
        raise reader.unexpected()
    out: list[str] = []
    last = reader.token.start
    depth = 0
    while not (depth == 0 and reader.is_word("FROM")):
        token = reader.token
        if token.kind is Kind.END:
            raise reader.unexpected()
        if token.kind is Kind.OP:
            depth += {"(": 1, ")": -1}.get(token.value, 0)
        if token.kind is Kind.OP and token.value == "$" and reader.peek().kind is Kind.NUMBER:
            out.append(reader.sql[last : token.start] + f'"${reader.peek().value}"')
            reader.advance()
            last = reader.token.end
        reader.advance()
    out.append(reader.sql[last : reader.token.start])
    reader.expect("FROM")
    stage, prefix = read_location(ex, reader)
    if reader.is_op("("):
        raise errors.unsupported("options of a staged file inside the query; give FILE_FORMAT to the COPY")
    reader.accept("AS")
    alias = (
        reader.identifier()
        if reader.token.kind in (Kind.WORD, Kind.QUOTED) and not reader.is_word("WHERE")
        else "STAGED"
    )
    if reader.is_word("WHERE"):
        raise errors.compilation(
            2085, "42601", "WHERE is not allowed in the query of a COPY" + (" of a pipe" if pipe else "")
        )
    reader.expect_op(")")
    quoted = alias.replace('"', '""')
    return "".join(out) + f' FROM "STAGED" AS "{quoted}"', stage, prefix
