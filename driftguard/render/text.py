"""For a terminal, of any width; colours only where they can be seen."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from driftguard.model.plan import Statement
from driftguard.render.report import Report, by_table, look_lines, plural

_STYLES = {"error": "bold red", "unknown": "bold magenta", "warning": "yellow", "info": "cyan"}


def check(report: Report, *, width: int, color: bool, quiet: bool = False) -> str:
    """A check: verdict, then the findings by table, then the counts."""
    out = io.StringIO()
    console = _console(out, width, color)
    console.print(Text(report.verdict, style="bold red" if report.failing else "bold green"))
    sides = f"{report.source}  →  {report.target}, {plural(report.tables, 'table')}"
    _indented(console, Text(sides, style="dim"), 0, hang=2)
    if report.look is not None:
        for remark in look_lines(report.look, most=0 if quiet else 20):
            _indented(console, Text(remark, style="dim"), 0, hang=2)
    if not quiet:
        for table, findings in by_table(report.findings):
            console.print()
            console.print(Text(table or "the pipeline", style="bold"))
            for finding in findings:
                line = Text.assemble(
                    (f"{finding.severity.value} {finding.code}", _STYLES[finding.severity.value]),
                    f"  {finding.message}",
                )
                _indented(console, line, 2)
                _indented(console, Text(f"why: {finding.reason}", style="dim"), 4)
                _indented(console, Text(f"do:  {finding.remedy}"), 4)
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number)
    console.print()
    console.print(f"{counts or 'no findings'}{f', {report.waived} waived' if report.waived else ''}", style="dim")
    return out.getvalue()


def plan(
    summaries: Sequence[str],
    statements: Sequence[Sequence[Statement]],
    notes: Sequence[str],
    *,
    width: int,
    color: bool,
    verbose: bool,
) -> str:
    """A plan: one line an operation, its SQL with --verbose, and what is left to people."""
    out = io.StringIO()
    console = _console(out, width, color)
    if not summaries:
        console.print(Text("nothing to do", style="bold green"))
    for number, (summary, sql) in enumerate(zip(summaries, statements, strict=True), start=1):
        _indented(console, Text.assemble((f"{number:>3}  ", "bold"), summary), 0, hang=5)
        if verbose:
            for statement in sql:
                _indented(console, Text(f"{statement.sql};", style="dim"), 5, hang=0)
    if notes:
        console.print()
        console.print(Text("Left to you:", style="bold"))
        for note in notes:
            _indented(console, Text(f"- {note}"), 2, hang=2)
    return out.getvalue()


def lines(items: Sequence[tuple[str, str]], *, width: int, color: bool) -> str:
    """(style, text) lines, wrapped."""
    out = io.StringIO()
    console = _console(out, width, color)
    for style, text in items:
        console.print(Text(text, style=style))
    return out.getvalue()


def _indented(console: Console, text: Text, indent: int, *, hang: int = 5) -> None:
    """Wrapped to the console's width; lines after the first are `hang` columns further in. No trailing blanks."""
    for line in text.split("\n"):
        wrapped = line.wrap(console, max(20, console.width - indent - hang))
        for number, part in enumerate(wrapped):
            part.rstrip()
            console.print(Text(" " * (indent + (hang if number else 0))) + part, soft_wrap=True)


def _console(out: io.StringIO, width: int, color: bool) -> Console:
    return Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
