"""Table mappings of a DMS task, and what they make of a table.

The words are those of the AWS DMS User Guide, "Using table mapping to specify task settings", with its pages
"Selection rules and actions" and "Transformation rules and actions".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal


class SelectionAction(enum.StrEnum):
    """What a selection rule does with the tables it matches."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    EXPLICIT = "explicit"


class RuleTarget(enum.StrEnum):
    """What a transformation rule changes."""

    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"


class Action(enum.StrEnum):
    """What a transformation rule does."""

    RENAME = "rename"
    CONVERT_LOWERCASE = "convert-lowercase"
    CONVERT_UPPERCASE = "convert-uppercase"
    ADD_PREFIX = "add-prefix"
    REMOVE_PREFIX = "remove-prefix"
    REPLACE_PREFIX = "replace-prefix"
    ADD_SUFFIX = "add-suffix"
    REMOVE_SUFFIX = "remove-suffix"
    REPLACE_SUFFIX = "replace-suffix"
    REMOVE_COLUMN = "remove-column"
    INCLUDE_COLUMN = "include-column"
    ADD_COLUMN = "add-column"
    CHANGE_DATA_TYPE = "change-data-type"
    ADD_BEFORE_IMAGE_COLUMNS = "add-before-image-columns"
    DEFINE_PRIMARY_KEY = "define-primary-key"
    MASK_DIGITS = "data-masking-digits-mask"
    RANDOMIZE_DIGITS = "data-masking-digits-randomize"
    MASK_HASH = "data-masking-hash-mask"


@dataclass(frozen=True, slots=True)
class ObjectLocator:
    """Which source objects a rule is about. Names are patterns: `%`, `_`, `[ab]`, `[a-d]`."""

    schema: str
    table: str = "%"
    column: str | None = None
    data_type: str | None = None
    table_type: Literal["table", "view", "all"] = "table"


@dataclass(frozen=True, slots=True)
class FilterCondition:
    """One condition of a filter, e.g. ("gte", ("100",)); `between` has two values, `null` none."""

    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter on a source column: its conditions are joined by OR, the filters of a rule by AND."""

    column: str
    conditions: tuple[FilterCondition, ...]


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """A rule of rule-type `selection`."""

    rule_id: str
    name: str
    action: SelectionAction
    locator: ObjectLocator
    filters: tuple[Filter, ...] = ()
    load_order: int = 0


@dataclass(frozen=True, slots=True)
class DataTypeOverride:
    """The DMS type that a rule gives a column."""

    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class BeforeImage:
    """Which columns get a before-image, and how it is named."""

    prefix: str = "BI_"
    suffix: str = ""
    columns: Literal["pk-only", "non-lob", "all"] = "pk-only"


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """The key that a rule of action `define-primary-key` gives the target table."""

    name: str
    columns: tuple[str, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class TransformationRule:
    """A rule of rule-type `transformation`."""

    rule_id: str
    name: str
    target: RuleTarget
    action: Action
    locator: ObjectLocator
    value: str | None = None
    old_value: str | None = None
    expression: str | None = None
    data_type: DataTypeOverride | None = None
    before_image: BeforeImage | None = None
    primary_key: PrimaryKey | None = None


@dataclass(frozen=True, slots=True)
class TableSettingsRule:
    """A rule of rule-type `table-settings`: how a table is loaded, and its LOB mode."""

    rule_id: str
    name: str
    locator: ObjectLocator
    parallel_load: str | None = None
    lob_mode: Literal["limited", "unlimited", "none"] | None = None
    bulk_max_size_kb: int | None = None


@dataclass(frozen=True, slots=True)
class OtherRule:
    """A rule that changes neither tables nor columns: post-processing, validation, object-mapping."""

    rule_id: str
    name: str
    rule_type: str


@dataclass(frozen=True, slots=True)
class Mappings:
    """The table mappings of one task, each kind of rule ordered by its numeric rule-id."""

    selections: tuple[SelectionRule, ...]
    transformations: tuple[TransformationRule, ...] = ()
    table_settings: tuple[TableSettingsRule, ...] = ()
    others: tuple[OtherRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Is a table replicated, by which rules, and why in words."""

    selected: bool
    rule_ids: tuple[str, ...]
    reason: str
    load_order: int = 0


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of the source table, as far as the mappings care.

    `lob`: it becomes a DMS BLOB, CLOB or NCLOB. `key`: it is part of the primary key. `data_type`: its DMS type in
    lower case, for rules that select by type; None if not known.
    """

    name: str
    lob: bool
    key: bool = False
    data_type: str | None = None


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column that DMS writes. `source` is None for an added one; `rule_id` is the rule that made or changed it."""

    name: str
    source: str | None
    rule_id: str | None = None
    data_type: DataTypeOverride | None = None
    expression: str | None = None
    before_image: bool = False
    masking: str | None = None


@dataclass(frozen=True, slots=True)
class DroppedColumn:
    """A source column that DMS does not write. `rule_id` is None where an include-column rule names other columns."""

    name: str
    rule_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class MappingWarning:
    """Something in the mappings that does not do what it seems to, or whose outcome AWS does not document."""

    message: str
    rule_ids: tuple[str, ...] = ()
    column: str | None = None


@dataclass(frozen=True, slots=True)
class TargetTable:
    """What the mappings make of one source table, without the operation and timestamp columns of the endpoint."""

    schema: str
    table: str
    columns: tuple[TargetColumn, ...]
    dropped: tuple[DroppedColumn, ...] = ()
    warnings: tuple[MappingWarning, ...] = ()
    primary_key: PrimaryKey | None = None
