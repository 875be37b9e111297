"""Reads a Parquet file as Snowflake's scanner of the chosen file format would.

"CREATE FILE FORMAT", "COPY INTO <table>" (PARQUET options) on docs.snowflake.com: USE_LOGICAL_TYPE decides what a
timestamp is, BINARY_AS_TEXT what bytes without a logical type are, USE_VECTORIZED_SCANNER forces both to the newer way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftguard.sandbox.snowflake.errors import SnowflakeError


@dataclass(frozen=True, slots=True)
class Scanner:
    """The three options, with the vectorized scanner's say in the other two."""

    logical_types: bool
    binary_as_text: bool
    vectorized: bool
    null_if: tuple[str, ...]
    trim: bool = False

    @classmethod
    def of(cls, options: dict[str, Any]) -> Scanner:
        vectorized = bool(options.get("USE_VECTORIZED_SCANNER", False))
        return cls(
            logical_types=vectorized or bool(options.get("USE_LOGICAL_TYPE", False)),
            binary_as_text=not vectorized and bool(options.get("BINARY_AS_TEXT", True)),
            vectorized=vectorized,
            null_if=tuple(str(one) for one in options.get("NULL_IF", ())),
            trim=bool(options.get("TRIM_SPACE", False)),
        )


def read(path: Path, scanner: Scanner) -> pa.Table:
    """All rows of the file; column names as the file has them. A file that is no Parquet is 100016-like (unsourced)."""
    try:
        with pq.ParquetFile(path) as file:
            physical = {
                file.schema.column(position).path: file.schema.column(position)
                for position in range(len(file.schema.names))
            }
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SnowflakeError(100152, "22000", f"Error parsing the parquet file: {first}") from None
    columns = [
        _column(table.column(name_at), physical.get(table.column_names[name_at]), scanner)
        for name_at in range(table.num_columns)
    ]
    return pa.Table.from_arrays(
        columns, names=[f"c{position}" for position in range(len(columns))]
    ).replace_schema_metadata({"names": json.dumps(table.column_names)})


def names(table: pa.Table) -> list[str]:
    """The columns' names in the file."""
    out: list[str] = json.loads(table.schema.metadata[b"names"])
    return out


def _column(column: Any, physical: Any, scanner: Scanner) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        return _timestamp(column, physical, scanner)
    if pa.types.is_time(kind):
        return column.cast(pa.time64("us"), safe=False) if pa.types.is_time64(kind) else column
    if (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)) and scanner.binary_as_text:
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            raise SnowflakeError(100144, "22000", "Invalid UTF8 detected in a string of the parquet file") from None
    if pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.binary())
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    return column


def _timestamp(column: Any, physical: Any, scanner: Scanner) -> Any:
    """UTC-adjusted or not, INT96: what each is under the two settings ("COPY INTO", USE_LOGICAL_TYPE)."""
    micro = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    adjusted = column.type.tz is not None
    naive = micro.cast(pa.timestamp("us")) if adjusted else micro
    if physical is not None and physical.physical_type == "INT96":
        return pc.assume_timezone(naive, "UTC") if scanner.logical_types else naive
    if scanner.logical_types:
        return micro.cast(pa.timestamp("us", tz="UTC")) if adjusted else naive
    if adjusted:
        return naive
    converted = physical is not None and physical.converted_type not in (None, "NONE")
    return pc.assume_timezone(naive, "UTC") if converted else column.cast(pa.int64())
