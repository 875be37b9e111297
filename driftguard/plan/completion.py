"""What completes the changes that are under way: wait for the marker, fill old rows, swap names, plain merge."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from driftguard.drift.context import Context, Pair, misfits
from driftguard.drift.fit import Fit, fit
from driftguard.drift.merging import merge_spec
from driftguard.model.catalog import Column
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import FinalColumn
from driftguard.model.merge import OLD, Earlier, MergeColumn, MergeSpec, precision_for, scale_for
from driftguard.model.snowflake import SfTable
from driftguard.operations.await_marker import Becomes
from driftguard.operations.backfill import Backfill, portions
from driftguard.operations.base import Operation
from driftguard.operations.complete_change import CompleteChange
from driftguard.operations.read_again import ReadAgain
from driftguard.operations.rename import Rename, in_order, renamed
from driftguard.plan.markers import awaiting, marker_landing
from driftguard.typemap.casting import converted

ROWS = 1_000_000  # of one statement of a back-fill


def completion(pair: Pair, context: Context, planned: Collection[str]) -> list[Operation]:
    """Settle and contract of every change under way in `pair`, as it is after the expand.

    Left out are changes whose markers are `planned` already, and those that the catalog does not know (yet).
    """
    where = marker_landing(context)
    if where is None or pair.final is None or pair.staging is None:
        return []
    operations: list[Operation] = []
    for name in dict.fromkeys(c.marker for c in pair.under_way if c.marker):
        entries = [c for c in pair.under_way if c.marker == name]
        if name in planned or not all(_expected(pair, c, pair.final) for c in entries if not c.retires):
            continue
        operations += _Group(pair, context, name, entries, pair.final).operations(where)
    return operations


def _expected(pair: Pair, column: MergeColumn, final: SfTable) -> bool:
    wanted = next((c for c in pair.landing.final_columns if c.name == (column.becomes or column.final)), None)
    there = final.column(column.final)
    return wanted is not None and there is not None and fit(there.type, wanted.least or wanted.type) is not Fit.REBUILD


class _Group:
    """The columns that one marker stands for."""

    def __init__(self, pair: Pair, context: Context, name: str, entries: list[MergeColumn], final: SfTable) -> None:
        self._pair = pair
        self._context = context
        self._name = name
        self._entries = entries
        self._final = final
        self._now = merge_spec(pair, context.policy)

    def operations(self, where: tuple[ObjectName, str]) -> list[Operation]:
        landing = self._pair.landing
        fills, reasons = self._fills()
        again = tuple(c.final for c in self._entries if c.since or c.until)
        table = landing.emissions[0].source.table
        found: list[Operation] = [
            awaiting(self._context, where, self._name, landing, table, self._deployed()),
        ]
        if again:
            found.append(ReadAgain(f"{self._name}:again", self._name, landing.task, self._now, again))
        found += fills
        final, renames = self._renamed()
        found.append(
            CompleteChange(
                landing.task,
                self._after(final),
                renames,
                tuple(c.final for c in self._entries),
                "; ".join(reasons),
            )
        )
        return found

    def _deployed(self) -> list[Becomes]:
        found = []
        for entry in self._entries:
            source = self._source(entry)
            if not entry.retires and source is not None:
                found.append(Becomes(source.name, source.type.text))
        return found

    def _source(self, entry: MergeColumn) -> Column | None:
        """The Aurora column of an entry."""
        wanted = self._wanted(entry)
        catalog = self._context.catalog
        table = catalog.table(self._pair.landing.emissions[0].source.table) if catalog else None
        return table.column(wanted.source) if table and wanted and wanted.source else None

    def _wanted(self, entry: MergeColumn) -> FinalColumn | None:
        name = entry.becomes or entry.final
        return next((c for c in self._pair.landing.final_columns if c.name == name), None)

    def _fills(self) -> tuple[list[Operation], list[str]]:
        """Back-fills, and why old rows have no value where none is known to be right."""
        found: list[Operation] = [fill for entry in self._entries if entry.key for fill in self._staged_keys(entry)]
        reasons: list[str] = []
        old = {c.final: c for c in self._entries if c.retires}
        for entry in self._entries:
            if entry.retires:
                continue
            before = old.get(entry.becomes or "")
            if before is not None and not before.until:
                copied = self._copied(entry, before.final)
                if copied is None:
                    reasons.append(f"how PostgreSQL has changed the old values of {entry.becomes} is not known")
                else:
                    found.append(self._backfill(entry, copied))
            elif entry.default is not None:
                found.append(self._backfill(entry))
            elif entry.becomes is None and entry.earlier is not None:
                copied = self._copied(entry, entry.earlier.staging)
                if copied is not None:
                    found.append(self._backfill(entry, copied))
            elif before is not None and self._gets_values(entry):
                reasons.append(f"the values that old rows have in {entry.becomes} are not known")
        table = self._pair.landing.emissions[0].source.table
        return found, [f"{reason}: reload {table} in DMS first" for reason in reasons]

    def _staged_keys(self, entry: MergeColumn) -> list[Backfill]:
        """STAGING's old rows get the key under its new name: the merge looks back at some of them, and needs a key."""
        if entry.earlier is None or self._pair.landing.record:  # the merge finds the key in a record by either name
            return []
        pairs = [(entry.staging, entry.earlier.staging), (entry.before, entry.earlier.before)]
        return [
            Backfill(
                name=f"{self._name}:staged:{new}",
                table=self._pair.landing.staging,
                control=self._now.watermark,
                key=(),
                column=MergeColumn(new, new),
                copied=Earlier(old),
            )
            for new, old in pairs
            if new and old and new != old
        ]

    def _gets_values(self, entry: MergeColumn) -> bool:
        source = self._source(entry)
        return source is not None and (source.default is not None or bool(source.generated) or not source.nullable)

    def _copied(self, entry: MergeColumn, old: str) -> Earlier | None:
        """The way from FINAL's old column; None where there is none that is known to be PostgreSQL's."""
        was, now = self._final.column(old), self._final.column(entry.final)
        if was is None or now is None:
            return None
        zone = self._context.policy.migration_timezone
        cast = converted(was.type, now.type, zone)
        if cast is None:
            return None
        return Earlier(old, cast, scale_for(cast, now.type), precision_for(now.type), zone)

    def _backfill(self, entry: MergeColumn, copied: Earlier | None = None) -> Backfill:
        key = tuple(c.final for c in self._now.columns if c.key)
        return Backfill(
            name=f"{self._name}:{entry.final}",
            table=self._pair.landing.final,
            control=self._now.watermark,
            key=key,
            column=entry,
            copied=copied,
            default=None if copied else entry.default,
            nullable=entry.since and copied is None,
            portions=portions(self._final, ROWS),
            rows=ROWS,
        )

    def _renamed(self) -> tuple[SfTable, tuple[Rename, ...]]:
        wanted = [Rename(c.final, c.becomes) for c in self._entries if c.becomes]
        wanted.sort(key=lambda step: OLD not in step.new)
        chain = in_order(wanted, [c.name for c in self._final.columns])
        final = self._final
        for step in chain:
            final = renamed(final, step.old, step.new)
        return final, chain

    def _after(self, final: SfTable) -> MergeSpec:
        """The merge without this change; others stay under way."""
        others = tuple(c for c in self._pair.under_way if c.marker != self._name)
        landing, staging = self._pair.landing, self._pair.staging
        pair = dataclasses.replace(
            self._pair, final=final, under_way=others, misfits=misfits(landing, staging, final, others)
        )
        return merge_spec(pair, self._context.policy)
