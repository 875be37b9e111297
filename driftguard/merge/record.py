"""STAGING in record style: one VARIANT holds a whole Parquet row, and the merge reads its columns out of that.

The rest of a merge knows nothing of it: it reads FROM a projection with the names and types that STAGING's own columns
would have. Which columns can be read, and how, stands as comments in the merge's text, because no table says it.

A name after the VARIANT is the exact name of the Parquet column ("Querying Semi-structured Data", docs.snowflake.com:
names of elements are case-sensitive). An absent name gives NULL, and a cast makes NULL of a JSON null too
("Considerations for semi-structured data stored in VARIANT"): which of the two stands for a NULL in Parquet depends on
the scanner, so the merge draws no conclusion from the difference.
"""

from __future__ import annotations

import json

from driftguard.model.landing import DG_RECORD, STAGING_SERVICE
from driftguard.model.merge import MergeSpec, Projected
from driftguard.sql.snowflake import literal, parse_type, qualified, quote, type_text

_NOTE = "-- in the record: "


def staged(spec: MergeSpec, alias: str = "") -> list[str]:
    """The lines of FROM for a query that reads columns of staged rows."""
    table, name = qualified(spec.staging), f" AS {alias}" if alias else ""
    if not spec.record:
        return [f"FROM {table}{name}"]
    columns = [*map(quote, STAGING_SERVICE), *(_read(item) for item in _needed(spec))]
    listed = [f"    {item}," for item in columns[:-1]] + [f"    {columns[-1]}"]
    return ["FROM (", "  SELECT", *listed, f"  FROM {table}", f"){name}"]


def relation(spec: MergeSpec, *names: str | None) -> str:
    """The same in one line, where only some of the columns are read."""
    table = qualified(spec.staging)
    if not spec.record:
        return table
    wanted = [_read(item) for item in _needed(spec) if item.name in names]
    return f"(SELECT {', '.join([*map(quote, STAGING_SERVICE), *wanted])} FROM {table})"


def record_notes(spec: MergeSpec) -> list[str]:
    """A comment line for each column that the merge reads out of records."""
    found = []
    for item in _needed(spec):
        plain = {"name": item.name, "type": str(item.type), "paths": item.paths}
        found.append(f"{_NOTE}{json.dumps(plain, ensure_ascii=True)}")
    return found


def projected(definition: str) -> tuple[Projected, ...]:
    """The columns that a generated body reads out of records. A line that is none of ours is not one of them."""
    found = []
    for line in definition.splitlines():
        before, mark, text = line.partition(_NOTE)
        if not mark or before.strip():
            continue
        try:
            plain = json.loads(text)
            found.append(Projected(plain["name"], parse_type(plain["type"]), tuple(plain["paths"])))
        except (ValueError, TypeError, KeyError):
            continue
    return tuple(found)


def _needed(spec: MergeSpec) -> list[Projected]:
    """Of what can be read, what this merge names: the same merge is the same text, whoever has listed more."""
    if not spec.record:
        return []
    known = {item.name: item for item in spec.record}
    return [known[name] for name in spec.staged]


def _read(item: Projected) -> str:
    return f"{_value(item)} AS {quote(item.name)}"


def _value(item: Projected) -> str:
    values = [f"{quote(DG_RECORD)}[{literal(path)}]::{type_text(item.type)}" for path in item.paths]
    return values[0] if len(values) == 1 else f"COALESCE({', '.join(values)})"
