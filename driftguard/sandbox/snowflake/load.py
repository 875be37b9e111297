"""Loads one file: the value of each column, the rows, the first error.

"COPY INTO <table>" on docs.snowflake.com: matching by name drops unknown columns silently and leaves missing ones NULL;
a value that does not fit fails its row, and ON_ERROR decides about the rest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import duckdb

from driftguard.sandbox.snowflake import dml, errors, streams
from driftguard.sandbox.snowflake.catalog import Column, Table
from driftguard.sandbox.snowflake.conversions import Refused, store_sql
from driftguard.sandbox.snowflake.copy_plan import CopyPlan
from driftguard.sandbox.snowflake.engine import Rows
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.names import QName, literal, quote
from driftguard.sandbox.snowflake.parquet import names as file_names
from driftguard.sandbox.snowflake.parquet import read
from driftguard.sandbox.snowflake.parsing import parse
from driftguard.sandbox.snowflake.stages import StageFile
from driftguard.sandbox.snowflake.translate import Relation, Translator
from driftguard.sandbox.snowflake.types import NUMBER, SEMI, TEXT, TIMESTAMPS, VARIANT, SfType, from_duck, timestamp

_SOURCE = "dg_staged_file"
_MOST_EXAMINED = 1000
_METADATA_TYPES = {
    "FILENAME": TEXT,
    "FILE_ROW_NUMBER": NUMBER,
    "FILE_CONTENT_KEY": TEXT,
    "FILE_LAST_MODIFIED": timestamp("TIMESTAMP_NTZ"),
    "START_SCAN_TIME": timestamp("TIMESTAMP_LTZ"),
}


@dataclass(slots=True)
class Outcome:
    """What became of one file."""

    file: StageFile
    parsed: int = 0
    loaded: int = 0
    error: errors.SnowflakeError | None = None
    line: int | None = None
    column: str | None = None
    errors: int = 0

    @property
    def status(self) -> str:
        """COPY's own spelling."""
        if self.error is None:
            return "LOADED"
        return "PARTIALLY_LOADED" if self.loaded else "LOAD_FAILED"


def load_file(ex: Execution, plan: CopyPlan, file: StageFile) -> Outcome:
    """Loads one file into the plan's table, or says why not. START_SCAN_TIME is the execution's time."""
    outcome = Outcome(file)
    try:
        data = read(file.path, plan.scanner)
    except errors.SnowflakeError as error:
        outcome.error, outcome.errors = error, 1
        return outcome
    outcome.parsed = data.num_rows
    scratch = Scratch(ex)
    try:
        scratch.connection.register(_SOURCE, data)
        scratch.run(f"CREATE TEMP TABLE {_SOURCE}_rows AS SELECT row_number() OVER () AS rn, * FROM {_SOURCE}")
        values, source = _values(ex, scratch, plan, file, file_names(data))
        _insert(ex, scratch, plan, outcome, values, source)
    except errors.SnowflakeError as error:
        outcome.error, outcome.errors = error, 1
    finally:
        scratch.connection.close()
    return outcome


class Scratch:
    """A connection of its own for a file: what fails there leaves the session's transaction alone."""

    def __init__(self, ex: Execution) -> None:
        self.connection = ex.engine.root.cursor()
        self.connection.execute(f"SET TimeZone = '{ex.session.timezone}'")

    def table(self, sql: str) -> Any:
        """The rows of a query as an Arrow table."""
        try:
            return self.connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise errors.from_engine(error) from None

    def run(self, sql: str) -> Rows:
        try:
            return Rows(self.connection.execute(sql).fetchall())
        except duckdb.Error as error:
            raise errors.from_engine(error) from None


def _insert(
    ex: Execution, scratch: Scratch, plan: CopyPlan, outcome: Outcome, values: dict[str, str], source: str
) -> None:
    table = plan.table.thing
    types = [column.type.duck for column in table.columns]
    select = ", ".join(
        f"CAST({value} AS {kind}) AS c{n}" for n, (value, kind) in enumerate(zip(values.values(), types, strict=True))
    )
    where = ""
    try:
        ready = scratch.table(f"SELECT {select} FROM {source} ORDER BY rn")
    except errors.SnowflakeError as error:
        _examine(scratch, outcome, values, source, error, table, plan)
        if plan.on_error != "CONTINUE":
            return
        good = [str(line) for line in range(1, outcome.parsed + 1) if _row_error(scratch, values, source, line) is None]
        if not good:
            return
        where = f" WHERE rn IN ({', '.join(good)})"
        ready = scratch.table(f"SELECT {select} FROM {source}{where} ORDER BY rn")
    columns = ", ".join(f"CAST(c{n} AS {kind})" for n, kind in enumerate(types))
    sql = f"INSERT INTO {table.physical} SELECT {columns} FROM dg_ready_rows"
    outcome.loaded = ex.write(sql, {"dg_ready_rows": ready})[0][0]
    streams.follow(ex, table, outcome.loaded)
    ex.written.add(table.id)
    ex.engine.touched(ex.session, table, outcome.loaded)


def _row_error(scratch: Scratch, values: dict[str, str], source: str, line: int) -> errors.SnowflakeError | None:
    try:
        scratch.run(f"SELECT {', '.join(values.values())} FROM {source} WHERE rn = {line}").fetchall()
    except errors.SnowflakeError as error:
        return error
    return None


def _examine(
    scratch: Scratch,
    outcome: Outcome,
    values: dict[str, str],
    source: str,
    error: errors.SnowflakeError,
    table: Table,
    plan: CopyPlan,
) -> None:
    """The first bad row, its column, and how many there are (in files up to a thousand rows)."""
    outcome.error, outcome.errors = error, 1
    if outcome.parsed > _MOST_EXAMINED and plan.on_error != "CONTINUE":
        return
    lines = range(1, outcome.parsed + 1)
    found = [(line, bad) for line in lines if (bad := _row_error(scratch, values, source, line)) is not None]
    if not found:
        return
    outcome.line, outcome.error = found[0]
    outcome.errors = len(found)
    for position, (name, value) in enumerate(values.items(), start=1):
        if _row_error(scratch, {name: value}, source, outcome.line) is not None:
            outcome.column = f'"{table.name}"["{name}":{position}]'
            return


# -- the value of each column ----------------------------------------------------------------------------------


def _values(
    ex: Execution, scratch: Scratch, plan: CopyPlan, file: StageFile, names: list[str]
) -> tuple[dict[str, str], str]:
    """DuckDB SQL for every column of the table, and the relation that it reads."""
    if plan.select is not None:
        return _transformed(ex, scratch, plan, file, names)
    table = plan.table.thing
    rows = f"{_SOURCE}_rows"
    if plan.match is None:
        only = (plan.columns or [table.columns[0].name])[0]
        found = {only: _loaded(_object(scratch, names, plan), VARIANT, _column(table, only), plan)}
    else:
        found = {}
        for column in table.columns:
            position = _match(plan.match, column.name, names)
            if position is not None:
                kind = _kind(scratch, position)
                found[column.name] = _loaded(f"c{position}", kind, column, plan)
    for name, what in plan.metadata.items():
        column = _column(table, name)
        found[name] = _loaded(_metadata(ex, file, what), _METADATA_TYPES[what], column, plan)
    values = {column.name: found.get(column.name) or _absent(ex, column, plan) for column in table.columns}
    return values, rows


def _absent(ex: Execution, column: Column, plan: CopyPlan) -> str:
    """Not in the file: NULL when matching by name (the column must take it), else the default."""
    if plan.match is not None:
        return store_sql("NULL", SfType("NULL"), column.type, nullable=column.nullable, label=column.name)
    return dml.default_sql(ex, column)


def _column(table: Table, name: str) -> Column:
    found = table.column(name)
    if found is None:
        raise errors.invalid_identifier(name)
    return found


def _match(mode: str, name: str, names: list[str]) -> int | None:
    if mode == "CASE_SENSITIVE":
        return names.index(name) if name in names else None
    positions = [position for position, one in enumerate(names) if one.upper() == name.upper()]
    if len(positions) > 1:
        raise errors.SnowflakeError(
            100071,
            "22000",
            f"The file has several columns that match '{name}' when case is ignored: which one is meant is undefined",
        )
    return positions[0] if positions else None


def _kind(scratch: Scratch, position: int) -> SfType:
    row = scratch.run(
        f"SELECT typeof(r.c{position}) FROM (SELECT 1) AS one LEFT JOIN {_SOURCE}_rows AS r ON FALSE"
    ).fetchone()
    return from_duck(row[0])


def _metadata(ex: Execution, file: StageFile, what: str) -> str:
    match what:
        case "FILENAME":
            return literal(file.name)
        case "FILE_ROW_NUMBER":
            return "CAST(rn AS DECIMAL(38,0))"
        case "FILE_CONTENT_KEY":
            return literal(hashlib.md5(file.path.read_bytes(), usedforsecurity=False).hexdigest())
        case "FILE_LAST_MODIFIED":
            return f"make_timestamp({file.modified})"
        case _:
            return f"make_timestamptz({ex.now})"


def _loaded(value: str, kind: SfType, column: Column, plan: CopyPlan) -> str:
    """A value of a file in a column, by the rules of a cast from VARIANT; 100071 where there is none."""
    if kind.base == "TEXT":
        if plan.scanner.trim:
            value = f"trim({value})"
        if plan.scanner.null_if:
            value = (
                f"CASE WHEN {value} IN ({', '.join(literal(one) for one in plan.scanner.null_if)}) THEN NULL "
                f"ELSE {value} END"
            )
    target = column.type
    refused = _refused(kind, target)
    if not refused:
        try:
            return store_sql(value, kind, target, nullable=column.nullable, label=column.name, truncate=plan.truncate)
        except Refused:
            pass
    shown = f"left(CAST({value} AS VARCHAR), 100)"
    failure = errors.raise_sql(100071, "22000", f"'Failed to cast variant value ' || {shown} || ' to {target.base}'")
    out = f"CASE WHEN {value} IS NOT NULL THEN {failure} ELSE CAST(NULL AS {target.duck}) END"
    if column.nullable:
        return out
    null = errors.raise_sql(100072, "22000", literal(f"NULL result in a non-nullable column {column.name}"))
    return f"CASE WHEN {value} IS NULL THEN {null} ELSE {out} END"


def _refused(kind: SfType, target: SfType) -> bool:
    have, want = kind.base, target.base
    if have in ("FIXED", "REAL"):
        return want in ("DATE", "TIME", "BINARY") or (have == "REAL" and want in TIMESTAMPS)
    if have == "BOOLEAN":
        return want in ("DATE", "TIME", "BINARY", *TIMESTAMPS)
    if have in ("DATE", "TIME", *TIMESTAMPS):
        return want in ("FIXED", "REAL", "BOOLEAN", "BINARY")
    if have == "BINARY":
        return want not in ("BINARY", "TEXT", *SEMI)
    if have in SEMI:
        return want not in ("TEXT", *SEMI)
    return False


# -- COPY … FROM (SELECT $1:a::T …) ----------------------------------------------------------------------------


def _object(scratch: Scratch, names: list[str], plan: CopyPlan) -> str:
    """A row of the file as one JSON object: `$1`.

    What Snowflake types there is not documented; the stand-in has bytes in hexadecimal digits, and dates, times and
    numbers that a double cannot hold as text. A NULL is left out by the vectorized scanner, and a JSON null by the
    other one: which does which is not documented either, so merges have to get along with both.
    """
    pairs = []
    for position, name in enumerate(names):
        kind = _kind(scratch, position)
        value = f"c{position}"
        if kind.base == "BINARY":
            value = f"hex({value})"
        elif kind.base == "FIXED" and kind.scale:
            value = f"CAST({value} AS VARCHAR)"
        pairs.append(f"{literal(name)}, {value}")
    whole = f"json_object({', '.join(pairs)})"
    return f"json_merge_patch('{{}}', {whole})" if plan.scanner.vectorized else whole


class _Staged:
    """The context of a transformation: STAGED is the file, everything else is the execution's."""

    def __init__(self, ex: Execution, relation: Relation) -> None:
        self._ex = ex
        self._relation = relation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ex, name)

    def relation(self, name: QName) -> Relation:
        if name.parts == ("STAGED",):
            return self._relation
        raise errors.compilation(2085, "42601", "the query of a COPY reads staged files only")


def staged_types() -> dict[str, SfType]:
    return {"$1": VARIANT, **{f"METADATA${name}": kind for name, kind in _METADATA_TYPES.items()}}


def compile_transform(ex: Execution, plan: CopyPlan) -> None:
    """Finds what is wrong with the query of a COPY without a file."""
    tree = parse(plan.select or "")
    known = Translator(_Staged(ex, Relation("(SELECT 1)", staged_types()))).query(tree)
    targets = plan.columns or [column.name for column in plan.table.thing.columns]
    if known is not None and len(known) != len(targets):
        raise errors.compilation(
            2020, "21S01", f"Insert value list does not match column list expecting {len(targets)} but got {len(known)}"
        )


def _transformed(
    ex: Execution, scratch: Scratch, plan: CopyPlan, file: StageFile, names: list[str]
) -> tuple[dict[str, str], str]:
    metadata = ", ".join(f"{_metadata(ex, file, name)} AS {quote('METADATA$' + name)}" for name in _METADATA_TYPES)
    relation = Relation(
        f'(SELECT rn, {_object(scratch, names, plan)} AS "$1", {metadata} FROM {_SOURCE}_rows)', staged_types()
    )
    tree = parse(plan.select or "")
    known = Translator(_Staged(ex, relation)).query(tree)
    table = plan.table.thing
    targets = [_column(table, name) for name in plan.columns] if plan.columns is not None else list(table.columns)
    width = len(tree.expressions)
    if width != len(targets):
        raise errors.compilation(
            2020, "21S01", f"Insert value list does not match column list expecting {len(targets)} but got {width}"
        )
    kinds = list(known.values()) if known is not None else [VARIANT] * width
    alias = tree.args["from_"].this.alias
    tree.set("expressions", [parse("SELECT 1").expressions[0], *tree.expressions])
    sql = tree.sql(dialect="duckdb").replace("SELECT 1", f"SELECT {quote(alias)}.rn", 1)
    inner = ", ".join(["rn", *(f"c{n}" for n in range(width))])
    source = f"(SELECT * FROM ({sql}) AS s({inner}))"
    given = {
        column.name: _loaded(f"c{n}", kinds[n], column, plan)
        if kinds[n].base not in SEMI
        else dml.stored(f"c{n}", kinds[n], column)
        for n, column in enumerate(targets)
    }
    values = {column.name: given.get(column.name) or dml.default_sql(ex, column) for column in table.columns}
    return values, source


_CAST = re.compile(
    r"^(?:Numeric|Boolean) value '(?P<number>.*)' is not recognized$"
    r"|^(?P<kind>Timestamp|Date|Time) '(?P<moment>.*)' is not recognized$",
    re.DOTALL,
)


def as_variant_error(error: errors.SnowflakeError) -> errors.SnowflakeError:
    """Inside a transformation a value comes from a VARIANT, and its error says so (100071)."""
    match = _CAST.match(error.message)
    if match is None:
        return error
    value = match["number"] if match["number"] is not None else match["moment"]
    target = {"Timestamp": "TIMESTAMP_NTZ", "Date": "DATE", "Time": "TIME"}.get(match["kind"] or "", "FIXED")
    if error.errno == 100037:
        target = "BOOLEAN"
    return errors.cast_failed(f'"{value}"', target)
