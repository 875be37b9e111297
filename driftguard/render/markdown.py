"""For a pull request or a job summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftguard.model.plan import Statement
from driftguard.plan.adopting import Adoption
from driftguard.render.report import Report, by_table, columns_of, fate, look_lines, plural

_MARKS = {"error": "🔴", "unknown": "🟣", "warning": "🟡", "info": "🔵"}


def check(report: Report) -> str:
    """A check as GitHub-flavoured Markdown: the verdict, then a table of findings for each table."""
    lines = [
        f"## driftguard: {report.verdict}",
        "",
        f"{escape(report.source)} → {escape(report.target)}, {plural(report.tables, 'table')}"
        + (f", {report.waived} waived" if report.waived else ""),
    ]
    if report.look is not None:
        lines += ["", *(f"- {escape(line)}" for line in look_lines(report.look))]
    for table, findings in by_table(report.findings):
        lines += [
            "",
            f"### {escape(table) or 'The pipeline'}",
            "",
            "| | code | what | why | do |",
            "|---|---|---|---|---|",
        ]
        for f in findings:
            cells = (f.message, f.reason, f.remedy)
            lines.append(
                f"| {_MARKS[f.severity.value]} {f.severity.value} | {f.code} | " + " | ".join(map(escape, cells)) + " |"
            )
    if report.losses:
        lines += ["", f"<details><summary>What the types cost: {plural(len(report.losses), 'kind')} of loss</summary>"]
        lines += ["", "| loss | values | columns | do |", "|---|---|---|---|"]
        for entry in report.losses:
            row = (entry.loss.value.replace("_", " "), fate(entry), columns_of(entry), entry.remedy)
            lines.append(f"| {' | '.join(map(escape, row))} |")
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def plan(
    summaries: Sequence[str],
    statements: Sequence[Sequence[Statement]],
    notes: Sequence[str],
    markers: Sequence[str] = (),
    *,
    costs: Sequence[Sequence[str]],
    diffs: Sequence[str] = (),
) -> str:
    """A plan as GitHub-flavoured Markdown: a numbered list, the SQL folded away, and what is left to people."""
    lines = ["## driftguard: plan", ""]
    if not summaries:
        lines += ["nothing to do"]
    for number, (summary, price) in enumerate(zip(summaries, costs, strict=True), start=1):
        told = [f"{number}. {escape(summary)}", *(f"   {escape(line)}" for line in price)]
        lines.append("  \n".join(told))
        if diffs and diffs[number - 1]:
            lines += ["", *(f"   {line}" for line in _fenced(diffs[number - 1].rstrip("\n"), "diff")), ""]
    if notes:
        lines += ["", "Left to you:", "", *(f"- {escape(note)}" for note in notes)]
    if markers:
        lines += ["", "End the migration with, in its own transaction:", "", *_code(markers)]
    sql = [statement.sql for part in statements for statement in part]
    if sql:
        lines += ["", "<details><summary>SQL</summary>", "", *_code(sql), "", "</details>"]
    return "\n".join(lines) + "\n"


def adoption(table: str, found: Adoption) -> str:
    """What makes a landing differ from driftguard's, and what a person has to see to first."""
    lines = [f"## driftguard: {escape(table)}", "", f"{escape(str(found.final))}: {found.state}", ""]
    lines += [f"- {item.where}: {escape(item.what)}" for item in found.differences]
    if found.obstacles:
        lines += ["", "Before driftguard can take it over:", "", *(f"- {escape(line)}" for line in found.obstacles)]
    return "\n".join(lines).rstrip()


def _code(statements: Sequence[str]) -> list[str]:
    text = ";\n\n".join(statements)
    return _fenced(f"{text};", "sql")


def _fenced(text: str, language: str) -> list[str]:
    """A block of code, in a fence that is longer than any in it."""
    fence = max("`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1), "```", key=len)
    return [f"{fence}{language}", *text.split("\n"), fence]


def escape(text: str) -> str:
    """Text that Markdown shows as it is, in a table cell too: names on a database can hold anything."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", flat)
