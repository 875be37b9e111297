"""What several rules say in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftguard.drift.context import Context, Pair
from driftguard.drift.fit import Fit, fit
from driftguard.model.finding import Finding, Place, Severity
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.landing import FinalColumn, Landing, StagingColumn
from driftguard.model.snowflake import SfColumn, SfTable

PLAN = "run `driftguard plan` and apply it before the Aurora change is deployed"


def source_table(landing: Landing) -> TableName:
    """The Aurora table to name in a finding: the first source of the landing."""
    return landing.emissions[0].source.table if landing.emissions else landing.table


def on_snowflake(name: ObjectName) -> Place:
    return Place("snowflake", str(name))


def on_aurora(table: TableName | str) -> Place:
    return Place("aurora", str(table))


@dataclass(frozen=True, slots=True)
class Fitting:
    """One column that is there on both sides, and how its type fits."""

    pair: Pair
    table: SfTable
    expected: StagingColumn | FinalColumn
    actual: SfColumn
    fit: Fit

    @property
    def source(self) -> str | None:
        if isinstance(self.expected, FinalColumn):
            return self.expected.source
        return self.expected.emitted_as


def fittings(context: Context, side: str) -> Iterator[Fitting]:
    """Every column of `side` (`staging` or `final`) that both exists and is expected, with its fit."""
    for pair in context.pairs:
        table = pair.staging if side == "staging" else pair.final
        if table is None:
            continue
        columns: tuple[StagingColumn | FinalColumn, ...]
        columns = pair.landing.staging_columns if side == "staging" else pair.landing.final_columns
        actual = {c.name: c for c in table.columns}
        for expected in columns:
            found = actual.get(expected.name)
            if found is not None:
                yield Fitting(pair, table, expected, found, fit(found.type, expected.least or expected.type))


def misfit(item: Fitting, code: str, severity: Severity, reason: str, remedy: str) -> Finding:
    """A finding about a type that does not take every value."""
    needs = item.expected.least or item.expected.type
    return Finding(
        code,
        severity,
        f"{item.table.name}.{item.actual.name} is {item.actual.type}; the values need {needs}",
        reason,
        remedy,
        table=source_table(item.pair.landing),
        column=item.source,
        place=on_snowflake(item.table.name),
    )
