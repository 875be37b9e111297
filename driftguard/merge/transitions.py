"""What of a merge is there only while a change passes through the pipe, as comments in its own text.

The task is the one place that every later plan and apply looks at: what stands there is under way, whoever began it,
and must not be thrown out of the merge by a revision that does not know of it.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from driftguard.model.landing import Cast
from driftguard.model.merge import Default, Earlier, MergeColumn, MergeSpec
from driftguard.sql.snowflake import parse_type

MILESTONE = "MILESTONE"  # beside the watermark, in the control schema
_NOTE = "-- under way: "


def notes(spec: MergeSpec) -> list[str]:
    """A comment line for each column of the merge that is in transition."""
    return [f"{_NOTE}{json.dumps(_encode(c), ensure_ascii=True)}" for c in spec.columns if c.marker]


def under_way(definition: str) -> tuple[MergeColumn, ...]:
    """The columns in transition that a generated body knows. A line that is none of ours is not one of them."""
    found = []
    for line in definition.splitlines():
        _, mark, text = line.partition(_NOTE)
        if not mark or line.partition(_NOTE)[0].strip():
            continue
        try:
            found.append(_decode(json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return tuple(found)


def _encode(column: MergeColumn) -> dict[str, Any]:
    plain = {
        f.name: getattr(column, f.name) for f in dataclasses.fields(column) if getattr(column, f.name) != f.default
    }
    if column.earlier is not None:
        plain["earlier"] = {
            f.name: getattr(column.earlier, f.name)
            for f in dataclasses.fields(column.earlier)
            if getattr(column.earlier, f.name) != f.default
        }
    if column.default is not None:
        plain["default"] = {"text": column.default.text, "type": str(column.default.type)}
    return plain


def _decode(plain: dict[str, Any]) -> MergeColumn:
    if "earlier" in plain:
        earlier = plain["earlier"]
        plain["earlier"] = Earlier(**{**earlier, "cast": Cast(earlier.get("cast", Cast.NONE))})
    if "default" in plain:
        plain["default"] = Default(plain["default"]["text"], parse_type(plain["default"]["type"]))
    return MergeColumn(**{**plain, "cast": Cast(plain.get("cast", Cast.NONE))})
