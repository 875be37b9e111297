"""The footers of the newest files of each table: what DMS really writes. Only the footers' bytes are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from driftguard.dms.newest import newest_cdc, newest_load
from driftguard.dms.store import File, Refused, Store
from driftguard.errors import UsageError
from driftguard.model.observed import Footer, NotSeen, Observed, ObservedColumn
from driftguard.model.settings import EndpointSettings

_AT_ONCE = 8
_UNITS = {"milliseconds": 3, "microseconds": 6}
CONVERTED = "only the older annotation: it says UTC by the format's specification, whatever the writer meant"


def observe(
    store: Store, folders: Iterable[tuple[str, EndpointSettings]], now: datetime | None = None
) -> tuple[Observed, ...]:
    """The newest full-load and CDC footer of each folder below the lake, several at a time.

    Raises `UnreachableError` where the lake as a whole cannot be read, `UsageError` without the extra `aws`.
    """
    require_pyarrow()
    now = now or datetime.now(UTC)

    def one(item: tuple[str, EndpointSettings]) -> Observed:
        path, endpoint = item
        return Observed(
            path,
            _newest(store, path, "full-load", now, lambda: newest_load(store, path)),
            _newest(store, path, "CDC", now, lambda: newest_cdc(store, path, endpoint, now)),
        )

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(one, folders))


def require_pyarrow() -> None:
    """Raises `UsageError` where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError("reading Parquet files needs pyarrow", hint="pip install 'driftguard[aws]'") from None


def _newest(
    store: Store, path: str, kind: str, now: datetime, find: Callable[[], tuple[File | None, str]]
) -> Footer | NotSeen:
    try:
        file, remark = find()
        if file is None:
            return NotSeen(remark or f"no {kind} file below {path}", empty=not remark)
        return read_footer(store, file, now, remark)
    except Refused as error:
        return NotSeen(str(error))


def read_footer(store: Store, file: File, now: datetime, note: str = "") -> Footer | NotSeen:
    """The footer of one file. Raises `Refused` where it may not be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with store.open(file) as opened:
            metadata = pq.read_metadata(opened)
            columns = _columns(metadata)
    except (pa.ArrowException, OSError, ValueError) as error:
        return NotSeen(f"{file.path} is not a Parquet file that can be read: {str(error).splitlines()[0]}")
    return Footer(
        path=file.path,
        columns=columns,
        rows=metadata.num_rows,
        created_by=metadata.created_by or "",
        modified=file.modified.isoformat(timespec="seconds"),
        age_days=max(0.0, (now - file.modified).total_seconds() / 86_400),
        note=note,
    )


def _columns(metadata: Any) -> tuple[ObservedColumn, ...]:
    """The columns on the top level. A nested one has more than one leaf, or a leaf of another name."""
    schema = metadata.schema
    found: dict[str, ObservedColumn] = {}
    for number in range(metadata.num_columns):
        leaf = schema.column(number)
        if leaf.path != leaf.name or leaf.max_repetition_level:
            name = leaf.path.partition(".")[0]
            found[name] = ObservedColumn(name, "", "nested")
            continue
        logical = json.loads(leaf.logical_type.to_json())
        word, note = _word(leaf.physical_type, logical)
        raw = _raw(leaf.physical_type, leaf.length, logical)
        found[leaf.name] = ObservedColumn(leaf.name, word, raw, leaf.max_definition_level > 0, note)
    return tuple(found.values())


def _raw(physical: str, length: int, logical: dict[str, Any]) -> str:
    """The file's own words on one line: `INT64 Timestamp(isAdjustedToUTC=true, timeUnit=microseconds)`."""
    size = f"({length})" if physical == "FIXED_LEN_BYTE_ARRAY" else ""
    kind = logical["Type"]
    if kind == "None":
        return f"{physical}{size}"
    hidden = ("Type", "force_set_converted_type", "is_from_converted_type")
    shown = ", ".join(f"{k}={json.dumps(v).strip(chr(34))}" for k, v in logical.items() if k not in hidden)
    return f"{physical}{size} {kind}{f'({shown})' if shown else ''}"


# Source: Apache Parquet format, "Parquet Logical Type Definitions". Whatever is not here is named, not guessed.
def _word(physical: str, logical: dict[str, Any]) -> tuple[str, str]:
    """A word of the type maps for a physical and a logical type, and a remark; an empty word where there is none."""
    kind = logical["Type"]
    if kind == "Decimal" and physical in ("INT32", "INT64", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"):
        return f"DECIMAL({logical['precision']},{logical['scale']})", ""
    if kind == "Int" and physical in ("INT32", "INT64"):
        bits = int(logical["bitWidth"])
        return (f"INT{bits}" if logical["isSigned"] else f"UINT{bits // 8}"), ""
    if (physical, kind) == ("INT64", "Timestamp") and logical["timeUnit"] in _UNITS:
        digits = _UNITS[logical["timeUnit"]]
        if logical.get("is_from_converted_type"):
            return f"TIMESTAMP_UTC({digits})", CONVERTED
        return f"TIMESTAMP{'_UTC' if logical['isAdjustedToUTC'] else ''}({digits})", ""
    if (physical, kind) == ("INT32", "Time") and logical["timeUnit"] == "milliseconds":
        return "TIME32", ""
    return _PLAIN.get((physical, kind), ""), ""


_PLAIN = {
    ("BOOLEAN", "None"): "BOOLEAN",
    ("INT32", "None"): "INT32",
    ("INT64", "None"): "INT64",
    ("FLOAT", "None"): "FLOAT",
    ("DOUBLE", "None"): "DOUBLE",
    ("BYTE_ARRAY", "None"): "BINARY",
    ("BYTE_ARRAY", "String"): "STRING",
    ("INT32", "Date"): "DATE32",
}
