"""An explanation: for a terminal, for programs, and to paste into a pull request."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from driftguard.model.emission import Hop
from driftguard.model.explanation import Explanation, Way
from driftguard.render.json import document
from driftguard.render.markdown import escape
from driftguard.render.text import console, indented

_STEPS = {
    "postgres_to_dms": "Aurora → DMS",
    "dms_to_parquet": "DMS → Parquet",
    "parquet_to_staging": "Parquet → STAGING",
    "postgres_to_final": "STAGING → FINAL",
}
_STYLES = {
    "exact": "green",
    "as_text": "green",
    "assumed_exact": "yellow",
    "lossy": "bold red",
    "not_delivered": "bold red",
    "unknown": "bold magenta",
}


def text(found: Sequence[Explanation], *, width: int, color: bool) -> str:
    """Every hop with its loss, where that is known from, and what avoids it."""
    out = io.StringIO()
    to = console(out, width, color)
    for number, item in enumerate(found):
        if number:
            to.print()
        to.print(Text(item.subject, style="bold"))
        about = "  ".join(part for part in (item.source, item.task) if part)
        indented(to, Text(about, style="dim"), 0, hang=2)
        if item.lands_in:
            indented(to, Text(f"lands in {' and '.join(item.lands_in)}", style="dim"), 0, hang=2)
        if item.refused:
            indented(to, Text(f"no landing: {item.refused}", style="bold red"), 0, hang=2)
        for way in item.ways:
            to.print()
            indented(to, _head(way), 0, hang=2)
            for hop in way.hops:
                _hop(to, hop)
        for name, reason in item.missing:
            to.print()
            indented(to, Text.assemble((name, "bold"), f"  not delivered: {reason}"), 0, hang=2)
        for warning in item.warnings:
            indented(to, Text(f"note: {warning}", style="yellow"), 0, hang=2)
    return out.getvalue()


def _head(way: Way) -> Text:
    notes = [way.type] if way.type and way.type != way.name else []
    if way.role != "data":
        notes.append(way.role.replace("_", " "))
    if way.emitted_as not in ("", way.name):
        notes.append(f"written as {way.emitted_as}")
    if len(way.files) == 1:
        notes.append(f"in {way.files[0]} files only")
    if way.key:
        notes.append("key")
    return Text.assemble((way.name, "bold"), f"  {', '.join(notes)}" if notes else "")


def _hop(to: Any, hop: Hop) -> None:
    label = _STEPS.get(hop.step, hop.step)
    line = Text.assemble(
        f"{label:<18} {hop.before} → {hop.after}  ", (hop.loss.value.replace("_", " "), _STYLES[hop.loss.value])
    )
    indented(to, line, 2, hang=19 if to.width >= 70 else 2)
    below = 21 if to.width >= 70 else 6  # under the hop, or at the left where there is no room
    for told in _details(hop):
        indented(to, Text(told, style="dim" if told.startswith("from: ") else ""), below, hang=2)


def _details(hop: Hop) -> list[str]:
    lines = [hop.note] if hop.note else []
    for item in hop.special:
        lines.append(f"{item.words}: {item.becomes}" + ("" if item.documented else " (no document says so)"))
    if hop.remedy:
        lines.append(f"do: {hop.remedy}")
    lines.append(f"from: {hop.source} ({hop.proven_by})")
    return lines


def json(found: Sequence[Explanation]) -> str:
    """One JSON document; `explanations` has one entry for each DMS task that carries the table."""
    return document({"explanations": [_plain(item) for item in found]})


def _plain(item: Explanation) -> dict[str, Any]:
    return {
        "subject": item.subject,
        "source": item.source,
        "task": item.task,
        "lands_in": list(item.lands_in),
        "refused": item.refused or None,
        "columns": [
            {
                "name": way.name,
                "type": way.type or None,
                "emitted_as": way.emitted_as or None,
                "role": way.role,
                "files": list(way.files),
                "key": way.key,
                "staging": way.staging or None,
                "final": way.final or None,
                "cast": way.cast,
                "loss": way.loss.value,
                "hops": [_plain_hop(hop) for hop in way.hops],
            }
            for way in item.ways
        ],
        "not_delivered": [{"column": name, "reason": reason} for name, reason in item.missing],
        "warnings": list(item.warnings),
    }


def _plain_hop(hop: Hop) -> dict[str, Any]:
    return {
        "step": hop.step,
        "from": hop.before,
        "to": hop.after,
        "loss": hop.loss.value,
        "note": hop.note,
        "special": [
            {"values": s.words, "key": s.key, "becomes": s.becomes, "documented": s.documented} for s in hop.special
        ],
        "remedy": hop.remedy,
        "source": hop.source,
        "proven_by": hop.proven_by,
    }


def markdown(found: Sequence[Explanation]) -> str:
    """A table of hops for each column."""
    lines: list[str] = []
    for item in found:
        lines += [f"### {escape(item.subject)}", "", escape("  ".join(p for p in (item.source, item.task) if p))]
        if item.lands_in:
            lines += ["", f"lands in {escape(' and '.join(item.lands_in))}"]
        if item.refused:
            lines += ["", f"**no landing**: {escape(item.refused)}"]
        for way in item.ways:
            lines += [
                "",
                f"**{escape(_head(way).plain)}**",
                "",
                "| hop | from | to | loss | what to know |",
                "|---|---|---|---|---|",
            ]
            for hop in way.hops:
                cells = (_STEPS.get(hop.step, hop.step), hop.before, hop.after, hop.loss.value.replace("_", " "))
                told = "<br>".join(escape(line) for line in _details(hop))
                lines.append(f"| {' | '.join(map(escape, cells))} | {told} |")
        lines += ["", *(f"- {escape(name)} is not delivered: {escape(reason)}" for name, reason in item.missing)]
        lines += [f"- {escape(warning)}" for warning in item.warnings]
    return "\n".join(lines).rstrip() + "\n"
