"""Reads the JSON of table mappings, and refuses what DMS would refuse.

Shapes and required keys: AWS DMS User Guide, "Selection rules and actions", "Transformation rules and actions",
"Table and collection settings rules and operations", "Using source filters".
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from driftguard.errors import MappingError
from driftguard.model.mappings import (
    Action,
    BeforeImage,
    DataTypeOverride,
    Filter,
    FilterCondition,
    Mappings,
    ObjectLocator,
    OtherRule,
    PrimaryKey,
    RuleTarget,
    SelectionAction,
    SelectionRule,
    TableSettingsRule,
    TransformationRule,
)

_E = TypeVar("_E", bound=enum.StrEnum)
_L = TypeVar("_L", bound=str)

NAMING = {
    Action.RENAME,
    Action.CONVERT_LOWERCASE,
    Action.CONVERT_UPPERCASE,
    Action.ADD_PREFIX,
    Action.REMOVE_PREFIX,
    Action.REPLACE_PREFIX,
    Action.ADD_SUFFIX,
    Action.REMOVE_SUFFIX,
    Action.REPLACE_SUFFIX,
}
"""The actions that change a name; they exist for schemas, tables and columns."""

_WITH_VALUE = NAMING - {Action.CONVERT_LOWERCASE, Action.CONVERT_UPPERCASE} | {Action.ADD_COLUMN}
_WITHOUT_COLUMN = {Action.ADD_COLUMN, Action.ADD_BEFORE_IMAGE_COLUMNS}
_OTHER_TYPES = ("post-processing", "validation", "object-mapping")
_RULE_TYPES = ("selection", "transformation", "table-settings", *_OTHER_TYPES)
_DATA_TYPES = (
    *("bytes", "date", "time", "datetime", "int1", "int2", "int4", "int8", "numeric", "real4", "real8", "string"),
    *("uint1", "uint2", "uint4", "uint8", "wstring", "blob", "nclob", "clob", "boolean", "set", "list", "map", "tuple"),
)
_FILTER_VALUES = {
    **dict.fromkeys(("eq", "noteq", "gte", "ste", "lte", "gt", "lt"), ("value",)),
    **dict.fromkeys(("between", "notbetween"), ("start-value", "end-value")),
    **dict.fromkeys(("null", "notnull"), ()),
}


def parse_mappings(document: str | bytes | Mapping[str, object], *, where: str = "table mappings") -> Mappings:
    """The mappings of a document such as `describe-replication-tasks` returns or a repository holds.

    Raises MappingError, one line with `where`, the rule-id and the key, for anything that DMS would not take.
    """
    if not isinstance(document, Mapping):
        document = _load(document, where)
    rules = document.get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str | bytes):
        raise MappingError(f"{where}: there is no list 'rules'", hint='expected {"rules": [ … ]}')
    selections: list[SelectionRule] = []
    transformations: list[TransformationRule] = []
    settings: list[TableSettingsRule] = []
    others: list[OtherRule] = []
    seen: set[int] = set()
    for number, content in enumerate(rules, start=1):
        rule = _Reader(f"{where}: rule {number}", _mapping(content, f"{where}: rule {number}"))
        rule_id = rule.identifier()
        rule = _Reader(f"{where}: rule-id {rule_id}", rule.content)
        if int(rule_id) in seen:
            rule.refuse("the rule-id is used twice", "give every rule its own number")
        seen.add(int(rule_id))
        name = rule.text("rule-name", default="")
        kind = rule.one_of("rule-type", _RULE_TYPES)
        if kind == "selection":
            selections.append(_selection(rule, rule_id, name))
        elif kind == "transformation":
            transformations.append(_transformation(rule, rule_id, name))
        elif kind == "table-settings":
            settings.append(_table_settings(rule, rule_id, name))
        else:
            others.append(OtherRule(rule_id, name, kind))
    return Mappings(
        tuple(sorted(selections, key=_number)),
        tuple(sorted(transformations, key=_number)),
        tuple(sorted(settings, key=_number)),
        tuple(sorted(others, key=_number)),
    )


def _number(rule: SelectionRule | TransformationRule | TableSettingsRule | OtherRule) -> int:
    return int(rule.rule_id)


def _load(document: str | bytes, where: str) -> Mapping[str, object]:
    try:
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document.removeprefix("\ufeff")
        return _mapping(json.loads(text, object_pairs_hook=lambda pairs: _without_duplicates(pairs, where)), where)
    except UnicodeDecodeError:
        raise MappingError(f"{where}: not UTF-8 text", hint="save the file as UTF-8") from None
    except RecursionError:
        raise MappingError(f"{where}: nested too deep", hint='expected {"rules": [ … ]}') from None
    except json.JSONDecodeError as error:
        raise MappingError(
            f"{where}: not JSON, line {error.lineno} column {error.colno}: {error.msg}",
            hint="check it with a JSON validator",
        ) from None


def _without_duplicates(pairs: list[tuple[str, object]], where: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise MappingError(f"{where}: the key '{key}' stands twice in one object", hint="keep one of them")
        found[key] = value
    return found


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise MappingError(
            f"{where}: expected a JSON object, found {_kind(value)}", hint="see the DMS guide's examples"
        )
    return cast(Mapping[str, object], value)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return {type(None): "null", bool: "a boolean", int: "a number", float: "a number", list: "a list"}.get(
        type(value), type(value).__name__
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """One JSON object, read key by key; every complaint names the place."""

    where: str
    content: Mapping[str, object]

    def refuse(self, message: str, hint: str) -> None:
        raise MappingError(f"{self.where}: {message}", hint=hint)

    def text(self, key: str, *, default: str | None = None, required_for: str = "") -> str:
        value = self.content.get(key)
        if value is None and default is not None:
            return default
        if value is None:
            because = f", which {required_for} needs" if required_for else ""
            raise MappingError(f"{self.where}: '{key}' is missing{because}", hint=f'add "{key}"')
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise MappingError(f"{self.where}: '{key}' is {_kind(value)}", hint="DMS takes text here")
        return str(value)

    def optional(self, key: str) -> str | None:
        return self.text(key, default="") or None

    def number(self, key: str) -> int | None:
        text = self.optional(key)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit():
            self.refuse(f"'{key}' is {text!r}", "DMS takes a whole number here")
        return int(text)

    def identifier(self) -> str:
        text = self.text("rule-id")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            self.refuse(f"'rule-id' is {text!r}", "DMS takes a number here")
        return text

    def one_of(self, key: str, allowed: Sequence[_L], *, default: str | None = None) -> _L:
        text = self.text(key, default=default)
        if text not in allowed:
            self.refuse(f"'{key}' is {text!r}", f"DMS knows {', '.join(allowed)} (in lower case)")
        return cast(_L, text)

    def member(self, key: str, allowed: type[_E]) -> _E:
        return allowed(self.one_of(key, [str(member) for member in allowed]))

    def child(self, key: str) -> _Reader:
        if key not in self.content:
            raise MappingError(f"{self.where}: '{key}' is missing", hint=f'add "{key}"')
        return _Reader(f"{self.where}, {key}", _mapping(self.content[key], f"{self.where}, {key}"))

    def children(self, key: str) -> list[_Reader]:
        value = self.content.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise MappingError(f"{self.where}: '{key}' is {_kind(value)}", hint="DMS takes a list here")
        return [
            _Reader(f"{self.where}, {key} {n}", _mapping(item, f"{self.where}, {key} {n}"))
            for n, item in enumerate(value, start=1)
        ]


def _selection(rule: _Reader, rule_id: str, name: str) -> SelectionRule:
    action = rule.member("rule-action", SelectionAction)
    place = rule.child("object-locator")
    kinds: tuple[Literal["table", "view", "all"], ...] = ("table", "view", "all")
    locator = ObjectLocator(
        schema=place.text("schema-name"),
        table=place.text("table-name"),
        table_type=place.one_of("table-type", kinds, default="table"),
    )
    if action is SelectionAction.EXPLICIT and "%" in locator.schema + locator.table:
        place.refuse("an explicit rule takes no wildcard", "name one schema and one table, or use include")
    filters = tuple(_filter(item) for item in rule.children("filters"))
    if filters and action is SelectionAction.EXCLUDE:
        rule.refuse("an exclude rule takes no filters", "put them on the include rule")
    return SelectionRule(rule_id, name, action, locator, filters, rule.number("load-order") or 0)


def _filter(item: _Reader) -> Filter:
    item.one_of("filter-type", ("source",), default="source")
    conditions = []
    for condition in item.children("filter-conditions"):
        operator = condition.one_of("filter-operator", tuple(_FILTER_VALUES))
        values = tuple(condition.text(key, required_for=operator) for key in _FILTER_VALUES[operator])
        conditions.append(FilterCondition(operator, values))
    if not conditions:
        item.refuse("'filter-conditions' is empty", "give the filter at least one condition")
    if len(conditions) > 1 and any(condition.operator.startswith("not") for condition in conditions):
        item.refuse("a negative operator stands beside other conditions", "give each of them a filter of its own")
    return Filter(item.text("column-name"), tuple(conditions))


def _transformation(rule: _Reader, rule_id: str, name: str) -> TransformationRule:
    action = rule.member("rule-action", Action)
    target = rule.member("rule-target", RuleTarget)
    allowed = set(RuleTarget) if action in NAMING else {RuleTarget.COLUMN}
    if action is Action.DEFINE_PRIMARY_KEY:
        allowed = {RuleTarget.TABLE}
    if target not in allowed:
        rule.refuse(f"{action} is not for rule-target {target}", f"use rule-target {' or '.join(sorted(allowed))}")
    place = rule.child("object-locator")
    on_column = target is RuleTarget.COLUMN and action not in _WITHOUT_COLUMN
    locator = ObjectLocator(
        schema=place.text("schema-name"),
        table=place.text("table-name", default="%" if target is RuleTarget.SCHEMA else None),
        column=place.text("column-name", required_for=str(action)) if on_column else place.optional("column-name"),
        data_type=place.optional("data-type"),
    )
    expression = rule.optional("expression")
    value = rule.content.get("value")
    if action in _WITH_VALUE and not (action is Action.RENAME and expression):
        value = rule.text("value", required_for=str(action))
        if not value and action in {Action.RENAME, Action.ADD_COLUMN}:
            rule.refuse("'value' is empty", f"{action} needs a name")
    data_type = _data_type(rule.child("data-type")) if rule.content.get("data-type") else None
    if action is Action.CHANGE_DATA_TYPE and data_type is None:
        rule.refuse("'data-type' is missing", "change-data-type needs the type to change to")
    old_value = rule.optional("old-value")
    if action in {Action.REPLACE_PREFIX, Action.REPLACE_SUFFIX} and old_value is None:
        rule.refuse("'old-value' is missing", f"{action} needs the text that it replaces")
    return TransformationRule(
        rule_id=rule_id,
        name=name,
        target=target,
        action=action,
        locator=locator,
        value=None if value is None else str(value),
        old_value=old_value,
        expression=expression,
        data_type=data_type,
        before_image=_before_image(rule) if action is Action.ADD_BEFORE_IMAGE_COLUMNS else None,
        primary_key=_primary_key(rule, locator) if action is Action.DEFINE_PRIMARY_KEY else None,
    )


def _data_type(item: _Reader) -> DataTypeOverride:
    return DataTypeOverride(
        type=item.one_of("type", _DATA_TYPES),
        length=item.number("length"),
        precision=item.number("precision"),
        scale=item.number("scale"),
    )


def _before_image(rule: _Reader) -> BeforeImage:
    if rule.content.get("before-image-def") is None:
        return BeforeImage()
    item = rule.child("before-image-def")
    filters: tuple[Literal["pk-only", "non-lob", "all"], ...] = ("pk-only", "non-lob", "all")
    found = BeforeImage(
        prefix=item.text("column-prefix", default="BI_"),
        suffix=item.text("column-suffix", default=""),
        columns=item.one_of("column-filter", filters, default="pk-only"),
    )
    if not found.prefix and not found.suffix:
        item.refuse("prefix and suffix are both empty", "a before-image needs a name of its own")
    return found


def _primary_key(rule: _Reader, locator: ObjectLocator) -> PrimaryKey:
    if "%" in locator.schema + locator.table:
        rule.refuse("define-primary-key takes no wildcard", "name one schema and one table")
    item = rule.child("primary-key-def")
    columns = item.content.get("columns", [])
    if not isinstance(columns, list | tuple) or not all(isinstance(column, str) for column in columns):
        raise MappingError(f"{item.where}: 'columns' is {_kind(columns)}", hint="DMS takes a list of names here")
    origin = item.optional("origin") or ""
    if not columns and not origin:
        item.refuse("'columns' is empty", "name the columns of the key")
    return PrimaryKey(item.text("name", default=""), tuple(columns), origin)


def _table_settings(rule: _Reader, rule_id: str, name: str) -> TableSettingsRule:
    place = rule.child("object-locator")
    locator = ObjectLocator(schema=place.text("schema-name"), table=place.text("table-name"))
    if "%" in locator.schema + locator.table:
        place.refuse("table-settings takes no wildcard", "name one schema and one table")
    parallel = rule.child("parallel-load").text("type") if rule.content.get("parallel-load") else None
    mode: Literal["limited", "unlimited", "none"] | None = None
    size: int | None = None
    if rule.content.get("lob-settings"):
        lob = rule.child("lob-settings")
        modes: tuple[Literal["limited", "unlimited", "none"], ...] = ("limited", "unlimited", "none")
        mode = lob.one_of("mode", modes, default="limited")
        size = lob.number("bulk-max-size")
    return TableSettingsRule(rule_id, name, locator, parallel, mode, size)
