"""Rows for typemaps/observed.toml from what a probe has seen, and the file with them in it. Text in, text out."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from driftguard.errors import TypeMapError
from driftguard.model.emission import Loss
from driftguard.probe.cases import EDGE_TABLE
from driftguard.probe.outcome import NOT_SEEN, Side, Tried

HEADER = """\
# What was seen in files of this pipeline. These rows win over the shipped type maps; docs/observing.md explains them.
"""
_UNKNOWN = "unknown: "
# The DMS type that lands as a Parquet type does, for PostgreSQL types that AWS does not list.
_DMS = {
    "STRING": "STRING",
    "BINARY": "BLOB",
    "INT16": "INT2",
    "INT32": "INT4",
    "INT64": "INT8",
    "FLOAT": "REAL4",
    "DOUBLE": "REAL8",
    "BOOLEAN": "BOOLEAN",
    "DATE32": "DATE",
    "TIME32": "TIME",
}


@dataclass(frozen=True, slots=True)
class Learned:
    """A row of a hop. `key` is "dms" or "type", `word` what it matches."""

    hop: str
    key: str
    word: str
    type: str
    loss: Loss
    note: str
    source: str

    def text(self) -> str:
        """The row as TOML."""
        lines = [f"[[{self.hop}]]", f"match = {{ {self.key} = [{json.dumps(self.word)}] }}"]
        values = {"type": self.type, "loss": self.loss.value, "note": self.note, "source": self.source}
        for name, value in values.items():
            if value:
                lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
        return "\n".join([*lines, 'proven_by = "footer sample"']) + "\n"


@dataclass(frozen=True, slots=True)
class Merged:
    """The new text of the file, and what happened to each row."""

    text: str
    added: tuple[Learned, ...]
    refreshed: tuple[Learned, ...]
    conflicts: tuple[tuple[Learned, str], ...]  # (row, what the file says instead); not taken over without force


def learn(found: Iterable[Tried]) -> tuple[tuple[Learned, ...], tuple[str, ...]]:
    """The rows that the probe proves, and a remark for each DMS type that is not written in one way."""
    words: dict[str, dict[str, Side]] = defaultdict(dict)
    damaged: list[str] = []
    rows: list[Learned] = []
    for item in found:
        column = item.column
        sides = [s for s in (item.load, item.cdc) if s.parquet and not s.parquet.startswith(_UNKNOWN)]
        if item.table == EDGE_TABLE or column is None:
            continue
        first = next((h for h in column.hops if h.step == "postgres_to_dms"), None)
        if first is not None and first.loss is Loss.UNKNOWN:
            rows += _undocumented(item, sides) if sides else _left_out(item)
            continue
        word = column.dms_type.partition("(")[0]
        for side in sides:
            words[word].setdefault(_template(column.dms_type, side.parquet), side)
            if word == "DATETIME":
                damaged += [outcome for _, outcome in side.outcomes if outcome.startswith("changed")]
    remarks = [f"{word} has no one type: {', '.join(sorted(seen))}" for word, seen in words.items() if len(seen) > 1]
    for word, seen in words.items():
        if len(seen) == 1:
            ((template, side),) = seen.items()
            wrong = damaged[0] if damaged and word == "DATETIME" else ""
            loss = Loss.LOSSY if wrong else Loss.EXACT
            note = wrong or _mark(template)
            rows.append(Learned("dms_to_parquet", "dms", word, template, loss, note, _source(side)))
    return tuple(sorted(rows, key=lambda r: (r.hop, r.word))), tuple(remarks)


def _mark(template: str) -> str:
    if template.startswith("TIMESTAMP_UTC"):
        return "marked as adjusted to UTC"
    return "not marked as adjusted to UTC" if template.startswith("TIMESTAMP") else ""


def _undocumented(item: Tried, sides: Sequence[Side]) -> list[Learned]:
    """A PostgreSQL type that AWS does not list, by what arrived. Nothing where not every value was seen."""
    column = item.column
    outcomes = [pair for side in sides for pair in side.outcomes]
    if column is None or column.pg_type is None or len({s.parquet for s in sides}) > 1:
        return []
    pg = column.pg_type
    dms = _DMS.get(sides[0].parquet)
    if dms is None or pg.is_array or pg.typmod != -1 or any(o == NOT_SEEN for _, o in outcomes):
        return []
    wrong = next((f"{v} arrives as {o}" if o in ("NULL", "missing") else o for v, o in outcomes if o != "same"), "")
    loss = Loss.LOSSY if wrong else Loss.AS_TEXT if dms == "STRING" else Loss.EXACT
    note = wrong or "the DMS type is not in the file; this one lands as what is"
    return [Learned("postgres_to_dms", "type", pg.resolved, dms, loss, note, _source(sides[0]))]


def _left_out(item: Tried) -> list[Learned]:
    """A type whose column is in none of the files that were seen."""
    outcomes = {outcome for side in (item.load, item.cdc) for _, outcome in side.outcomes}
    side = next((s for s in (item.cdc, item.load) if s.file), None)
    if side is None or "missing" not in outcomes or not outcomes <= {"missing", NOT_SEEN}:
        return []
    if item.column is None or item.column.pg_type is None or item.column.pg_type.is_array:
        return []
    note = "the column is not in the files"
    return [
        Learned("postgres_to_dms", "type", item.column.pg_type.resolved, "-", Loss.NOT_DELIVERED, note, _source(side))
    ]


def _source(side: Side) -> str:
    return f"probe, footer of {side.file}, written {side.written}"


def _template(dms: str, parquet: str) -> str:
    """`DECIMAL(10,2)` for `NUMERIC(10,2)` is `DECIMAL({p},{s})`: a row is for every precision."""
    word, _, arguments = parquet.partition("(")
    if not arguments or arguments != dms.partition("(")[2]:
        return parquet
    return f"{word}({{p}},{{s}})" if "," in arguments else f"{word}({{p}})"


def merge(text: str | None, rows: Sequence[Learned], where: str, *, force: bool = False) -> Merged:
    """The file with these rows in it.

    Rows about something else stay as they are, comments and all. A row about the same that says the same is written
    anew, with the newer source. One that says something else stays, unless `force`. Raises `TypeMapError` for a file
    that is not TOML, or whose rows are not `[[…]]` tables.
    """
    blocks = re.split(r"(?m)^(?=\[\[)", text or HEADER)
    head, parts = blocks[0], blocks[1:]
    existing = [_parsed(part, where) for part in parts]
    _whole(text or "", existing, where)
    added: list[Learned] = []
    refreshed: list[Learned] = []
    conflicts: list[tuple[Learned, str]] = []
    for row in rows:
        same = next((n for n, (hop, item) in enumerate(existing) if hop == row.hop and _about(item, row)), None)
        if same is None:
            added.append(row)
            existing.append((row.hop, {"match": {row.key: [row.word]}, "type": row.type, "loss": row.loss.value}))
            parts.append(row.text())
            continue
        item = existing[same][1]
        alone = item["match"] == {row.key: [row.word]} and "when" not in item
        agrees = (item.get("type"), item.get("loss")) == (row.type, row.loss.value)
        if alone and (agrees or force):
            refreshed.append(row)
            parts[same] = row.text() + ("\n" if same < len(parts) - 1 else "")
        elif not agrees:
            conflicts.append((row, f"type = {item.get('type')!r}, loss = {item.get('loss')!r}"))
    pieces = [head.rstrip("\n") + "\n" if head.strip() else "", *(part.rstrip("\n") + "\n" for part in parts)]
    return Merged("\n".join(p for p in pieces if p), tuple(added), tuple(refreshed), tuple(conflicts))


def _about(item: dict[str, Any], row: Learned) -> bool:
    match = item.get("match")
    return isinstance(match, dict) and row.word in match.get(row.key, ())


def _parsed(part: str, where: str) -> tuple[str, dict[str, Any]]:
    document = _toml(part, where)
    ((hop, items),) = document.items()
    return hop, items[0]


def _whole(text: str, existing: Sequence[tuple[str, dict[str, Any]]], where: str) -> None:
    """Every row must be one of the blocks; what is written otherwise would be lost or doubled."""
    count = sum(len(items) if isinstance(items, list) else 1 for items in _toml(text, where).values())
    if count != len(existing):
        raise TypeMapError(f"{where}: a row is not a [[…]] table of its own", hint="write each as [[hop]]")


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TypeMapError(f"{where}: {error}") from None
