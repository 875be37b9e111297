"""Where the files go, what they are called, and how they are written.

Source: AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS": folders `bucketFolder/schema/table/`, full-load
files `LOAD00000001.parquet` (a hexadecimal counter), CDC files named by time, `yyyymmdd-hhmmssfff.parquet`, folder
partitions by commit date.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driftguard.errors import UsageError
from driftguard.model.settings import EndpointSettings


def folder_of(endpoint: EndpointSettings, schema: str, table: str) -> PurePosixPath:
    """The folder of a target table below the lake. No name can lead out of it, and no two names meet in one folder:
    `/` and a leading dot are percent-encoded, and a `%` that would read like that; everything else stays."""
    parts = [part for part in endpoint.bucket_folder.split("/") if part]
    return PurePosixPath(*map(_component, [*parts, schema, table]))


def _component(name: str) -> str:
    if not name:
        raise UsageError("a transformation rule leaves a schema or table without a name", hint="check its value")
    return re.sub(r"/|^\.|%(?=2[EF])", lambda match: f"%{ord(match[0]):02X}", name)


def date_partition(endpoint: EndpointSettings, moment: dt.datetime) -> PurePosixPath:
    """The folder of a commit date below the table's, or nothing. Source: "Using date-based folder partitioning"."""
    if not endpoint.date_partition_enabled:
        return PurePosixPath()
    fields = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H"}
    parts = [moment.strftime(fields[name]) for name in re.findall("YYYY|MM|DD|HH", endpoint.date_partition_sequence)]
    if endpoint.date_partition_delimiter == "SLASH":
        return PurePosixPath(*parts)
    return PurePosixPath({"UNDERSCORE": "_", "DASH": "-", "NONE": ""}[endpoint.date_partition_delimiter].join(parts))


_LOAD = re.compile(r"LOAD([0-9A-F]{8})\.parquet")


def next_load_number(folder: Path) -> int:
    """The number after the highest of the full-load files in a folder. Names are never used twice: a pipe that has
    loaded a file remembers its name."""
    numbers = [int(match[1], 16) for path in _listed(folder) if (match := _LOAD.fullmatch(path.name))]
    return max(numbers, default=0) + 1


def load_name(number: int) -> str:
    """The name of a full-load file."""
    return f"LOAD{number:08X}.parquet"


def cdc_name(moment: dt.datetime) -> str:
    """The name of a CDC file, to the millisecond, in UTC."""
    return f"{moment:%Y%m%d-%H%M%S}{moment.microsecond // 1000:03d}.parquet"


def _listed(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def clear(folder: Path) -> None:
    """Deletes the files of a table, as a full load with another preparation mode than DO_NOTHING does."""
    for path in list(folder.rglob("*.parquet")) if folder.is_dir() else []:
        path.unlink()


def stage(
    path: Path, fields: Sequence[tuple[str, Any]], columns: Sequence[Sequence[Any]], endpoint: EndpointSettings
) -> Path:
    """Writes a file beside its place, under a name that no reader takes for one; `path.replace` puts it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    schema = pa.schema([pa.field(name, kind) for name, kind in fields])
    arrays = [pa.array(values, type=kind) for (_, kind), values in zip(fields, columns, strict=True)]
    version = "1.0" if endpoint.parquet_version == "parquet-1-0" else "2.6"
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema), temporary, version=version, compression="none", store_schema=False
    )
    return temporary
