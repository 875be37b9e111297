"""The values of single cells as SHOW and INFORMATION_SCHEMA print them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from driftguard.model.identifiers import ObjectName
from driftguard.model.snowflake import SfType
from driftguard.sql.snowflake import parse_type

Row = dict[str, Any]


def column_type(row: Row, time_precision: int | None) -> SfType:
    base = parse_type(str(row["DATA_TYPE"])).base
    if base == "NUMBER":
        return SfType("NUMBER", precision=_int(row["NUMERIC_PRECISION"], 38), scale=_int(row["NUMERIC_SCALE"], 0))
    if base == "VARCHAR":
        length = row["CHARACTER_MAXIMUM_LENGTH"]
        return SfType("VARCHAR", length=int(length)) if length is not None else parse_type("VARCHAR")
    if base == "BINARY":
        length = row["CHARACTER_OCTET_LENGTH"] or row["CHARACTER_MAXIMUM_LENGTH"]
        return SfType("BINARY", length=int(length)) if length is not None else parse_type("BINARY")
    if base.startswith("TIME"):
        return SfType(base, precision=time_precision if time_precision is not None else 9)
    return SfType(base)


def added_by_a_load(record: Any) -> bool:
    """Did a load add the column? The other thing that evolution does is to drop NOT NULL ("Table schema evolution")."""
    return bool(record) and "DROP_NOT_NULL" not in str(record).upper()


def _int(value: Any, default: int) -> int:
    return default if value is None else int(value)


def option(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list | dict) else str(value)


def predecessors(value: Any) -> tuple[str, ...]:
    """SHOW TASKS prints a JSON list of names, `[]` where there are none."""
    if not value:
        return ()
    try:
        listed = json.loads(value)
    except (TypeError, ValueError):
        return (str(value),)
    return tuple(str(item) for item in listed) if isinstance(listed, list) else (str(listed),)


_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def object_name(text: Any) -> ObjectName | None:
    """A name in three parts, quoted where that is needed; None for anything else."""
    parts = [quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(str(text or ""))]
    return ObjectName(*parts) if len(parts) == 3 else None


def moment(value: Any) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds") if isinstance(value, datetime) else ""
