"""The entries of a list: which carry a column of the source table, and which are technical.

A data column takes its value from one column of STAGING, also through a cast or a COALESCE. Technical are constants,
times of the run, row numbers, hashes, flags, operation and commit columns, and what is calculated from several columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from driftguard.merge.byhand.flow import RECORD, Flow, Ref, Source, refs
from driftguard.merge.byhand.neighbours import Neighbour
from driftguard.merge.byhand.nodes import Sheet, Span
from driftguard.merge.byhand.tokens import Kind, Unreadable

_COUNTS = ("COUNT", "COUNT_IF", "SUM", "AVG", "APPROX_COUNT_DISTINCT")
HASHES = re.compile(r"HASH|HASH_AGG|MD5\w*|SHA1\w*|SHA2\w*|FARM_FINGERPRINT")


@dataclass(slots=True)
class Entry:
    """One entry: its value, the name of the column that it fills, the staging columns behind it.

    `main` is the one column that it carries, None for a technical entry; `own` the references to it; `source` the
    relation that gives it; `old`: the target's column of the same name is in it too.
    """

    index: int
    value: Span
    out: str
    columns: frozenset[str]
    main: str | None = None
    own: tuple[Ref, ...] = ()
    source: Source | None = None
    old: bool = False
    plain: bool = False


def entries(
    flow: Flow, sheet: Sheet, pairs: list[tuple[Span, str]], sources: list[Source], target: tuple[str | None, ...] = ()
) -> list[Entry]:
    """The entries of a list of (value, name that it fills)."""
    found = [_entry(flow, sheet, n, value, out, sources, target) for n, (value, out) in enumerate(pairs)]
    carried = {e.main.upper() for e in found if e.main and e.out.upper() == e.main.upper()}
    for entry in found:
        derived = entry.main is not None and entry.out.upper() != entry.main.upper()
        if derived and str(entry.main).upper() in carried:
            entry.main = None
    return found


def _entry(
    flow: Flow,
    sheet: Sheet,
    index: int,
    value: Span,
    out: str,
    sources: list[Source],
    target: tuple[str | None, ...],
) -> Entry:
    tokens = sheet.tokens
    columns = flow.columns(sheet, value, sources)
    entry = Entry(index, value, out, columns)
    if any(t.kind is Kind.HOLE for t in tokens[value[0] : value[1]]):
        before_dot = all(
            tokens[n].kind is not Kind.HOLE or (n + 1 < value[1] and tokens[n + 1].op("."))
            for n in range(value[0], value[1])
        )
        if not before_dot or (tokens[value[0]].kind is Kind.HOLE and value[1] - value[0] == 1):
            raise Unreadable(
                "an entry of a list is put in by a template", sheet.fragment.places[tokens[value[0]].start]
            )
    if any(t.kind is Kind.WORD and HASHES.fullmatch(t.value) for t in tokens[value[0] : value[1]]):
        return entry
    if tokens[value[0]].word(*_COUNTS) or flow.header(out):
        return entry
    core = {c for c in columns if not flow.header(c)} - {RECORD}
    named = [c for c in core if c.upper() == out.upper()]
    main = named[0] if named else (next(iter(core)) if len(core) == 1 else None)
    if main is None:
        return entry
    own = []
    for ref in refs(tokens, value):
        resolved = flow.ref(sheet, ref, sources)
        if resolved is not None and main in resolved[1]:
            own.append(ref)
            entry.source = resolved[0]
        elif resolved is None and target and ref.qualifier[-1:] == target[-1:] and tokens[ref.name].value == out:
            own.append(ref)
            entry.old = True
    entry.main, entry.own = main, tuple(own)
    entry.plain = len(own) == 1 and own[0].span == value
    return entry


def neighbour(flow: Flow, entry: Entry, *, loads: bool) -> Neighbour:
    """The entry as something that the new column can follow."""
    main = str(entry.main)
    staging = flow.tables.staging_columns.get(main, "")
    final = flow.tables.final_columns.get(entry.out) or flow.tables.final_columns.get(main) or staging
    if loads:
        final = flow.tables.staging_columns.get(entry.out, final)
    return Neighbour(entry.value, entry.own, staging, final, entry.old)


def disagreements(flow: Flow, sheet: Sheet, found: list[Entry]) -> None:
    """Raises `Unreadable` where a column is filled from another column that FINAL has as well."""
    for entry in found:
        if not entry.plain or entry.main is None or entry.main.upper() == entry.out.upper() or not entry.out:
            continue
        if entry.out in flow.tables.staging_columns and entry.main in flow.tables.final_columns:
            raise Unreadable(
                f"{entry.out} is filled from {entry.main}: the lists disagree, or are meant so",
                sheet.fragment.places[sheet.tokens[entry.value[0]].start],
            )
