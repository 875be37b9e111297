"""DG801: a waiver is unused or has run out. Judged after all other rules, because it is about their findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG801"
TITLE = "a waiver is unused or has run out"
SEVERITY = Severity.WARNING


class Waived(Protocol):
    """A waiver: which findings it accepts, why, and until when (ISO date)."""

    @property
    def code(self) -> str: ...
    @property
    def table(self) -> str | None: ...
    @property
    def column(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def until(self) -> str | None: ...


def find(context: Context) -> Iterator[Finding]:  # noqa: ARG001
    """Nothing by itself: see `judge`."""
    return iter(())


def judge(
    findings: Iterable[Finding], waivers: Sequence[Waived], today: str
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Split findings into those that stand and those a waiver accepts; add one for each waiver that does nothing."""
    valid = [w for w in waivers if w.until is None or w.until >= today]
    stands, accepted, used = [], [], set()
    for finding in findings:
        waiver = next((w for w in valid if _covers(w, finding)), None)
        if waiver is None:
            stands.append(finding)
        else:
            accepted.append(finding)
            used.add(id(waiver))
    for waiver in waivers:
        if id(waiver) in used:
            continue
        expired = waiver not in valid
        what = f"the waiver of {waiver.code} {f'for {waiver.table}' if waiver.table else 'for all tables'}"
        stands.append(
            Finding(
                CODE,
                SEVERITY,
                f"{what} {f'ran out on {waiver.until}' if expired else 'accepts nothing'}",
                f"it was given because: {waiver.reason}",
                "renew it or take it out of driftguard.toml",
                place=Place("file", f"{waiver.code} {waiver.table or ''}.{waiver.column or ''}"),
            )
        )
    return tuple(sorted(stands, key=lambda f: f.sort_key)), tuple(accepted)


def _covers(waiver: Waived, finding: Finding) -> bool:
    if waiver.code != finding.code:
        return False
    if waiver.table is not None and waiver.table != str(finding.table):
        return False
    return waiver.column is None or waiver.column == finding.column
