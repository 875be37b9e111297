"""Which files of STAGING a run of a merge takes, and which rows of STAGING it has to look at for them.

A run notes every file that it takes, in the transaction of its MERGE. A file is new to it as long as no run has noted
it, whenever it showed up: the time of a load is when it began to read, and it is seen when it commits. A stream tells
which ones it may be (`consumption`); without one, or where a stream was made anew, they are looked for by their time.
"""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.merge import guards
from driftguard.merge.casts import cast_sql
from driftguard.merge.consumption import Look, by_stream
from driftguard.merge.record import relation
from driftguard.merge.source import Frame, commit_time, is_load, key_bounds, own_time, ranged
from driftguard.merge.transitions import MILESTONE
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_FILE, DG_LOADED_AT, Cast
from driftguard.model.merge import MergeSpec
from driftguard.sql.snowflake import literal, names, qualified, quote

MERGED_FILE = "MERGED_FILE"  # beside the watermark, in the control schema
COLUMNS = ("LANDING", "RUN", "FILE_NAME", "LOADED_AT", "FROM_COMMIT", "MERGED_AT")
_FILE, _AT = "_DG_NEW_FILE", "_DG_NEW_AT"


def merged_files(watermark: ObjectName) -> ObjectName:
    """The table of merged files that belongs to this table of watermarks."""
    return ObjectName(watermark.database, watermark.schema, MERGED_FILE)


def reload_begun(final: ObjectName) -> str:
    """The milestone of a reload of the landing: its time is the start of the reload."""
    return f"reload {final}"


def reload_complete(final: ObjectName) -> str:
    """The milestone of a reload all of whose files are in STAGING: its time is the start of the reload."""
    return f"reloaded {final}"


def swept(final: ObjectName) -> str:
    """The milestone of a reload whose rows are merged, and what it had not is gone from FINAL."""
    return f"swept {final}"


def latest(control: ObjectName, name: str) -> str:
    """The newest time of a milestone, NULL while there is none: a subquery."""
    table = ObjectName(control.database, control.schema, MILESTONE)
    return f"(SELECT MAX({quote('AT')}) FROM {qualified(table)} WHERE {quote('NAME')} = {literal(name)})"


def frame_of(spec: MergeSpec, epochs: Mapping[str, str]) -> Frame:
    """What a run reads, in the variables that `variables` and `floors` declare."""
    loaded_at = quote(DG_LOADED_AT)
    new = f"{quote(_FILE)} IS NOT NULL"
    joined = (
        f"LEFT JOIN (SELECT DISTINCT {quote('FILE_NAME')} AS {quote(_FILE)}, {quote('LOADED_AT')} AS {quote(_AT)}",
        f"  FROM {qualified(merged_files(spec.watermark))} WHERE {_mine(spec)} AND {quote('RUN')} = :run_id) AS n",
        f"  ON {_SAME_FILE}",
    )
    start = "" if spec.loads_at_start else f"IFF({own_time(spec)} >= :reload_at, :reload_at, :first_load)"
    commit = commit_time(spec, Frame("", new, epochs, joined, start))
    window = (
        f"{loaded_at} > DATEADD('minute', -{spec.overlap_minutes}, {cast_sql(Cast.UTC, ':from_commit')})",
        f"{loaded_at} <= :upto",
        guards.back_to(commit, ":from_commit", new),
        guards.not_swept(commit, ":reloaded_at"),
        f"({new} OR NOT {is_load()} OR {commit} > :load_floor OR {commit} >= :change_floor)",
    )
    return Frame(" AND ".join(window), new, epochs, joined, start, (":low_key", ":high_key"))


def variables(spec: MergeSpec) -> list[str]:
    """What a run has to know first. A reload is looked for before STAGING is: once complete, all of it is there."""
    control = spec.watermark
    lines = [
        "LET run_id VARCHAR := UUID_STRING();",
        f"LET reloaded_at TIMESTAMP_NTZ := {latest(control, reload_complete(spec.final))};",
        f"LET final_is_empty BOOLEAN := (SELECT COUNT(*) = 0 FROM (SELECT 1 FROM {qualified(spec.final)} LIMIT 1));",
        "LET since TIMESTAMP_LTZ := (",
        f"  SELECT IFF(:final_is_empty OR MAX({quote('UPTO')}) IS NULL, {_BEGINNING}, MAX({quote('UPTO')}))",
        f"  FROM {qualified(control)} WHERE {_mine(spec)}",
        ");",
        *([] if spec.stream else [_upto(spec)]),
    ]
    if not spec.loads_at_start:
        first = f"(SELECT MIN({own_time(spec)}) FROM {relation(spec, spec.commit_time)} WHERE {is_load()})"
        lines += [
            f"LET reload_at TIMESTAMP_NTZ := {latest(control, reload_begun(spec.final))};",
            f"LET first_load TIMESTAMP_NTZ := {first};",
        ]
    return lines


def _upto(spec: MergeSpec) -> str:
    newest = f"SELECT COALESCE(MAX({quote(DG_LOADED_AT)}), :since) FROM {qualified(spec.staging)}"
    return f"LET upto TIMESTAMP_LTZ := ({newest});"


def take(spec: MergeSpec, frame: Frame) -> list[str]:
    """Note the files that no run has taken yet, each with the oldest commit in it."""
    merged, loaded_at = qualified(merged_files(spec.watermark)), quote(DG_LOADED_AT)
    after = guards.seen_late(":since", spec.overlap_minutes)
    look = Look([], after, f"{loaded_at} > {after}")
    if spec.stream is not None:
        look = by_stream(spec.stream, _NAME, after)
    oldest = f"MIN({commit_time(spec, frame)})"
    return [
        *([_upto(spec)] if spec.stream else []),
        *look.first,
        f"INSERT INTO {merged} ({names(COLUMNS)})",
        f"SELECT {literal(str(spec.final))}, :run_id, {_NAME}, {loaded_at}, {oldest}, CURRENT_TIMESTAMP()",
        f"FROM {relation(spec, spec.commit_time)}",
        f"LEFT JOIN (SELECT {quote('FILE_NAME')} AS {quote(_FILE)}, {quote('LOADED_AT')} AS {quote(_AT)}",
        f"  FROM {merged} WHERE {_mine(spec)} AND {quote('LOADED_AT')} > {look.since}) AS n",
        f"  ON {_SAME_FILE}",
        *look.joined,
        f"WHERE {look.found} AND {loaded_at} <= :upto AND {guards.first_seen(quote(_FILE))}",
        f"GROUP BY {_NAME}, {loaded_at};",
        "LET new_files INTEGER := SQLROWCOUNT;",
    ]


def floors(spec: MergeSpec) -> list[str]:
    """How far back the run looks: to the oldest commit of a new file; with an empty FINAL to the beginning.

    Rows of the load that the new files belong to are all of one age, so that the ones merged already are not read
    again, unless a change is older than the load: a load of many hours is not read over and over.
    """
    oldest, load = quote("FROM_COMMIT"), is_load(quote("FILE_NAME"))
    mine = f"FROM {qualified(merged_files(spec.watermark))} WHERE {_mine(spec)} AND {quote('RUN')} = :run_id"
    return [
        f"LET load_floor TIMESTAMP_NTZ := (SELECT MIN({oldest}) {mine} AND {load});",
        "LET change_floor TIMESTAMP_NTZ := (",
        f"  SELECT IFF(:final_is_empty, '1970-01-01'::TIMESTAMP_NTZ, MIN({oldest})) {mine} AND NOT {load}",
        ");",
        "LET from_commit TIMESTAMP_NTZ :=",
        "  LEAST(COALESCE(load_floor, change_floor), COALESCE(change_floor, load_floor));",
    ]


def key_range(spec: MergeSpec, frame: Frame) -> list[str]:
    """The smallest and the largest key of the new rows: no other row of FINAL can change."""
    column = ranged(spec)
    if column is None:
        return []
    low, high = key_bounds(spec, column)
    rows = [
        f"FROM {relation(spec, column.staging, column.before)}",
        *frame.joined,
        f"WHERE {frame.new} OR :final_is_empty",
    ]
    return [
        line
        for name, value in (("low_key", f"MIN({low})"), ("high_key", f"MAX({high})"))
        for line in (f"LET {name} NUMBER(38,0) := (", f"  SELECT {value}", *(f"  {row}" for row in rows), ");")
    ]


_BEGINNING = "'1970-01-01 00:00:00 +00:00'::TIMESTAMP_LTZ"
_NAME = f"COALESCE({quote(DG_FILE)}, '')"  # a row that somebody has put in by hand has none
_SAME_FILE = f"{quote(_FILE)} = {_NAME} AND {quote(_AT)} = {quote(DG_LOADED_AT)}"


def _mine(spec: MergeSpec) -> str:
    return f"{quote('LANDING')} = {literal(str(spec.final))}"
