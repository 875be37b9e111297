"""New files by an append-only stream on STAGING: what the stream has are rows that no run has seen.

A run reads the stream in the statement that notes its files, in the transaction of the MERGE: the stream's offset moves
when that commits, and stays where it is when the run fails. The end of what the run reads is looked up in the same
transaction: nothing that the stream has is behind it. Files that are not in the stream but that no run has noted are
looked for as they are without one, so that a stream that is new, or was made again, loses none.
Source: docs.snowflake.com "Introduction to streams".
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from driftguard.merge import guards
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_LOADED_AT
from driftguard.model.merge import MergeSpec
from driftguard.sql.snowflake import literal, qualified, quote

_NOTE = "-- new files by the stream "
_FILE, _AT = "_DG_SEEN_FILE", "_DG_SEEN_AT"


@dataclass(frozen=True, slots=True)
class Look:
    """`first` are statements before the one that notes the files; `joined` are lines of that one's FROM.

    `since`: no file that is looked at was loaded before. `found`: is the file one that may be new?
    """

    first: list[str]
    since: str
    found: str
    joined: tuple[str, ...] = ()


def by_stream(stream: ObjectName, name: str, after: str) -> Look:
    """The files of the stream, and those loaded after `after`. `name`: SQL of a file's name in STAGING."""
    loaded_at = quote(DG_LOADED_AT)
    return Look(
        [
            "LET look_from TIMESTAMP_LTZ := (",
            f"  SELECT LEAST({after}, COALESCE(DATEADD('second', -1, MIN({loaded_at})), :since))",
            f"  FROM {qualified(stream)}",
            ");",
        ],
        ":look_from",
        f"{loaded_at} > :look_from AND ({loaded_at} > {after} OR {guards.in_stream(quote(_FILE))})",
        (
            f"LEFT JOIN (SELECT DISTINCT {name} AS {quote(_FILE)}, {loaded_at} AS {quote(_AT)}",
            f"  FROM {qualified(stream)}) AS a",
            f"  ON {quote(_FILE)} = {name} AND {quote(_AT)} = {loaded_at}",
        ),
    )


def condition(stream: ObjectName) -> str:
    """The WHEN of a task: without rows in the stream no warehouse wakes up."""
    return f"SYSTEM$STREAM_HAS_DATA({literal(qualified(stream))})"


def consumes(spec: MergeSpec) -> list[str]:
    """A comment line that says which stream the merge reads."""
    return [f"{_NOTE}{json.dumps(list(_parts(spec.stream)))}"] if spec.stream is not None else []


def consumed(definition: str) -> ObjectName | None:
    """The stream that a generated body reads; None where it reads none."""
    for line in definition.splitlines():
        before, mark, text = line.partition(_NOTE)
        if not mark or before.strip():
            continue
        try:
            database, schema, name = json.loads(text)
        except ValueError:
            continue
        return ObjectName(str(database), str(schema), str(name))
    return None


def _parts(name: ObjectName) -> tuple[str, str, str]:
    return name.database, name.schema, name.name
