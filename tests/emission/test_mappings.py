"""Table mappings: each test cites the page of the AWS DMS User Guide whose row it stands for.

SEL = "Selection rules and actions", TR = "Transformation rules and actions", WILD = "Wildcards in table mapping",
EXPR = "Using transformation rule expressions to define column content", FILT = "Using source filters",
TSET = "Table and collection settings rules and operations".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftguard.emission.mappings import matches, parse_mappings, select, transform
from driftguard.errors import MappingError
from driftguard.model.mappings import Mappings, SourceColumn, TargetTable

COLUMNS = (SourceColumn("id", lob=False, key=True), SourceColumn("name", lob=False), SourceColumn("notes", lob=True))


def selection(rule_id: str = "1", schema: str = "%", table: str = "%", **more: Any) -> dict[str, Any]:
    return {
        "rule-type": "selection",
        "rule-id": rule_id,
        "rule-name": rule_id,
        "rule-action": "include",
        "object-locator": {"schema-name": schema, "table-name": table},
    } | more


def change(rule_id: str, target: str, action: str, **more: Any) -> dict[str, Any]:
    locator = {"schema-name": "%"}
    if target != "schema":
        locator["table-name"] = "%"
    if target == "column" and action not in ("add-column", "add-before-image-columns"):
        locator["column-name"] = more.pop("column", "%")
    locator |= more.pop("locator", {})
    return {
        "rule-type": "transformation",
        "rule-id": rule_id,
        "rule-name": rule_id,
        "rule-target": target,
        "rule-action": action,
        "object-locator": locator,
    } | more


def parse(*rules: dict[str, Any]) -> Mappings:
    return parse_mappings(json.dumps({"rules": list(rules)}))


def apply(*rules: dict[str, Any], columns: tuple[SourceColumn, ...] = COLUMNS) -> TargetTable:
    return transform(parse(selection(), *rules), "shop", "orders", columns)


def names(table: TargetTable) -> list[str]:
    return [column.name for column in table.columns]


# --- wildcards ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("%", "anything at all", True),
        ("%", "", True),
        ("DMS%", "DMS_t", True),
        ("DMS%", "xDMS", False),
        ("order_items", "order_items", True),
        ("order_items", "orderXitems", True),
        ("order[_]items", "order_items", True),
        ("order[_]items", "orderXitems", False),
        ("[ab]x", "ax", True),
        ("[ab]x", "cx", False),
        ("t[a-d]", "tc", True),
        ("t[a-d]", "te", False),
        ("Orders", "orders", False),
        ("a.b", "axb", False),
        ("a%b", "a\nb", True),
        ("t[", "t[", True),
        ("t[x", "t[x", True),
        ("t[]", "t[]", True),
        ("t[^a]", "t^", True),
        ("t[^a]", "tb", False),
        ("t[d-a]", "t[d-a]", True),
        ("t[d-a]", "tb", False),
        ("t[a-]", "t-", True),
        ("t[--/]", "t.", True),
        ("(x)*", "(x)*", True),
        ("ö_", "öß", True),
    ],
)
def test_wildcards(pattern: str, name: str, expected: bool) -> None:
    """WILD: %, _, [_], [ab], [a-d]; SEL: names are case-sensitive."""
    assert matches(pattern, name) is expected


@given(st.text(max_size=12))
def test_a_name_matches_itself_whatever_is_in_it(name: str) -> None:
    assert matches(name, name)


@given(st.text("ab%_[]-^\\", max_size=8), st.text("ab", max_size=6))
def test_no_pattern_is_refused_by_the_matcher(pattern: str, name: str) -> None:
    assert matches(pattern, name) in (True, False)


# --- selection ------------------------------------------------------------------------------------------------------


def test_include_then_exclude_as_in_the_example_of_the_guide() -> None:
    """SEL, example "Migrate some tables in a schema": include Test.%, exclude Test.DMS%."""
    mappings = parse(selection("1", "Test"), selection("2", "Test", "DMS%", **{"rule-action": "exclude"}))
    assert select(mappings, "Test", "t").selected
    refused = select(mappings, "Test", "DMS_x")
    assert not refused.selected
    assert refused.rule_ids == ("2",)
    assert "exclude rule 2" in refused.reason


def test_exclude_wins_with_the_higher_rule_id_too() -> None:
    """SEL: the example is the only statement of order; rule-ids do not decide."""
    mappings = parse(selection("9", "Test"), selection("2", "Test", "x", **{"rule-action": "exclude"}))
    assert not select(mappings, "Test", "x").selected


def test_a_table_that_no_rule_names_is_not_replicated() -> None:
    answer = select(parse(selection("1", "shop")), "other", "t")
    assert not answer.selected
    assert answer.reason == "no selection rule of the task names table other.t"


def test_explicit_takes_one_exact_name() -> None:
    """SEL: explicit names one object, without wildcards."""
    mappings = parse(selection("1", "shop", "order_items", **{"rule-action": "explicit"}))
    assert select(mappings, "shop", "order_items").selected
    assert not select(mappings, "shop", "orderXitems").selected
    with pytest.raises(MappingError, match="explicit rule takes no wildcard"):
        parse(selection("1", "shop", "%", **{"rule-action": "explicit"}))


@pytest.mark.parametrize(
    ("table_type", "table", "view"),
    [(None, True, False), ("table", True, False), ("view", False, True), ("all", True, True)],
)
def test_views_are_taken_only_if_asked_for(table_type: str | None, table: bool, view: bool) -> None:
    """SEL: table-type is table, view or all, default table; views only in full-load tasks."""
    locator = {"schema-name": "%", "table-name": "%"} | ({"table-type": table_type} if table_type else {})
    mappings = parse(selection(**{"object-locator": locator}))
    assert select(mappings, "s", "t").selected is table
    found = select(mappings, "s", "v", kind="view")
    assert found.selected is view
    assert not view or "full-load-only" in found.reason


def test_load_order_is_kept_and_the_highest_counts() -> None:
    """SEL: a table with a higher load-order is loaded first."""
    mappings = parse(selection("1", **{"load-order": "2"}), selection("2", **{"load-order": 5}))
    assert select(mappings, "s", "t").load_order == 5


def test_filters_are_kept_and_said() -> None:
    """FILT: AND between filters, OR between conditions."""
    filters = [
        {
            "filter-type": "source",
            "column-name": "empid",
            "filter-conditions": [
                {"filter-operator": "lte", "value": "10"},
                {"filter-operator": "between", "start-value": "50", "end-value": "75"},
            ],
        },
        {"filter-type": "source", "column-name": "dept", "filter-conditions": [{"filter-operator": "null"}]},
    ]
    mappings = parse(selection(filters=filters))
    (first, second) = mappings.selections[0].filters
    assert [(c.operator, c.values) for c in first.conditions] == [("lte", ("10",)), ("between", ("50", "75"))]
    assert second.conditions[0].values == ()
    assert "filter on dept, empid" in select(mappings, "s", "t").reason


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rule-action": "exclude"}, "exclude rule takes no filters"),
        ({"filters": [{"column-name": "a", "filter-conditions": []}]}, "at least one condition"),
        ({"filters": [{"column-name": "a", "filter-conditions": [{"filter-operator": "like"}]}]}, "'like'"),
        (
            {
                "filters": [
                    {"column-name": "a", "filter-conditions": [{"filter-operator": "between", "start-value": 1}]}
                ]
            },
            "'end-value' is missing, which between needs",
        ),
        (
            {
                "filters": [
                    {
                        "column-name": "a",
                        "filter-conditions": [{"filter-operator": "null"}, {"filter-operator": "notnull"}],
                    }
                ]
            },
            "negative operator",
        ),
    ],
)
def test_filters_that_dms_does_not_take(more: dict[str, Any], message: str) -> None:
    """FILT: only on include; operators with their values; one negative condition a filter."""
    good = [{"column-name": "a", "filter-conditions": [{"filter-operator": "eq", "value": "1"}]}]
    with pytest.raises(MappingError, match=message):
        parse(selection(**({"filters": good} | more)))


# --- names ----------------------------------------------------------------------------------------------------------


def test_without_rules_everything_keeps_its_name() -> None:
    table = apply()
    assert (table.schema, table.table, names(table)) == ("shop", "orders", ["id", "name", "notes"])
    assert [column.source for column in table.columns] == ["id", "name", "notes"]
    assert table.warnings == () == table.dropped


NAMING = [
    ("rename", {"value": "Neu"}, "Neu"),
    ("convert-uppercase", {}, "{upper}"),
    ("convert-lowercase", {}, "{name}"),
    ("add-prefix", {"value": "p_"}, "p_{name}"),
    ("add-suffix", {"value": "_s"}, "{name}_s"),
]


@pytest.mark.parametrize("target", ["schema", "table", "column"])
@pytest.mark.parametrize(("action", "more", "expected"), NAMING, ids=[row[0] for row in NAMING])
def test_naming_rules_work_on_schema_table_and_column(
    target: str, action: str, more: dict[str, Any], expected: str
) -> None:
    """TR, values of rule-action and rule-target."""
    table = apply(change("2", target, action, **more), columns=(SourceColumn("id", lob=False),))
    got = {"schema": table.schema, "table": table.table, "column": table.columns[0].name}
    source = {"schema": "shop", "table": "orders", "column": "id"}
    assert got == source | {target: expected.format(name=source[target], upper=source[target].upper())}
    assert table.warnings == ()


@pytest.mark.parametrize(
    ("action", "more", "expected"),
    [
        ("remove-prefix", {"value": "or"}, "ders"),
        ("remove-prefix", {"value": "xx"}, "orders"),
        ("remove-suffix", {"value": "ers"}, "ord"),
        ("remove-suffix", {"value": "xx"}, "orders"),
        ("replace-prefix", {"value": "OR", "old-value": "or"}, "ORders"),
        ("replace-prefix", {"value": "OR", "old-value": "xx"}, "orders"),
        ("replace-suffix", {"value": "RS", "old-value": "rs"}, "ordeRS"),
        ("replace-suffix", {"value": "RS", "old-value": "xx"}, "orders"),
    ],
)
def test_prefixes_and_suffixes(action: str, more: dict[str, Any], expected: str) -> None:
    """TR: remove-… and replace-… change only names that carry the text."""
    assert apply(change("2", "table", action, **more)).table == expected


def test_rules_name_source_objects() -> None:
    """EXPR: schema-name and table-name refer to the source, whatever other rules rename."""
    table = apply(
        change("2", "schema", "rename", value="S"),
        change("3", "table", "rename", value="T"),
        change(
            "4", "column", "rename", column="id", value="ID", locator={"schema-name": "shop", "table-name": "orders"}
        ),
        change("5", "column", "rename", column="name", value="N", locator={"schema-name": "S", "table-name": "T"}),
    )
    assert (table.schema, table.table, names(table)) == ("S", "T", ["ID", "name", "notes"])


@pytest.mark.parametrize("target", ["schema", "table", "column"])
def test_of_several_rules_on_one_object_the_lowest_rule_id_counts(target: str) -> None:
    """TR: "AWS DMS applies the transformation rule with the lower rule-id": as a number, not as text."""
    table = apply(
        change("10", target, "rename", value="ten"),
        change("9", target, "rename", value="nine"),
        columns=(SourceColumn("id", lob=False),),
    )
    assert "nine" in (table.schema, table.table, table.columns[0].name)
    (warning,) = table.warnings
    assert warning.rule_ids == ("9", "10")
    assert "only rule 9" in warning.message


@pytest.mark.parametrize("name", ["a-b", "a#b", "a/b", "a\\b", "שם"])
def test_names_that_dms_cannot_transform_stay(name: str) -> None:
    """TR, limitations: special characters and right-to-left languages."""
    table = apply(change("2", "column", "convert-uppercase"), columns=(SourceColumn(name, lob=False),))
    assert names(table) == [name]
    assert "cannot change column" in table.warnings[0].message


def test_a_rule_on_a_lob_column_is_a_warning() -> None:
    """TR, limitations: the only supported transformation of a BLOB or CLOB column is to drop it."""
    table = apply(change("2", "column", "rename", column="notes", value="text"))
    assert "LOB column notes" in table.warnings[0].message
    assert apply(change("2", "column", "remove-column", column="notes")).warnings == ()


def test_a_name_by_expression_is_kept_and_said() -> None:
    """TR: rename-… may carry an expression; it is SQLite's and is not evaluated."""
    table = apply(change("2", "table", "rename", expression="$TABLE_NAME_VAR || '_x'"))
    assert table.table == "orders"
    assert "not worked out" in table.warnings[0].message


def test_two_columns_of_one_name_are_a_warning() -> None:
    table = apply(change("2", "column", "rename", column="name", value="id"))
    assert "both become id" in table.warnings[0].message


# --- columns --------------------------------------------------------------------------------------------------------


def test_remove_column_takes_a_pattern() -> None:
    """TR, example "Remove a column": column-name "col%"."""
    table = apply(change("2", "column", "remove-column", column="n%"))
    assert names(table) == ["id"]
    assert [(d.name, d.rule_id) for d in table.dropped] == [("name", "2"), ("notes", "2")]


def test_include_column_drops_all_that_no_rule_names() -> None:
    """TR, include-column: "drops all columns by default" and keeps those named; it may be repeated."""
    rules = [
        change("2", "column", "include-column", column="id"),
        change("3", "column", "include-column", column="name"),
    ]
    table = apply(*rules)
    assert names(table) == ["id", "name"]
    assert [(d.name, d.rule_id) for d in table.dropped] == [("notes", None)]
    assert "include-column rule 2, 3" in table.dropped[0].reason
    wider = apply(*rules, columns=(*COLUMNS, SourceColumn("new", lob=False)))
    assert "new" in [d.name for d in wider.dropped], "a new source column is not replicated until the mappings change"


def test_include_column_of_another_table_changes_nothing_here() -> None:
    table = apply(change("2", "column", "include-column", column="id", locator={"table-name": "other"}))
    assert len(table.columns) == 3


def test_an_empty_column_name_is_no_pattern_for_all() -> None:
    """WILD: only % stands for any name."""
    assert names(apply(change("2", "column", "add-prefix", column="", value="x_"))) == ["id", "name", "notes"]


def test_a_rule_for_a_column_that_is_dropped_is_a_warning() -> None:
    table = apply(
        change("2", "column", "remove-column", column="name"), change("3", "column", "rename", column="name", value="x")
    )
    assert "not replicated" in table.warnings[0].message


def test_add_column_with_the_change_sequence() -> None:
    """EXPR, "Adding columns using expressions": headers such as $AR_H_CHANGE_SEQ; data-type gives the type."""
    table = apply(
        change(
            "2",
            "column",
            "add-column",
            value="seq",
            expression="$AR_H_CHANGE_SEQ",
            **{"data-type": {"type": "string", "length": 35, "scale": ""}},
        ),
        change("3", "column", "add-column", value="origin", expression="'a'"),
    )
    assert names(table)[3:] == ["seq", "origin"]
    added = table.columns[3]
    assert (added.source, added.rule_id, added.expression) == (None, "2", "$AR_H_CHANGE_SEQ")
    assert added.data_type is not None and (added.data_type.type, added.data_type.length) == ("string", 35)


def test_add_column_with_a_name_that_exists_is_left_out() -> None:
    """TR, add-column: the name must not be that of an existing column."""
    table = apply(change("2", "column", "add-column", value="name", expression="1"))
    assert names(table) == ["id", "name", "notes"]
    assert "there already" in table.warnings[0].message


def test_change_data_type() -> None:
    """TR, example "Change data type of target column"."""
    table = apply(change("2", "column", "change-data-type", column="id", **{"data-type": {"type": "int8"}}))
    first = table.columns[0]
    assert first.data_type is not None and first.data_type.type == "int8"
    assert first.rule_id == "2"
    with pytest.raises(MappingError, match="'data-type' is missing"):
        apply(change("2", "column", "change-data-type"))


def test_change_data_type_by_type() -> None:
    """TR: object-locator data-type with column-name % changes all columns of one type."""
    rule = change(
        "2",
        "column",
        "change-data-type",
        locator={"data-type": "date"},
        **{"data-type": {"type": "string", "length": 10}},
    )
    columns = (SourceColumn("d", lob=False, data_type="date"), SourceColumn("n", lob=False, data_type="int4"))
    table = apply(rule, columns=columns)
    assert [column.data_type is not None for column in table.columns] == [True, False]
    unknown = apply(rule, columns=(SourceColumn("d", lob=False),))
    assert unknown.columns[0].data_type is None
    assert "not known" in unknown.warnings[0].message


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("pk-only", ["BI_id"]), ("non-lob", ["BI_id", "BI_name"]), ("all", ["BI_id", "BI_name", "BI_notes"])],
)
def test_before_images(columns: str, expected: list[str]) -> None:
    """TR, add-before-image-columns: column-filter pk-only (default), non-lob or all."""
    table = apply(change("2", "column", "add-before-image-columns", **{"before-image-def": {"column-filter": columns}}))
    assert names(table)[3:] == expected
    assert all(column.before_image for column in table.columns[3:])
    assert names(apply(change("2", "column", "add-before-image-columns")))[3:] == ["BI_id"]


def test_before_images_follow_the_target_name() -> None:
    table = apply(
        change("2", "column", "rename", column="id", value="KEY"),
        change("3", "column", "add-before-image-columns", **{"before-image-def": {"column-suffix": "_old"}}),
    )
    assert (table.columns[3].name, table.columns[3].source) == ("BI_KEY_old", "id")


def test_define_primary_key() -> None:
    """TR, example "Define a primary key": no % in schema or table."""
    place = {"schema-name": "shop", "table-name": "orders"}
    rule = change(
        "2", "table", "define-primary-key", locator=place, **{"primary-key-def": {"name": "k", "columns": ["id"]}}
    )
    key = apply(rule).primary_key
    assert key is not None and (key.name, key.columns) == ("k", ("id",))
    with pytest.raises(MappingError, match="define-primary-key takes no wildcard"):
        apply(rule | {"object-locator": {"schema-name": "%", "table-name": "orders"}})


def test_masking_stands_beside_another_rule() -> None:
    """TR: data masking may coexist with change-data-type."""
    table = apply(
        change("2", "column", "data-masking-hash-mask", column="name"),
        change("3", "column", "rename", column="name", value="n"),
    )
    assert (table.columns[1].name, table.columns[1].masking) == ("n", "data-masking-hash-mask")
    assert table.warnings == ()


def test_table_settings() -> None:
    """TSET: exact names only."""
    rule = {
        "rule-type": "table-settings",
        "rule-id": "3",
        "rule-name": "3",
        "object-locator": {"schema-name": "shop", "table-name": "orders"},
        "parallel-load": {"type": "ranges"},
        "lob-settings": {"mode": "limited", "bulk-max-size": "16"},
    }
    (found,) = parse(selection(), rule).table_settings
    assert (found.parallel_load, found.lob_mode, found.bulk_max_size_kb) == ("ranges", "limited", 16)
    with pytest.raises(MappingError, match="table-settings takes no wildcard"):
        parse(rule | {"object-locator": {"schema-name": "shop", "table-name": "%"}})


def test_rules_that_change_nothing_here_are_kept() -> None:
    rules = [
        {"rule-type": kind, "rule-id": str(n)} for n, kind in enumerate(("post-processing", "validation"), start=5)
    ]
    assert [rule.rule_type for rule in parse(selection(), *rules).others] == ["post-processing", "validation"]


# --- malformed documents --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "not JSON, line 1 column 1"),
        ('{"rules": [', "not JSON, line 1"),
        ("[]", "expected a JSON object, found a list"),
        ("null", "found null"),
        ("{}", "there is no list 'rules'"),
        ('{"rules": {}}', "there is no list 'rules'"),
        ('{"rules": "x"}', "there is no list 'rules'"),
        ('{"rules": [1]}', "rule 1: expected a JSON object, found a number"),
        ('{"rules": [{}]}', "rule 1: 'rule-id' is missing"),
        ('{"rules": [{"rule-id": null}]}', "rule 1: 'rule-id' is missing"),
        ('{"rules": [{"rule-id": "a"}]}', "'rule-id' is 'a': DMS takes a number"),
        ('{"rules": [{"rule-id": []}]}', "'rule-id' is a list"),
        ('{"rules": [{"rule-id": "1"}]}', "rule-id 1: 'rule-type' is missing"),
        ('{"rules": [{"rule-id": "1", "rule-type": "Selection"}]}', "'rule-type' is 'Selection': DMS knows selection"),
        ('{"rules": [{"rule-id": "1", "rule-type": "selection"}]}', "'rule-action' is missing"),
        ('{"rules": [{"rule-id": "1", "rule-type": "selection", "rule-action": "Include"}]}', "'Include'"),
        (
            '{"rules": [{"rule-id": "1", "rule-type": "selection", "rule-action": "include"}]}',
            "'object-locator' is missing",
        ),
        (
            '{"rules": [{"rule-id": "1", "rule-type": "selection", "rule-action": "include", "object-locator": "x"}]}',
            "rule-id 1, object-locator: expected a JSON object, found the text 'x'",
        ),
        ('{"rules": [], "rules": []}', "the key 'rules' stands twice"),
        ("[" * 100_000, "nested too deep|not JSON"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_malformed_document_is_one_clear_line(document: str | bytes, message: str) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        parse_mappings(document, where="dms/mappings.json")
    assert str(caught.value).startswith("dms/mappings.json: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (change("2", "column", "renam", value="x"), "'rule-action' is 'renam'"),
        (change("2", "tablespace", "rename", value="x"), "'rule-target' is 'tablespace'"),
        (change("2", "table", "remove-column"), "remove-column is not for rule-target table: use rule-target column"),
        (change("2", "column", "define-primary-key"), "use rule-target table"),
        (change("2", "table", "rename"), "'value' is missing, which rename needs"),
        (change("2", "table", "rename", value=""), "'value' is empty"),
        (change("2", "table", "replace-prefix", value="a"), "'old-value' is missing"),
        (change("2", "column", "change-data-type", **{"data-type": {"type": "varchar"}}), "'type' is 'varchar'"),
        (change("2", "column", "change-data-type", **{"data-type": {"type": "string", "length": "x"}}), "whole number"),
        (change("2", "column", "rename", value="x", locator={"column-name": None}), "'column-name' is missing"),
        (change("2", "table", "rename", value="x", locator={"table-name": None}), "'table-name' is missing"),
        (
            change("2", "column", "add-before-image-columns", **{"before-image-def": {"column-prefix": ""}}),
            "prefix and suffix are both empty",
        ),
    ],
)
def test_a_transformation_that_dms_does_not_take_is_refused_with_its_rule_id(
    rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        parse(selection(), rule)
    assert "rule-id 2" in str(caught.value)


def test_a_rule_id_may_stand_only_once() -> None:
    with pytest.raises(MappingError, match="rule-id 01: the rule-id is used twice"):
        parse(selection("1"), selection("01"))


def test_text_bytes_with_a_byte_order_mark_and_parsed_json_give_the_same() -> None:
    document = {"rules": [selection(), change("2", "schema", "rename", value="ü")]}
    text = json.dumps(document, ensure_ascii=False)
    assert parse_mappings(text) == parse_mappings(b"\xef\xbb\xbf" + text.encode()) == parse_mappings(document)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(["rules", "rule-id", "rule-type", "object-locator", "rule-action", "value"]),
                c | st.sampled_from(["selection", "transformation", "include"]),
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_parsed_or_refused_in_words(document: Any) -> None:
    try:
        parse_mappings(json.dumps(document))
    except MappingError as error:
        assert str(error)
