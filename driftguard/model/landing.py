"""The Snowflake side that a source should have: its tables, pipe, file format and merge."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from driftguard.model.emission import Emission, Hop, Loss, Role
from driftguard.model.identifiers import ObjectName, TableName
from driftguard.model.snowflake import SfType


class Cast(enum.StrEnum):
    """How the merge turns a STAGING value into a FINAL value. The SQL of each is in `merge/casts.py`."""

    NONE = "none"
    BOOLEAN = "boolean"
    JSON = "json"
    UTC = "utc"  # TIMESTAMP_NTZ that is known to be UTC, to TIMESTAMP_TZ at +00:00
    MOMENT = "moment"  # TIMESTAMP_LTZ to TIMESTAMP_TZ at +00:00
    WALL_CLOCK = "wall_clock"  # TIMESTAMP_LTZ to the TIMESTAMP_NTZ that a clock in UTC shows
    NUMBER = "number"
    FLOAT = "float"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    HEX = "hex"
    # Of values that a change of type finds in a column: each equals what PostgreSQL's own cast makes of them.
    TEXT = "text"  # a NUMBER or BOOLEAN to its digits or word
    DOUBLE = "double"  # NUMBER to FLOAT
    SCALE = "scale"  # NUMBER to another scale; to a smaller one, half away from zero
    INTEGER = "integer"  # BOOLEAN to 1 and 0
    NOT_ZERO = "not_zero"  # NUMBER to BOOLEAN
    MIDNIGHT = "midnight"  # DATE to the start of its day
    ISO_DAY = "iso_day"  # DATE to year-month-day
    DAY = "day"  # TIMESTAMP_NTZ to its date
    ZONED = "zoned"  # TIMESTAMP_NTZ, a clock in a zone, to TIMESTAMP_TZ at +00:00
    LOCAL = "local"  # TIMESTAMP_TZ to the TIMESTAMP_NTZ that a clock in a zone shows


@dataclass(frozen=True, slots=True)
class StagingColumn:
    """A column that STAGING should have."""

    name: str
    type: SfType
    role: Role | None  # None for driftguard's own service columns
    emitted_as: str | None = None  # the Parquet column that fills it
    least: SfType | None = None  # the narrowest type that still takes every value


@dataclass(frozen=True, slots=True)
class FinalColumn:
    """A column that FINAL should have, and where the merge takes it from."""

    name: str
    type: SfType
    staging: str | None  # the STAGING column; None for driftguard's own
    cast: Cast = Cast.NONE
    key: bool = False
    source: str | None = None  # the Aurora column
    keep_on_null_update: bool = False  # policy: a NULL in an update means that the value was not sent
    hops: tuple[Hop, ...] = ()
    least: SfType | None = None  # the narrowest type that still takes every value

    @property
    def loss(self) -> Loss:
        """The worst loss on the value's way."""
        return max((h.loss for h in self.hops), key=lambda loss: loss.rank, default=Loss.EXACT)


@dataclass(frozen=True, slots=True)
class Landing:
    """Everything that one landing consists of."""

    table: TableName
    staging: ObjectName
    final: ObjectName
    pipe: ObjectName
    task: ObjectName
    file_format: ObjectName
    stage: ObjectName
    path: str  # folder below the stage, ending in `/`
    staging_columns: tuple[StagingColumn, ...]
    final_columns: tuple[FinalColumn, ...]
    emissions: tuple[Emission, ...] = ()
    stream: ObjectName | None = None  # by which the merge learns of new files; None where it looks for them
    loads_at_start: bool = True  # full-load rows carry the start of their load as commit time
    record: bool = False  # STAGING keeps each Parquet row whole, in DG_RECORD

    @property
    def key(self) -> tuple[FinalColumn, ...]:
        return tuple(c for c in self.final_columns if c.key)

    def has(self, name: str) -> bool:
        """Should FINAL have a column of this name?"""
        return any(c.name == name for c in self.final_columns)

    def staging_role(self, role: Role) -> StagingColumn | None:
        return next((c for c in self.staging_columns if c.role is role), None)


# driftguard's own columns; they are there from the first day because they cannot be filled later.
DG_FILE = "_DG_FILE"
DG_ROW = "_DG_ROW"
DG_LOADED_AT = "_DG_LOADED_AT"
DG_RECORD = "_DG_RECORD"  # of STAGING in record style: the Parquet row
DG_COMMIT_TS = "_DG_COMMIT_TS"
DG_SEQ = "_DG_SEQ"
DG_REPAIR = "_DG_REPAIR"
DG_DELETED = "_DG_DELETED"
DG_OP = "_DG_OP"
IN_MERGE = re.compile(
    r"_DG_(OP|LEFT|TAKEN|NEW|NEW_FILE|NEW_AT|SEEN_FILE|SEEN_AT|CAME|(LACKS|FOUND|LATE)_[0-9]+)"
)  # what the merge calls its own columns
STAGING_SERVICE = (DG_FILE, DG_ROW, DG_LOADED_AT)
FINAL_SERVICE = (DG_COMMIT_TS, DG_SEQ)
FINAL_OPTIONAL = (DG_REPAIR, DG_DELETED)  # where the merge needs it
