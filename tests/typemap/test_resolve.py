"""Every row of the shipped type maps, the order of overrides, and the odd corners of PostgreSQL's types."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest

from builders import numeric, plain, varchar
from driftguard.errors import DriftguardError, TypeMapError
from driftguard.model.catalog import PgType
from driftguard.model.emission import Loss
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Cast
from driftguard.model.settings import EndpointSettings
from driftguard.typemap.load import HOPS, Override, Row, TypeMaps, shipped
from driftguard.typemap.resolve import Destination, Resolver, deliver, idle, land, parquet_type

S = EndpointSettings()
TEXT = "VARCHAR(134217728)"
PLACE = (TableName("shop", "orders"), "total")


class Case(NamedTuple):
    """A PostgreSQL type, and what becomes of it: DMS, Parquet, STAGING, FINAL, cast, the losses of the hops."""

    pg: PgType
    dms: str
    parquet: str
    staging: str
    final: str
    cast: Cast = Cast.NONE
    loss: Loss = Loss.EXACT
    lob: bool = False
    settings: EndpointSettings = S


def bpchar(length: int | None) -> PgType:
    return PgType("bpchar", "character", typmod=-1 if length is None else length + 4)


def bits(name: str, length: int) -> PgType:
    return PgType(name, f"{name}({length})", typmod=length)


ENUM = PgType("status", "shop.status", kind="e", enum_labels=("new", "paid"), schema="shop")
RANGE = PgType("floatrange", "shop.floatrange", kind="r", schema="shop")
MULTIRANGE = PgType("int4multirange", "int4multirange", kind="m")
COMPOSITE = PgType("address", "shop.address", kind="c", schema="shop")
ARRAY = PgType("_int4", "integer[]", element="int4")
ENUM_ARRAY = PgType("_status", "shop.status[]", element="status", enum_labels=("new",), schema="shop")
DOMAIN = PgType("posint", "shop.posint", kind="d", base_name="int4", schema="shop", base_text="integer")
MONEY_DOMAIN = PgType(
    "price", "shop.price", kind="d", base_name="numeric", typmod=((10 << 16) | 2) + 4, base_text="numeric(10,2)"
)
ENUM_DOMAIN = PgType("st", "shop.st", kind="d", base_name="status", enum_labels=("new",), schema="shop")
MILLIS = dataclasses.replace(S, parquet_timestamp_in_millisecond=True)
UNBOUNDED_AS_TEXT = dataclasses.replace(S, map_unbounded_numeric_as_string=True)
JSONB_AS_CLOB = dataclasses.replace(S, map_jsonb_as_clob=True)
LONG_AS_CLOB = dataclasses.replace(S, map_long_varchar_as="clob")
LONG_AS_NCLOB = dataclasses.replace(S, map_long_varchar_as="nclob")
UNTRIMMED = dataclasses.replace(S, trim_space_in_char=False)
BOOLEANS = dataclasses.replace(S, map_boolean_as_boolean=True)

INTEGER, NTZ, TZ = "NUMBER(38,0)", "TIMESTAMP_NTZ(9)", "TIMESTAMP_TZ(9)"
CASES = [
    Case(plain("int2"), "INT2", "INT16", INTEGER, INTEGER),
    Case(plain("int4"), "INT4", "INT32", INTEGER, INTEGER),
    Case(plain("int8"), "INT8", "INT64", INTEGER, INTEGER),
    Case(plain("oid"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("numeric"), "NUMERIC(28,6)", "DECIMAL(28,6)", "NUMBER(38,6)", "NUMBER(38,6)", loss=Loss.LOSSY),
    Case(plain("numeric"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN, settings=UNBOUNDED_AS_TEXT),
    Case(varchar(16388), "CLOB", "STRING", TEXT, TEXT, lob=True, settings=LONG_AS_CLOB),
    Case(varchar(16388), "NCLOB", "STRING", TEXT, TEXT, lob=True, settings=LONG_AS_NCLOB),
    Case(varchar(16387), "WSTRING(16387)", "STRING", TEXT, TEXT, settings=LONG_AS_CLOB),
    Case(varchar(16388), "WSTRING(16388)", "STRING", TEXT, TEXT),
    Case(plain("jsonb"), "CLOB", "STRING", TEXT, "VARIANT", Cast.JSON, lob=True, settings=JSONB_AS_CLOB),
    Case(plain("json"), "NCLOB", "STRING", TEXT, "VARIANT", Cast.JSON, lob=True, settings=JSONB_AS_CLOB),
    Case(plain("vector"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("name"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("regclass"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("macaddr8"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(numeric(10, 2), "NUMERIC(10,2)", "DECIMAL(10,2)", "NUMBER(38,2)", "NUMBER(38,2)"),
    Case(numeric(38, 37), "NUMERIC(38,37)", "DECIMAL(38,37)", "NUMBER(38,37)", "NUMBER(38,37)"),
    Case(numeric(38, 38), "NUMERIC(38,38)", "DECIMAL(38,38)", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(numeric(39, 2), "STRING", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(numeric(1000, 0), "STRING", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(numeric(5, -2), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(numeric(3, 5), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("float4"), "REAL4", "FLOAT", "FLOAT", "FLOAT"),
    Case(plain("float8"), "REAL8", "DOUBLE", "FLOAT", "FLOAT"),
    Case(plain("money"), "NUMERIC(38,4)", "DECIMAL(38,4)", "NUMBER(38,4)", "NUMBER(38,4)"),
    Case(plain("bool"), "STRING(5)", "STRING", TEXT, "BOOLEAN", Cast.BOOLEAN),
    Case(plain("bool"), "BOOLEAN", "BOOLEAN", TEXT, "BOOLEAN", Cast.BOOLEAN, Loss.ASSUMED_EXACT, settings=BOOLEANS),
    Case(bpchar(3), "WSTRING(3)", "STRING", TEXT, TEXT),
    Case(bpchar(3), "WSTRING(3)", "STRING", TEXT, TEXT, settings=UNTRIMMED),
    Case(bpchar(None), "WSTRING", "STRING", TEXT, TEXT),
    Case(plain("varchar"), "WSTRING", "STRING", TEXT, TEXT, loss=Loss.ASSUMED_EXACT),
    Case(varchar(40), "WSTRING(40)", "STRING", TEXT, TEXT),
    Case(plain("text"), "NCLOB", "STRING", TEXT, TEXT, lob=True),
    Case(plain("citext"), "NCLOB", "STRING", TEXT, TEXT, lob=True),
    Case(plain("json"), "NCLOB", "STRING", TEXT, "VARIANT", Cast.JSON, lob=True),
    Case(plain("jsonb"), "NCLOB", "STRING", TEXT, "VARIANT", Cast.JSON, lob=True),
    Case(plain("hstore"), "NCLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(ARRAY, "NCLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(ENUM_ARRAY, "NCLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(COMPOSITE, "NCLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(plain("xml"), "CLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(plain("bytea"), "BLOB", "BINARY", "BINARY(67108864)", "BINARY(67108864)", lob=True),
    Case(plain("timestamp"), "DATETIME(6)", "TIMESTAMP(6)", NTZ, NTZ, loss=Loss.ASSUMED_EXACT),
    Case(plain("timestamp"), "DATETIME(3)", "TIMESTAMP(3)", NTZ, NTZ, loss=Loss.LOSSY, settings=MILLIS),
    Case(plain("timestamptz"), "DATETIME(6)", "TIMESTAMP(6)", NTZ, TZ, Cast.UTC, Loss.ASSUMED_EXACT),
    Case(plain("timestamptz"), "DATETIME(3)", "TIMESTAMP(3)", NTZ, TZ, Cast.UTC, Loss.LOSSY, settings=MILLIS),
    Case(plain("date"), "DATE", "DATE32", "DATE", "DATE"),
    Case(plain("time"), "TIME(3)", "TIME32", "TIME(9)", "TIME(9)", loss=Loss.LOSSY),
    Case(plain("timetz"), "TIME(3)", "TIME32", "TIME(9)", "TIME(9)", loss=Loss.LOSSY),
    Case(plain("interval"), "STRING(128)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(ENUM, "STRING(64)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(plain("uuid"), "STRING", "STRING", TEXT, TEXT),
    Case(plain("inet"), "STRING(50)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(plain("cidr"), "STRING(50)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(plain("macaddr"), "STRING(18)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(bits("bit", 4), "STRING(4)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(bits("varbit", 9), "STRING(9)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(plain("varbit"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("point"), "STRING(255)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(plain("polygon"), "CLOB", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT, lob=True),
    Case(PgType("int4range", "int4range", kind="r"), "STRING(255)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(PgType("numrange", "numrange", kind="r"), "STRING(255)", "STRING", TEXT, TEXT, loss=Loss.AS_TEXT),
    Case(PgType("tstzrange", "tstzrange", kind="r"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(RANGE, "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(MULTIRANGE, "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(plain("vector"), "STRING", "STRING", TEXT, TEXT, loss=Loss.UNKNOWN),
    Case(DOMAIN, "INT4", "INT32", INTEGER, INTEGER, loss=Loss.ASSUMED_EXACT),
    Case(MONEY_DOMAIN, "NUMERIC(10,2)", "DECIMAL(10,2)", "NUMBER(38,2)", "NUMBER(38,2)", loss=Loss.ASSUMED_EXACT),
]
# What mapping rules (change-data-type, add-column) can ask for, beyond what PostgreSQL's types give.
DMS_TYPES = {
    "INT1": "INT1",
    "UINT1": "UINT1",
    "UINT8": "UINT8",
    "BYTES": "BINARY",
    "SET": "STRING",
    "NUMERIC(12,0)": "DECIMAL(12,0)",
}
# Parquet types that nothing of DMS gives, and what STAGING takes them as.
PARQUET_TYPES = {"INT96": TEXT, "UINT4": INTEGER, "BOOLEAN": TEXT}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.pg.text} {c.pg.typmod} {c.dms}")
def test_a_type_is_carried_hop_by_hop(case: Case) -> None:
    delivery = deliver(shipped(), case.pg, case.settings)
    assert (delivery.dms, delivery.parquet, delivery.lob) == (case.dms, case.parquet, case.lob)
    found = land(shipped(), delivery.parquet, case.pg, case.settings)
    assert found is not None
    assert (str(found.staging), str(found.final), found.cast) == (case.staging, case.final, case.cast)
    hops = delivery.hops + found.hops
    assert [h.step for h in hops] == list(HOPS)
    assert max((h.loss for h in hops), key=lambda loss: loss.rank) is case.loss


@pytest.mark.parametrize(("dms", "parquet"), DMS_TYPES.items())
def test_types_of_mapping_rules_have_a_parquet_type(dms: str, parquet: str) -> None:
    assert parquet_type(shipped(), dms, S)[0] == parquet


@pytest.mark.parametrize(("parquet", "staging"), PARQUET_TYPES.items())
def test_parquet_types_have_a_staging_type(parquet: str, staging: str) -> None:
    found = land(shipped(), parquet, None, S)
    assert found is not None
    assert str(found.staging) == staging


def test_postgis_types_are_not_delivered_and_not_landed() -> None:
    delivery = deliver(shipped(), plain("geometry"), S)
    assert (delivery.dms, delivery.parquet) == ("-", "-")
    assert delivery.hops[0].loss is Loss.NOT_DELIVERED
    assert land(shipped(), "-", plain("geometry"), S) is None


MARKED = [("TIMESTAMP_UTC(6)", plain("timestamp")), ("TIMESTAMP_UTC(6)", plain("timestamptz"))]


@pytest.mark.parametrize(
    ("name", "final", "cast"), [("timestamp", NTZ, Cast.WALL_CLOCK), ("timestamptz", TZ, Cast.MOMENT)]
)
def test_a_timestamp_marked_as_utc_is_staged_as_the_moment_it_is(name: str, final: str, cast: Cast) -> None:
    found = land(shipped(), "TIMESTAMP_UTC(6)", plain(name), S)
    assert found is not None
    assert (str(found.staging), str(found.final), found.cast) == ("TIMESTAMP_LTZ(9)", final, cast)


def outcomes(maps: TypeMaps) -> list[object]:
    """Everything that the cases say under these maps; an error where no row is left."""
    found: list[object] = []
    subjects = [(c.pg, c.settings) for c in CASES] + [(plain("geometry"), S), (plain("geography"), S)]
    for pg, settings in subjects:
        try:
            delivery = deliver(maps, pg, settings)
            found.append((delivery.dms, delivery.lob, delivery.hops, land(maps, delivery.parquet, pg, settings)))
        except DriftguardError as error:
            found.append(str(error))
    for dms in DMS_TYPES:
        try:
            found.append(parquet_type(maps, dms, S))
        except DriftguardError as error:
            found.append(str(error))
    for parquet, pg in [*((parquet, None) for parquet in PARQUET_TYPES), *MARKED]:
        try:
            found.append(land(maps, parquet, pg, S))
        except DriftguardError as error:
            found.append(str(error))
    return found


ROWS = [(hop, index) for hop in HOPS for index in range(len(shipped().rows[hop]))]


@pytest.mark.parametrize(("hop", "index"), ROWS)
def test_every_row_matters_to_some_case(hop: str, index: int) -> None:
    """Without the row at least one case comes out otherwise; a row without such a case is untested."""
    rows = shipped().rows
    without = {**rows, hop: rows[hop][:index] + rows[hop][index + 1 :]}
    assert outcomes(TypeMaps(without)) != outcomes(shipped()), rows[hop][index]


@pytest.mark.parametrize(("hop", "index"), ROWS)
def test_every_row_says_where_it_is_from(hop: str, index: int) -> None:
    row = shipped().rows[hop][index]
    assert row.source
    if row.loss in (Loss.LOSSY, Loss.NOT_DELIVERED) and hop == HOPS[0]:
        assert row.note, "a loss is named in words"


@pytest.mark.parametrize(("hop", "index"), [item for item in ROWS if item[0] in HOPS[:2]])
def test_what_is_assumed_is_not_said_to_be_the_text_of_aws(hop: str, index: int) -> None:
    row = shipped().rows[hop][index]
    if row.loss in (Loss.ASSUMED_EXACT, Loss.UNKNOWN):
        assert row.proven_by == "stand-in only", row


# By hand, from the manuals and not from the maps: a row that is not here is exact, and AWS's text says what DMS makes of it.
NOT_EXACT = {
    "dms_to_parquet": {"DATETIME": "assumed_exact", "-": "not_delivered", "*": "unknown"},
    "parquet_to_staging": {"DECIMAL": "as_text", "-": "not_delivered", "*": "unknown"},
    "postgres_to_final": {},
}
NOT_LISTED_BY_AWS = {
    "oid", "numeric as string", "numeric below 0", "numeric above", "bool as boolean", "varchar without", "timestamptz", "time",
    "timetz", "varbit", "r", "m", "vector", "name", "macaddr8", "*",
}  # fmt: skip


def test_the_rows_behind_dms_lose_nothing_but_what_is_named_here() -> None:
    for hop, named in NOT_EXACT.items():
        rows = [(*row.match.dms, *row.match.parquet, *row.match.type, "*")[0] for row in shipped().rows[hop]]
        losses = {
            name: str(row.loss) for name, row in zip(rows, shipped().rows[hop], strict=True) if row.loss != Loss.EXACT
        }
        assert losses == named, hop


def test_what_aws_does_not_list_is_named_here() -> None:
    def word(row: Row) -> str:
        when = row.when
        marks = {"without": bool(when.unbounded and row.match.type[0] == "varchar"), "below 0": when.scale_below_zero,
                 "as string": when.map_unbounded_numeric_as_string, "above": when.scale_above_precision,
                 "as boolean": when.map_boolean_as_boolean}  # fmt: skip
        first = (*row.match.type, "array" if row.match.array else row.match.kind or "*")[0]
        return " ".join([first, *(mark for mark, on in marks.items() if on)])

    rows = shipped().rows["postgres_to_dms"]
    assert {word(row) for row in rows if row.proven_by == "stand-in only"} == NOT_LISTED_BY_AWS
    assert not {word(row) for row in rows if row.proven_by == "AWS text"} & NOT_LISTED_BY_AWS


def override(number: int, **where: str | None) -> Override:
    return Override(final=f"NUMBER(38,{number})", reason="a test", **where)  # type: ignore[arg-type]


def test_the_most_particular_override_wins_whatever_their_order() -> None:
    """Column before table before type before the shipped map."""
    column = override(3, column="shop.orders.total")
    of_table = override(4, table="shop.orders", type="numeric")
    of_type = override(5, type="numeric")
    everything = (of_type, of_table, column)
    for items in (everything, everything[::-1]):
        maps = TypeMaps(shipped().rows, items)
        resolver = Resolver(maps, S)

        def scale(place: tuple[TableName, str], using: Resolver = resolver) -> int | None:
            found = using.land("DECIMAL(10,2)", numeric(10, 2), place)
            assert found is not None
            return found.final.scale

        assert scale(PLACE) == 3
        assert scale((PLACE[0], "other")) == 4
        assert scale((TableName("shop", "others"), "total")) == 5
    plain_maps = Resolver(shipped(), S)
    found = plain_maps.land("DECIMAL(10,2)", numeric(10, 2), PLACE)
    assert found is not None
    assert found.final.scale == 2


def test_of_two_equally_particular_overrides_the_first_wins() -> None:
    maps = TypeMaps(shipped().rows, (override(4, type="numeric"), override(5, type="numeric")))
    found = Resolver(maps, S).land("DECIMAL(10,2)", numeric(10, 2), PLACE)
    assert found is not None
    assert found.final.scale == 4


def test_an_override_by_type_finds_a_domain_by_its_own_name_and_by_its_base() -> None:
    for name in ("price", "numeric"):
        maps = TypeMaps(shipped().rows, (override(7, type=name),))
        found = land(maps, "DECIMAL(10,2)", MONEY_DOMAIN, S, PLACE)
        assert found is not None
        assert found.final.scale == 7


def decided(parquet: str, pg: PgType, **what: object) -> Destination:
    item = Override(column="shop.orders.total", reason="a test", **what)  # type: ignore[arg-type]
    found = land(TypeMaps(shipped().rows, (item,)), parquet, pg, S, PLACE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("parquet", "pg", "what", "staging", "final", "cast"),
    [
        ("STRING", plain("text"), {"final": "DATE"}, TEXT, "DATE", Cast.DATE),
        ("STRING", plain("text"), {"final": "DATE", "cast": Cast.DATE}, TEXT, "DATE", Cast.DATE),
        ("STRING", numeric(40, 2), {"final": "NUMBER(38,2)"}, TEXT, "NUMBER(38,2)", Cast.NUMBER),
        ("STRING", plain("jsonb"), {"final": TEXT}, TEXT, TEXT, Cast.NONE),
        ("STRING", plain("_int4"), {"final": "VARIANT"}, TEXT, "VARIANT", Cast.JSON),
        ("STRING", varchar(20), {"final": "VARCHAR(20)"}, TEXT, "VARCHAR(20)", Cast.NONE),
        ("DECIMAL(10,2)", numeric(10, 2), {"final": "NUMBER(20,2)"}, "NUMBER(38,2)", "NUMBER(20,2)", Cast.NONE),
        ("DECIMAL(10,2)", numeric(10, 2), {"staging": "NUMBER(38,6)"}, "NUMBER(38,6)", "NUMBER(38,6)", Cast.NONE),
        ("TIMESTAMP(6)", plain("timestamptz"), {"final": NTZ}, NTZ, NTZ, Cast.NONE),
        ("TIMESTAMP(6)", plain("timestamp"), {"final": TZ}, NTZ, TZ, Cast.UTC),
    ],
)
def test_an_override_changes_the_types_and_the_cast_follows(
    parquet: str, pg: PgType, what: dict[str, object], staging: str, final: str, cast: Cast
) -> None:
    found = decided(parquet, pg, **what)
    assert (str(found.staging), str(found.final), found.cast) == (staging, final, cast)
    assert found.hops[1].proven_by == "your decision"
    assert found.hops[1].note == "decided: a test"


def test_an_override_that_casts_says_what_becomes_of_values_that_do_not_fit() -> None:
    (unfit,) = decided("STRING", plain("text"), final="DATE").hops[1].special
    assert unfit.words == "no DATE"
    assert "quarantine" in unfit.becomes


@pytest.mark.parametrize(
    ("parquet", "pg", "what", "why"),
    [
        ("STRING", plain("text"), {"staging": "VARCHAR(10)"}, "one longer value would fail its whole file"),
        ("STRING", plain("text"), {"staging": "NUMBER(38,0)"}, "a STRING is not loaded into it"),
        ("DECIMAL(10,2)", numeric(10, 2), {"staging": "NUMBER(38,0)"}, "rounds to the column's scale on load"),
        ("DECIMAL(10,2)", numeric(10, 2), {"staging": "NUMBER(9,2)"}, "8 digits before the point do not fit"),
        ("DECIMAL(10,2)", numeric(10, 2), {"staging": "FLOAT"}, "cannot hold exactly"),
        ("INT64", plain("int8"), {"staging": "NUMBER(10,0)"}, "19 digits before the point do not fit"),
        ("INT64", plain("int8"), {"final": "FLOAT"}, "no way from the one to the other"),
        ("DOUBLE", plain("float8"), {"staging": TEXT}, "how many digits the text of a FLOAT has"),
        ("TIMESTAMP(6)", plain("timestamp"), {"staging": TEXT}, "ends at milliseconds"),
        ("TIMESTAMP(6)", plain("timestamp"), {"staging": "TIMESTAMP_LTZ(9)"}, "not loaded into it as it is"),
        ("TIMESTAMP(6)", plain("timestamp"), {"staging": "TIMESTAMP_NTZ(3)"}, "microseconds"),
        ("BINARY", plain("bytea"), {"staging": TEXT}, "no UTF-8"),
        ("DECIMAL(10,2)", numeric(10, 2), {"final": "NUMBER(38,1)"}, "rounded without an error"),
        ("DECIMAL(10,2)", numeric(10, 2), {"final": "NUMBER(9,2)"}, "too large would stop the merge"),
        ("STRING", plain("text"), {"final": "VARCHAR(20)"}, "too long would stop the merge"),
        ("STRING", varchar(21), {"final": "VARCHAR(20)"}, "too long would stop the merge"),
        ("TIMESTAMP(6)", plain("timestamp"), {"final": "TIMESTAMP_NTZ(3)"}, "they would be cut"),
        ("STRING", plain("text"), {"final": "NUMBER(12,2)"}, "one too large would stop it"),
        ("STRING", plain("text"), {"final": "BINARY(1)"}, "too long would stop the merge"),
        ("STRING", plain("text"), {"final": "DATE", "cast": Cast.JSON}, "the merge needs date"),
        ("STRING", plain("jsonb"), {"cast": Cast.NONE}, "the merge needs json"),
    ],
)
def test_an_override_that_would_lose_values_is_refused_with_the_reason(
    parquet: str, pg: PgType, what: dict[str, object], why: str
) -> None:
    with pytest.raises(TypeMapError) as caught:
        decided(parquet, pg, **what)
    assert str(caught.value).startswith("typemaps/overrides.toml: override 1 (column shop.orders.total): ")
    assert why in str(caught.value)


def test_overrides_that_decide_about_no_column_are_named() -> None:
    maps = dataclasses.replace(
        shipped(),
        overrides=(
            override(1, column="shop.orders.total"),
            override(2, column="shop.orders.gone"),
            override(3, type="integer"),
            override(4, type="numeric"),
            override(5, type="numeric", table="shop.lines"),
        ),
    )
    columns = [(TableName("shop", "orders"), name, numeric(10, 2)) for name in ("total", "tax")]
    told = [
        "override 2 (column shop.orders.gone)",
        "override 3 (type integer)",
        "override 5 (type numeric of table shop.lines)",
    ]
    assert list(idle(maps, columns)) == told
    assert idle(shipped(), columns) == ()


def test_a_domain_over_an_enum_is_not_taken_for_an_enum() -> None:
    """AWS lists neither; the base type is a user's own, so nothing is known."""
    assert deliver(shipped(), ENUM_DOMAIN, S).hops[0].loss is Loss.UNKNOWN


def test_numeric_reads_scale_and_precision_out_of_the_typmod() -> None:
    for precision, scale in ((1, 0), (10, 2), (38, 37), (39, 2), (1000, 1000), (5, -2), (3, 5), (1000, -1000)):
        assert (numeric(precision, scale).precision, numeric(precision, scale).scale) == (precision, scale)
    assert plain("numeric").precision is None
    assert plain("int4").scale is None
