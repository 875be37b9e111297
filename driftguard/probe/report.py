"""What a probe has seen, for a person and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from driftguard.probe.cases import EDGE_TABLE
from driftguard.probe.learned import Learned, Merged
from driftguard.probe.outcome import NOT_SEEN, SAME, Answer, Side, Tried


@dataclass(frozen=True, slots=True)
class AuroraProbe:
    """What a probe of Aurora, DMS and the lake has seen, and what was learned from it."""

    tried: tuple[Tried, ...]
    answers: tuple[Answer, ...]
    learned: tuple[Learned, ...]
    remarks: tuple[str, ...]
    merged: Merged
    observed: Path
    written: bool
    unfinished: tuple[str, ...]  # tables whose changes did not all arrive in time
    leftovers: str  # where its files are


def lines(result: AuroraProbe, *, verbose: bool = False) -> list[str]:
    """A table of types, then the open points, then what was learned."""
    rows = [("type", "predicted", "full load", "CDC")]
    rows += [
        (i.case.type, i.column.parquet_type if i.column else "left out", _side(i.load), _side(i.cdc))
        for i in result.tried
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    found = ["  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=True)), row[3]]) for row in rows]
    found += ["", "What AWS does not say, and this pipeline does:"]
    found += [f"  {item.question}: {item.answer}" for item in result.answers]
    changed = [line for item in result.tried if item.table != EDGE_TABLE or verbose for line in _values(item, verbose)]
    found += ["", "Values that did not arrive as they were:", *changed] if changed else []
    found.append("")
    found += [f"not learned: {remark}" for remark in result.remarks]
    for row, there in result.merged.conflicts:
        found.append(
            f"{result.observed}: {row.hop} of {row.word} says {there}; seen: type = {row.type!r}, loss = "
            f"{row.loss.value!r}. It stays; --force replaces it"
        )
    changes = [*result.merged.added, *result.merged.refreshed]
    if result.written:
        new, again = len(result.merged.added), len(result.merged.refreshed)
        found.append(f"wrote {result.observed}: {new} rows new, {again} again")
    else:
        found.append(f"for {result.observed}:")
        found += [line for row in changes for line in ("", *row.text().splitlines())]
    if result.unfinished:
        found.append(f"not all changes came in time: {', '.join(result.unfinished)}; --timeout waits longer")
    found.append(f"the schema is dropped again; its files stay below {result.leftovers}")
    return found


def _values(item: Tried, verbose: bool) -> Iterator[str]:
    """The values of a column that changed; with `verbose` all. One line where both ways agree."""
    for (value, load), (_, cdc) in zip(item.load.outcomes, item.cdc.outcomes, strict=True):
        ways = {"full load and CDC": load} if load == cdc else {"full load": load, "CDC": cdc}
        for way, outcome in ways.items():
            if verbose or outcome not in (SAME, NOT_SEEN):
                yield f"  {item.case.type} {value} ({way}): {outcome}"


def _side(side: Side) -> str:
    """`STRING, 3 same`, `TIMESTAMP(6), 1 changed, 3 same`."""
    if not side.seen:
        return NOT_SEEN
    counted = Counter(outcome.partition(":")[0] for _, outcome in side.outcomes)
    return ", ".join([side.parquet or "no column", *(f"{n} {word}" for word, n in sorted(counted.items()))])


def document(result: AuroraProbe) -> dict[str, Any]:
    """The same for programs."""

    def side(item: Side) -> dict[str, Any]:
        values = [{"value": value, "outcome": outcome} for value, outcome in item.outcomes]
        return {"type": item.parquet or None, "raw": item.raw, "file": item.file, "values": values}

    return {
        "types": [
            {
                "table": item.table,
                "type": item.case.type,
                "predicted": item.column.parquet_type if item.column else None,
                "full_load": side(item.load),
                "cdc": side(item.cdc),
            }
            for item in result.tried
        ],
        "answers": {item.question: item.answer for item in result.answers},
        "learned": [asdict(row) for row in result.learned],
        "conflicts": [{"row": asdict(row), "there": there} for row, there in result.merged.conflicts],
        "remarks": list(result.remarks),
        "observed": str(result.observed),
        "written": result.written,
        "unfinished": list(result.unfinished),
        "files": result.leftovers,
    }
