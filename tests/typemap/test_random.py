"""Whatever a person writes for a type, or into overrides.toml and observed.toml: an answer, or one line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import numeric, plain, varchar
from driftguard.errors import DriftguardError, TypeMapError, UsageError
from driftguard.model.identifiers import TableName
from driftguard.model.settings import EndpointSettings
from driftguard.typemap.load import load
from driftguard.typemap.resolve import Resolver
from driftguard.typemap.typetext import parse_type

WORDS = ["numeric", "varchar", "char", "bit varying", "timestamp", "time", "with time zone", "interval", '"char"', "int4",
         "double precision", "text", "vector", "tsrange", "(", ")", ",", "[]", "[3]", "-1", "0", "7", "38", "1000", " "]  # fmt: skip
TYPES = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=7).map("".join))
COLUMNS = [plain(n) for n in ("text", "timestamptz", "bool", "jsonb", "bytea", "tsrange")] + [
    numeric(10, 2),
    varchar(20),
]


@given(TYPES)
@example("numeric(٣,٢)")
@example("int[" + "9" * 5000 + "]")
@example("numeric(" + "9" * 5000 + ")")
def test_any_text_is_a_type_with_a_way_or_is_refused_in_one_line(text: str) -> None:
    try:
        pg = parse_type(text)
    except UsageError as error:
        assert "\n" not in str(error)
        return
    types = Resolver(load(), EndpointSettings())
    delivery = types.deliver(pg)
    types.land(delivery.parquet, pg, (TableName("", ""), ""))


SNOWFLAKE = st.sampled_from(["VARCHAR", "VARCHAR(10)", "NUMBER(38,4)", "NUMBER(12,2)", "FLOAT", "VARIANT", "DATE", "TIME(3)",
                             "TIMESTAMP_NTZ(9)", "TIMESTAMP_TZ(9)", "BINARY", "BINARY(5)", "BOOLEAN", "ARRAY", "X", ""])  # fmt: skip
OVERRIDE = st.fixed_dictionaries(
    {},
    optional={
        "column": st.sampled_from(["shop.t.c", "c", "shop.t.d", "…"]),
        "table": st.sampled_from(["shop.t", "t", ""]),
        "type": st.sampled_from(["text", "numeric", "jsonb", "nope", "timestamptz"]),
        "staging": SNOWFLAKE,
        "final": SNOWFLAKE,
        "cast": st.sampled_from(["none", "json", "number", "magic"]),
        "reason": st.sampled_from(["why", "", " "]),
        "other": st.booleans(),
    },
)
OBSERVED = st.fixed_dictionaries(
    {
        "match": st.dictionaries(
            st.sampled_from(["type", "dms", "kind", "array"]),
            st.one_of(st.lists(st.sampled_from(["text", "tsrange", "STRING", "NUMERIC", "DATETIME", "-"])), st.just("r")),
        ),
        "type": st.sampled_from(["STRING", "STRING({n})", "DECIMAL", "DECIMAL({p},{s})", "DECIMAL(10,2)", "NUMERIC(38,6)", "-",
                                 "TIMESTAMP_UTC({p})", "TIMESTAMP", "DATETIME(6)", "INT64", "BINARY", "{p}", "(", "INT4(3)"]),
        "loss": st.sampled_from(["exact", "lossy", "unknown", "not_delivered", "none"]),
        "source": st.sampled_from(["a file", ""]),
        "proven_by": st.sampled_from(["footer sample", "AWS text"]),
    }
)  # fmt: skip


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else '"' + value + '"'


def tables(name: str, items: list[dict[str, Any]]) -> str:
    return "".join(f"[[{name}]]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in item.items()) for item in items)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.lists(OVERRIDE, max_size=3).map(lambda items: tables("override", items)), st.text()),
    st.one_of(
        st.tuples(st.sampled_from(["postgres_to_dms", "dms_to_parquet"]), st.lists(OBSERVED, max_size=2)).map(
            lambda item: tables(*item)
        ),
        st.text(),
    ),
)
def test_any_overrides_and_observations_are_taken_or_refused_in_one_line(overrides: str, observed: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, seen = Path(folder) / "overrides.toml", Path(folder) / "observed.toml"
        ours.write_text(overrides, encoding="utf-8", errors="replace")
        seen.write_text(observed, encoding="utf-8", errors="replace")
        try:
            maps = load(ours, seen)
        except TypeMapError as error:
            assert str(error).startswith(folder), error
            assert "\n" not in str(error)
            return
    types = Resolver(maps, EndpointSettings())
    for pg in COLUMNS:
        try:
            types.land(types.deliver(pg).parquet, pg, (TableName("shop", "t"), "c"))
        except DriftguardError as error:
            assert "\n" not in str(error)
