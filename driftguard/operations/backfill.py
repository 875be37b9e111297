"""Give old rows of FINAL the value that a change gave them on Aurora, where it is known what that is."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.merge.casts import FALLIBLE
from driftguard.merge.generate import default_sql, milestone_sql
from driftguard.merge.source import way
from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_COMMIT_TS
from driftguard.model.merge import Default, Earlier, MergeColumn
from driftguard.model.plan import Phase, Statement
from driftguard.model.snowflake import Estate, SfTable
from driftguard.operations.base import DONE, READY, Operation, Readiness
from driftguard.operations.columns import lacking
from driftguard.operations.milestone import reach, reached, with_milestone
from driftguard.operations.rename import Rename
from driftguard.sql.snowflake import literal, names, qualified, quote


@dataclass(frozen=True)
class Backfill(Operation):
    """UPDATE in portions, in the key's order; each takes what is still without a value, so a run can stop anywhere.

    The value is `copied` from another column of FINAL, through a cast that does what PostgreSQL's does, or a `default`
    (through `column`'s cast), or one of the `labels` in place of its old name. A row that was committed at or after the
    epoch `marker` says itself what it has: with `nullable` a NULL in it is a value. `portions` statements of `rows`
    rows each, and one for what is left.
    """

    kind = "backfill"
    phase = Phase.SETTLE

    name: str
    table: ObjectName
    control: ObjectName
    key: tuple[str, ...]
    column: MergeColumn
    copied: Earlier | None = None
    default: Default | None = None
    labels: tuple[Rename, ...] = ()
    nullable: bool = False
    portions: int = 0
    rows: int = 1_000_000

    def touches(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def rewrites(self) -> tuple[ObjectName, ...]:
        return (self.table,)

    def readiness(self, estate: Estate) -> Readiness:
        if reached(estate, self.name):
            return DONE
        copied = [self.copied.staging] if self.copied else []
        return lacking(estate, (self.table, [self.column.final, *self.key, *copied])) or READY

    def statements(self, estate: Estate) -> tuple[Statement, ...]:
        if reached(estate, self.name):
            return ()
        return (*self.updates(), reach(self.control, self.name))

    def updates(self) -> tuple[Statement, ...]:
        """The portions, whatever has been noted of them."""
        number = self.portions + 1
        return tuple(
            Statement(self._update(n < self.portions), f"fill {self.table}.{self.column.final}, {n + 1} of {number}")
            for n in range(number)
        )

    def effect(self, estate: Estate) -> Estate:
        return with_milestone(estate, self.name)

    def inverse(self, left: Estate) -> tuple[Operation, ...]:  # noqa: ARG002
        return ()  # what it writes is right whether the rest follows or not

    def summary(self) -> str:
        if self.labels:
            labels = ", ".join(f"{label.old!r} to {label.new!r}" for label in self.labels)
            return f"change {labels} in old rows of {self.table}.{self.column.final}"
        origin = f"from {self.copied.staging}" if self.copied else f"with {self.default.text!r}" if self.default else ""
        return f"fill {self.table}.{self.column.final} {origin} in old rows"

    def _update(self, portion: bool) -> str:
        table, target = qualified(self.table), quote(self.column.final)
        if not portion:
            return f"UPDATE {table} SET {target} = {self._value('')}\nWHERE {self._open('')}"
        same = " AND ".join(f"t.{quote(k)} = s.{quote(k)}" for k in self.key)
        return (
            f"MERGE INTO {table} AS t\nUSING (\n  SELECT {names(self.key)} FROM {table}\n  WHERE {self._open('')}\n"
            f"  ORDER BY {names(self.key)} LIMIT {self.rows}\n) AS s\nON {same}\n"
            f"WHEN MATCHED AND {self._open('t.')} THEN UPDATE SET {target} = {self._value('t.')}"
        )

    def _value(self, of: str) -> str:
        if self.labels:
            whens = " ".join(f"WHEN {literal(label.old)} THEN {literal(label.new)}" for label in self.labels)
            return f"CASE {of}{quote(self.column.final)} {whens} END"
        if self.copied is None:
            assert self.default is not None
            return default_sql(self.column, self.default)
        return way(self.copied, f"{of}{quote(self.copied.staging)}")

    def _open(self, of: str) -> str:
        """Has the row still to get its value?"""
        if self.labels:
            return f"{of}{quote(self.column.final)} IN ({', '.join(literal(label.old) for label in self.labels)})"
        parts = [f"{of}{quote(self.column.final)} IS NULL"]
        if self.copied is not None:
            parts.append(f"{of}{quote(self.copied.staging)} IS NOT NULL")
            if self.copied.cast in FALLIBLE:
                parts.append(f"{self._value(of)} IS NOT NULL")
        elif self.nullable:
            assert self.column.marker is not None
            commit = f"{of}{quote(DG_COMMIT_TS)}"
            parts.append(f"({commit} IS NULL OR {commit} < {milestone_sql(self.control, self.column.marker)})")
        return " AND ".join(parts)


def portions(table: SfTable | None, rows: int) -> int:
    """How many portions a table is worth; none where its size is not known to be larger than one."""
    return (table.row_count or 0) // rows if table is not None else 0
