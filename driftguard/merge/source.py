"""The source of a MERGE: one row a key out of the new rows of STAGING.

Order of changes to one row: commit time (as a timestamp), then full load before CDC, change sequence, file name and
row in the file. The order of arrival means nothing: Snowpipe gives "no guarantee that files are loaded in the same
order they are staged" (docs.snowflake.com, "Introduction to Snowpipe").

Most tables need only the newest row of each key. Three things need more, and a table that has any of them gets a
second SELECT around the first:

- a value that a row lacks, because its cast failed, an update left it out, or the row is older than the column: the
  newest row that has it gives it;
- a key whose cast can fail: such a row belongs to no row of FINAL;
- before-images of the key: an update of the key is a delete of the old one too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from driftguard.merge import guards
from driftguard.merge.casts import FALLIBLE, cast_sql, failed_sql
from driftguard.merge.record import relation, staged
from driftguard.model.landing import DG_COMMIT_TS, DG_FILE, DG_OP, DG_ROW, DG_SEQ
from driftguard.model.merge import Earlier, MergeColumn, MergeSpec
from driftguard.sql.snowflake import quote

_ORDER = (DG_COMMIT_TS, DG_SEQ)
_LEFT = "_DG_LEFT"  # this row stands for the old key of an update of the key
_TAKEN = "_DG_TAKEN"  # a row came to the key in the same commit
_NEW = "_DG_NEW"  # no run before this one has read the row
_CAME = "_DG_CAME"  # an update brought the row to this key: what was there before is another row


@dataclass(frozen=True, slots=True)
class Frame:
    """Which rows of STAGING are read, which of them are new, and what SQL stands for.

    `joined` are lines after FROM that both conditions may need. `epochs`: each by name. `load_start`: of the load that
    a row of a full load belongs to; needed where the rows do not carry it themselves. `key_range`: the smallest and the
    largest key that matter, of the spec's `key_range`.
    """

    window: str
    new: str
    epochs: Mapping[str, str] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    load_start: str = ""
    key_range: tuple[str, str] | None = None


def keys(spec: MergeSpec) -> list[MergeColumn]:
    return [c for c in spec.columns if c.key]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A column that a row can lack, and the names (quoted) of what the source says about it.

    `lacks`: this row says nothing about it. `found`: 1 where the newest row that says something gives a value, 0 where
    it gives NULL, 2 where it deletes, 3 where an update brought it to this key without the value; NULL where no row
    says anything. `late`: that row is read for the first time.
    """

    column: MergeColumn
    lacks: str
    found: str
    late: str


def uncertain(spec: MergeSpec) -> list[Uncertain]:
    """The columns whose cast can fail, that an update can leave out, or that are younger than some rows."""
    return [
        Uncertain(c, quote(f"_DG_LACKS_{n}"), quote(f"_DG_FOUND_{n}"), quote(f"_DG_LATE_{n}"))
        for n, c in enumerate(spec.columns)
        if not c.key and not c.kept and (fallible(c) or _omits(spec, c) or _younger(c))
    ]


def fallible(column: MergeColumn) -> bool:
    """Can a cast of the column fail?"""
    return column.cast in FALLIBLE or (column.earlier is not None and column.earlier.cast in FALLIBLE)


def _younger(column: MergeColumn) -> bool:
    """May a row be too old to say anything about the column, or too young?"""
    return bool((column.since and not column.earlier) or column.default or column.until)


def _omits(spec: MergeSpec, column: MergeColumn) -> bool:
    return column.keep_on_null_update and spec.op is not None


def key_updates(spec: MergeSpec) -> bool:
    """Do the files say which key a row had before?"""
    return spec.op is not None and all(c.before is not None for c in keys(spec))


def source(spec: MergeSpec, frame: Frame) -> list[str]:
    """The lines of the query."""
    if not uncertain(spec) and not key_updates(spec) and not any(fallible(c) for c in keys(spec)):
        return [*_staged(spec, frame, []), *_newest(spec, "")]
    flags = [f"{_lacks(spec, item.column, frame)} AS {item.lacks}" for item in uncertain(spec)]
    if flags:
        flags.append(f"{frame.new} AS {quote(_NEW)}")
    if flags or _trades(spec):
        flags.append(f"{_begins(spec)} AS {quote(_CAME)}")
    flags += [f"FALSE AS {quote(_LEFT)}"] if _trades(spec) else []
    rows = [*_staged(spec, frame, flags), *([] if not key_updates(spec) else ["UNION ALL", *_left(spec, frame)])]
    if _trades(spec):
        rows = _traded(spec, rows)
    needed = [f"r.{quote(c.final)} IS NOT NULL" for c in keys(spec) if fallible(c)]
    return [
        "SELECT",
        *listed(_combined(spec)),
        "FROM (",
        *(f"  {line}" for line in rows),
        ") AS r",
        *([f"WHERE {' AND '.join(needed)}"] if needed else []),
        *_newest(spec, "r."),
    ]


def _trades(spec: MergeSpec) -> bool:
    """Can two rows trade keys directly? A deferrable key is checked at the end of the transaction."""
    return spec.deferrable_key and key_updates(spec)


def _traded(spec: MergeSpec, rows: list[str]) -> list[str]:
    """The rows, and of each whether another one took its key in the same commit."""
    came = f"r.{quote(_CAME)}"
    over = f"OVER (PARTITION BY {_partition(spec, 'r.')}, r.{quote(DG_COMMIT_TS)})"
    return [
        "SELECT r.*,",
        f"  MAX(IFF({came}, 1, 0)) {over} AS {quote(_TAKEN)}",
        "FROM (",
        *(f"  {line}" for line in rows),
        ") AS r",
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
        absent = f"r.{item.lacks} AND NOT r.{quote(_CAME)}"
        for what, alias in (
            (f"r.{name}", name),
            (_found(spec, item), item.found),
            (f"r.{quote(_NEW)}", item.late),
        ):
            found.append(f"FIRST_VALUE(IFF({absent}, NULL, {what})) IGNORE NULLS {over} AS {alias}")
    return [*found, *(f"r.{quote(name)}" for name in (DG_OP, *_ORDER))]


def _found(spec: MergeSpec, item: Uncertain) -> str:
    name, op = f"r.{quote(item.column.final)}", f"r.{quote(DG_OP)}"
    without = "2" if item.column.default else f"IFF({op} = 'U', 3, 0)" if _omits(spec, item.column) else "0"
    began = f"r.{quote(_CAME)} AND r.{item.lacks}"
    return f"CASE WHEN {op} = 'D' THEN 2 WHEN {began} THEN {without} WHEN {name} IS NULL THEN 0 ELSE 1 END"


def _staged(spec: MergeSpec, frame: Frame, flags: list[str]) -> list[str]:
    """The new rows, cast."""
    projections = [f"{_staged_value(spec, c, frame)} AS {quote(c.final)}" for c in spec.columns]
    projections += flags
    projections += [
        f"{operation(spec)} AS {quote(DG_OP)}",
        f"{commit_time(spec, frame)} AS {quote(DG_COMMIT_TS)}",
        f"{_sequence(spec)} AS {quote(DG_SEQ)}",
    ]
    rows = [*staged(spec), *frame.joined, f"WHERE {frame.window}"]
    return ["SELECT", *listed(projections), *rows, *_in_range(spec, frame, _key_value)]


def _in_range(spec: MergeSpec, frame: Frame, key: Callable[[MergeColumn], str]) -> list[str]:
    column = ranged(spec)
    if frame.key_range is None or column is None:
        return []
    low, high = frame.key_range
    return [f"  AND {key(column)} BETWEEN {low} AND {high}"]


def _staged_value(spec: MergeSpec, column: MergeColumn, frame: Frame) -> str:
    """The column's value in a row: as it is read now, or as a row from before its epoch is."""
    now, earlier = value(column, quote(column.staging)), column.earlier
    if earlier is None:
        return now
    then = way(earlier, quote(earlier.staging))
    if not earlier.alone:
        then = f"COALESCE({now}, {then})"
    return f"IFF({_since(spec, column, frame)}, {now}, {then})" if column.since else then


def _since(spec: MergeSpec, column: MergeColumn, frame: Frame) -> str:
    """Was the row committed at or after the column's epoch? NULL while that is not known."""
    assert column.marker is not None
    return f"{commit_time(spec, frame)} >= {frame.epochs[column.marker]}"


def listed(items: list[str]) -> list[str]:
    return [f"  {item}," for item in items[:-1]] + [f"  {items[-1]}"]


def _left(spec: MergeSpec, frame: Frame) -> list[str]:
    """A delete of the old key for each update that moved a row to another one."""
    old = {c.final: before_value(c) for c in keys(spec)}
    flags = uncertain(spec)
    projections = [*(old.get(c.final, "NULL") for c in spec.columns), *("FALSE" for _ in flags)]
    projections += [frame.new] if flags else []
    projections += ["FALSE"] if flags or _trades(spec) else []
    projections += ["TRUE"] if _trades(spec) else []
    return [
        "SELECT",
        *listed([*projections, "'D'", commit_time(spec, frame), _sequence(spec)]),
        *staged(spec),
        *frame.joined,
        f"WHERE {frame.window}",
        f"  AND {_moved(spec)}",
        *_in_range(spec, frame, before_value),
    ]


def before_value(column: MergeColumn) -> str:
    """A key column's value before the change; `key_updates` says whether there is one."""
    assert column.before is not None
    now, earlier = value(column, quote(column.before)), column.earlier
    if earlier is None or earlier.before is None or earlier.before == column.before:
        return now
    return f"COALESCE({now}, {way(earlier, quote(earlier.before))})"


def _begins(spec: MergeSpec) -> str:
    """Is it another row than the one that had the key before? A full load only says what is there."""
    if spec.op is None:
        return "FALSE"
    inserted = f"({operation(spec)} = 'I' AND NOT {is_load()})"
    return guards.another_row([inserted, _moved(spec)] if key_updates(spec) else [inserted])


def _moved(spec: MergeSpec) -> str:
    """Did this update change the key? NULL where the files do not say."""
    pairs = [(before_value(c), _key_value(c)) for c in keys(spec)]
    nullable = any(c.nullable for c in keys(spec))
    return f"({operation(spec)} = 'U' AND ({guards.moved(pairs, nullable=nullable)}))"


def ranged(spec: MergeSpec) -> MergeColumn | None:
    """The column of the spec's `key_range`; None where there is none, or while it changes."""
    return next((c for c in keys(spec) if c.final == spec.key_range and c.marker is None), None)


def key_bounds(spec: MergeSpec, column: MergeColumn) -> tuple[str, str]:
    """The smallest and the largest value of the column that a staged row is about: before and after a change."""
    now = _key_value(column)
    if not key_updates(spec):
        return now, now
    before = before_value(column)
    return f"LEAST({now}, COALESCE({before}, {now}))", f"GREATEST({now}, COALESCE({before}, {now}))"


def _key_value(column: MergeColumn) -> str:
    now, earlier = value(column, quote(column.staging)), column.earlier
    return now if earlier is None else f"COALESCE({now}, {way(earlier, quote(earlier.staging))})"


def _lacks(spec: MergeSpec, column: MergeColumn, frame: Frame) -> str:
    """Does this row say nothing about the column?"""
    name = quote(column.staging)
    alive = f" AND {operation(spec)} <> 'D'" if spec.op else ""
    parts = []
    failed = failed_value(spec, column, frame)
    if failed is not None:
        parts.append(f"{failed}{alive}")
    if _omits(spec, column):
        parts.append(guards.left_out(name, operation(spec)))
    if _younger(column):
        parts.append(f"{_out_of_its_time(spec, column, frame)}{alive}")
    return " OR ".join(parts)


def _out_of_its_time(spec: MergeSpec, column: MergeColumn, frame: Frame) -> str:
    """Is the row from before the column's first commit, or from after its last?"""
    found = []
    if column.since and column.earlier is None:
        found.append(f"NOT COALESCE({_since(spec, column, frame)}, FALSE)")
    if column.default is not None:
        found.append(f"{quote(column.staging)} IS NULL")
    if column.until:
        found.append(f"COALESCE({_since(spec, column, frame)}, FALSE)")
    return " AND ".join(found)


def failed_value(spec: MergeSpec, column: MergeColumn, frame: Frame, of: str = "") -> str | None:
    """Is there a value that the row's cast does not take? None where every value is taken."""
    now = _failed(column, f"{of}{quote(column.staging)}")
    earlier = column.earlier
    if earlier is None:
        return now
    then = _failed(earlier, f"{of}{quote(earlier.staging)}")
    if now is None and then is None:
        return None
    if column.since and earlier.alone:
        return f"IFF({_since(spec, column, frame)}, {now or 'FALSE'}, {then or 'FALSE'})"
    return " OR ".join(f"({item})" for item in (now, then) if item is not None)


def _failed(column: MergeColumn | Earlier, name: str) -> str | None:
    return failed_sql(column.cast, name, scale=column.scale, precision=column.precision)


def value(column: MergeColumn, name: str) -> str:
    """The STAGING column `name` (already quoted) as FINAL's `column` takes it."""
    return cast_sql(column.cast, name, scale=column.scale, precision=column.precision)


def way(earlier: Earlier, name: str) -> str:
    """The same for a row from before the column's epoch."""
    return cast_sql(earlier.cast, name, scale=earlier.scale, precision=earlier.precision, zone=earlier.zone)


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
    """The newest first."""
    seq = f"{of}{quote(DG_SEQ)}"
    trades = guards.comes_after_leaves(f"{of}{quote(_LEFT)}", f"{of}{quote(_TAKEN)}", seq) if _trades(spec) else ""
    return f"{of}{quote(DG_COMMIT_TS)} DESC NULLS LAST, {trades}{seq} DESC"


def operation(spec: MergeSpec, of: str = "") -> str:
    """I, U or D."""
    return guards.operation(f"{of}{quote(spec.op)}") if spec.op else "'I'"


def is_load(name: str = quote(DG_FILE)) -> str:
    """Full-load files are named LOAD00000001.parquet, SEGMENT1_LOAD… when loaded in parallel; CDC files by their time.

    `name`: SQL of a file's path. Source: AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS".
    """
    base = f"SPLIT_PART({name}, '/', -1)"
    return f"({base} LIKE 'LOAD%' OR {base} LIKE 'SEGMENT%LOAD%')"


def own_time(spec: MergeSpec) -> str:
    """The time that DMS wrote into a staged row."""
    return guards.moment(quote(spec.commit_time))


def commit_time(spec: MergeSpec, frame: Frame | None = None) -> str:
    """When a staged row was committed; full-load rows as of the start of their load."""
    own = own_time(spec)
    if spec.loads_at_start:
        return own
    first = f"(SELECT MIN({own}) FROM {relation(spec, spec.commit_time)} WHERE {is_load()})"
    start = guards.load_start(own, (frame.load_start if frame else "") or first)
    return f"IFF({is_load()}, {start}, {own})"


def _sequence(spec: MergeSpec) -> str:
    change = guards.change(quote(spec.change_seq)) if spec.change_seq else "''"
    parts = (guards.load_before_changes(is_load()), change, guards.place(quote(DG_FILE), quote(DG_ROW)))
    return " || '|' || ".join(parts)
