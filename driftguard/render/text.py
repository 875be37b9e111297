"""For a terminal, of any width; colours only where they can be seen."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from driftguard.model.plan import Statement
from driftguard.render.report import Report, by_table, columns_of, fate, look_lines, plural

_STYLES = {"error": "bold red", "unknown": "bold magenta", "warning": "yellow", "info": "cyan"}


def check(report: Report, *, width: int, color: bool, quiet: bool = False) -> str:
    """A check: verdict, then the findings by table, then the counts."""
    out = io.StringIO()
    to = console(out, width, color)
    to.print(Text(report.verdict, style="bold red" if report.failing else "bold green"))
    sides = f"{report.source}  →  {report.target}, {plural(report.tables, 'table')}"
    indented(to, Text(sides, style="dim"), 0, hang=2)
    if report.look is not None:
        for remark in look_lines(report.look, most=0 if quiet else 20):
            indented(to, Text(remark, style="dim"), 0, hang=2)
    if not quiet:
        for table, findings in by_table(report.findings):
            to.print()
            to.print(Text(table or "the pipeline", style="bold"))
            for finding in findings:
                line = Text.assemble(
                    (f"{finding.severity.value} {finding.code}", _STYLES[finding.severity.value]),
                    f"  {finding.message}",
                )
                indented(to, line, 2)
                indented(to, Text(f"why: {finding.reason}", style="dim"), 4)
                indented(to, Text(f"do:  {finding.remedy}"), 4)
        _losses(to, report)
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number)
    to.print()
    to.print(f"{counts or 'no findings'}{f', {report.waived} waived' if report.waived else ''}", style="dim")
    return out.getvalue()


def _losses(to: Console, report: Report) -> None:
    if not report.losses:
        return
    to.print()
    to.print(Text("What the types cost, whether or not Snowflake is ready", style="bold"))
    for entry in report.losses:
        line = Text.assemble((entry.loss.value.replace("_", " "), "yellow"), f"  {fate(entry)}")
        indented(to, line, 2)
        indented(to, Text(columns_of(entry), style="dim"), 4)
        if entry.remedy:
            indented(to, Text(f"do:  {entry.remedy}"), 4)


_DIFF = {"+": "green", "-": "red"}


def plan(
    summaries: Sequence[str],
    statements: Sequence[Sequence[Statement]],
    notes: Sequence[str],
    markers: Sequence[str] = (),
    *,
    costs: Sequence[Sequence[str]] = (),
    diffs: Sequence[str] = (),
    width: int,
    color: bool,
    verbose: bool,
) -> str:
    """A plan: one line an operation, its cost and hazards below it, its SQL with --verbose, and what is left to people.

    Of a text that people wrote, the diff is shown too, its lines as they are.

    `markers` are SQL statements for the migration, each on one line so that it can be copied.
    """
    out = io.StringIO()
    to = console(out, width, color)
    if not summaries:
        to.print(Text("nothing to do", style="bold green"))
    for number, (summary, sql) in enumerate(zip(summaries, statements, strict=True), start=1):
        indented(to, Text.assemble((f"{number:>3}  ", "bold"), summary), 0, hang=5)
        for line in costs[number - 1] if costs else ():
            indented(to, Text(line, style="dim"), 5, hang=2)
        for line in diffs[number - 1].splitlines() if diffs else ():
            to.print(Text(f"     {line}", style=_DIFF.get(line[:1], "dim")), soft_wrap=True)
        if verbose:
            for statement in sql:
                indented(to, Text(f"{statement.sql};", style="dim"), 5, hang=0)
    if notes:
        to.print()
        to.print(Text("Left to you:", style="bold"))
        for note in notes:
            indented(to, Text(f"- {note}"), 2, hang=2)
    if markers:
        to.print()
        to.print(Text("End the migration with, in its own transaction:", style="bold"))
        for marker in markers:
            to.print(Text(f"  {marker};"), soft_wrap=True)
    return out.getvalue()


def lines(items: Sequence[tuple[str, str]], *, width: int, color: bool) -> str:
    """(style, text) lines, wrapped."""
    out = io.StringIO()
    to = console(out, width, color)
    for style, text in items:
        to.print(Text(text, style=style))
    return out.getvalue()


def indented(to: Console, text: Text, indent: int, *, hang: int = 5) -> None:
    """Wrapped to the console's width; lines after the first are `hang` columns further in. No trailing blanks."""
    for line in text.split("\n"):
        wrapped = line.wrap(to, max(20, to.width - indent - hang))
        for number, part in enumerate(wrapped):
            part.rstrip()
            to.print(Text(" " * (indent + (hang if number else 0))) + part, soft_wrap=True)


def console(out: io.StringIO, width: int, color: bool) -> Console:
    """Where a result is put together: no guessing of widths, colours or markup."""
    return Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
