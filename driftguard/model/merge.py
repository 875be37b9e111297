"""What a generated merge does, as data: revisions hold this, never the SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import DG_DELETED, DG_RECORD, DG_REPAIR, Cast
from driftguard.model.snowflake import SfType

NEW, OLD = "__NEW", "__OLD"  # of columns that stand beside another one while it changes


@dataclass(frozen=True, slots=True)
class Earlier:
    """How a row that was committed before a column's epoch gives the value: by another cast, or from another column.

    `alone`: what the column itself holds in such a row has another meaning; otherwise it is NULL or as good. `zone` is
    the time zone in which `Cast.ZONED` and `Cast.LOCAL` read a clock, `before` the column with the before-image of a
    key column that had another name.
    """

    staging: str
    cast: Cast = Cast.NONE
    scale: int = 0
    precision: int = 9
    zone: str = ""
    before: str | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Default:
    """What existing rows show in an added column: a constant, as text of the STAGING type `type`."""

    text: str
    type: SfType


@dataclass(frozen=True, slots=True)
class MergeColumn:
    """One entry of the column lists: FINAL.`final` takes STAGING.`staging` through `cast`.

    A `kept` column is no longer emitted: a row without it does not erase the value that FINAL has. `scale` is for
    `Cast.NUMBER` and `precision` for `Cast.TIME` and `Cast.TIMESTAMP`: the digits after the point that FINAL's column
    has. With `keep_on_null_update` a NULL in an update means that the value was not sent. `before` is the STAGING
    column with the before-image of a key column; a `nullable` key column can hold NULL.

    The rest is there while a change passes through the pipe, whose `marker` names it. The commit time of the marker is
    the epoch (a row of the MILESTONE table; unknown until it has arrived). Where it matters, `since` is set: a row that
    is not known to be committed at or after the epoch is read by `earlier`, or says nothing where there is no
    `earlier`; of a column with a `default`, only its NULL says nothing. `until`: a row that is known to be committed at
    or after the epoch says nothing. `becomes` is FINAL's name for the column once the change is complete.
    """

    final: str
    staging: str
    cast: Cast = Cast.NONE
    key: bool = False
    kept: bool = False
    scale: int = 0
    precision: int = 9
    keep_on_null_update: bool = False
    before: str | None = None
    nullable: bool = False
    marker: str | None = None
    since: bool = False
    until: bool = False
    earlier: Earlier | None = None
    default: Default | None = None
    becomes: str | None = None

    @property
    def retires(self) -> bool:
        """Does another column take its name at the end of the change?"""
        return self.becomes is not None and self.becomes.startswith(f"{self.final}{OLD}")


@dataclass(frozen=True, slots=True)
class Projected:
    """A column that the merge reads out of staged records: what is under the first of the `paths` that has a value.

    A path is the exact name of a Parquet column, in its case.
    """

    name: str
    type: SfType
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """Names are as stored. `loads_at_start`: full-load rows already carry the start of their load as commit time.

    `deferrable_key`: rows may trade keys within one transaction, in any order. `repair`: FINAL has a column that names
    the values of a row that are not known. `soft_delete`: a deleted row stays, and FINAL has a column that says so.
    `stream` tells the merge which files are new; without one it looks for them in STAGING.
    `key_range`: the key column, of whole numbers, by whose range in the new rows a run limits what it reads of FINAL.
    `record`: STAGING keeps whole records, and these are the columns that can be read out of them.
    """

    staging: ObjectName
    final: ObjectName
    watermark: ObjectName
    columns: tuple[MergeColumn, ...]
    op: str | None
    commit_time: str
    change_seq: str | None = None
    loads_at_start: bool = True
    overlap_minutes: int = 60
    deferrable_key: bool = False
    repair: bool = False
    soft_delete: bool = False
    key_range: str | None = None
    stream: ObjectName | None = None
    record: tuple[Projected, ...] = ()

    @property
    def staged(self) -> tuple[str, ...]:
        """The columns of STAGING that the merge names, each once."""
        found = [self.op, self.commit_time, self.change_seq]
        for c in self.columns:
            found += [c.staging, c.before]
            found += [c.earlier.staging, c.earlier.before] if c.earlier else []
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def stored(self) -> tuple[str, ...]:
        """What the table STAGING has to have for its columns."""
        if self.record:
            return (DG_RECORD,)
        return tuple(name for c in self.columns for name in (c.staging, c.before) if name)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """FINAL's columns that only this merge needs."""
        return (*((DG_REPAIR,) if self.repair else ()), *((DG_DELETED,) if self.soft_delete else ()))


def same_named(name: str, cast: Cast, final: SfType, *, kept: bool = False) -> MergeColumn:
    """The entry of a column that both tables have under one name; `final` is its type in FINAL."""
    scale, precision = scale_for(cast, final), precision_for(final)
    return MergeColumn(name, name, cast, kept=kept, scale=scale, precision=precision)


def scale_for(cast: Cast, final: SfType) -> int:
    """Digits after the point, for a cast that needs to know them."""
    return final.scale or 0 if cast in (Cast.NUMBER, Cast.SCALE) else 0


def precision_for(final: SfType) -> int:
    """Digits of a second. 9, the most there is, where the type has none: the spec's default."""
    return 9 if final.precision is None or not final.base.startswith("TIME") else final.precision


def epochs(columns: Iterable[MergeColumn]) -> tuple[str, ...]:
    """The markers whose commit times the merge of these columns has to know, each once."""
    return tuple(dict.fromkeys(c.marker for c in columns if c.marker and (c.since or c.until)))


_LEFTOVER = re.compile(r"(.+)__(NEW|OLD)\d*")


def beside(name: str, suffix: str, taken: Collection[str]) -> str:
    """A name for a column that stands beside `name` for a while: with the suffix, and a number where it is taken."""
    tries = (f"{name}{suffix}{n or ''}" for n in range(len(taken) + 1))
    return next(one for one in tries if one not in taken)


def is_leftover(name: str, columns: Collection[str]) -> bool:
    """Does the name say that a change of another one of these columns has left it behind?"""
    match = _LEFTOVER.fullmatch(name)
    return match is not None and match[1] in columns
