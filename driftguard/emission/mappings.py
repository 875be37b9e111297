"""Which tables the mappings select, and what they make of a table's name and columns.

Sources, pages of the AWS DMS User Guide: SEL = "Selection rules and actions", TR = "Transformation rules and
actions", WILD = "Wildcards in table mapping", EXPR = "Using transformation rule expressions to define column
content", FILT = "Using source filters".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from driftguard.emission.mapping_document import NAMING, parse_mappings
from driftguard.model.mappings import (
    Action,
    BeforeImage,
    DroppedColumn,
    Mappings,
    MappingWarning,
    PrimaryKey,
    RuleTarget,
    Selection,
    SelectionAction,
    SelectionRule,
    SourceColumn,
    TargetColumn,
    TargetTable,
    TransformationRule,
)

__all__ = ["matches", "parse_mappings", "select", "transform"]

_MASKING = {Action.MASK_DIGITS, Action.RANDOMIZE_DIGITS, Action.MASK_HASH}
_ONE_PER_COLUMN = NAMING | {Action.CHANGE_DATA_TYPE}
_UNTRANSFORMABLE = re.compile(r"[#\\/\-\u0590-\u08ff]")
"""TR: names with these characters, or written from right to left, cannot be transformed."""


def matches(pattern: str, name: str) -> bool:
    """Does a name match a pattern of a rule? Case counts (SEL).

    WILD: `%` any run of characters, `_` any one character, `[_]` an underscore itself, `[ab]` and `[a-d]` one of a set.
    A name written out in full always matches itself.
    """
    return pattern == name or _regex(pattern).fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        end = pattern.find("]", position + 2) if character == "[" else -1
        if end > 0:
            parts.append(_set(pattern[position + 1 : end]))
            position = end
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
        position += 1
    return re.compile("".join(parts), re.DOTALL)


def _set(members: str) -> str:
    """The regular expression of one set, given without its brackets. Nothing in it is special but a range."""
    found: list[str] = []
    position = 0
    while position < len(members):
        low = high = members[position]
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            high = members[position + 2]
            position += 2
        if low <= high:
            found.append(f"\\U{ord(low):08x}-\\U{ord(high):08x}")
        position += 1
    return f"[{''.join(found)}]" if found else "(?!)"


def select(mappings: Mappings, schema: str, table: str, *, kind: str = "table") -> Selection:
    """Is this table or view of the source replicated?

    SEL: a table is taken if an include or explicit rule matches it and no exclude rule does. No text of AWS orders
    include against exclude; its example (include `Test.%`, exclude `Test.DMS%`) shows that exclude wins. `table-type`
    is `table` where a rule does not say otherwise; views are loaded by full-load-only tasks alone.
    """
    hits = [rule for rule in mappings.selections if _selects(rule, schema, table, kind)]
    takes = [rule for rule in hits if rule.action is not SelectionAction.EXCLUDE]
    leaves = [rule for rule in hits if rule.action is SelectionAction.EXCLUDE]
    what = f"{kind} {schema}.{table}"
    if leaves:
        ids = tuple(rule.rule_id for rule in leaves)
        return Selection(False, ids, f"{what} is left out by exclude rule {', '.join(ids)}")
    if not takes:
        return Selection(False, (), f"no selection rule of the task names {what}")
    ids = tuple(rule.rule_id for rule in takes)
    words = [f"{what} is taken by {takes[0].action} rule {', '.join(ids)}"]
    if any(rule.filters for rule in takes):
        columns = sorted({item.column for rule in takes for item in rule.filters})
        words.append(f"only rows that pass its filter on {', '.join(columns)} are replicated")
    if kind == "view":
        words.append("a view is loaded by full-load-only tasks, and never changes in CDC")
    return Selection(True, ids, "; ".join(words), max(rule.load_order for rule in takes))


def _selects(rule: SelectionRule, schema: str, table: str, kind: str) -> bool:
    locator = rule.locator
    if locator.table_type not in (kind, "all"):
        return False
    if rule.action is SelectionAction.EXPLICIT:
        return (locator.schema, locator.table) == (schema, table)
    return matches(locator.schema, schema) and matches(locator.table, table)


def transform(mappings: Mappings, schema: str, table: str, columns: Sequence[SourceColumn]) -> TargetTable:
    """The name and the columns under which DMS writes a source table.

    TR: rules name source objects. "AWS DMS applies the transformation rule with the lower rule-id" where several are
    about one object; each such case is a warning.
    """
    warnings: list[MappingWarning] = []
    rules = [
        rule
        for rule in mappings.transformations
        if matches(rule.locator.schema, schema)
        and (rule.target is RuleTarget.SCHEMA or matches(rule.locator.table, table))
    ]
    target_schema, _ = _rename(schema, "schema", [r for r in rules if r.target is RuleTarget.SCHEMA], warnings)
    naming = [r for r in rules if r.target is RuleTarget.TABLE and r.action in NAMING]
    target_table, _ = _rename(table, "table", naming, warnings)
    column_rules = [rule for rule in rules if rule.target is RuleTarget.COLUMN]
    kept, dropped = _keep(columns, column_rules, warnings)
    if any(rule.action in _ONE_PER_COLUMN or rule.action in _MASKING for rule in column_rules):
        written = [_column(column, column_rules, warnings) for column in kept]
    else:
        written = [_untouched(column.name) for column in kept]
    written += _before_images(kept, written, column_rules, warnings)
    written += _added(written, column_rules, warnings)
    _warn_of_clashes(written, warnings)
    return TargetTable(
        target_schema, target_table, tuple(written), tuple(dropped), tuple(warnings), _primary_key(rules, warnings)
    )


def _keep(
    columns: Sequence[SourceColumn], rules: Sequence[TransformationRule], warnings: list[MappingWarning]
) -> tuple[list[SourceColumn], list[DroppedColumn]]:
    """The columns that stay. TR: an include-column rule drops every column that no such rule names."""
    included = [rule for rule in rules if rule.action is Action.INCLUDE_COLUMN]
    removed = [rule for rule in rules if rule.action is Action.REMOVE_COLUMN]
    if not included and not removed:
        return list(columns), []
    kept: list[SourceColumn] = []
    dropped: list[DroppedColumn] = []
    for column in columns:
        remover = next((rule for rule in removed if _hits(rule, column)), None)
        if remover is not None:
            dropped.append(DroppedColumn(column.name, remover.rule_id, f"remove-column rule {remover.rule_id}"))
        elif included and not any(_hits(rule, column) for rule in included):
            ids = ", ".join(rule.rule_id for rule in included)
            dropped.append(
                DroppedColumn(column.name, None, f"include-column rule {ids} keeps only the columns it names")
            )
        else:
            kept.append(column)
            continue
        others = [rule.rule_id for rule in rules if rule.action in _ONE_PER_COLUMN and _hits(rule, column)]
        if others:
            warnings.append(
                MappingWarning(
                    f"rule {', '.join(others)} changes column {column.name}, which is not replicated",
                    tuple(others),
                    column.name,
                )
            )
    return kept, dropped


@lru_cache(maxsize=100_000)
def _untouched(name: str) -> TargetColumn:
    """A column that no rule changes; names repeat from table to table."""
    return TargetColumn(name=name, source=name)


def _column(column: SourceColumn, rules: Sequence[TransformationRule], warnings: list[MappingWarning]) -> TargetColumn:
    hits = [rule for rule in rules if rule.action in _ONE_PER_COLUMN and _hits(rule, column, warnings)]
    masks = [rule for rule in rules if rule.action in _MASKING and _hits(rule, column)]
    if hits and column.lob:
        warnings.append(
            MappingWarning(
                f"rule {hits[0].rule_id} changes the LOB column {column.name}; the only transformation that DMS "
                "supports there is to drop the column",
                (hits[0].rule_id,),
                column.name,
            )
        )
    name, rule = _rename(column.name, "column", hits, warnings)
    rule_id = rule.rule_id if rule else masks[0].rule_id if masks else None
    return TargetColumn(
        name=name,
        source=column.name,
        rule_id=rule_id,
        data_type=rule.data_type if rule and rule.action is Action.CHANGE_DATA_TYPE else None,
        masking=str(masks[0].action) if masks else None,
    )


def _hits(rule: TransformationRule, column: SourceColumn, warnings: list[MappingWarning] | None = None) -> bool:
    """Is the rule about this column? TR, change-data-type: the locator may also name a data type."""
    if rule.locator.column is not None and not matches(rule.locator.column, column.name):
        return False
    if rule.locator.data_type is None:
        return True
    if column.data_type is None and warnings is not None:
        warnings.append(
            MappingWarning(
                f"rule {rule.rule_id} selects columns of type {rule.locator.data_type}; "
                f"the DMS type of {column.name} is not known, so the rule is not applied to it",
                (rule.rule_id,),
                column.name,
            )
        )
    return column.data_type is not None and matches(rule.locator.data_type, column.data_type)


def _rename(
    name: str, what: str, hits: Sequence[TransformationRule], warnings: list[MappingWarning]
) -> tuple[str, TransformationRule | None]:
    """The name after the one rule that counts, and that rule."""
    column = name if what == "column" else None
    if not hits:
        return name, None
    rule = hits[0]
    if len(hits) > 1:
        ids = tuple(hit.rule_id for hit in hits)
        warnings.append(
            MappingWarning(
                f"rules {', '.join(ids)} are about one object, {what} {name}; DMS applies only rule {rule.rule_id}, "
                "the lowest rule-id",
                ids,
                column,
            )
        )
    if _UNTRANSFORMABLE.search(name):
        warnings.append(
            MappingWarning(
                f"rule {rule.rule_id} cannot change {what} {name}: DMS transforms no name with #, \\, /, - or "
                "right-to-left letters",
                (rule.rule_id,),
                column,
            )
        )
        return name, None
    if rule.action is Action.RENAME and rule.value is None:
        warnings.append(
            MappingWarning(
                f"rule {rule.rule_id} names {what} {name} by the expression {rule.expression!r}, "
                "which is not worked out here; the source name is assumed",
                (rule.rule_id,),
                column,
            )
        )
        return name, rule
    return _renamed(name, rule), rule


def _renamed(name: str, rule: TransformationRule) -> str:
    value, old = rule.value or "", rule.old_value or ""
    match rule.action:
        case Action.RENAME:
            return value
        case Action.CONVERT_LOWERCASE:
            return name.lower()
        case Action.CONVERT_UPPERCASE:
            return name.upper()
        case Action.ADD_PREFIX:
            return value + name
        case Action.ADD_SUFFIX:
            return name + value
        case Action.REMOVE_PREFIX:
            return name.removeprefix(value)
        case Action.REMOVE_SUFFIX:
            return name.removesuffix(value)
        case Action.REPLACE_PREFIX if name.startswith(old):
            return value + name[len(old) :]
        case Action.REPLACE_SUFFIX if name.endswith(old):
            return name[: len(name) - len(old)] + value
        case _:
            return name


def _before_images(
    kept: Iterable[SourceColumn],
    written: Sequence[TargetColumn],
    rules: Sequence[TransformationRule],
    warnings: list[MappingWarning],
) -> list[TargetColumn]:
    """The before-image columns. TR: `pk-only`, `non-lob` or `all` columns; a LOB's before-image is void."""
    hits = [rule for rule in rules if rule.action is Action.ADD_BEFORE_IMAGE_COLUMNS]
    if not hits:
        return []
    if len(hits) > 1:
        ids = tuple(rule.rule_id for rule in hits)
        warnings.append(
            MappingWarning(f"rules {', '.join(ids)} all add before-images; DMS applies only rule {ids[0]}", ids)
        )
    rule = hits[0]
    spec = rule.before_image or BeforeImage()
    wanted = {
        column.name
        for column in kept
        if (column.key or spec.columns != "pk-only") and (not column.lob or spec.columns == "all")
    }
    return [
        TargetColumn(
            f"{spec.prefix}{column.name}{spec.suffix}", column.source, rule.rule_id, column.data_type, before_image=True
        )
        for column in written
        if column.source in wanted
    ]


def _added(
    written: Sequence[TargetColumn], rules: Sequence[TransformationRule], warnings: list[MappingWarning]
) -> list[TargetColumn]:
    """The columns of add-column rules. TR: the name must not exist already."""
    names = {column.name for column in written}
    added: list[TargetColumn] = []
    for rule in rules:
        if rule.action is not Action.ADD_COLUMN:
            continue
        name = rule.value or ""
        if name in names:
            warnings.append(
                MappingWarning(
                    f"rule {rule.rule_id} adds column {name}, which is there already; it is left out",
                    (rule.rule_id,),
                    name,
                )
            )
            continue
        names.add(name)
        added.append(TargetColumn(name, None, rule.rule_id, rule.data_type, rule.expression))
    return added


def _warn_of_clashes(written: Sequence[TargetColumn], warnings: list[MappingWarning]) -> None:
    names: dict[str, TargetColumn] = {}
    for column in written:
        other = names.setdefault(column.name, column)
        if other is not column:
            ids = tuple(rule_id for rule_id in (other.rule_id, column.rule_id) if rule_id)
            warnings.append(
                MappingWarning(
                    f"columns {other.source} and {column.source} both become {column.name}", ids, column.name
                )
            )


def _primary_key(rules: Sequence[TransformationRule], warnings: list[MappingWarning]) -> PrimaryKey | None:
    hits = [rule for rule in rules if rule.action is Action.DEFINE_PRIMARY_KEY]
    if len(hits) > 1:
        ids = tuple(rule.rule_id for rule in hits)
        warnings.append(
            MappingWarning(f"rules {', '.join(ids)} all define the key; DMS applies only rule {ids[0]}", ids)
        )
    return hits[0].primary_key if hits else None
