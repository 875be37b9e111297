"""Random rules on random tables: what `emit` says, beside a slow reference written from the words of the AWS pages.

The reference shares no code with `driftguard.emission`. Each of its functions cites the page of the AWS DMS User Guide
that it was written from: SEL = "Selection rules and actions", TR = "Transformation rules and actions", WILD =
"Wildcards in table mapping", S3 = "Using Amazon S3 as a target for AWS DMS", PG = "Using a PostgreSQL database as an
AWS DMS source".
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from builders import POLICY, numeric, plain, varchar
from driftguard.drift.compare import compare
from driftguard.drift.context import Context, pair_up
from driftguard.drift.expect import expect
from driftguard.emission.emit import emit
from driftguard.emission.mapping_document import parse_mappings
from driftguard.model.catalog import Catalog, Column, Key, PgType, Table
from driftguard.model.emission import Emission
from driftguard.model.settings import DmsTask, EndpointSettings, TaskSettings
from driftguard.model.snowflake import Estate
from driftguard.typemap.load import shipped
from driftguard.typemap.resolve import Resolver

Rule = dict[str, Any]

# -- the reference -----------------------------------------------------------------------------------------------------

LOBS = {"text", "jsonb", "bytea"}  # PG, source data types: NCLOB, NCLOB, BLOB
DMS_WORDS = {"int8": "int8", "int4": "int4", "text": "nclob", "jsonb": "nclob", "bytea": "blob", "varchar": "wstring"}
DMS_WORDS |= {"numeric": "numeric", "bool": "string", "timestamptz": "datetime"}
NAMING = {"rename", "convert-lowercase", "convert-uppercase"}
NAMING |= {f"{verb}-{end}" for verb in ("add", "remove", "replace") for end in ("prefix", "suffix")}


class Written(NamedTuple):
    """What the reference says that DMS writes for a table."""

    schema: str
    table: str
    full_load: list[str]
    cdc: list[str]
    dropped: set[str]
    key: tuple[str, ...]


def fits(pattern: str, name: str) -> bool:
    """WILD: `%` zero or more characters, `_` a single one, `[_]` a literal underscore, `[ab]` any one of the set."""
    if pattern == name:
        return True
    if not pattern:
        return not name
    if pattern[0] == "%":
        return any(fits(pattern[1:], name[start:]) for start in range(len(name) + 1))
    if not name:
        return False
    if pattern[0] == "[" and "]" in pattern:
        inside, _, rest = pattern[1:].partition("]")
        if len(inside) == 3 and inside[1] == "-":
            inside = "".join(chr(code) for code in range(ord(inside[0]), ord(inside[2]) + 1))
        return name[0] in inside and fits(rest, name[1:])
    return pattern[0] in ("_", name[0]) and fits(pattern[1:], name[1:])


def chosen(rules: list[Rule], item: Table) -> bool:
    """SEL: include and explicit take a table, explicit by exact names; an excluded one stays out."""
    taken = False
    for rule in rules:
        if rule["rule-type"] != "selection":
            continue
        place = rule["object-locator"]
        if rule["rule-action"] == "explicit":
            hit = place["schema-name"] == item.schema and place["table-name"] == item.name
        else:
            hit = fits(place["schema-name"], item.schema) and fits(place["table-name"], item.name)
        if hit and rule["rule-action"] == "exclude":
            return False
        taken = taken or hit
    return taken


def about(rules: list[Rule], target: str, item: Table) -> list[Rule]:
    """TR: transformation rules of a target, by source names, the lowest rule-id first."""
    hits = [
        rule
        for rule in rules
        if rule["rule-type"] == "transformation"
        and rule["rule-target"] == target
        and fits(rule["object-locator"]["schema-name"], item.schema)
        and (target == "schema" or fits(rule["object-locator"]["table-name"], item.name))
    ]
    return sorted(hits, key=lambda rule: int(rule["rule-id"]))


def hits_column(rule: Rule, column: Column) -> bool:
    """TR: a rule names a column by pattern; change-data-type may name a data type besides."""
    place = rule["object-locator"]
    wanted = place.get("data-type")
    return fits(place["column-name"], column.name) and (wanted is None or wanted == DMS_WORDS[column.type.name])


def renamed(name: str, rules: list[Rule]) -> str:
    """TR: "AWS DMS applies the transformation rule with the lower rule-id"; names with # \\ / - are not transformed."""
    if not rules or any(sign in name for sign in "#\\/-"):
        return name
    rule = rules[0]
    action, value, old = rule["rule-action"], rule.get("value", ""), rule.get("old-value", "")
    if action == "rename":
        return value or name  # by expression: the source name is assumed
    if action == "convert-lowercase":
        return name.lower()
    if action == "convert-uppercase":
        return name.upper()
    if action == "add-prefix":
        return value + name
    if action == "add-suffix":
        return name + value
    if action == "remove-prefix" and name.startswith(value):
        return name[len(value) :]
    if action == "remove-suffix" and value and name.endswith(value):
        return name[: -len(value)]
    if action == "replace-prefix" and name.startswith(old):
        return value + name[len(old) :]
    if action == "replace-suffix" and name.endswith(old):
        return name[: len(name) - len(old)] + value
    return name


def reference(rules: list[Rule], item: Table, endpoint: EndpointSettings, task: TaskSettings) -> Written | None:
    """The names that DMS writes, in order; None for a table that it does not replicate."""
    if not chosen(rules, item):
        return None
    key = item.primary_key.columns if item.primary_key else ()
    on_columns = about(rules, "column", item)
    by_action: dict[str, list[Rule]] = {}
    for rule in on_columns:
        by_action.setdefault(rule["rule-action"], []).append(rule)

    stays: list[Column] = []
    for column in item.columns:
        removed = any(hits_column(rule, column) for rule in by_action.get("remove-column", []))
        included = by_action.get("include-column")
        # TR, include-column: all columns are dropped, and those that the rules name are kept
        if not removed and (not included or any(hits_column(rule, column) for rule in included)):
            stays.append(column)

    names: dict[str, str] = {}
    for column in stays:
        one_of = [r for r in on_columns if r["rule-action"] in NAMING | {"change-data-type"} and hits_column(r, column)]
        names[column.name] = renamed(column.name, one_of)

    # TR: LOBs travel with a primary key only; SupportLobs false leaves them out
    carried = [c for c in stays if c.type.name not in LOBS or (item.primary_key is not None and task.support_lobs)]
    written = [names[c.name] for c in carried]
    existing = [names[c.name] for c in stays]
    for rule in by_action.get("add-before-image-columns", [])[:1]:
        wanted = rule["before-image-def"]["column-filter"]
        for column in stays:
            # TR: pk-only, non-lob, all
            lob = column.type.name in LOBS
            if (wanted == "all") or (not lob and (wanted == "non-lob" or column.name in key)):
                image = rule["before-image-def"]["column-prefix"] + names[column.name]
                written.append(image)
                existing.append(image)
    for rule in by_action.get("add-column", []):
        if rule["value"] not in existing:
            written.append(rule["value"])
            existing.append(rule["value"])

    # S3, "Indicating source DB operations in migrated S3 data": the truth table
    op_loaded = endpoint.include_op_for_full_load
    op_changed = endpoint.include_op_for_full_load or not endpoint.cdc_inserts_only
    stamp = [endpoint.timestamp_column_name] if endpoint.timestamp_column_name else []
    emitted_key = tuple(names[k] for k in key if k in [c.name for c in carried])
    return Written(
        task.target_schema or renamed(item.schema, about(rules, "schema", item)),
        renamed(item.name, [r for r in about(rules, "table", item) if r["rule-action"] in NAMING]),
        (["Op"] if op_loaded else []) + written + stamp,
        (["Op"] if op_changed else []) + written + stamp,
        {c.name for c in item.columns} - {c.name for c in carried},
        emitted_key if len(emitted_key) == len(key) else (),
    )


# -- tables and rules that meet -------------------------------------------------------------------------------------

SCHEMAS = ("shop", "sales", "Shop")
TABLES = ("orders", "order_items", "orderXitems", "Orders", "log-1", "übersicht")
COLUMNS = (
    "id",
    "note",
    "Note",
    "total",
    "order_id",
    "BI_id",
    "Op",
    "ts",
    "_DG_SEQ",
    "two words",
    'q"uote',
    "a#b",
    "日本",
)
NAMES_OF_COLUMNS = ("note", "NOTE", "id", "Op", "ts", "new", "_DG_FILE", 'x"y')
TYPES = (plain("int8"), plain("int4"), plain("text"), plain("jsonb"), plain("bytea"), varchar(40), numeric(10, 2))
TYPES += (plain("bool"), plain("timestamptz"))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True))
    types: list[PgType] = [draw(st.sampled_from(TYPES)) for _ in names]
    key = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    columns = tuple(Column(n, i, t) for i, (n, t) in enumerate(zip(names, types, strict=True), start=1))
    place = draw(st.sampled_from([(s, t) for s in SCHEMAS for t in TABLES]))
    return Table(1, *place, columns, primary_key=Key("pk", tuple(key)) if key else None)


def patterns(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Mostly ones that hit a name of the pool: the name, a part with %, one character as _ or as a set."""
    name = st.sampled_from(names)
    return st.one_of(
        st.just("%"),
        name,
        name.map(lambda n: n[:2] + "%"),
        name.map(lambda n: "%" + n[-2:]),
        name.map(lambda n: "_" + n[1:]),
        name.map(lambda n: "[a-z]" + n[1:]),
        name.map(lambda n: n.replace("_", "[_]")),
        st.sampled_from(["no%such", "", "[xy]%"]),
    )


def _locator(draw: st.DrawFn, target: str) -> dict[str, str]:
    found = {"schema-name": draw(patterns(SCHEMAS))}
    if target != "schema":
        found["table-name"] = draw(patterns(TABLES))
    return found


@st.composite
def transformations(draw: st.DrawFn) -> Rule:
    target = draw(st.sampled_from(["column", "column", "column", "table", "schema"]))
    action = draw(st.sampled_from(sorted(NAMING)))
    if target == "column":
        more = ["remove-column", "include-column", "add-column", "change-data-type", "add-before-image-columns"]
        action = draw(st.sampled_from([action, action, *more, "data-masking-hash-mask"]))
    locator = _locator(draw, target)
    rule: Rule = {"rule-type": "transformation", "rule-target": target, "rule-action": action}
    pool = {"column": COLUMNS, "table": TABLES, "schema": SCHEMAS}[target]
    if target == "column" and action not in ("add-column", "add-before-image-columns"):
        locator["column-name"] = draw(patterns(COLUMNS))
    if action == "rename":
        rule["value"] = draw(st.sampled_from(NAMES_OF_COLUMNS if target == "column" else pool))
        if draw(st.booleans()) and draw(st.booleans()):
            del rule["value"]
            rule["expression"] = "'x'"
    elif action == "add-column":
        rule |= {"value": draw(st.sampled_from(NAMES_OF_COLUMNS)), "expression": "'x'"}
        rule["data-type"] = {"type": "string", "length": 10}
    elif action.endswith(("prefix", "suffix")):
        name = draw(st.sampled_from(pool))
        rule["value"] = draw(st.sampled_from([name[:2], name[-2:], "x_"]))
        if action.startswith("replace"):
            rule["old-value"] = draw(st.sampled_from([name[:1], name[-1:]]))
    elif action == "change-data-type":
        rule["data-type"] = {"type": draw(st.sampled_from(["string", "int4", "datetime"]))}
        if draw(st.booleans()):
            locator["data-type"] = draw(st.sampled_from(["nclob", "int8", "wstring", "numeric"]))
    elif action == "add-before-image-columns":
        wanted = draw(st.sampled_from(["pk-only", "non-lob", "all"]))
        rule["before-image-def"] = {"column-prefix": "BI_", "column-filter": wanted}
    return rule | {"object-locator": locator}


@st.composite
def selections(draw: st.DrawFn) -> Rule:
    action = draw(st.sampled_from(["include", "include", "exclude", "explicit"]))
    locator = _locator(draw, "table")
    if action == "explicit":
        locator = {"schema-name": draw(st.sampled_from(SCHEMAS)), "table-name": draw(st.sampled_from(TABLES))}
    return {"rule-type": "selection", "rule-action": action, "object-locator": locator}


@st.composite
def documents(draw: st.DrawFn) -> list[Rule]:
    """Rules with numbers in any order; three of four begin with one that takes every table."""
    everything: Rule = {"rule-type": "selection", "rule-action": "include"}
    everything["object-locator"] = {"schema-name": "%", "table-name": "%"}
    rules = [everything] if draw(st.integers(0, 3)) else []
    rules += draw(st.lists(selections(), max_size=2)) + draw(st.lists(transformations(), max_size=6))
    numbers = draw(st.permutations(range(1, len(rules) + 1)))
    return [rule | {"rule-id": str(n * 7), "rule-name": str(n)} for rule, n in zip(rules, numbers, strict=True)]


endpoints = st.builds(
    EndpointSettings,
    include_op_for_full_load=st.booleans(),
    cdc_inserts_only=st.booleans(),
    timestamp_column_name=st.sampled_from([None, "ts", "commit_ts", "note"]),
    bucket_folder=st.sampled_from(["", "dms", "a/b/"]),
    map_boolean_as_boolean=st.booleans(),
)
task_settings = st.builds(
    TaskSettings, support_lobs=st.sampled_from([True, True, False]), target_schema=st.sampled_from(["", "", "lake"])
)
MAPS = shipped()


def run(rules: list[Rule], item: Table, endpoint: EndpointSettings, settings_: TaskSettings) -> Emission | None:
    task = DmsTask("dms", parse_mappings({"rules": rules}), endpoint, settings_)
    return emit(item, task, Resolver(MAPS, endpoint))


def effect(found: Written | None, item: Table) -> str:
    """How much the rules did: for the statistics of a run."""
    if found is None:
        return "left out"
    same = [n for n in found.cdc if n in [c.name for c in item.columns]]
    plain_names = len(same) == len(item.columns) == len([n for n in found.cdc if n not in ("Op", "ts", "commit_ts")])
    moved = (found.schema, found.table) != (item.schema, item.name)
    return "names as they are" if plain_names and not moved else "changed by rules"


@settings(max_examples=250, deadline=None)
@given(documents(), tables(), endpoints, task_settings)
def test_emit_says_what_the_pages_say(
    rules: list[Rule], item: Table, endpoint: EndpointSettings, settings_: TaskSettings
) -> None:
    """SEL, TR, WILD, S3, PG: which tables, under which names, which columns in which order, which key."""
    said = reference(rules, item, endpoint, settings_)
    event(effect(said, item))
    found = run(rules, item, endpoint, settings_)
    assert (found is None) is (said is None)
    if found is None or said is None:
        return
    assert (found.target.schema, found.target.name) == (said.schema, said.table)
    assert [c.name for c in found.full_load] == said.full_load
    assert [c.name for c in found.cdc] == said.cdc
    assert {name for name, _ in found.dropped} == said.dropped
    assert found.key == said.key
    folder = [part for part in (endpoint.bucket_folder.strip("/"), said.schema, said.table) if part]
    assert found.path == "/".join(folder) + "/"


@settings(max_examples=120, deadline=None)
@given(documents(), st.lists(tables(), max_size=3, unique_by=lambda t: t.id), endpoints, task_settings)
def test_no_name_is_emitted_twice_without_a_finding(
    rules: list[Rule], items: list[Table], endpoint: EndpointSettings, settings_: TaskSettings
) -> None:
    """Two columns of one name cannot both land: the table is refused by name, and no landing has a column twice."""
    task = DmsTask("dms", parse_mappings({"rules": rules}), endpoint, settings_)
    items = [dataclasses.replace(item, oid=n) for n, item in enumerate(items)]
    emissions = [e for item in items if (e := emit(item, task, Resolver(MAPS, endpoint))) is not None]
    expectation = expect(emissions, [task], MAPS, POLICY)
    pairs = pair_up(expectation.landings, Estate())
    ctx = Context(expectation, pairs, (task,), POLICY, Estate(), catalog=Catalog(tuple(items)))
    refused = {f.table for f in compare(ctx) if f.code in ("DG110", "DG501", "DG401")}
    landed = {e.source.table for pair in pairs for e in pair.landing.emissions}
    for emission in emissions:
        for files in (emission.cdc, emission.full_load):
            folded = Counter(c.name.upper() for c in files)
            if max(folded.values(), default=1) > 1:
                assert emission.source.table not in landed
                assert {e.source.table for e in emissions if e.target == emission.target} & refused
    for pair in pairs:
        for columns in (pair.landing.staging_columns, pair.landing.final_columns):
            assert max(Counter(c.name for c in columns).values()) == 1


def test_the_rules_of_the_generators_hit() -> None:
    """A reference that is compared on untouched tables proves nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(documents(), tables(), endpoints, task_settings)
    def count(rules: list[Rule], item: Table, endpoint: EndpointSettings, settings_: TaskSettings) -> None:
        seen[effect(reference(rules, item, endpoint, settings_), item)] += 1

    count()
    assert seen["changed by rules"] * 2 >= seen.total(), seen
    assert seen["left out"] * 20 >= seen.total(), seen
