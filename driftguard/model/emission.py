"""What DMS will write for one source table: the columns of its full-load files and of its CDC files."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from driftguard.model.catalog import PgType
from driftguard.model.identifiers import TableName


class Loss(enum.StrEnum):
    """What becomes of a value on one hop. A chain is as bad as its worst hop."""

    EXACT = "exact"
    ASSUMED_EXACT = "assumed_exact"  # AWS does not document it
    AS_TEXT = "as_text"
    LOSSY = "lossy"
    NOT_DELIVERED = "not_delivered"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 is harmless; `unknown` is the worst, because nothing can be said."""
        return list(Loss).index(self)


class Role(enum.StrEnum):
    """Why a column is in the file."""

    DATA = "data"
    OP = "op"
    COMMIT_TIME = "commit_time"
    CHANGE_SEQ = "change_seq"
    BEFORE_IMAGE = "before_image"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class SpecialValue:
    """Values that fare otherwise than the rest of their type: which (key and words), what becomes of them, and whether
    that is documented (False: it is what driftguard's stand-in does)."""

    key: str
    words: str
    becomes: str
    documented: bool


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a type's way: from what, to what, what is lost, and who says so."""

    step: str  # postgres_to_dms · dms_to_parquet · parquet_to_staging · postgres_to_final
    before: str
    after: str
    loss: Loss
    note: str = ""
    source: str = ""
    proven_by: str = ""
    special: tuple[SpecialValue, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class EmittedColumn:
    """A column of the Parquet files. `source` is the Aurora column's name; None for columns that DMS makes up."""

    name: str
    role: Role
    dms_type: str
    parquet_type: str
    source: str | None = None
    pg_type: PgType | None = None
    lob: bool = False
    toastable: bool = False  # PostgreSQL may move a large value out of the row, and leaves it out of an update then
    hops: tuple[Hop, ...] = ()
    expression: str = ""  # of the add-column rule that made it
    masking: str = ""  # the action of the rule that masks its values


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from. A landing has one or more."""

    table: TableName
    task: str = ""
    pipeline: str = ""
    cluster: str = ""
    database: str = ""
    root: TableName | None = None  # a partition: the partitioned table at the top


@dataclass(frozen=True, slots=True)
class Emission:
    """`target` is the table's name after the mapping rules; `path` is its folder below the bucket, ending in `/`."""

    source: Source
    target: TableName
    path: str
    full_load: tuple[EmittedColumn, ...]
    cdc: tuple[EmittedColumn, ...]
    key: tuple[str, ...]  # emitted names of the key columns; empty where the table has no usable key
    dropped: tuple[tuple[str, str], ...] = ()  # (Aurora column, why it is not in the files)
    warnings: tuple[str, ...] = ()
    deferrable_key: bool = False  # the key is checked at the end of the transaction: rows may trade keys in it
    columns: tuple[EmittedColumn, ...] = field(init=False)  # the union of both column sets, CDC's order first

    def __post_init__(self) -> None:
        names = {c.name for c in self.cdc}
        union = self.cdc + tuple(c for c in self.full_load if c.name not in names)
        object.__setattr__(self, "columns", union)

    def role(self, role: Role) -> EmittedColumn | None:
        return next((c for c in self.columns if c.role is role), None)

    def before_image(self, name: str) -> EmittedColumn | None:
        """The column with the value that the emitted column `name` had before an update."""
        source = next((c.source for c in self.columns if c.name == name), None)
        return next((c for c in self.columns if c.role is Role.BEFORE_IMAGE and c.source == source), None)
