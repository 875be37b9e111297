"""Renaming columns: what a chain of renames has left to do, and how it leaves a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.plan import Statement
from driftguard.model.snowflake import SfTable
from driftguard.sql.snowflake import qualified, quote


@dataclass(frozen=True)
class Rename:
    """One column's old and new name."""

    old: str
    new: str


def rename(table: ObjectName, old: str, new: str) -> Statement:
    sql = f"ALTER TABLE {qualified(table)} RENAME COLUMN {quote(old)} TO {quote(new)}"
    return Statement(sql, f"rename {table}.{old} to {new}")


def renamed(table: SfTable, old: str, new: str) -> SfTable:
    """The table afterwards; its primary key goes with the column."""
    columns = tuple(dataclasses.replace(c, name=new) if c.name == old else c for c in table.columns)
    key = tuple(new if name == old else name for name in table.primary_key)
    return dataclasses.replace(table, columns=columns, primary_key=key)


def progress(table: SfTable, chain: Sequence[Rename]) -> int | None:
    """How many renames of the chain have been done, told by which names are there; None where they tell of none.

    A chain can use a name twice: C to C__OLD, then C__NEW to C.
    """
    involved = {name for step in chain for name in (step.old, step.new)}
    there = {c.name for c in table.columns} & involved
    expected = _names_before(chain)
    for done in range(len(chain) + 1):
        if expected == there:
            return done
        if done < len(chain):
            expected = expected - {chain[done].old} | {chain[done].new}
    return None


def _names_before(chain: Sequence[Rename]) -> set[str]:
    names: set[str] = set()
    for step in reversed(chain):
        names = names - {step.new} | {step.old}
    return names


def in_order(renames: Sequence[Rename], taken: Collection[str]) -> tuple[Rename, ...]:
    """The renames as a chain in which no name is given while it is still taken.

    Raises `ValueError` where columns trade names: afterwards nothing would show that it had been done.
    """
    left, names, chain = list(renames), set(taken), list[Rename]()
    while left:
        step = next((step for step in left if step.new not in names), None)
        if step is None:
            raise ValueError(f"{' and '.join(sorted(one.old for one in left))} trade names")
        left.remove(step)
        chain.append(step)
        names = names - {step.old} | {step.new}
    return tuple(chain)
