"""What the renderers of a check need to know, whatever the command was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from driftguard.model.finding import Finding, Severity
from driftguard.model.loss import LossEntry
from driftguard.model.observed import Footer, Look


@dataclass(frozen=True, slots=True)
class Report:
    """Findings with what they are about: the two sides, how many tables, and what did not count."""

    findings: tuple[Finding, ...]
    source: str
    target: str
    tables: int
    waived: int = 0
    failing: int = 0
    losses: tuple[LossEntry, ...] = ()
    look: Look | None = None
    clean: str = "READY: Snowflake has everything that DMS emits"  # the verdict where nothing is found

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, all four named."""
        counter = Counter(f.severity.value for f in self.findings)
        return {severity.value: counter[severity.value] for severity in Severity}

    @property
    def verdict(self) -> str:
        """The one sentence on top."""
        if self.failing:
            return f"NOT READY: {plural(self.failing, 'finding')} would lose data or could not be judged"
        rest = sum(n for severity, n in self.counts.items() if severity != "info")
        if rest:
            return f"READY, with {plural(rest, 'finding')} to read"
        return self.clean


def plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def columns_of(entry: LossEntry, most: int = 3) -> str:
    """Whose values: the first columns by name, and how many more."""
    named = [f"{table}.{column}" for table, column in entry.columns[:most]]
    more = len(entry.columns) - len(named)
    return ", ".join(named) + (f" and {plural(more, 'more column')}" if more else "")


def fate(entry: LossEntry) -> str:
    """What becomes of which values."""
    return f"{entry.values} → {entry.becomes}" + ("" if entry.documented else " (no document says so)")


def by_table(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """Findings grouped by table, the table with the worst finding first; those without a table at the end."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(str(finding.table) if finding.table else "", []).append(finding)
    return sorted(groups.items(), key=lambda item: (item[0] == "", min(f.severity.rank for f in item[1]), item[0]))


def look_lines(look: Look, *, most: int = 20) -> list[str]:
    """What was looked at on the lake: the sum, then a line for each file."""
    lines = [f"{plural(look.files, 'footer')} of {plural(len(look.folders), 'folder')} of {look.lake} at {look.at}"]
    for folder in look.folders:
        for seen in (folder.full_load, folder.cdc):
            if isinstance(seen, Footer):
                note = f" ({seen.note})" if seen.note else ""
                lines.append(f"{seen.path}: {plural(seen.rows, 'row')}, {seen.modified}{note}")
            else:
                lines.append(f"not seen: {seen.reason}")
    more = len(lines) - 1 - most
    return [*lines[: most + 1], f"and {more} more; --format json has them all"] if more > 0 else lines
