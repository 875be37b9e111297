"""What a generated merge does, as data: revisions hold this, never the SQL."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.model.identifiers import ObjectName
from driftguard.model.landing import Cast
from driftguard.model.snowflake import SfType


@dataclass(frozen=True, slots=True)
class MergeColumn:
    """One entry of the column lists: FINAL.`final` takes STAGING.`staging` through `cast`.

    A `kept` column is no longer emitted: a row without it does not erase the value that FINAL has. `scale` is for
    `Cast.NUMBER` and `precision` for `Cast.TIME` and `Cast.TIMESTAMP`: the digits after the point that FINAL's column
    has. With `keep_on_null_update` a NULL in an update means that the value was not sent. `before` is the STAGING
    column with the before-image of a key column.
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


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """Names are as stored. `loads_at_start`: full-load rows already carry the start of their load as commit time.

    `deferrable_key`: rows may trade keys within one transaction, in any order.
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


def same_named(name: str, cast: Cast, final: SfType, *, kept: bool = False) -> MergeColumn:
    """The entry of a column that both tables have under one name; `final` is its type in FINAL."""
    scale, precision = scale_for(cast, final), precision_for(final)
    return MergeColumn(name, name, cast, kept=kept, scale=scale, precision=precision)


def scale_for(cast: Cast, final: SfType) -> int:
    """Digits after the point, for a cast that needs to know them."""
    return final.scale or 0 if cast is Cast.NUMBER else 0


def precision_for(final: SfType) -> int:
    """Digits of a second. 9, the most there is, where the type has none: the spec's default."""
    return 9 if final.precision is None or not final.base.startswith("TIME") else final.precision
