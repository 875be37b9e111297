"""The source of a MERGE: one row a key out of the new rows of STAGING.

Order of changes to one row: commit time (as a timestamp), then full load before CDC, change sequence, file name and
row in the file. The order of arrival means nothing: Snowpipe gives "no guarantee that files are loaded in the same
order they are staged" (docs.snowflake.com, "Introduction to Snowpipe").

Most tables need only the newest row of each key. Three things need more, and a table that has any of them gets a
second SELECT around the first:

- a value that a row lacks, because its cast failed or an update left it out: the newest row that has it gives it;
- a key whose cast can fail: such a row belongs to no row of FINAL;
- before-images of the key: an update of the key is a delete of the old one too.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.casts import FALLIBLE, cast_sql, failed_sql
from driftguard.model.landing import DG_COMMIT_TS, DG_FILE, DG_LOADED_AT, DG_OP, DG_ROW, DG_SEQ
from driftguard.model.merge import MergeColumn, MergeSpec
from driftguard.sql.snowflake import qualified, quote

_ORDER = (DG_COMMIT_TS, DG_SEQ)
_MOVED = "_DG_MOVED"  # this row stands for the old key of an update of the key
_NEW = "_DG_NEW"  # no run before this one has read the row
_CAME = "_DG_CAME"  # an update brought the row to this key: what was there before is another row


def keys(spec: MergeSpec) -> list[MergeColumn]:
    return [c for c in spec.columns if c.key]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A column that a row can lack, and the names (quoted) of what the source says about it.

    `lacks`: this row says nothing about it. `found`: 1 where the newest row that has it gives a value, 0 where that
    row gives NULL or deletes, NULL where no row has it. `late`: that row is read for the first time.
    """

    column: MergeColumn
    lacks: str
    found: str
    late: str


def uncertain(spec: MergeSpec) -> list[Uncertain]:
    """The columns whose cast can fail, or that an update can leave out."""
    return [
        Uncertain(c, quote(f"_DG_LACKS_{n}"), quote(f"_DG_FOUND_{n}"), quote(f"_DG_LATE_{n}"))
        for n, c in enumerate(spec.columns)
        if not c.key and not c.kept and (c.cast in FALLIBLE or _omits(spec, c))
    ]


def _omits(spec: MergeSpec, column: MergeColumn) -> bool:
    return column.keep_on_null_update and spec.op is not None


def key_updates(spec: MergeSpec) -> bool:
    """Do the files say which key a row had before?"""
    return spec.op is not None and all(c.before is not None for c in keys(spec))


def source(spec: MergeSpec) -> list[str]:
    """The lines of the query."""
    if not uncertain(spec) and not key_updates(spec) and not any(c.cast in FALLIBLE for c in keys(spec)):
        return [*_staged(spec, []), *_newest(spec, "")]
    flags = [f"{_lacks(spec, item.column)} AS {item.lacks}" for item in uncertain(spec)]
    if flags:
        flags.append(f"{_new()} AS {quote(_NEW)}")
        flags += [f"COALESCE({_moved(spec)}, FALSE) AS {quote(_CAME)}"] if key_updates(spec) else []
    flags += [f"FALSE AS {quote(_MOVED)}"] if spec.deferrable_key and key_updates(spec) else []
    rows = [*_staged(spec, flags), *([] if not key_updates(spec) else ["UNION ALL", *_left(spec)])]
    needed = [f"r.{quote(c.final)} IS NOT NULL" for c in keys(spec) if c.cast in FALLIBLE]
    return [
        "SELECT",
        *_list(_combined(spec)),
        "FROM (",
        *(f"  {line}" for line in rows),
        ") AS r",
        *([f"WHERE {' AND '.join(needed)}"] if needed else []),
        *_newest(spec, "r."),
    ]


def _combined(spec: MergeSpec) -> list[str]:
    """Each column from the newest row that has it. All windows are one, so that the rows are sorted once."""
    over = f"OVER (PARTITION BY {_partition(spec, 'r.')} ORDER BY {_order(spec, 'r.')}"
    over += " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    flagged = {item.column.final: item for item in uncertain(spec)}
    found = []
    for column in spec.columns:
        name = quote(column.final)
        item = flagged.get(column.final)
        if item is None:
            found.append(f"r.{name}")
            continue
        absent = f"r.{item.lacks} AND NOT r.{quote(_CAME)}" if key_updates(spec) else f"r.{item.lacks}"
        for what, alias in (
            (f"r.{name}", name),
            (f"IFF(r.{quote(DG_OP)} = 'D' OR r.{name} IS NULL, 0, 1)", item.found),
            (f"r.{quote(_NEW)}", item.late),
        ):
            found.append(f"FIRST_VALUE(IFF({absent}, NULL, {what})) IGNORE NULLS {over} AS {alias}")
    return [*found, *(f"r.{quote(name)}" for name in (DG_OP, *_ORDER))]


def _staged(spec: MergeSpec, flags: list[str]) -> list[str]:
    """The new rows, cast."""
    projections = [f"{value(c, quote(c.staging))} AS {quote(c.final)}" for c in spec.columns]
    projections += flags
    projections += [
        f"{operation(spec)} AS {quote(DG_OP)}",
        f"{_commit_time(spec)} AS {quote(DG_COMMIT_TS)}",
        f"{_sequence(spec)} AS {quote(DG_SEQ)}",
    ]
    return ["SELECT", *_list(projections), f"FROM {qualified(spec.staging)}", f"WHERE {_window(spec)}"]


def _list(items: list[str]) -> list[str]:
    return [f"  {item}," for item in items[:-1]] + [f"  {items[-1]}"]


def _left(spec: MergeSpec) -> list[str]:
    """A delete of the old key for each update that moved a row to another one."""
    old = {c.final: value(c, quote(c.before)) for c in keys(spec) if c.before is not None}
    flags = uncertain(spec)
    projections = [*(old.get(c.final, "NULL") for c in spec.columns), *("FALSE" for _ in flags)]
    projections += [_new(), "FALSE"] if flags else []
    projections += ["TRUE"] if spec.deferrable_key else []
    return [
        "SELECT",
        *_list([*projections, "'D'", _commit_time(spec), _sequence(spec)]),
        f"FROM {qualified(spec.staging)}",
        f"WHERE {_window(spec)}",
        f"  AND {_moved(spec)}",
    ]


def _moved(spec: MergeSpec) -> str:
    """Did this update change the key? NULL where the files do not say."""
    pairs = [(value(c, quote(c.before)), value(c, quote(c.staging))) for c in keys(spec) if c.before is not None]
    return f"({operation(spec)} = 'U' AND ({' OR '.join(f'{old} <> {new}' for old, new in pairs)}))"


def _new() -> str:
    return f"{quote(DG_LOADED_AT)} > :since"


def _lacks(spec: MergeSpec, column: MergeColumn) -> str:
    """Does this row say nothing about the column?"""
    name = quote(column.staging)
    parts = []
    failed = failed_sql(column.cast, name, scale=column.scale, precision=column.precision)
    if failed is not None:
        parts.append(f"{failed} AND {operation(spec)} <> 'D'" if spec.op else failed)
    if _omits(spec, column):
        parts.append(f"{name} IS NULL AND {operation(spec)} = 'U'")
    return " OR ".join(parts)


def value(column: MergeColumn, name: str) -> str:
    """The STAGING column `name` (already quoted) as FINAL's `column` takes it."""
    return cast_sql(column.cast, name, scale=column.scale, precision=column.precision)


def _newest(spec: MergeSpec, of: str) -> list[str]:
    return [
        "QUALIFY ROW_NUMBER() OVER (",
        f"  PARTITION BY {_partition(spec, of)}",
        f"  ORDER BY {_order(spec, of)}",
        ") = 1",
    ]


def _partition(spec: MergeSpec, of: str) -> str:
    return ", ".join(f"{of}{quote(c.final)}" for c in keys(spec))


def _order(spec: MergeSpec, of: str) -> str:
    """The newest first.

    A deferrable key is checked at the end of the transaction: a row can come to a key before the row that was there
    has left it. So within one commit who came counts more than who left.
    """
    moved = f"{of}{quote(_MOVED)}, " if of and spec.deferrable_key and key_updates(spec) else ""
    return f"{of}{quote(DG_COMMIT_TS)} DESC NULLS LAST, {moved}{of}{quote(DG_SEQ)} DESC"


def _window(spec: MergeSpec) -> str:
    loaded_at = quote(DG_LOADED_AT)
    return f"{loaded_at} > DATEADD('minute', -{spec.overlap_minutes}, :since) AND {loaded_at} <= :upto"


def operation(spec: MergeSpec, of: str = "") -> str:
    """I, U or D. A missing Op is an insert: full-load files have none unless IncludeOpForFullLoad is set."""
    return f"COALESCE({of}{quote(spec.op)}, 'I')" if spec.op else "'I'"


def _is_load() -> str:
    """Full-load files are named LOAD00000001.parquet, SEGMENT1_LOAD… when loaded in parallel; CDC files by their time.

    Source: AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS".
    """
    base = f"SPLIT_PART({quote(DG_FILE)}, '/', -1)"
    return f"({base} LIKE 'LOAD%' OR {base} LIKE 'SEGMENT%LOAD%')"


def _commit_time(spec: MergeSpec) -> str:
    own = f"TRY_TO_TIMESTAMP_NTZ({quote(spec.commit_time)})"
    if spec.loads_at_start:
        return own
    start = f"(SELECT MIN({own}) FROM {qualified(spec.staging)} WHERE {_is_load()})"
    return f"IFF({_is_load()}, {start}, {own})"


def _sequence(spec: MergeSpec) -> str:
    change = f"COALESCE({quote(spec.change_seq)}, '')" if spec.change_seq else "''"
    row = f"LPAD(TO_VARCHAR({quote(DG_ROW)}), 12, '0')"
    return f"IFF({_is_load()}, '0', '1') || '|' || {change} || '|' || {quote(DG_FILE)} || '|' || {row}"
